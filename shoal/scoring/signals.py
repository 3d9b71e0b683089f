"""What speaks for a clustering without labels: does it survive what should not matter to it?

Images shown differently, the clusterer fitted on half of them, other clusterers on the same
embedding. What does not survive is wrong more often; what does may still be another division than
the one wanted, which nothing here can know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shoal.clustering.clusterers import kmeans
from shoal.clustering.partitions import aligned
from shoal.embedding.linear_algebra import whitening
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray
from shoal.scoring import quality

FITTED = 2000
"""By how many points witnesses are fitted at most: what bounds their cost."""
_HALVES = 3
_COMPONENTS = 16


@dataclass(frozen=True)
class ViewSignals:
    """What two views of the same m images say of an embedding, whatever its clusters."""

    neighbour_overlap: float
    """Share of the 20 nearest neighbours that the two views have in common, in [0, 1]."""
    recognition: float
    """Share of images with their own other view among the 20 nearest, in [0, 1]."""


@dataclass(frozen=True)
class Signals:
    """What speaks for a clustering; NaN where it was not measured.

    The first two are of the embedding. All but ``purity`` are shares in [0, 1].
    """

    neighbour_overlap: float
    """Of an image's 20 nearest neighbours in one view, that are such in another."""
    recognition: float
    """Of images, with their own other view among the 20 nearest."""
    purity: float
    """Of the 20 nearest neighbours in the same cluster, less chance, see `quality`, up to 1."""
    stability: float
    """Of images, put alike by the clusterer fitted on half of them with another seed."""
    method_agreement: float
    """Of images, put alike by k-means in the same embedding, plain and white."""
    view_agreement: float
    """Of images, that stay in their cluster when shown cropped, turned and recoloured."""
    consistency: float
    """What training judges by, see `consistency.combine`."""


Refit = Callable[[FloatArray, int], Callable[[FloatArray], list[IntArray]]]
"""Fits the clusterer on points float32 (m, d) with a seed, and returns what labels points (n, d):
every way to divide them that it found, each int64 (n,)."""


@dataclass(frozen=True)
class Reclusterings:
    """The same n images divided again, for any clustering of them to be compared with."""

    halves: list[list[IntArray]]
    """By the clusterer fitted on a half, of each half all its candidates, each int64 (n,)."""
    methods: list[IntArray]
    """By k-means, plain and in white directions."""

    def stability(self, labels: IntArray) -> FloatArray:
        """Share of the halves that put each image where ``labels`` int64 (n,) do: float32 (n,).

        Of each half the candidate most like it counts: it is asked whether it is there at all.
        """
        found = []
        for candidates in self.halves:
            alike = [aligned(other, labels) == labels for other in candidates]
            found.append(max(alike, key=np.count_nonzero))
        return np.mean(found, axis=0, dtype=np.float32)

    def method_agreement(self, labels: IntArray) -> float:
        """Share of images that other methods put where ``labels`` int64 (n,) do, in [0, 1]."""
        return float(np.mean([aligned(other, labels) == labels for other in self.methods]))


def recluster(
    z: FloatArray, rows: IntArray, n_clusters: int, refit: Refit, seed: int
) -> Reclusterings:
    """Divide the images ``rows`` of an embedding again, by halves of it and by other methods.

    Stability under resampling is surveyed by von Luxburg 2010, arXiv:1007.1075.

    Args:
        z: float32 (n, d), the embedding in which clusters were found.
        rows: int64 (m,), the images asked about.
        n_clusters: how many groups.
        refit: the clusterer.
        seed: of the halves and of k-means.
    """
    fitted = z[sample_rows(len(z), max(FITTED, n_clusters), seed)]
    asked = z[rows]
    halves = []
    for run in range(_HALVES):
        order = np.random.default_rng([seed, run]).permutation(len(fitted))
        half = fitted[np.sort(order[: max(len(order) // 2, min(len(order), n_clusters))])]
        halves.append(refit(half, seed + run + 1)(asked))
    return Reclusterings(halves, _by_k_means(fitted, asked, n_clusters, seed))


def compare_views(
    first: FloatArray, second: FloatArray, identity: IntArray | None = None
) -> ViewSignals:
    """Compare two views of the same images.

    Args:
        first: float32 (m, d), the embedding of one view of each image.
        second: float32 (m, d), the embedding of another.
        identity: int64 (m,), see `appearance.identities`; None if it is not known.
    """
    return ViewSignals(
        quality.neighbour_overlap(first, second),
        quality.recognition(first, second, identity=identity),
    )


NO_VIEWS = ViewSignals(float("nan"), float("nan"))
"""Where there are no views."""


def _by_k_means(x: FloatArray, asked: FloatArray, n_clusters: int, seed: int) -> list[IntArray]:
    mean, white = whitening(x, min(_COMPONENTS, max(2, len(x) // 10)))

    def in_white(points: FloatArray) -> Array:
        return ((points - mean) @ white).astype(np.float32)

    spaces = [(x, asked)]
    if white.shape[1]:  # images that are all the same have no directions
        spaces.append((in_white(x), in_white(asked)))
    found = []
    for learned, wanted in spaces:
        clusterer = kmeans.build(n_clusters=n_clusters, n_init=5, random_state=seed)
        found.append(clusterer.fit(learned).predict(wanted))
    return found
