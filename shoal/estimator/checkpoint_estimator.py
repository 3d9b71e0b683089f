"""The methods of a fitted scikit-learn estimator whose learned state is a checkpoint."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from shoal import pipeline
from shoal.clustering.clustering import clustering_of
from shoal.corrections.honoured import Corrections, groups_under
from shoal.corrections.predict import predict_corrected
from shoal.corrections.probabilities import group_probabilities
from shoal.embedding.reduce import reduce
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.estimator.inputs import RowScale, open_images
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import FloatArray, ImageSource, IntArray, Track, silent
from shoal.scoring import label_free
from shoal.scoring.assignment import probabilities
from shoal.training.devices import resolve_device

NUMBERS = (np.float64, np.float32)
"""The types that a table may have; another type is converted to the first."""


class CheckpointEstimator(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    ClusterMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """The methods of `ImageClusterer` that need only a finished checkpoint.

    `ImageClusterer` describes what ``X`` may be.
    """

    checkpoint_: Checkpoint
    corrections_: Corrections | None
    n_clusters_: int
    n_iter_: int
    device: str
    verbose: bool

    def predict(self, X: Any) -> IntArray:
        """The cluster of each image in ``X``: int64 (n,). The images may be new.

        Raises:
            DataError: the images cannot be used, or have another shape than in `fit`.
        """
        return self._table(X).labels

    def predict_proba(self, X: Any) -> FloatArray:
        """The probability that each image belongs to each cluster, float32 (n, n_clusters).

        Rows sum to 1. The largest number of a row belongs to the cluster that `predict` gives. It
        is the calibrated confidence, see `scoring.calibration`.

        Raises:
            DataError: see `predict`.
        """
        check_is_fitted(self)
        table = self._table(X, familiarity=True)
        if self.corrections_ is None:
            return probabilities(table.embedding, self.checkpoint_, table.familiarity)
        return group_probabilities(table, self.corrections_, self.checkpoint_)

    def score_samples(self, X: Any) -> FloatArray:
        """The confidence that each image belongs to its cluster, float32 (n,) in [0, 1].

        It estimates how often images of this confidence are right, see `scoring.calibration`. Of
        images unlike any that were learned, such as blank ones, it is that of chance.

        Raises:
            DataError: see `predict`.
        """
        return self._table(X, familiarity=True).confidence

    def transform(self, X: Any) -> FloatArray:
        """The reduced embedding of ``X``, in which the clusters lie, float32 (n, d).

        Raises:
            DataError: see `predict`.
        """
        source, device, track = self._open(X)
        return reduce(source, self.checkpoint_, device=device, track=track)

    def score(self, X: Any, y: Any = None) -> float:
        """How consistent the clusters are, in [0, 1]; ``GridSearchCV`` compares this score.

        Clusters are consistent if they hardly change when the images are shown a little
        differently; see `LabelFreeScores.combined`. No labels are used: ``y`` is ignored.

        Raises:
            DataError: there are fewer than 20 images; also see `predict`.
        """
        source, device, track = self._open(X)
        return label_free.judge(source, self.checkpoint_, device=device, track=track).combined

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the checkpoint to a file, which the command line reads, too.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_is_fitted(self)
        checkpoints.save(self.checkpoint_, path, force=force)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        """The number of columns of `transform`, which ``get_feature_names_out`` asks for."""
        return clustering_of(self.checkpoint_).reference.shape[1]

    def _adopt(self, checkpoint: Checkpoint, corrections: Corrections | None = None) -> Self:
        self.checkpoint_, self.n_iter_ = checkpoint, checkpoint.step
        self.n_clusters_ = checkpoint.recipe.n_clusters
        self.corrections_ = corrections
        if corrections is not None:
            if corrections.lacks:
                warnings.warn(f"{corrections.lacks}.", stacklevel=3)
            groups, _, _ = groups_under(corrections, checkpoint, corrections.division)
            self.n_clusters_ = len(groups.sizes)
        return self

    def _track(self) -> Track:
        return Reporter() if self.verbose else silent

    def _table(self, X: Any, *, familiarity: bool = False) -> ImageTable:
        source, device, track = self._open(X)
        if self.corrections_ is None:
            return pipeline.predict(
                source, self.checkpoint_, familiarity=familiarity, device=device, track=track
            )
        return predict_corrected(
            source, self.checkpoint_, self.corrections_, familiarity=familiarity, device=device,
            track=track,
        ).table  # fmt: skip

    def _open(self, X: Any) -> tuple[ImageSource, str, Track]:
        """The images of ``X``, the device, and how to show progress."""
        check_is_fitted(self)
        device, track = resolve_device(self.device), self._track()
        shape, scale = self.checkpoint_.image_shape, self._row_scale()
        if scale is None:
            source = open_images(
                X,
                image_shape=shape,
                pixel_range=self.checkpoint_.pixel_range,
                fit=self.checkpoint_.fit,
                track=track,
            )
            if source is None:
                raise DataError(
                    f"X must be images of shape {shape} (height, width, channels), as in fit, or "
                    "paths of images; reshape a table of pixels to "
                    f"(n, {', '.join(map(str, shape))})."
                )
            if len(source) < 1:
                raise DataError("X must hold at least 1 image, got 0.")
            return source, device, track
        rows = validate_data(self, X, dtype=NUMBERS, reset=False)
        return ArraySource(scale.to_images(rows)), device, track

    def _row_scale(self) -> RowScale | None:
        """The scale of the table given to `fit`; None if `fit` got images."""
        limits = self.checkpoint_.origin.row_range
        return None if limits is None else RowScale(*limits)
