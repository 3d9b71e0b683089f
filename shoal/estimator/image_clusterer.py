"""shoal in scikit-learn's style: one estimator that learns, clusters, embeds and reconstructs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import validate_data

from shoal import pipeline
from shoal.budget import epochs_for
from shoal.choose_k import check_enough, settle
from shoal.clustering.fitted import fitted_clusterer
from shoal.errors import DataError, Interrupted
from shoal.estimator.arguments import resolve
from shoal.estimator.checkpoint_estimator import NUMBERS, ROW_RANGE, CheckpointEstimator
from shoal.estimator.samples import RowScale, open_images
from shoal.images.array import ArraySource
from shoal.images.disk import temporary_folder
from shoal.models import checkpoint as checkpoints
from shoal.progress import Reporter
from shoal.protocols import FloatArray, ImageSource, IntArray, Track
from shoal.recipes.recipe import Recipe, check_divides
from shoal.training.devices import resolve_device


class ImageClusterer(CheckpointEstimator):
    """Sorts unlabelled images by learning from them alone; see `pipeline` for how.

    ``X`` is, in every method, an array uint8 (n, H, W, C) or (n, H, W) (floats and other types:
    `checks.check_images`), a list of paths of image files, a folder or any other path that
    `open_source` takes, or an `ImageSource`. A table (n, f) of up to 64 columns, as scikit-learn's
    own tools pass it around, is taken for n pictures of 1 × f pixels: the least number in it at
    `fit` is black, the greatest white, numbers outside are cut off later, and 8 bits a number are
    kept. Columns with units of their own want a scaler before, and recipes that mirror and crop
    suit pictures, not tables.

    Args:
        n_clusters: how many groups; goes before the recipe's own number. ``"auto"``: as many, from
            2 to 20, as are found again in other images, see `choose_n_clusters`; takes 20 images
            or more. The encoder does not depend on the number.
        recipe: a name (baseline, improved, best, digits) or a `Recipe`.
        epochs: how often every image is seen; None: as the recipe says.
        minutes: train for about so long instead.
        settings: changes to the recipe, such as ``["views.min_crop=0.4"]``, see `override`.
        random_state: an int, the seed; None: the recipe's own, so that a second fit gives the same;
            or a ``numpy.random.RandomState``, from which each fit draws a seed. With equal seeds
            the same images, machine and number of threads give the same bits, except in
            ``minutes``, where speed decides how many steps there are.
        device: auto, cpu or cuda.
        verbose: show progress and warnings on standard error. Warnings are also in
            ``checkpoint_.provenance["warnings"]``.

    Attributes:
        labels_: int64 (n,), the cluster of each image, the largest is 0. Not there after `load`.
        confidence_: float32 (n,) in [0, 1], how surely it belongs there. Not there after `load`.
        n_clusters_: how many groups there are; why, if chosen, says
            ``checkpoint_.provenance["n_clusters"]``.
        ids_: n names: row numbers or paths. Not there after `load`.
        checkpoint_: the finished `Checkpoint`, all that the other methods use.
        n_iter_: the training steps taken.
        n_features_in_: H · W · C, or f of a table.
        feature_names_in_: (f,), the columns' names, of a table that names them all.

    >>> generator = np.random.default_rng(0)
    >>> dark_or_light = np.repeat([40, 200], 20)[:, None, None]
    >>> images = (dark_or_light + generator.integers(-30, 30, (40, 8, 8))).astype(np.uint8)
    >>> small = ["encoder.widths=(8,16)", "checkpoints=1"]
    >>> clusterer = ImageClusterer(recipe="improved", epochs=2, settings=small).fit(images)
    >>> sorted(np.bincount(clusterer.labels_).tolist()), clusterer.transform(images).shape
    ([20, 20], (40, 16))
    """

    labels_: IntArray
    confidence_: FloatArray
    ids_: Sequence[str]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int | str = 2,
        *,
        recipe: str | Recipe = "best",
        epochs: float | None = None,
        minutes: float | None = None,
        settings: Sequence[str] = (),
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.recipe = recipe
        self.epochs = epochs
        self.minutes = minutes
        self.settings = settings
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from images ``X`` and cluster them. ``y`` is there for pipelines, never read.

        Raises:
            DataError: unusable images, fewer than 2, or fewer than clusters, or than 20 if their
                number is to be chosen.
            RecipeError: an unknown recipe or setting, or a value out of range.
            DeviceError: a device that this machine does not have.
            TrainingError: the loss is no longer finite.
        """
        device, track = resolve_device(self.device), self._track()
        recipe = resolve(
            self.recipe, n_clusters=self.n_clusters, epochs=self.epochs, minutes=self.minutes,
            settings=self.settings, random_state=self.random_state,
        )  # fmt: skip
        source, notes = self._open_to_fit(X, track)
        if ROW_RANGE not in notes:  # scikit-learn's own checks ask one cluster of tables
            check_divides(recipe)
        auto = isinstance(self.n_clusters, str)
        if auto:
            check_enough(len(source))
        if self.minutes is not None:
            epochs, _ = epochs_for(source, recipe, minutes=self.minutes, device=device)
            recipe = replace(recipe, epochs=epochs)
        with tempfile.TemporaryDirectory(prefix="shoal-", dir=temporary_folder()) as folder:
            path = Path(folder) / "checkpoint.pth"
            try:
                pipeline.fit(source, path, recipe, device=device, notes=notes, track=track)
            except Interrupted as error:  # there is nothing to go on from: as any other Ctrl-C
                raise KeyboardInterrupt from error
            finished = checkpoints.load(path)
        if auto:
            finished = settle(source, finished, device=device, track=track)
        self._adopt(finished)
        table = pipeline.predict(source, self.checkpoint_, device=device, track=track)
        self.labels_, self.confidence_, self.ids_ = table.labels, table.confidence, table.ids
        if isinstance(track, Reporter):
            if auto:
                track.say(finished.provenance["n_clusters"])
            track.warn(*self.checkpoint_.provenance["warnings"])
        return self

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A fitted estimator from a finished checkpoint, made by `save` or by the command line.

        Raises:
            CheckpointError: not a checkpoint, or one kept along the way, without clusters.
        """
        checkpoint = checkpoints.load(path)
        fitted_clusterer(checkpoint)  # raises now rather than at the first prediction
        estimator = cls(checkpoint.recipe.n_clusters, recipe=checkpoint.recipe)
        height, width, channels = checkpoint.image_shape
        estimator.n_features_in_ = height * width * channels
        return estimator._adopt(checkpoint)

    def _open_to_fit(self, X: Any, track: Track) -> tuple[ImageSource, dict[str, Any]]:
        """The images to learn from, and what the checkpoint is to tell of a table."""
        source = open_images(X, track=track)
        if source is None:
            rows = validate_data(self, X, dtype=NUMBERS, ensure_min_samples=2)
            scale = RowScale.of(rows)
            return ArraySource(scale.to_images(rows)), {ROW_RANGE: [scale.low, scale.high]}
        if len(source) < 2:
            raise DataError(f"X: at least 2 images are expected to learn from, {len(source)} came.")
        height, width, channels = source.shape
        self.n_features_in_ = height * width * channels
        self.__dict__.pop("feature_names_in_", None)  # of a table fitted before
        return source, {}
