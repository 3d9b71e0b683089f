"""`ImageClusterer`: a scikit-learn estimator that learns from images and clusters them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import validate_data

from shoal import pipeline
from shoal.budget import limit_for
from shoal.clustering.choose_k import check_enough
from shoal.clustering.clustering import check_finished
from shoal.corrections.division import Division
from shoal.corrections.honoured import honour
from shoal.errors import CheckpointError, DataError, Interrupted
from shoal.estimator.checkpoint_estimator import NUMBERS
from shoal.estimator.encoder_estimator import EncoderEstimator
from shoal.estimator.inputs import RowScale, open_images
from shoal.estimator.parameters import recipe_of
from shoal.export.load_corrections import corrections_of, load_corrections
from shoal.images.array import ArraySource
from shoal.images.channels import guessed_channels
from shoal.images.disk import temporary_folder
from shoal.models import checkpoint as checkpoints
from shoal.models.facts import Origin
from shoal.progress import Reporter
from shoal.protocols import ImageSource, Track
from shoal.recipes.asked_views import AskedViews
from shoal.recipes.recipe import Recipe, check_trainable
from shoal.scoring.try_views import try_views
from shoal.training.devices import resolve_device
from shoal.training.suit import suit
from shoal.training.time_limit import TimeLimit


class ImageClusterer(EncoderEstimator):
    """Cluster unlabelled images with an encoder that learns from these images alone.

    `fit` trains an encoder, embeds the images, reduces the embedding and clusters it; see
    `pipeline` for the steps. `predict` assigns new images without the old ones.

    In every method, ``X`` is one of these:

    - an array of images (n, H, W), (n, H, W, C) or (n, C, H, W), C from 1 to 64; see
      `array_pixels.check_images` for its types;
    - a list of paths of image files;
    - a folder, or any other path that `open_source` takes;
    - an `ImageSource`;
    - a table of numbers (n, f) with at most 64 columns, as scikit-learn's own tools pass it. Each
      row becomes a picture of 1 × f pixels with 8 bits: the smallest number in the table of `fit`
      is black, the greatest is white, and numbers outside are clipped. Scale columns of different
      units before, and choose a recipe that neither flips nor crops.

    Args:
        n_clusters: the number of clusters, in place of the recipe's own. ``"auto"`` chooses a
            number from 2 to 20, see `choose_n_clusters`, and needs at least 20 images. 1 divides
            nothing, and is taken because scikit-learn's checks ask for it. The encoder does not
            depend on the number.
        recipe: a name (``"baseline"``, ``"improved"``, ``"best"``, ``"digits"``) or a `Recipe`. It
            is taken as it is. None takes ``"best"``, with views that suit the images.
        orientation: ``"free"``: the images have no up, as seen through a microscope or from above;
            ``"upright"``: they have one; ``"auto"``: `fit` decides by the images. None: ``"auto"``
            without a recipe, else as the recipe has it.
        intensity: ``"matters"``: how bright a channel is tells kinds of images apart;
            ``"varies"``: it changes with the light or the dye, and tells nothing; ``"ignored"``:
            nor do colours, any thing may have any; ``"auto"`` and None as above.
        effort: ``"quick"``: a third of the recipe's epochs; ``"thorough"``: twice as many.
            Large image files are seen at 32 or 64 pixels a side by it, see `open_source`.
        epochs: how often training sees every image; None takes the recipe's own number.
        minutes: how long to train, in place of ``epochs``.
        settings: changes to the recipe, such as ``["views.min_crop=0.4"]``; see `override`.
        channels: which axis of an array holds the channels, ``"first"`` or ``"last"``. None: its
            shape tells. What else can be asked of files, the frames of a video or how images are
            brought to a square, `open_source` takes: give what it returns as ``X``.
        random_state: a seed, or a ``numpy.random.RandomState`` from which each `fit` draws a seed.
            None takes the recipe's own seed, so that a second `fit` gives the same result. The
            same seed, images, machine and number of threads give the same bits, unless ``minutes``
            is given: then speed decides the number of steps.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        corrections: a journal that ``shoal review`` wrote, of the same images. Clusters are then
            the groups that a person left, new images join them, and `predict` gives their numbers.
        verbose: whether to show progress and warnings on standard error.
            ``checkpoint_.facts.warnings`` holds the warnings, too.

    Attributes:
        labels_: int64 (n,), the cluster of each image; cluster 0 is the largest. Not after `load`.
        confidence_: float32 (n,) in [0, 1], the confidence of each label. Not after `load`.
        n_clusters_: the number of clusters. If it was chosen,
            ``checkpoint_.facts.chosen`` gives the reason.
        ids_: the name of each image, its row number or its path. Not after `load`.
        checkpoint_: the finished `Checkpoint`; all other methods use it.
        n_iter_: the number of training steps.
        n_features_in_: H · W · C, or f for a table.
        feature_names_in_: (f,), the names of the columns, if a table names all of them.

    See Also:
        shoal.fit : The same training as one function, which writes a checkpoint file.
        shoal.predict : The same assignment, as a table that can be written to a file.
        sklearn.cluster.KMeans : Clusters vectors; it does not learn an embedding.

    Examples:
        >>> import numpy as np
        >>> from shoal import ImageClusterer
        >>> generator = np.random.default_rng(0)
        >>> brightness = np.repeat([40, 200], 20)[:, None, None]
        >>> images = (brightness + generator.integers(-30, 30, (40, 8, 8))).astype(np.uint8)
        >>> settings = ["encoder.widths=(8,16)", "checkpoints=1"]
        >>> clusterer = ImageClusterer(recipe="improved", epochs=2, settings=settings)
        >>> clusterer.fit(images).labels_.shape
        (40,)
        >>> np.bincount(clusterer.labels_)
        array([20, 20])
        >>> clusterer.transform(images).shape
        (40, 16)
    """

    n_features_in_: int

    def __init__(
        self,
        n_clusters: int | str = 2,
        *,
        recipe: str | Recipe | None = None,
        orientation: str | None = None,
        intensity: str | None = None,
        effort: str = "default",
        epochs: float | None = None,
        minutes: float | None = None,
        settings: Sequence[str] = (),
        channels: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        corrections: str | Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.recipe = recipe
        self.orientation = orientation
        self.intensity = intensity
        self.effort = effort
        self.epochs = epochs
        self.minutes = minutes
        self.settings = settings
        self.channels = channels
        self.random_state = random_state
        self.device = device
        self.corrections = corrections
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from images ``X`` and cluster them; ``y`` is ignored.

        Raises:
            DataError: the images cannot be used, or there are fewer than 2, fewer than
                ``n_clusters``, or fewer than 20 for ``n_clusters="auto"``.
            RecipeError: a parameter is unknown, of a wrong type or out of range.
            DeviceError: this machine does not have the device.
            TrainingError: the loss is not finite.
        """
        began = time.monotonic()
        device, track = resolve_device(self.device), self._track()
        recipe = recipe_of(
            self.recipe, n_clusters=self.n_clusters, effort=self.effort, epochs=self.epochs,
            minutes=self.minutes, settings=self.settings, random_state=self.random_state,
        )  # fmt: skip
        asked = AskedViews.of(
            self.orientation, self.intensity, self.settings, recipe_named=self.recipe is not None
        )
        source, origin = self._open_to_fit(X, track)
        if origin.row_range is None:  # scikit-learn's own checks fit one cluster to a table
            check_trainable(recipe)
        auto = isinstance(self.n_clusters, str)
        if auto:
            check_enough(len(source))
        if origin.row_range is None:
            photographs = recipe.views
            recipe, said = suit(source, recipe, asked)
            if isinstance(track, Reporter):
                track.say(*guessed_channels(source), *said)
        limit = None
        if self.minutes is not None:
            limit, recipe = self._within(source, recipe, began, device)
        if origin.row_range is None:
            recipe, tried, said = try_views(
                source, recipe, photographs, asked, device=device, track=track
            )
            origin = replace(origin, tried_views=tried)
            if isinstance(track, Reporter):
                track.say(*said)
            if tried and limit is not None:  # which took minutes, and may have changed the views
                limit, recipe = self._within(source, recipe, began, device)
        with tempfile.TemporaryDirectory(prefix="shoal-", dir=temporary_folder()) as folder:
            path = Path(folder) / "checkpoint.pth"
            try:
                self.checkpoint_, table = pipeline.fit(
                    source,
                    path,
                    recipe,
                    auto_k=auto,
                    device=device,
                    origin=origin,
                    limit=limit,
                    keep_better=self.recipe is None and origin.row_range is None,
                    track=track,
                )
            except Interrupted as error:  # no state is kept to resume from
                raise KeyboardInterrupt from error
        corrections = None
        if self.corrections is not None:
            corrections = load_corrections(self.corrections, self.checkpoint_)
            division = corrections.division
            if division.of(self.checkpoint_) != Division():
                labels = division.labels(table.embedding, self.checkpoint_)
                table = replace(table, labels=labels)
            table = honour(table, corrections, self.checkpoint_, images=source.digest()).table
        self._adopt(self.checkpoint_, corrections)
        self._keep(X, table, track)
        return self

    def _within(
        self, source: ImageSource, recipe: Recipe, began: float, device: str
    ) -> tuple[TimeLimit, Recipe]:
        """The limit of ``minutes``, and the recipe with as many epochs as fit."""
        assert self.minutes is not None
        limit, timed, _ = limit_for(
            source, recipe, minutes=self.minutes, began=began, device=device
        )
        return limit, timed

    @classmethod
    def load(cls, path: str | Path, *, corrections: str | Path | bool = True) -> Self:
        """A fitted estimator from a checkpoint that `save` or the command line wrote.

        Args:
            path: the checkpoint.
            corrections: a journal that ``shoal review`` wrote; True: the one beside the checkpoint,
                if there is one; False: none.

        Raises:
            DataError: the journal cannot be used.
            CheckpointError: the file is not a checkpoint, or one without clusters, which training
                kept along the way.
        """
        checkpoint = checkpoints.load(path)
        check_finished(checkpoint)
        if checkpoint.n_dimensions:
            raise CheckpointError(
                f"{path} clusters vectors from elsewhere; load it with VectorClusterer."
            )
        estimator = cls(checkpoint.recipe.n_clusters, recipe=checkpoint.recipe)
        estimator._loaded_from = Path(path).absolute()
        height, width, channels = checkpoint.image_shape
        estimator.n_features_in_ = height * width * channels
        found = corrections_of(path, checkpoint) if corrections is True else None
        if not isinstance(corrections, bool):
            found = load_corrections(corrections, checkpoint, beside=path)
        estimator.corrections = None if found is None else found.path
        return estimator._adopt(checkpoint, found)

    def _open_to_fit(self, X: Any, track: Track) -> tuple[ImageSource, Origin]:
        """The images to learn from, and the range of numbers in a table."""
        source = open_images(X, channels=self.channels, effort=self.effort, track=track)
        if source is None:
            rows = validate_data(self, X, dtype=NUMBERS, ensure_min_samples=2)
            scale = RowScale.of(rows)
            return ArraySource(scale.to_images(rows)), Origin(row_range=(scale.low, scale.high))
        if len(source) < 2:
            raise DataError(f"X must hold at least 2 images to learn from, got {len(source)}.")
        height, width, channels = source.shape
        self.n_features_in_ = height * width * channels
        self.__dict__.pop("feature_names_in_", None)  # from an earlier fit on a table
        return source, Origin()
