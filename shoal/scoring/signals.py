"""Signals for or against a clustering, without labels: does it survive changes of no importance?

The images are shown as other views, the clusterer is fitted on half of them, and other clusterers
divide the same embedding. Clusters that do not survive this are wrong more often. Clusters that do
may still divide the pile in another way than the one wanted: nothing here can tell.
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
from shoal.scoring.halves import Halve, at_random

FITTED = 2000
"""The most points on which clusterers are fitted for comparison, which bounds the cost."""
_HALVES = 3
_COMPONENTS = 16


@dataclass(frozen=True)
class ViewSignals:
    """How well an embedding agrees on two views of the same images, whatever its clusters."""

    neighbour_overlap: float
    """The share of the 20 nearest neighbours that the two views have in common, in [0, 1]."""
    recognition: float
    """The share of images whose other view is among the 20 nearest, in [0, 1]."""


@dataclass(frozen=True)
class Told:
    """What is known of clusters beside the embedding; NaN where that was not measured."""

    shown: float = float("nan")
    """How well what the images show tells the clusters, see `structure.predictability`: 0 for
    chance, 1 at best."""
    light: float = float("nan")
    """How well light and colours alone tell them, see `appearance.light_and_colours`: likewise."""
    beyond_noise: float = float("nan")
    """How far clusters of vectors are clearer than those of noise, see `than_noise`: 0 for noise, 1
    at best."""
    cut_inside: float = float("nan")
    """How much harder clusters of vectors are to cut in two than from one another, see `one_piece`;
    NaN unless they hang together thinly."""
    strength: float = float("nan")
    """The `prediction_strength` of their number, in [0, 1]: whether another clusterer finds so many
    groups of vectors again, the least clear of them too; NaN of images."""


NOT_TOLD = Told()
"""Where nothing of it was measured."""


@dataclass(frozen=True)
class Signals:
    """The signals of a clustering; NaN where a signal was not measured."""

    neighbour_overlap: float
    """See `ViewSignals`."""
    recognition: float
    """See `ViewSignals`."""
    purity: float
    """`quality.neighbour_purity`: 0 for random clusters, 1 at best."""
    stability: float
    """The share of images with the same cluster when the clusterer is fitted on half of them with
    another seed, in [0, 1]."""
    method_agreement: float
    """The share of images with the same cluster by k-means in the same embedding, plain and white,
    in [0, 1]."""
    view_agreement: float
    """The share of images that stay in their cluster when they are cropped, turned and recoloured,
    in [0, 1]."""
    consistency: float
    """The score by which checkpoints of a run are compared, see `consistency.combine`."""
    shown: float = float("nan")
    """See `Told`; files of an older shoal have none."""
    beyond_noise: float = float("nan")
    """See `Told`; images and files of an older shoal have none."""
    light: float = float("nan")
    """See `Told`. It is not measured either where light and colours are meant to tell kinds
    apart."""
    cut_inside: float = float("nan")
    """See `Told`; images and files of an older shoal have none."""
    strength: float = float("nan")
    """See `Told`; images and files of an older shoal have none."""


_OF_LIGHT = 0.75
"""From this score on, light and colours alone tell the groups, unless what images show tells them
at least half as well."""


def follows_light(light: float, shown: float) -> bool:
    """Whether groups follow the light and the colours of images, and not what these show.

    >>> follows_light(0.95, 0.2), follows_light(0.95, 0.6), follows_light(0.4, 0.1)
    (True, False, False)
    """
    return light >= _OF_LIGHT and shown < light / 2


Refit = Callable[[FloatArray, int], Callable[[FloatArray], list[IntArray]]]
"""Fits the clusterer on points float32 (m, d) with a seed. Returns a function that labels points
float32 (n, d) by each candidate: a list of int64 (n,)."""


@dataclass(frozen=True)
class Reclusterings:
    """Other clusterings of the same n images, to compare a clustering with."""

    halves: list[list[IntArray]]
    """For each half on which the clusterer was fitted, its candidates, each int64 (n,)."""
    methods: list[IntArray]
    """The clusters by k-means in the embedding and in its whitened directions, each int64 (n,)."""

    def stability(self, labels: IntArray) -> FloatArray:
        """For each image, the share of halves that agree with ``labels`` int64 (n,): float32 (n,).

        Of each half only the candidate that is most like ``labels`` counts: the question is whether
        the division is found again at all.
        """
        found = []
        for candidates in self.halves:
            alike = [aligned(other, labels) == labels for other in candidates]
            found.append(max(alike, key=np.count_nonzero))
        return np.mean(found, axis=0, dtype=np.float32)

    def method_agreement(self, labels: IntArray) -> float:
        """The share of images on which other methods agree with ``labels`` int64 (n,)."""
        return float(np.mean([aligned(other, labels) == labels for other in self.methods]))


def recluster(
    z: FloatArray, rows: IntArray, n_clusters: int, refit: Refit, seed: int,
    halve: Halve | None = None,
) -> Reclusterings:  # fmt: skip
    """Divide the images ``rows`` of an embedding again, by halves of it and by other methods.

    Stability under resampling is surveyed by von Luxburg 2010, arXiv:1007.1075.

    Args:
        z: float32 (n, d), the embedding in which clusters were found.
        rows: int64 (m,), the images to label.
        n_clusters: how many groups.
        refit: the clusterer.
        seed: of the halves and of k-means.
        halve: draws the halves; by default at random.
    """
    fitted = z[fitted_rows(len(z), n_clusters, seed)]
    asked = z[rows]
    halve = halve or at_random(n_clusters)
    halves = [refit(halve(fitted, seed, run), seed + run + 1)(asked) for run in range(_HALVES)]
    return Reclusterings(halves, _by_k_means(fitted, asked, n_clusters, seed))


def fitted_rows(n: int, n_clusters: int, seed: int) -> IntArray:
    """The rows, of n, of the points that are halved, int64 (m,)."""
    return sample_rows(n, max(FITTED, n_clusters), seed)


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
"""The signals where no views were compared."""


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
