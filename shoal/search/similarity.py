"""Similarity of two points, and a search for the most similar among very many."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.neighbours import but_itself
from shoal.errors import DataError
from shoal.protocols import FloatArray, IntArray, Track, silent

METRICS = ("cosine", "euclidean")
EXACT_UP_TO = 100_000_000
"""Points times dimensions up to which every query is compared with all points.

A query then takes 25 ms at most on one core; building an inverted file takes a minute
(benchmarks/similar.py)."""
EXACT_FOR_ALL = 20_000_000
"""The same where every point is a query: 100,000 points of 200 numbers take one core a minute."""
_TUNED_ON = 200
_TUNED_K = 10
_BLOCK = 65_536
_QUERIES = 1024


def check_metric(metric: str) -> None:
    """Raise `DataError` unless ``metric`` is one of `METRICS`."""
    if metric not in METRICS:
        raise DataError(f"metric must be {' or '.join(METRICS)}, got {metric!r}.")


def similarity(a: FloatArray, b: FloatArray, metric: str = "cosine") -> FloatArray:
    """The similarity of each row of ``a`` to the same row of ``b``; larger is more alike.

    Args:
        a: float32 (n, d).
        b: float32 (n, d).
        metric: ``cosine``, the cosine of the angle between the two, in [-1, 1]; or ``euclidean``,
            1 / (1 + distance), in (0, 1].

    Returns:
        float32 (n,).

    Raises:
        DataError: an unknown metric.

    >>> a, b = np.float32([[3, 0], [0, 0]]), np.float32([[0, 4], [0, 1]])
    >>> similarity(a, b).tolist(), [f"{s:.3f}" for s in similarity(a, b, "euclidean")]
    ([0.0, 0.0], ['0.167', '0.500'])
    """
    check_metric(metric)
    if metric == "cosine":
        cosine = np.einsum("ij,ij->i", unit(a), unit(b))
        return np.clip(cosine, -1.0, 1.0).astype(np.float32)
    distance = np.linalg.norm(a.astype(np.float64) - b, axis=1)
    return (1.0 / (1.0 + distance)).astype(np.float32)


def unit(z: FloatArray) -> FloatArray:
    """Rows of ``z`` (n, d) scaled to length 1; zero stays zero."""
    return unit_rows(z).astype(np.float32)


class Index:
    """Nearest neighbours under a metric, by faiss: exact, or almost so for very many points.

    Up to a million points of 100 numbers, a query is compared with every point. More points are
    divided into the cells of a k-means, and a query is compared with the points of the nearest
    cells only (an inverted file: Sivic and Zisserman 2003, doi:10.1109/ICCV.2003.1238663; faiss:
    Johnson et al. 2017, arXiv:1702.08734). The number of cells is doubled until ``recall`` of the
    10 nearest neighbours of 200 points are found.

    Args:
        points: float32 (n, d), n ≥ 1.
        metric: see `similarity`.
        exact_up_to: points times dimensions up to which the search is exact.
        recall: the share of true neighbours that an inexact search must find, in (0, 1].
        track: shows progress.

    Raises:
        DataError: an unknown metric.

    >>> index = Index(np.float32([[0, 0], [1, 0], [5, 0]]), metric="euclidean")
    >>> similarities, indices = index.search(np.float32([[0.9, 0]]), 2)
    >>> indices.tolist(), index.exact
    ([[1, 0]], True)
    """

    exact: bool
    """Whether a query is compared with every point."""
    recall: float
    """The share of the 10 nearest neighbours that was found for 200 points; 1 if exact."""

    def __init__(
        self, points: FloatArray, *, metric: str = "cosine", exact_up_to: int = EXACT_UP_TO,
        recall: float = 0.98, track: Track = silent,
    ) -> None:  # fmt: skip
        check_metric(metric)
        self.metric = metric
        self.exact = points.size <= exact_up_to
        self.recall = 1.0
        points = self._prepared(points)
        self._index = self._flat(points.shape[1])
        if self.exact:
            self._index.add(points)
        else:
            self._index = self._cells(points, track)
            self.recall = self._tune(points, recall)

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """The ``k`` most similar points of each query, the most similar first.

        Args:
            queries: float32 (m, d).
            k: how many, 1 to the number of points.

        Returns:
            Similarities float32 (m, k), see `similarity`, and indices int64 (m, k).
        """
        queries = self._prepared(queries)
        scores, indices = self._index.search(queries, k)
        if not self.exact and (indices < 0).any():  # fewer than k points in the searched cells
            missing, before = (indices < 0).any(axis=1), self._index.nprobe
            self._index.nprobe = self._index.nlist
            scores[missing], indices[missing] = self._index.search(queries[missing], k)
            self._index.nprobe = before
        if self.metric == "cosine":
            return np.clip(scores, -1.0, 1.0), indices.astype(np.int64)
        return 1.0 / (1.0 + np.sqrt(np.maximum(scores, 0.0))), indices.astype(np.int64)

    def search_others(
        self, queries: FloatArray, rows: IntArray, k: int
    ) -> tuple[FloatArray, IntArray]:
        """The ``k`` most similar points of each query but the query itself.

        An exact copy of a query counts as another point.

        Args:
            queries: float32 (m, d).
            rows: int64 (m,), which point each query is; -1 for a query that is none of the points.
            k: how many, at least 1; at most the number of points, less 1 if a query is a point.

        Returns:
            As `search`.
        """
        n_own = int((rows >= 0).any())
        similarities, indices = self.search(queries, k + n_own)
        if not n_own:
            return similarities, indices
        others = but_itself(indices, rows)
        return similarities[others].reshape(-1, k), indices[others].reshape(-1, k)

    def search_all_others(
        self, points: FloatArray, k: int, track: Track = silent
    ) -> tuple[FloatArray, IntArray]:
        """The ``k`` most similar others of every point.

        Args:
            points: float32 (n, d), the points of the index.
            k: how many, 1 to n - 1.
            track: shows progress.

        Returns:
            As `search`, with a row for each point.
        """
        n = len(points)
        similarities = np.empty((n, k), dtype=np.float32)
        indices = np.empty((n, k), dtype=np.int64)
        starts = range(0, n, _QUERIES)
        for start in track(starts, "comparing", len(starts)):
            rows = np.arange(start, min(start + _QUERIES, n))
            similarities[rows], indices[rows] = self.search_others(points[rows], rows, k)
        return similarities, indices

    def _prepared(self, points: FloatArray) -> FloatArray:
        points = unit(points) if self.metric == "cosine" else points
        return np.ascontiguousarray(points, dtype=np.float32)

    def _flat(self, d: int) -> Any:
        import faiss

        return faiss.IndexFlatIP(d) if self.metric == "cosine" else faiss.IndexFlatL2(d)

    def _cells(self, points: FloatArray, track: Track) -> Any:
        import faiss

        n, d = points.shape
        n_cells = max(1, min(int(4 * np.sqrt(n)), n // 40))  # as faiss's guide recommends
        kind = faiss.METRIC_INNER_PRODUCT if self.metric == "cosine" else faiss.METRIC_L2
        index = faiss.IndexIVFFlat(self._index, d, n_cells, kind)
        generator = np.random.default_rng(0)
        sample = np.sort(generator.choice(n, min(n, 40 * n_cells), replace=False))
        for block in track([points[sample]], "learning cells", 1):
            index.train(block)
        starts = range(0, n, _BLOCK)
        for start in track(starts, "indexing", len(starts)):
            index.add(points[start : start + _BLOCK])
        return index

    def _tune(self, points: FloatArray, recall: float) -> float:
        """Search ever more cells until enough of the true neighbours are among the results."""
        n = len(points)
        queries = points[np.random.default_rng(1).choice(n, min(n, _TUNED_ON), replace=False)]
        k = min(_TUNED_K, n)
        flat = self._flat(points.shape[1])
        flat.add(points)
        true = flat.search(queries, k)[1]
        while True:
            indices = self._index.search(queries, k)[1]
            share = float((indices[:, :, None] == true[:, None, :]).any(axis=1).mean())
            if share >= recall or self._index.nprobe >= self._index.nlist:
                return share
            self._index.nprobe = min(2 * self._index.nprobe, self._index.nlist)
