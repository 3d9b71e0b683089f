"""How alike two images are, and who is like whom among very many."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.embedding.linear_algebra import unit_rows
from shoal.errors import DataError
from shoal.protocols import FloatArray, IntArray, Track, silent

METRICS = ("cosine", "euclidean")
EXACT_UP_TO = 100_000_000
"""Numbers, points times dimensions, that are searched exactly: in 25 ms a query on one core, and
ready at once, where an inverted file takes a minute to build (benchmarks/similar.py)."""
EXACT_FOR_ALL = 20_000_000
"""Likewise where each point is asked about: 100,000 of 200 numbers, in a minute on one core."""
_TUNED_ON = 200
_TUNED_K = 10
_BLOCK = 65_536


def check_metric(metric: str) -> None:
    """Raise `DataError` unless ``metric`` is one of `METRICS`."""
    if metric not in METRICS:
        raise DataError(
            f"--metric is expected among {', '.join(METRICS)}, and {metric!r} came; choose one."
        )


def similarity(a: FloatArray, b: FloatArray, metric: str = "cosine") -> FloatArray:
    """How alike the rows of ``a`` and ``b`` float32 (n, d) are, pair by pair: float32 (n,).

    By ``cosine`` that of the angle between them, in [-1, 1]; by ``euclidean`` 1 / (1 + distance),
    in (0, 1]: larger is more alike by either, so that one rule, above a threshold, fits both.

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
    """Nearest neighbours under a metric, by faiss: exact, or for very many points nearly so.

    Up to a million points of 100 numbers every query is compared with all of them. More are put
    into the cells of a k-means and a query looks into the nearest cells only (an inverted file:
    Sivic and Zisserman 2003, doi:10.1109/ICCV.2003.1238663; faiss: Johnson et al. 2017,
    arXiv:1702.08734): as many as it takes to find ``recall`` of the 10 true nearest of 200 points.

    Args:
        points: float32 (n, d), n ≥ 1.
        metric: see `similarity`.
        exact_up_to: how many numbers, points times dimensions, are searched exactly.
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
    """Whether every search compares with all points."""
    recall: float
    """Share of the 10 nearest found of the points it was tried on, measured; 1 if exact."""

    def __init__(
        self, points: FloatArray, *, metric: str = "cosine", exact_up_to: int = EXACT_UP_TO,
        recall: float = 0.98, track: Track = silent,
    ) -> None:  # fmt: skip
        check_metric(metric)
        self.metric = metric
        self.n_points = len(points)
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
        found, indices = self._index.search(queries, k)
        while not self.exact and (indices < 0).any():  # fewer than k points in the cells looked at
            missing = (indices < 0).any(axis=1)
            before = self._index.nprobe
            if before >= self._index.nlist:
                break
            self._index.nprobe = self._index.nlist
            found[missing], indices[missing] = self._index.search(queries[missing], k)
            self._index.nprobe = before
        if self.metric == "cosine":
            return np.clip(found, -1.0, 1.0), indices.astype(np.int64)
        return 1.0 / (1.0 + np.sqrt(np.maximum(found, 0.0))), indices.astype(np.int64)

    def _prepared(self, points: FloatArray) -> FloatArray:
        points = unit(points) if self.metric == "cosine" else points
        return np.ascontiguousarray(points, dtype=np.float32)

    def _flat(self, d: int) -> Any:
        import faiss

        return faiss.IndexFlatIP(d) if self.metric == "cosine" else faiss.IndexFlatL2(d)

    def _cells(self, points: FloatArray, track: Track) -> Any:
        import faiss

        n, d = points.shape
        n_cells = max(1, min(int(4 * np.sqrt(n)), n // 40))  # as faiss's own guide has it
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
        """Look into ever more cells until enough of the true neighbours are found."""
        n = len(points)
        queries = points[np.random.default_rng(1).choice(n, min(n, _TUNED_ON), replace=False)]
        k = min(_TUNED_K, n)
        flat = self._flat(points.shape[1])
        flat.add(points)
        true = flat.search(queries, k)[1]
        while True:
            found = self._index.search(queries, k)[1]
            share = float((found[:, :, None] == true[:, None, :]).any(axis=1).mean())
            if share >= recall or self._index.nprobe >= self._index.nlist:
                return share
            self._index.nprobe = min(2 * self._index.nprobe, self._index.nlist)
