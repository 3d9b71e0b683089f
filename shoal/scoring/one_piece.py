"""Are groups of vectors mere pieces of one thing, such as a spiral or the path of a walk?

Pieces of a long thin thing are far purer than groups of noise that spreads alike, and are found
again in half of the vectors. But each could be cut in two as easily as it was cut from the next
piece, and kinds cannot.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse

from shoal.clustering.graph import neighbour_graph, sweep_cut, walk_eigenvectors
from shoal.protocols import Array, FloatArray, IntArray

AS_EASILY = 1.1
"""Groups up to this score are pieces of one thing: those of spirals and walks have 0.4 to 1.1."""
_FEWEST = 300
"""Of fewer vectors a group spans too few neighbourhoods to be called long or thin."""
_NEIGHBOURS, _SWEPT = 10, 3
_FEWEST_A_GROUP = 3 * _NEIGHBOURS
_SMALLEST_SIDE = 0.2
_THIN, _APART = 1.25, 0.2
"""A group hangs thinly from another if the edges between them are at most, and at least, so many
times those across a chain of points."""
_MOSTLY = 0.5


def cut_inside(z: FloatArray, labels: IntArray) -> float:
    """How much harder thin groups are to cut in two than from the group they hang from most.

    A ratio of edges of the neighbour graph, those that the best cut inside a group severs to those
    between it and the other; the mean over groups by their sizes (of logarithms).

    Args:
        z: float32 (n, d), the points that were clustered.
        labels: int64 (n,), their groups.

    Returns:
        At least 0; NaN where most points are not in thin groups, or points are few.

    >>> line = np.random.default_rng(0).random((400, 1)).astype(np.float32)
    >>> cut_inside(line, (3 * line[:, 0]).astype(np.int64)) < AS_EASILY
    True
    """
    if len(z) < _FEWEST:
        return math.nan
    graph = neighbour_graph(z, _NEIGHBOURS)
    chain = _NEIGHBOURS * (_NEIGHBOURS + 2) / 8  # edges over a place, each to five on either side
    k = int(labels.max()) + 1
    rows, columns = graph.tocoo().coords
    between = np.bincount(labels[rows] * k + labels[columns], graph.tocoo().data, k * k)
    between = between.reshape(k, k)
    np.fill_diagonal(between, 0.0)
    sizes, ratios = [], []
    for group, most in enumerate(between.max(axis=1).tolist()):
        members = np.flatnonzero(labels == group)
        if len(members) >= _FEWEST_A_GROUP and _APART * chain <= most <= _THIN * chain:
            sizes.append(len(members))
            ratios.append((_least_inside(graph[members][:, members]) + 0.5) / (most + 0.5))
    if sum(sizes) < _MOSTLY * len(z):
        return math.nan
    return float(np.exp(np.average(np.log(ratios), weights=sizes)))


def is_one_piece(score: float) -> bool:
    """Whether groups of that score of `cut_inside` are pieces of one thing; not if it is NaN."""
    return score <= AS_EASILY


def _least_inside(graph: scipy.sparse.csr_array) -> float:
    """The weight of the edges that the best cut of a graph in two severs."""
    n = graph.shape[0]
    _, vectors = walk_eigenvectors(graph, _SWEPT + 1, 0)
    smallest = max(1, int(_SMALLEST_SIDE * n))

    def severed(vector: Array) -> float:
        _, side = sweep_cut(graph, vector, smallest)
        return float(graph[side][:, ~side].sum())

    return min(severed(vector) for vector in vectors.T[1:])
