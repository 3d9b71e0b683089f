"""Exact nearest neighbours (faiss), the most typical points, and points that are copies.

Copies are at distance 0 from one another. So a point need not be among its own nearest neighbours,
and a pile of copies has fewer different points than images.
"""

from __future__ import annotations

import numpy as np

from shoal.protocols import Array, FloatArray, IntArray

_SAME = 2.0**-10
"""The distance of equal points, at most, as a share of the largest coordinate.

Points are kept in half precision, which moves them by half as much."""
_CELLS, _AROUND = 128, 10
_NOISE = 1e-6
"""The same, absolute: of equal images, centred, only rounding errors are left."""


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


def nearly_nearest(points: FloatArray, queries: FloatArray, k: int) -> IntArray:
    """The ``k`` nearest ``points`` of each query, nearly: those in the cells around it.

    Args:
        points: float32 (n, d), n ≥ 5,000.
        queries: float32 (m, d).
        k: how many, 1 to n.

    Returns:
        Indices int64 (m, k), nearest first; a query with too few points around it has its nearest
        one again.
    """
    import faiss

    points = np.ascontiguousarray(points, dtype=np.float32)
    cells = faiss.IndexFlatL2(points.shape[1])
    index = faiss.IndexIVFFlat(cells, points.shape[1], _CELLS, faiss.METRIC_L2)
    index.cp.niter, index.cp.max_points_per_centroid = 5, 64
    index.nprobe = _AROUND
    index.train(points)
    index.add(points)
    _, indices = index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
    return np.where(indices < 0, indices[:, :1], indices).astype(np.int64)


def nearest_others(points: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The ``k`` nearest other points of each point; an exact copy is another point.

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


def but_itself(neighbours: IntArray, rows: IntArray) -> Array:
    """Which of the k + 1 neighbours of each query to keep, so that k are left without itself.

    A point with exact copies may be missing among its own neighbours. Then the last one goes.

    Args:
        neighbours: int64 (m, k + 1), the nearest points of each query, nearest first.
        rows: int64 (m,), which point each query is; -1 for a query that is none of the points.

    Returns:
        bool (m, k + 1), true k times in each row.

    >>> but_itself(np.array([[4, 0, 1], [0, 1, 2]]), np.array([0, 9])).tolist()
    [[True, False, True], [True, True, False]]
    """
    kept: Array = neighbours != rows[:, None]
    kept[kept.all(axis=1), -1] = False
    return kept


def most_typical(x: Array, rows: IntArray, centre: Array | None = None) -> IntArray:
    """Points in order of their distance from the middle of them all, the nearest first.

    Args:
        x: float (n, d).
        rows: int64 (m,), the points to order, such as the members of a cluster.
        centre: float (d,), the middle; by default the median of each column.

    Returns:
        ``rows`` in order; equally far points stay in the order of ``rows``.

    >>> most_typical(np.array([[0.0], [2.0], [9.0], [3.0]]), np.array([0, 1, 2, 3])).tolist()
    [1, 3, 0, 2]
    """
    points = x[rows]
    middle = np.median(points, axis=0) if centre is None else centre
    return rows[np.argsort(np.linalg.norm(points - middle, axis=1), kind="stable")]


def distinct_points(x: FloatArray, most: int) -> tuple[IntArray, IntArray] | None:
    """The distinct points, if there are no more than ``most``.

    Two points are equal if their distance is less than a thousandth of the largest coordinate.

    Args:
        x: float32 (n, d), n ≥ 1.
        most: the search ends when it finds more, so that it costs little for an ordinary pile.

    Returns:
        The first row of each distinct point, int64 (m,), ascending; and for each row the distinct
        point that it equals, int64 (n,). None if there are more than ``most``.

    >>> first, place = distinct_points(np.float32([[1, 0], [5, 5], [1, 0]]), most=10)
    >>> first.tolist(), place.tolist()
    ([0, 1], [0, 1, 0])
    >>> distinct_points(np.eye(3, dtype=np.float32), most=2) is None
    True
    """
    start = x[: 2 * most + 2]
    distinct = _distinct(start, most, float(np.abs(x).max(initial=0.0)))
    if distinct is None or len(start) == len(x):
        return distinct
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
