"""Where images belong by their nearest neighbours among images whose group is known."""

from __future__ import annotations

import numpy as np

from shoal.embedding.neighbours import nearest, nearly_nearest
from shoal.protocols import FloatArray, IntArray

K = 10
"""How many neighbours vote."""
_MANY = 2 * 10**7
"""Of more pairs, nearly the nearest vote: a person waits for it. On CIFAR-10's 10,000 images 96 %
of the votes come out the same, and as many are right."""
_ENOUGH = 5000
"""Points that make it worth while."""


def vote(points: FloatArray, group: IntArray, queries: FloatArray) -> tuple[IntArray, FloatArray]:
    """The most common group among the nearest points of each query; of equals the nearer one.

    Args:
        points: float32 (n, d), n ≥ 1.
        group: int64 (n,), their groups.
        queries: float32 (m, d).

    Returns:
        The group of each query, int64 (m,), and its share of the votes, float32 (m,).

    >>> line = np.array([[0.0], [1.0], [8.0], [9.0], [9.5]], dtype=np.float32)
    >>> groups, share = vote(line, np.array([4, 4, 7, 7, 7]), line[:1])
    >>> groups.tolist(), [f"{value:.1f}" for value in share]
    ([7], ['0.6'])
    """
    k = min(K, len(points))
    many = len(points) >= _ENOUGH and len(points) * len(queries) > _MANY
    indices = nearly_nearest(points, queries, k) if many else nearest(points, queries, k)[1]
    known, place = np.unique(group, return_inverse=True)
    votes = place[indices]
    counts = np.zeros((len(queries), len(known)))
    for rank, voted in enumerate(votes.T):  # of equals the nearer one
        counts[np.arange(len(queries)), voted] += 1 - 1e-3 * rank
    best = counts.argmax(axis=1)
    share = (votes == best[:, None]).mean(axis=1).astype(np.float32)
    return known[best], share
