"""A scikit-learn estimator whose learned state is a checkpoint: what it answers once fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from shoal import pipeline
from shoal.clustering.fitted import fitted_clusterer
from shoal.embedding.embed import BATCH, EmbeddingTable, embed
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.estimator.samples import RowScale, open_images
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import FloatArray, ImageSource, IntArray, Track, silent
from shoal.scoring import label_free
from shoal.scoring.assignment import probabilities
from shoal.training.devices import reproducible, resolve_device

NUMBERS = (np.float64, np.float32)
"""What a table is read as, the first where it is neither."""
ROW_RANGE = "row_range"
"""Where a checkpoint's provenance keeps a table's `RowScale`."""


class CheckpointEstimator(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    ClusterMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """The methods of `ImageClusterer` that need no more than a finished checkpoint.

    What ``X`` may be is told there.
    """

    checkpoint_: Checkpoint
    n_clusters_: int
    n_iter_: int
    device: str
    verbose: bool

    def predict(self, X: Any) -> IntArray:
        """The clusters of images ``X``, new ones among them: int64 (n,).

        Raises:
            DataError: unusable images, or of another shape than those of `fit`.
        """
        return self._table(X).labels

    def predict_proba(self, X: Any) -> FloatArray:
        """How likely each image belongs to each cluster, float32 (n, n_clusters).

        Rows sum to 1. The largest number of a row stands at the cluster that `predict` gives, and
        is the confidence: calibrated, see `scoring.calibration`.

        Raises:
            DataError: see `predict`.
        """
        return probabilities(self.transform(X), self.checkpoint_)

    def score_samples(self, X: Any) -> FloatArray:
        """The confidence that an image belongs to the cluster that `predict` gives, float32 (n,).

        In [0, 1]: how often such images are expected to be right, see `scoring.calibration`.

        Raises:
            DataError: see `predict`.
        """
        return self._table(X).confidence

    def transform(self, X: Any) -> FloatArray:
        """The embedding in which the clusters were found, float32 (n, d).

        Raises:
            DataError: see `predict`.
        """
        source, device, track = self._open(X)
        return reduce(source, self.checkpoint_, device=device, track=track)

    def encode(self, X: Any) -> FloatArray:
        """The encoder's codes, float32 (n, c), before projection and reduction.

        Raises:
            DataError: see `predict`.
        """
        source, device, track = self._open(X)
        # At the images' own size, as the decoder knows them.
        codes = replace(self.checkpoint_.recipe, embedding="encoder", embedding_resolution=1.0)
        asked = replace(self.checkpoint_, recipe=codes)
        return embed(source, asked, device=device, track=track)

    @torch.inference_mode()
    def inverse_transform(self, X: Any) -> npt.NDArray[Any]:
        """The pictures that the decoder makes of codes ``X``, float32 (n, c), as of `encode`.

        What `transform` gives cannot be turned back: it lacks what the projection and the
        reductions left out. It is refused by its width, unless that is c by chance.

        Returns:
            uint8 (n, H, W, C), or float32 (n, f) if the estimator was fitted on a table.

        Raises:
            DataError: codes of another width.
        """
        check_is_fitted(self)
        device = resolve_device(self.device)
        encoder = self.checkpoint_.build_encoder().to(device)
        codes = check_array(X, dtype=np.float32)
        if codes.shape[1] != encoder.n_features:
            raise DataError(
                f"codes of {encoder.n_features} numbers an image are expected, as encode gives "
                f"them, and {codes.shape[1]} came; the output of transform cannot be turned back: "
                "use encode, or reconstruct for both ways at once."
            )
        parts = torch.tensor(codes).split(BATCH)
        with reproducible():
            decoded = torch.cat([encoder.decode(part.to(device)).cpu() for part in parts])
        pixels = decoded.clamp(0, 1).movedim(1, 3).numpy()
        scale = self._row_scale()
        return np.rint(pixels * 255).astype(np.uint8) if scale is None else scale.to_rows(pixels)

    def reconstruct(self, X: Any) -> npt.NDArray[Any]:
        """Images ``X`` as the autoencoder gives them back; shapes as of `inverse_transform`.

        Raises:
            DataError: see `predict`.
        """
        return self.inverse_transform(self.encode(X))

    def score(self, X: Any, y: Any = None) -> float:
        """How steady the clusters are on images ``X``, without labels, in [0, 1]; more is better.

        The score by which ``GridSearchCV`` compares, see `LabelFreeScores.combined`. ``y`` is never
        read.

        Raises:
            DataError: fewer than 20 images; also see `predict`.
        """
        source, device, track = self._open(X)
        return label_free.judge(source, self.checkpoint_, device=device, track=track).combined

    def save(self, path: str | Path) -> None:
        """Write the ordinary checkpoint file, which the command line reads, too.

        Raises:
            OutputError: the file cannot be written.
        """
        check_is_fitted(self)
        checkpoints.save(self.checkpoint_, path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        """How many columns `transform` gives, for ``get_feature_names_out``."""
        return fitted_clusterer(self.checkpoint_).reference.shape[1]

    def _adopt(self, checkpoint: Checkpoint) -> Self:
        self.checkpoint_, self.n_iter_ = checkpoint, checkpoint.step
        self.n_clusters_ = checkpoint.recipe.n_clusters
        return self

    def _track(self) -> Track:
        return Reporter() if self.verbose else silent

    def _table(self, X: Any) -> EmbeddingTable:
        source, device, track = self._open(X)
        return pipeline.predict(source, self.checkpoint_, device=device, track=track)

    def _open(self, X: Any) -> tuple[ImageSource, str, Track]:
        """The images of a fitted estimator's ``X``, and how to work on them."""
        check_is_fitted(self)
        device, track = resolve_device(self.device), self._track()
        shape, scale = self.checkpoint_.image_shape, self._row_scale()
        if scale is None:
            source = open_images(
                X, image_shape=shape, pixel_range=self.checkpoint_.pixel_range, track=track
            )
            if source is None:
                raise DataError(
                    f"X: images of shape {shape} (height, width, channels) are expected, as in "
                    "fit, and neither an array of images nor paths came; reshape a table of "
                    f"pixels to (n, {', '.join(map(str, shape))})."
                )
            if len(source) < 1:
                raise DataError("X: at least 1 image is expected, and none came.")
            return source, device, track
        rows = validate_data(self, X, dtype=NUMBERS, reset=False)
        return ArraySource(scale.to_images(rows)), device, track

    def _row_scale(self) -> RowScale | None:
        """How the table of `fit` was seen as images; None if it was fitted on images."""
        limits = self.checkpoint_.provenance.get(ROW_RANGE)
        return None if limits is None else RowScale(*limits)
