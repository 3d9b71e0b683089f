"""The clusters of a pile as one value, which nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from shoal.errors import CheckpointError, DataError
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, Clusterer, FloatArray, IntArray
from shoal.recipes import parts
from shoal.recipes.recipe import Recipe


@dataclass(frozen=True)
class Clustering:
    """A fitted clusterer whose clusters are numbered by size, the largest first.

    A clusterer may have several ways to divide the pile, its candidates. Candidate 0 is the choice.
    `choose` and `reordered` return another value and leave this one as it is.

    >>> from shoal.clustering.clusterers import kmeans
    >>> x = np.array([[0.0], [9.0], [9.1], [9.2]], dtype=np.float32)
    >>> Clustering(kmeans.build(n_clusters=2).fit(x)).predict(x)
    array([1, 0, 0, 0])
    """

    clusterer: Clusterer
    """Fitted; its own numbering of the groups is arbitrary."""
    _numbering: dict[int, IntArray] = field(default_factory=dict, repr=False, compare=False)
    """For each candidate used so far, the clusterer's own number of each cluster."""

    @property
    def reference(self) -> FloatArray:
        """The points that the clusterer was fitted on, float32 (m, d)."""
        return self.clusterer.reference

    @property
    def n_candidates(self) -> int:
        """How many ways to divide the pile there are, 1 or more."""
        return self.clusterer.n_candidates

    @property
    def separation(self) -> FloatArray:
        """How well each candidate stands out, float32 (n_candidates,) in [0, 1]."""
        return self.clusterer.separation

    def predict_proba(self, x: FloatArray, candidate: int = 0) -> FloatArray:
        """Memberships float32 (m, k) of ``x`` float32 (m, d); rows sum to 1.

        Args:
            x: points of the reduced embedding.
            candidate: which way to divide the pile, from 0.
        """
        return self.clusterer.predict_proba(x, candidate)[:, self.numbering(candidate)]

    def most_likely(self, x: FloatArray) -> tuple[IntArray, FloatArray] | None:
        """The cluster of each point of ``x`` float32 (m, d), int64 (m,), and its membership (m,).

        None where the clusterer knows only all memberships, see `predict_proba`.
        """
        likely = getattr(self.clusterer, "most_likely", None)
        return None if likely is None else likely(x)

    def numbering(self, candidate: int = 0) -> IntArray:
        """The clusterer's own number of each cluster under a candidate, int64 (k,)."""
        if candidate not in self._numbering and self.clusterer.by_size:
            self._numbering[candidate] = np.arange(self.clusterer.n_clusters)
        if candidate not in self._numbering:
            known = self.clusterer.predict_proba(self.reference, candidate)
            self._numbering[candidate] = _by_size(known)
        return self._numbering[candidate]

    def predict_proba_each(self, x: FloatArray) -> Iterator[FloatArray]:
        """`predict_proba` under each candidate; the neighbours of ``x`` are looked up only once."""
        if len(self._numbering) < self.n_candidates:
            for candidate, known in enumerate(self.clusterer.predict_proba_each(self.reference)):
                self._numbering[candidate] = _by_size(known)
        for candidate, proba in enumerate(self.clusterer.predict_proba_each(x)):
            yield proba[:, self._numbering[candidate]]

    def predict(self, x: FloatArray, candidate: int = 0) -> IntArray:
        """The cluster of each point of ``x`` float32 (m, d), int64 (m,)."""
        if self.clusterer.by_size:
            return self.clusterer.predict(x, candidate)
        return self.predict_proba(x, candidate).argmax(axis=1).astype(np.int64)

    def candidates(self, x: FloatArray) -> list[IntArray]:
        """The clusters of ``x`` float32 (m, d) under each candidate, each int64 (m,)."""
        return [proba.argmax(axis=1).astype(np.int64) for proba in self.predict_proba_each(x)]

    def reordered(self, order: Sequence[int]) -> Clustering:
        """The same clustering with its candidates in another order, each once."""
        numbering = {
            place: self._numbering[candidate]
            for place, candidate in enumerate(order)
            if candidate in self._numbering
        }
        return Clustering(self.clusterer.reordered(order), numbering)

    def choose(self, candidate: int) -> Clustering:
        """The same clustering with ``candidate`` as the choice.

        Raises:
            DataError: there is no such candidate.
        """
        check_split(candidate + 1, self.n_candidates)
        others = [other for other in range(self.n_candidates) if other != candidate]
        return self.reordered([candidate, *others])

    def get_arrays(self) -> dict[str, Array]:
        """The arrays that a checkpoint keeps, see `clustering_of`."""
        return self.clusterer.get_arrays()


def _by_size(memberships: FloatArray) -> IntArray:
    """Columns of memberships (m, k) in order of the sizes of their clusters, the largest first."""
    sizes = np.bincount(memberships.argmax(axis=1), minlength=memberships.shape[1])
    return np.argsort(-sizes, kind="stable")


def check_split(split: int, n_splits: int) -> None:
    """Raise unless ``split``, counted from 1, is one of ``n_splits`` ways to divide a pile.

    Raises:
        DataError: there is no such split.
    """
    if not 1 <= split <= n_splits:
        raise DataError(
            f"split must be from 1 to {n_splits}, the ways to divide the pile that the checkpoint "
            f"holds, got {split}; 'shoal splits' shows them."
        )


def build_clusterer(recipe: Recipe, n_clusters: int) -> Clusterer:
    """The recipe's clusterer, not yet fitted."""
    clusterer: Clusterer = parts.build(
        "clusterers", recipe.clusterer, n_clusters=n_clusters, random_state=recipe.seed
    )
    return clusterer


def divide_anew(clustering: Clustering, recipe: Recipe, n_clusters: int) -> Clustering:
    """Another number of clusters, found among the points that ``clustering`` remembers."""
    return Clustering(build_clusterer(recipe, n_clusters).fit(clustering.reference))


def clustering_of(checkpoint: Checkpoint) -> Clustering:
    """The clustering that a finished checkpoint holds.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
    """
    check_finished(checkpoint)
    clusterer = build_clusterer(checkpoint.recipe, checkpoint.recipe.n_clusters)
    return Clustering(clusterer.set_arrays(checkpoint.clusterer))


def check_finished(checkpoint: Checkpoint) -> None:
    """Raise unless a checkpoint has clusters.

    Raises:
        CheckpointError: the checkpoint was kept along the way.
    """
    if not checkpoint.finished:
        raise CheckpointError(
            "this checkpoint was kept along the way and has no clusters; use the finished file, or "
            "finish the run with 'shoal train … --resume'."
        )
