"""`VectorClusterer`: a scikit-learn estimator that clusters vectors which another program made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from shoal import pipeline
from shoal.clustering.choose_k import check_enough
from shoal.clustering.clustering import check_finished
from shoal.errors import CheckpointError, DataError, RecipeError
from shoal.estimator.checkpoint_estimator import NUMBERS
from shoal.estimator.parameters import recipe_of
from shoal.estimator.reviewed_estimator import ReviewedEstimator
from shoal.export.load_corrections import corrections_of
from shoal.images.vectors.open import open_vectors
from shoal.images.vectors.source import VectorSource
from shoal.models import checkpoint as checkpoints
from shoal.protocols import ImageSource, Track
from shoal.recipes.metric import AUTO, metric_of, with_metric
from shoal.recipes.named import VECTORS
from shoal.recipes.recipe import check_for_vectors
from shoal.recipes.settings import changes
from shoal.scoring import label_free


class VectorClusterer(ReviewedEstimator):
    """Cluster vectors that another program made; `ImageClusterer` for embeddings.

    In every method, ``X`` is a table of numbers (n, d), a `VectorSource`, or the path of a file
    that `open_vectors` takes.

    Args:
        n_clusters: the number of clusters. ``"auto"`` chooses a number from 2 to 20, see
            `choose_n_clusters`, and needs at least 20 vectors. 1 divides nothing, and is
            taken because scikit-learn's checks ask for it.
        metric: how vectors are compared. ``"cosine"``: by their directions, as embeddings mostly
            are; ``"euclidean"``: as they are, as features are; ``"auto"``: as their clusters show,
            see `metric_`.
        settings: changes to what is done, such as ``["clusterer=kmeans"]`` or
            ``["reducers=pca(n_components=32)"]``; see `override`.
        random_state: a seed, or a ``numpy.random.RandomState`` from which each `fit` draws one.
        verbose: whether to show progress and warnings on standard error.

    Attributes:
        labels_: int64 (n,), the cluster of each vector; cluster 0 is the largest. Not after `load`.
        confidence_: float32 (n,) in [0, 1], the confidence of each label. Not after `load`.
        n_clusters_: the number of clusters.
        metric_: ``"cosine"`` or ``"euclidean"``; ``checkpoint_.facts.metric`` gives the reason.
        ids_: the name of each vector. Not after `load`.
        checkpoint_: the finished `Checkpoint`, which the command line reads, too.
        n_features_in_: d.
        feature_names_in_: (d,), the names of the columns, if a table names all of them.

    See Also:
        ImageClusterer : Learns an embedding of images first.
        sklearn.cluster.SpectralClustering : Cuts the same kind of graph, of few points.

    Examples:
        >>> import numpy as np
        >>> from shoal import VectorClusterer
        >>> vectors = np.repeat(np.eye(2, 8), 20, axis=0)
        >>> vectors += np.random.default_rng(0).normal(size=vectors.shape) / 9
        >>> np.bincount(VectorClusterer(2).fit_predict(vectors))
        array([20, 20])
    """

    n_features_in_: int
    device = "cpu"

    def __init__(
        self, n_clusters: int | str = 2, *, metric: str = AUTO, settings: Sequence[str] = (),
        random_state: int | np.random.RandomState | None = None, verbose: bool = False,
    ) -> None:  # fmt: skip
        self.n_clusters = n_clusters
        self.metric = metric
        self.settings = settings
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Cluster vectors ``X``; ``y`` is ignored.

        Raises:
            DataError: the vectors cannot be used, or there are fewer than 2, fewer than
                ``n_clusters``, or fewer than 20 for ``n_clusters="auto"``.
            RecipeError: a parameter is unknown, of a wrong type or out of range.
        """
        track = self._track()
        recipe = recipe_of(
            VECTORS, n_clusters=self.n_clusters, epochs=None, minutes=None,
            settings=self.settings, random_state=self.random_state,
        )  # fmt: skip
        check_for_vectors(recipe, VECTORS, single=True)
        reducers_named = changes(self.settings, "reducers")
        if self.metric != AUTO and reducers_named:
            raise RecipeError("metric and the setting reducers=… cannot both be given; give one.")
        recipe = with_metric(recipe, self.metric)
        source = self._vectors(X, reset=True)
        auto = isinstance(self.n_clusters, str)
        if auto:
            check_enough(len(source))
        checkpoint, table = pipeline.cluster_vectors(
            source, recipe, auto_k=auto, auto_metric=self.metric == AUTO and not reducers_named,
            track=track,
        )  # fmt: skip
        self._adopt(checkpoint)
        self._keep(X, table, track)
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """How stable the clusters are: the agreement of those found in two halves, up to 1.

        No labels are used: ``y`` is ignored.

        Raises:
            DataError: there are fewer than 20 vectors; also see `predict`.
        """
        source, device, track = self._open(X)
        return label_free.judge(source, self.checkpoint_, device=device, track=track).stability

    @classmethod
    def load(cls, path: str | Path, *, corrections: bool = True) -> Self:
        """A fitted estimator from a checkpoint that `save` or ``shoal cluster`` wrote.

        Args:
            path: the checkpoint.
            corrections: honour the corrections beside it, if there are any.

        Raises:
            CheckpointError: the file is no checkpoint of vectors.
        """
        checkpoint = checkpoints.load(path)
        check_finished(checkpoint)
        if not checkpoint.n_dimensions:
            raise CheckpointError(f"{path} clusters images; load it with ImageClusterer.")
        estimator = cls(checkpoint.recipe.n_clusters, metric=metric_of(checkpoint.recipe))
        estimator._loaded_from = Path(path).absolute()
        estimator.n_features_in_ = checkpoint.n_dimensions
        return estimator._adopt(
            checkpoint, corrections_of(path, checkpoint) if corrections else None
        )

    @property
    def metric_(self) -> str:
        """The metric that was used, see the class."""
        check_is_fitted(self)
        return metric_of(self.checkpoint_.recipe)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        return tags

    def _open(self, X: Any) -> tuple[ImageSource, str, Track]:
        check_is_fitted(self)
        return self._vectors(X, reset=False), self.device, self._track()

    def _vectors(self, X: Any, *, reset: bool) -> VectorSource:
        """``X`` as vectors, as many numbers in each as `fit` saw."""
        if isinstance(X, str | os.PathLike):
            X = open_vectors(Path(X))
        if isinstance(X, VectorSource):
            source = X
            if reset:
                self.n_features_in_ = X.n_dimensions
                self.__dict__.pop("feature_names_in_", None)  # from an earlier fit on a table
        else:
            rows = validate_data(self, X, dtype=NUMBERS, reset=reset, ensure_min_samples=1 + reset)
            source = VectorSource(rows, name="X")
            if source.skipped:
                raise DataError(f"X: row {source.skipped[0][0]} {source.skipped[0][1]}.")
        if not reset:
            source.recognise(self.checkpoint_.origin.digest)
        return source
