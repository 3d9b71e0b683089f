"""Halves of a pile, in which its clusters are to be found again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shoal.embedding.neighbours import nearest_others
from shoal.protocols import FloatArray, IntArray

Halve = Callable[[FloatArray, int, int], FloatArray]
"""Draws from points float32 (n, d) by a seed and the number of a run."""

_NEAREST = 3
_WITHIN = (0.25, 0.75)


def at_random(n_clusters: int) -> Halve:
    """A random half of the points, but at least as many as clusters."""

    def halve(points: FloatArray, seed: int, run: int) -> FloatArray:
        order = np.random.default_rng([seed, run]).permutation(len(points))
        return points[np.sort(order[: max(len(order) // 2, min(len(order), n_clusters))])]

    return halve


def as_dense(labels: IntArray, n_clusters: int) -> Halve:
    """Half of each group, and as many points again between them: as many as there are in all.

    A random half of a pile is half as dense, and of a small group it may hold few. Clusterers that
    count neighbours lose small groups in it, however clear these are. So each point of the half
    gets another, on the way to one of its nearest: a smoothed bootstrap (Silverman and Young 1987,
    doi:10.1093/biomet/74.3.469).

    Args:
        labels: int64 (n,), the groups of the points.
        n_clusters: the fewest points to draw.
    """
    sizes = np.bincount(labels)

    def halve(points: FloatArray, seed: int, run: int) -> FloatArray:
        generator = np.random.default_rng([seed, run])
        order = generator.permutation(len(points))
        order = order[np.argsort(labels[order], kind="stable")]
        place = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[labels[order]]
        # Of a group of odd size one half of the runs has one point more.
        wanted = np.maximum(1, (sizes + run % 2) // 2)[labels[order]]
        half = points[np.sort(order[place < wanted])]
        if len(half) < 2 or 2 * len(half) < n_clusters:
            return at_random(n_clusters)(points, seed, run)
        near = nearest_others(half, min(_NEAREST, len(half) - 1))[1]
        drawn = generator.integers(near.shape[1], size=len(half))
        towards = half[near[np.arange(len(half)), drawn]]
        part = generator.uniform(*_WITHIN, size=(len(half), 1)).astype(np.float32)
        return np.concatenate([half, half + part * (towards - half)])

    return halve
