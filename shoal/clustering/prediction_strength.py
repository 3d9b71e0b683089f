"""Prediction strength: are the groups of some images found again in others?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.diffusion import NEIGHBOURS, DiffusionMap, diffusion_map
from shoal.clustering.partitions import agreement
from shoal.embedding.neighbours import nearest
from shoal.protocols import Array, FloatArray, IntArray

_VOTES = 5
# A half of the pile is half as dense: as many neighbours as in the whole reach farther there, over
# what separates the finest groups. With 20, digits of some trainings fell into nine (LOG.md).
_NEIGHBOURS_OF_HALF = NEIGHBOURS // 2


def found_again(z: FloatArray, numbers: Sequence[int], seed: list[int]) -> tuple[Array, Array]:
    """Divide a pile in halves at random, each into groups, and compare.

    Args:
        z: float32 (n, d).
        numbers: of groups, each 2 or more.
        seed: of the halves; the first of it also of k-means.

    Returns:
        For either half and each number the `prediction_strength` of its groups by the vote of the
        5 nearest of the other half, float64 (2, numbers); and the adjusted Rand index of the two,
        the mean over the halves, float64 (numbers,).
    """
    order = np.random.default_rng(seed).permutation(len(z))
    halves = [z[np.sort(order[::2])], z[np.sort(order[1::2])]]
    own = [divide(half, numbers, seed[0], _NEIGHBOURS_OF_HALF)[0] for half in halves]
    strengths, stability = np.zeros((2, len(numbers))), np.zeros(len(numbers))
    for side in (0, 1):
        test, train = halves[side], halves[1 - side]
        votes = nearest(train, test, min(_VOTES, len(train)))[1]
        for place, k in enumerate(numbers):
            cast = np.eye(k)[own[1 - side][k][votes]].sum(axis=1)
            predicted = cast.argmax(axis=1).astype(np.int64)
            if own[side][k].max() + 1 == k:  # too few points that differ have no k groups
                strengths[side, place] = prediction_strength(own[side][k], predicted)
            stability[place] += agreement(own[side][k], predicted) / 2
    return strengths, stability


def prediction_strength(groups: IntArray, predicted: IntArray) -> float:
    """Share of the pairs of points in a group that are predicted together, the worst group's.

    Less chance, as in Cohen's kappa (1960, doi:10.1177/001316446002000104), in [0, 1]: 0 where
    pairs of the group are together no more often than any two points. The paper does not correct;
    but then few groups look strong, and of uneven ones the large one always: digits of one training
    fell into zeros and the rest (0.81) rather than into ten (0.77).

    Args:
        groups: int64 (n,), as found among the points themselves.
        predicted: int64 (n,), as other points say.

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
    z: FloatArray, numbers: Sequence[int], seed: int, n_neighbors: int = NEIGHBOURS
) -> tuple[dict[int, IntArray], DiffusionMap]:
    """Spectral groups for each of several numbers, and the map in which they were found."""
    smallest = max(2, len(z) // (10 * max(numbers)))
    found = diffusion_map(z, 3 * max(numbers) + 1, smallest, seed, n_neighbors)
    return {k: found.divide(k, seed) for k in numbers}, found
