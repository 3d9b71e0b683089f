"""Nearest neighbours among very many vectors: an inverted file with product quantisation.

The vectors are divided into cells around centres, and each is kept as a short code (product
quantisation, Jégou et al. 2011, doi:10.1109/TPAMI.2010.57; compared in registers, André et al.
2015, doi:10.14778/2856318.2856324; faiss, Johnson et al. 2017, arXiv:1702.08734). A query is
compared with the codes of the nearest cells. The best by their codes are then compared again, with
the vectors themselves where they lie. Centres and codes are learned from a sample. A shard's codes
can be made and searched apart from others', and the results merged: they are those of one search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.clustering import two_levels
from shoal.clustering.vector_blocks import Halves, Vectors, row_blocks
from shoal.embedding.neighbours import but_itself
from shoal.images.sampling import sample_rows
from shoal.protocols import FloatArray, IntArray, Track, silent

RECALL = 0.95
"""The share of the true neighbours that a search must find, measured on `_TUNED_ON` vectors."""
_A_CELL, _MOST_CELLS = 600, 65_536
"""Vectors for each cell, at least, and the most cells."""
_SAMPLED = 40
"""Sampled vectors for each cell."""
_CODED = 100_000
"""Sampled vectors from which the codes are learned."""
_BITS = 4
_TUNED_ON = 500
_REFINED = (4, 8, 16)
"""Candidates by their codes for each neighbour wanted."""
_QUERIES = 8192


@dataclass(frozen=True)
class Learned:
    """What is learned once, from a sample, and then is the same for every shard.

    It can be pickled and sent to another process.
    """

    content: bytes
    """The trained and empty index, as faiss writes it."""
    n_cells: int
    n_sampled: int
    n_probes: int = 1
    """How many cells are searched for a query."""
    refined: int = _REFINED[0]
    """How many candidates for each neighbour are compared with the vectors themselves."""
    recall: float = 1.0
    """The share of the true nearest neighbours that was found, for some vectors."""

    def describe(self, n: int) -> str:
        """How a search among n vectors is done, in a sentence."""
        return (
            f"{n:,} vectors in {self.n_cells:,} cells, learned from {self.n_sampled:,} of them; "
            f"each is compared with the codes in {self.n_probes:,} cells, and with the best of "
            f"these themselves, which finds {self.recall:.1%} of the true neighbours of "
            f"{min(_TUNED_ON, n):,} vectors."
        )


class Shard:
    """The codes of some vectors, in memory: about d / 4 + 8 bytes for each."""

    def __init__(self, learned: Learned, vectors: Vectors, rows: range | None = None,
                 track: Track = silent) -> None:  # fmt: skip
        """Code the vectors ``rows`` of a source; by default all of them."""
        import faiss

        self.learned, self.vectors = learned, vectors
        self.rows = range(len(vectors)) if rows is None else rows
        self._index: Any = faiss.deserialize_index(np.frombuffer(learned.content, np.uint8))
        blocks = row_blocks(len(self.rows))
        for block in track(blocks, "indexing", len(blocks)):
            self._index.add(vectors.vectors(block + self.rows.start))

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """The k nearest vectors of the shard for each query, nearest first.

        Args:
            queries: float32 (m, d).
            k: how many. Where the searched cells hold fewer, the rest is missing.

        Returns:
            Distances float32 (m, k), infinite where one is missing, and rows of the source
            int64 (m, k), -1 there.
        """
        self._index.nprobe = self.learned.n_probes
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        n_candidates = min(self.learned.refined * k, len(self.rows))
        candidates = self._index.search(queries, n_candidates)[1]
        candidates[candidates >= 0] += self.rows.start
        distances, rows = refine(queries, candidates, self.vectors, min(k, n_candidates))
        if n_candidates < k:
            missing = ((0, 0), (0, k - n_candidates))
            distances = np.pad(distances, missing, constant_values=np.inf)
            rows = np.pad(rows, missing, constant_values=-1)
        return distances, rows


def refine(
    queries: FloatArray, candidates: IntArray, vectors: Vectors, k: int
) -> tuple[FloatArray, IntArray]:
    """The k nearest of each query's candidates, by the vectors themselves.

    Args:
        queries: float32 (m, d).
        candidates: int64 (m, c), rows of the source; -1 where there is none.
        vectors: the source. Rows that several queries share are read once.
        k: how many, 1 to c.

    Returns:
        Distances float32 (m, k) and rows int64 (m, k), nearest first; infinite and -1 where there
        are no more.
    """
    wanted = np.unique(candidates)
    wanted = wanted[wanted >= 0]
    if not len(wanted):
        empty = candidates[:, :k]
        return np.full(empty.shape, np.inf, np.float32), np.full_like(empty, -1)
    # Rows all over a file: its memory map is faster than a call for each.
    known = getattr(vectors, "scattered", vectors.vectors)(wanted)
    place = np.searchsorted(wanted, np.maximum(candidates, wanted[0]))
    squared = np.empty(candidates.shape, np.float32)
    for start in range(0, len(queries), 256):
        some = slice(start, start + 256)
        apart = known[place[some]] - queries[some, None]
        squared[some] = np.einsum("qcd,qcd->qc", apart, apart)
    squared[candidates < 0] = np.inf
    # Equal distances in the order of rows, so that shards and one search agree.
    order = np.lexsort((candidates, squared), axis=1)[:, :k]
    return (
        np.sqrt(np.take_along_axis(squared, order, axis=1)),
        np.take_along_axis(candidates, order, axis=1),
    )


def merge(parts: list[tuple[FloatArray, IntArray]], k: int) -> tuple[FloatArray, IntArray]:
    """The k nearest of the results of several shards, see `Shard.search`.

    >>> one = np.float32([[1, 4]]), np.array([[0, 1]])
    >>> other = np.float32([[2, 3]]), np.array([[9, 8]])
    >>> merge([one, other], 3)[1].tolist()
    [[0, 9, 8]]
    """
    distances = np.concatenate([part[0] for part in parts], axis=1)
    rows = np.concatenate([part[1] for part in parts], axis=1)
    order = np.lexsort((rows, distances), axis=1)[:, :k]
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(rows, order, axis=1)


def learn(
    vectors: Vectors, *, seed: int = 0, track: Track = silent, n_cells: int | None = None
) -> Learned:
    """Learn cells and codes from a sample of vectors.

    Args:
        vectors: n ≥ 1 vectors of d numbers.
        seed: of the sample and the first centres.
        track: shows progress.
        n_cells: by default √n times 4, and at least 600 vectors for each.
    """
    import faiss

    n, d = len(vectors), vectors.n_dimensions
    if n_cells is None:
        n_cells = max(1, min(int(4 * np.sqrt(n)), n // _A_CELL, _MOST_CELLS))
    rows = sample_rows(n, max(_SAMPLED * n_cells, _CODED), seed)
    sample = Halves.sampled(vectors, rows)
    cells = two_levels.fit(sample, n_cells, seed, track).points
    # A graph finds a vector's cell in the time of some hundred comparisons (HNSW, Malkov and
    # Yashunin 2016, arXiv:1603.09320).
    quantizer: Any = faiss.IndexHNSWFlat(d, 32)
    quantizer.hnsw.efSearch = 64
    quantizer.add(cells)
    codes = d if d % 2 else d // 2
    index: Any = faiss.IndexIVFPQFastScan(quantizer, d, n_cells, codes, _BITS, faiss.METRIC_L2)
    index.quantizer_trains_alone = 0
    for _ in track(range(1), "learning codes", 1):
        index.train(sample.take(sample_rows(len(sample), _CODED, seed)))
    return Learned(faiss.serialize_index(index).tobytes(), n_cells, len(sample))


def tuned(
    learned: Learned, shard: Shard, k: int, *, recall: float = RECALL, seed: int = 1,
    track: Track = silent,
) -> Learned:  # fmt: skip
    """With as many cells and candidates as find enough of the true neighbours of some vectors.

    Args:
        learned: from `learn`.
        shard: with all vectors.
        k: how many neighbours.
        recall: the share of them to find, in (0, 1].
        seed: of the vectors that are looked up.
        track: shows progress.
    """
    n = len(shard.vectors)
    rows = sample_rows(n, _TUNED_ON, seed)
    queries = shard.vectors.vectors(rows)
    k = min(k + 1, n)  # with itself
    true = exact(shard.vectors, queries, k, track=track)[1]
    best = learned
    for refined in _REFINED:
        n_probes = 1
        before = -1.0
        while True:
            best = replace(learned, n_probes=n_probes, refined=refined)
            shard.learned = best
            share = _share(shard.search(queries, k)[1], true)
            best = replace(best, recall=share)
            if share >= recall or n_probes >= learned.n_cells or share < before + 0.002:
                break
            n_probes, before = min(2 * n_probes, learned.n_cells), share
        if share >= recall:
            break
    shard.learned = best
    return best


def exact(
    vectors: Vectors, queries: FloatArray, k: int, *, cosine: bool = False, track: Track = silent
) -> tuple[FloatArray, IntArray]:
    """The k nearest vectors of each query, by comparing each with all; read once, in blocks.

    For few queries that is faster than an index is built.

    Args:
        vectors: n vectors of d numbers.
        queries: float32 (m, d).
        k: how many, 1 to n.
        cosine: compare directions: the distance is that of the vectors scaled to length 1.
        track: shows progress.

    Returns:
        Distances float32 (m, k) and rows int64 (m, k), nearest first.
    """
    import faiss

    from shoal.embedding.linear_algebra import unit_rows

    queries = unit_rows(queries) if cosine else queries
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    best = (np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64))
    blocks = row_blocks(len(vectors))
    for rows in track(blocks, "comparing", len(blocks)):
        x = vectors.vectors(rows)
        x = np.ascontiguousarray(unit_rows(x) if cosine else x, dtype=np.float32)
        squared, places = faiss.knn(queries, x, min(k, len(x)))
        distances = np.sqrt(np.maximum(squared, 0.0))
        best = merge([best, (distances, rows[places])], k)
    return best


def all_others(
    shard: Shard, k: int, *, track: Track = silent
) -> Iterator[tuple[IntArray, FloatArray, IntArray]]:
    """The k nearest others of every vector of a shard, some thousand vectors at a time.

    Yields:
        Rows int64 (b,); distances float32 (b, k); rows of the neighbours int64 (b, k), -1 where
        fewer were found.
    """
    blocks = row_blocks(len(shard.rows), _QUERIES)
    for block in track(blocks, "comparing", len(blocks)):
        rows = block + shard.rows.start
        distances, neighbours = shard.search(shard.vectors.vectors(rows), k + 1)
        kept = but_itself(neighbours, rows)
        yield rows, distances[kept].reshape(-1, k), neighbours[kept].reshape(-1, k)


def _share(found: IntArray, true: IntArray) -> float:
    """The share of the true neighbours that were found."""
    return float((found[:, :, None] == true[:, None, :]).any(axis=1).mean())
