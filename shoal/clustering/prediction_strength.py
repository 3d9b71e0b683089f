"""Prediction strength: are clusters of some images found again in other images?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.diffusion import NEIGHBOURS, DiffusionMap, diffusion_map
from shoal.clustering.partitions import agreement
from shoal.embedding.neighbours import nearest
from shoal.protocols import Array, FloatArray, IntArray

_VOTES = 5
# A half of the pile is half as dense, so that the same number of neighbours would reach across the
# gaps between the smallest clusters. With 20 neighbours, 9 was chosen for some digits (LOG.md).
_NEIGHBOURS_OF_HALF = NEIGHBOURS // 2


def compare_halves(
    z: FloatArray, numbers: Sequence[int], seed: list[int], largest: int | None = None
) -> tuple[Array, Array]:
    """Cluster two random halves of a pile, and compare each with the prediction of the other.

    A point's prediction is the majority vote of its 5 nearest neighbours in the other half.

    Args:
        z: float32 (n, d).
        numbers: numbers of clusters, each at least 2.
        seed: of the halves; its first number is that of k-means, too.
        largest: see `divide`.

    Returns:
        For both halves and each number of clusters the `prediction_strength`, float64
        (2, numbers); and the adjusted Rand index of clusters and prediction, the mean over the
        halves, float64 (numbers,).
    """
    order = np.random.default_rng(seed).permutation(len(z))
    halves = [z[np.sort(order[::2])], z[np.sort(order[1::2])]]
    own = [divide(half, numbers, seed[0], _NEIGHBOURS_OF_HALF, largest)[0] for half in halves]
    strengths, stability = np.zeros((2, len(numbers))), np.zeros(len(numbers))
    for side in (0, 1):
        test, train = halves[side], halves[1 - side]
        votes = nearest(train, test, min(_VOTES, len(train)))[1]
        for place, k in enumerate(numbers):
            cast = np.eye(k)[own[1 - side][k][votes]].sum(axis=1)
            predicted = cast.argmax(axis=1).astype(np.int64)
            if own[side][k].max() + 1 == k:  # too few different points have no k clusters
                strengths[side, place] = prediction_strength(own[side][k], predicted)
            stability[place] += agreement(own[side][k], predicted) / 2
    return strengths, stability


def prediction_strength(groups: IntArray, predicted: IntArray) -> float:
    """The share of pairs of points of a cluster that are predicted together, for the worst cluster.

    It is corrected for chance, as Cohen's kappa is (1960, doi:10.1177/001316446002000104): 0 if
    pairs of the cluster are together no more often than any two points, 1 if always. The paper does
    not correct. But then few clusters look strong, and so does the large one of uneven clusters: 2
    was chosen for the digits of one training (0.81 for zeros and the rest), not 10 (0.77).

    Args:
        groups: int64 (n,), the clusters of the points themselves.
        predicted: int64 (n,), the clusters that other points predict.

    >>> prediction_strength(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    >>> round(prediction_strength(np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0])), 3)
    0.0
    """
    together = np.zeros((groups.max() + 1, predicted.max() + 1))
    np.add.at(together, (groups, predicted), 1)
    sizes, shares = together.sum(axis=1), together.sum(axis=0)
    n = len(groups)
    chance = (shares * (shares - 1)).sum() / (n * (n - 1))
    if sizes.min() < 2 or chance == 1.0:
        return 0.0
    pairs = (together * (together - 1)).sum(axis=1) / (sizes * (sizes - 1))
    return max(0.0, float((pairs.min() - chance) / (1.0 - chance)))


def divide(
    z: FloatArray, numbers: Sequence[int], seed: int, n_neighbors: int = NEIGHBOURS,
    largest: int | None = None,
) -> tuple[dict[int, IntArray], DiffusionMap]:  # fmt: skip
    """Spectral clusters for several numbers, and the diffusion map that they are found in.

    The map depends on the ``largest`` number that it is to serve, by default that of ``numbers``:
    the same for several ranges of numbers, those that they share have the same clusters in each.
    """
    largest = max(numbers) if largest is None else largest
    smallest = max(2, len(z) // (10 * largest))
    diffusion = diffusion_map(z, 3 * largest + 1, smallest, seed, n_neighbors)
    return {k: diffusion.divide(k, seed) for k in numbers}, diffusion
