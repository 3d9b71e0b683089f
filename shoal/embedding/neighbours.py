"""Nearest neighbours (faiss): one exact search for everything that asks who is close to whom.

Copies are met here, too: equal points are at distance 0 from one another, so that a point need not
be among its own nearest, and a pile of copies has fewer places than points.
"""

from __future__ import annotations

import numpy as np

from shoal.protocols import Array, FloatArray, IntArray

_SAME = 2.0**-10
"""Points this near, as a share of the largest coordinate, are the same point: half precision, in
which points are kept, moves them by half as much."""
_NOISE = 1e-6
"""Or this near: of equal images, centred, rounding is all that is left."""


def nearest(points: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The ``k`` nearest ``points`` of each query, nearest first, by Euclidean distance.

    On vectors of unit length the order is that of the cosine similarity.

    Args:
        points: float32 (n, d).
        queries: float32 (m, d).
        k: how many, 1 to n.

    Returns:
        Distances float32 (m, k) and indices int64 (m, k).

    >>> line = np.array([[0.0], [1.0], [3.0]], dtype=np.float32)
    >>> nearest(line, line, k=2)[1].tolist()
    [[0, 1], [1, 0], [2, 1]]
    """
    import faiss

    index = faiss.IndexFlatL2(points.shape[1])
    index.add(np.ascontiguousarray(points, dtype=np.float32))
    squared, indices = index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
    return np.sqrt(np.maximum(squared, 0.0)), indices.astype(np.int64)


def nearest_others(points: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The ``k`` nearest of each point but itself; an exact copy of it counts as another.

    Args:
        points: float32 (n, d), n ≥ 2.
        k: how many, 1 to n - 1.

    Returns:
        Distances float32 (n, k) and indices int64 (n, k), nearest first.

    >>> line = np.array([[0.0], [0.0], [0.0], [3.0]], dtype=np.float32)
    >>> nearest_others(line, k=1)[1][:3].tolist() != [[0], [1], [2]]
    True
    """
    distances, indices = nearest(points, points, k + 1)
    kept = but_itself(indices, np.arange(len(points)))
    return distances[kept].reshape(-1, k), indices[kept].reshape(-1, k)


def but_itself(found: IntArray, rows: IntArray) -> Array:
    """Which of k + 1 neighbours to keep so that k are left and none is the point asked about.

    Among exact copies a point may be missing from its own nearest; then the last goes.

    Args:
        found: int64 (m, k + 1), the nearest points of each query, nearest first.
        rows: int64 (m,), which point each query is itself; -1 if it is none of them.

    Returns:
        bool (m, k + 1), k of each row true.

    >>> but_itself(np.array([[4, 0, 1], [0, 1, 2]]), np.array([0, 9])).tolist()
    [[True, False, True], [True, True, False]]
    """
    kept: Array = found != rows[:, None]
    kept[kept.all(axis=1), -1] = False
    return kept


def most_typical(x: Array, rows: IntArray, centre: Array | None = None) -> IntArray:
    """The most typical points first: those nearest to the middle of all.

    Args:
        x: float (n, d).
        rows: int64 (m,), the points to order, such as the members of a cluster.
        centre: float (d,), the middle; by default the median of each column.

    Returns:
        ``rows`` in order; of points equally far, in the order they came.

    >>> most_typical(np.array([[0.0], [2.0], [9.0], [3.0]]), np.array([0, 1, 2, 3])).tolist()
    [1, 3, 0, 2]
    """
    points = x[rows]
    middle = np.median(points, axis=0) if centre is None else centre
    return rows[np.argsort(np.linalg.norm(points - middle, axis=1), kind="stable")]


def distinct_points(x: FloatArray, most: int) -> tuple[IntArray, IntArray] | None:
    """The points that differ, if there are no more than ``most``; copies count once.

    Two points are the same if they are nearer than a thousandth of the largest coordinate.

    Args:
        x: float32 (n, d), n ≥ 1.
        most: the search ends where there are more, so that it costs little in an ordinary pile.

    Returns:
        The first row of each distinct point, int64 (m,), ascending; and which of them each row
        is, int64 (n,). None if there are more than ``most``.

    >>> first, place = distinct_points(np.float32([[1, 0], [5, 5], [1, 0]]), most=10)
    >>> first.tolist(), place.tolist()
    ([0, 1], [0, 1, 0])
    >>> distinct_points(np.eye(3, dtype=np.float32), most=2) is None
    True
    """
    start = x[: 2 * most + 2]
    found = _distinct(start, most, float(np.abs(x).max(initial=0.0)))
    if found is None or len(start) == len(x):
        return found
    return _distinct(x, most, float(np.abs(x).max(initial=0.0)))


def _distinct(x: FloatArray, most: int, scale: float) -> tuple[IntArray, IntArray] | None:
    limit = max(_SAME * scale, _NOISE) ** 2
    place = np.full(len(x), -1, dtype=np.int64)
    left = np.arange(len(x))
    first: list[int] = []
    while len(left):
        if len(first) == most:
            return None
        apart = np.square(x[left] - x[left[0]]).sum(axis=1)
        same = apart <= limit
        place[left[same]] = len(first)
        first.append(int(left[0]))
        left = left[~same]
    return np.array(first, dtype=np.int64), place
