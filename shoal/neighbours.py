"""Nearest neighbours (faiss): one exact search for everything that asks who is close to whom."""

from __future__ import annotations

import numpy as np

from shoal.protocols import FloatArray, IntArray


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
