"""Witnesses of a clustering: the same images, divided again in ways that should not matter.

Images shown differently, the clusterer fitted on half of them, other clusterers on the same
embedding. Where witnesses disagree with a clustering, it is wrong more often; where they agree it
is mostly right, and may still be another division than the one wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shoal.partitions import aligned, whitening
from shoal.protocols import FloatArray, IntArray
from shoal.sampling import sample_rows

FITTED = 2000
"""By how many points witnesses are fitted at most: what bounds their cost."""
_HALVES = 3
_COMPONENTS = 16


@dataclass(frozen=True)
class Signals:
    """What speaks for a clustering, each a share in [0, 1]; NaN where it was not measured."""

    view_agreement: float
    """Of images, that stay in their cluster when shown cropped, turned and recoloured."""
    recognition: float
    """Of images, with their own other view among the nearest, see `quality.recognition`."""
    stability: float
    """Of images, put alike by the clusterer fitted on half of them with another seed."""
    method_agreement: float
    """Of images, put alike by k-means in the same embedding, plain and white."""


@dataclass(frozen=True)
class Witnesses:
    """Clusterings of the same n images, named as the one in question names its own.

    Each is int64 (w, n), for w witnesses of a kind; 0 where there are none.
    """

    views: IntArray
    halves: IntArray
    methods: IntArray

    def agreement(self, labels: IntArray) -> FloatArray:
        """Share of the witnesses that put each image where ``labels`` int64 (n,) do: (n,), [0, 1].

        The kinds count alike, however many witnesses they have.
        """
        kinds = [kind for kind in (self.views, self.halves, self.methods) if len(kind)]
        if not kinds:
            return np.ones(len(labels), dtype=np.float32)
        return np.mean([(kind == labels).mean(axis=0) for kind in kinds], axis=0, dtype=np.float32)

    def signals(self, labels: IntArray, recognition: float) -> Signals:
        """The shares of all images, of ``labels`` int64 (n,)."""
        views, halves, methods = (
            float((kind == labels).mean()) if kind.size else float("nan")
            for kind in (self.views, self.halves, self.methods)
        )
        return Signals(views, recognition, halves, methods)


Refit = Callable[[FloatArray, int], Callable[[FloatArray], list[IntArray]]]
"""Fits the clusterer on points float32 (m, d) with a seed, and returns what labels points (n, d):
every way to divide them that it found, each int64 (n,)."""


def divide_again(z: FloatArray, rows: IntArray, n_clusters: int, refit: Refit, seed: int) -> Redone:
    """Divide the images ``rows`` of an embedding again, by halves of it and by other methods.

    Args:
        z: float32 (n, d), the embedding in which clusters were found.
        rows: int64 (m,), the images asked about.
        n_clusters: how many groups.
        refit: the clusterer.
        seed: of the halves and of k-means.
    """
    fitted = z[sample_rows(len(z), FITTED, seed)]
    asked = z[rows]
    halves = []
    for run in range(_HALVES):
        order = np.random.default_rng([seed, run]).permutation(len(fitted))
        half = fitted[np.sort(order[: max(len(order) // 2, min(len(order), n_clusters))])]
        halves.append(refit(half, seed + run + 1)(asked))
    return Redone(halves, _by_k_means(fitted, asked, n_clusters, seed))


@dataclass(frozen=True)
class Redone:
    """What `divide_again` found, for any candidate to be compared with."""

    halves: list[list[IntArray]]
    """Of each half, the ways to divide the images found there."""
    methods: list[IntArray]

    def witnesses(self, labels: IntArray, views: IntArray) -> Witnesses:
        """In the names of one clustering ``labels`` int64 (n,), ``views`` int64 (v, n) beside.

        Of each half the division most like it counts: a candidate is asked whether it is there.
        """
        halves = []
        for found in self.halves:
            named = [aligned(other, labels) for other in found]
            halves.append(max(named, key=lambda other: float((other == labels).mean())))
        methods = [aligned(other, labels) for other in self.methods]
        empty = np.zeros((0, len(labels)), dtype=np.int64)
        return Witnesses(
            views, np.stack(halves) if halves else empty, np.stack(methods) if methods else empty
        )


def _by_k_means(x: FloatArray, asked: FloatArray, n_clusters: int, seed: int) -> list[IntArray]:
    from shoal.clusterers import kmeans

    mean, white = whitening(x, min(_COMPONENTS, max(2, len(x) // 10)))
    found = []
    for learned, wanted in ((x, asked), ((x - mean) @ white, (asked - mean) @ white)):
        clusterer = kmeans.build(n_clusters=n_clusters, n_init=5, random_state=seed)
        clusterer.fit(learned.astype(np.float32))
        found.append(clusterer.predict(wanted.astype(np.float32)))
    return found
