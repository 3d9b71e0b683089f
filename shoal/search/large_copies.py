"""Candidates for copies among vectors that do not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shoal.clustering.vector_blocks import Reduced, Vectors, row_blocks
from shoal.embedding.neighbours import but_itself
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray, Track
from shoal.search import inverted_file
from shoal.search.copies import NEIGHBOURS
from shoal.search.nearness import Limit, limit_for
from shoal.search.thresholds import random_pairs
from shoal.search.vector_copies import compared, threshold_for

AT_ONCE = 2**30
"""Bytes in memory from which vectors are compared in blocks: from then on that is faster, too."""
_RANDOM_PAIRS = 4000
_BLOCK = 65_536
_SAMPLED, _AT_A_TIME = 20_000, 5000
"""Vectors whose neighbours say how near copies are."""


def is_large(n: int, n_dimensions: int) -> bool:
    """Whether n vectors are too many to hold them, their directions, an index and their digests."""
    return n * (20 * n_dimensions + 200) > AT_ONCE


@dataclass(frozen=True)
class Some:
    """The vectors ``rows`` int64 (m,) of others."""

    source: Vectors
    rows: IntArray
    n_dimensions: int

    def __len__(self) -> int:
        return len(self.rows)

    def vectors(self, indices: Array) -> FloatArray:
        return self.source.vectors(self.rows[indices])

    def scattered(self, indices: Array) -> FloatArray:
        """See `VectorSource.scattered`."""
        return scattered(self.source, self.rows[indices])


class LargeComparison:
    """What the search for copies needs of very many vectors: `VectorComparison` in blocks.

    In memory are 16 bytes for each vector. The vectors are read once more.
    """

    def __init__(self, source: Vectors, track: Track) -> None:
        centre = getattr(source, "centre", None)
        if centre is not None:  # else all would be copies in single precision
            source = Reduced(source, lambda x: x, source.n_dimensions, centre)  # type: ignore[arg-type]
        self.source, self.n_dimensions = source, source.n_dimensions
        n, d = len(source), source.n_dimensions
        factors = np.random.default_rng(0).integers(2**63, size=(2, d), dtype=np.uint64) | 1
        self._hashes = np.empty((n, 2), np.uint64)
        total = np.zeros(d)
        blocks = row_blocks(n)
        for rows in track(blocks, "reading", len(blocks)):
            x = source.vectors(rows)
            bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
            for place in (0, 1):  # sums of products modulo 2⁶⁴, of which equal rows have equal ones
                self._hashes[rows, place] = (bits * factors[place]).sum(axis=1, dtype=np.uint64)
            total += x.sum(axis=0, dtype=np.float64)
        self._mean, self._usual = (total / n).astype(np.float32), np.float32(1.0)
        if n > 1:
            pairs = random_pairs(n, _RANDOM_PAIRS, np.random.default_rng(0))
            self._usual = np.float32(np.median(self.distances(pairs)) or 1.0)

    def __len__(self) -> int:
        return len(self.source)

    def vectors(self, indices: Array) -> FloatArray:
        """What is `compared`, scaled so that random pairs are 1 apart: float32 (b, d)."""
        return self._scaled(self.source.vectors(indices))

    def scattered(self, indices: Array) -> FloatArray:
        """See `VectorSource.scattered`."""
        return self._scaled(scattered(self.source, indices))

    def same(self, order: IntArray) -> tuple[IntArray, dict[int, list[int]]]:
        """The vectors that are no exact copies of earlier ones, and the copies of these.

        Args:
            order: int64 (n,): which come first.

        Returns:
            Rows int64 (m,), ascending; and for each that has copies the rows of these, in order.
        """
        keys = self._hashes[order]
        by_key = np.lexsort((np.arange(len(order)), keys[:, 0], keys[:, 1]))
        new = np.ones(len(order), bool)
        new[1:] = (keys[by_key][1:] != keys[by_key][:-1]).any(axis=1)
        starts = np.flatnonzero(new)
        stops = np.append(starts[1:], len(order))
        copies = {
            int(order[by_key[start]]): order[by_key[start + 1 : stop]].tolist()
            for start, stop in zip(starts, stops, strict=True)
            if stop - start > 1
        }
        return np.sort(order[by_key[starts]]), copies

    def close_pairs(
        self, rows: IntArray, threshold: float | None, track: Track
    ) -> tuple[IntArray, Limit, str]:
        """Pairs of ``rows`` int64 (m,), m ≥ 2, that are no farther apart than ``threshold``.

        They are sought among the 8 nearest neighbours of each, see `inverted_file`. Without a
        threshold, the neighbours of some of them say how near copies are, see `limit_for`.

        Returns:
            int64 (p, 2), each pair once, the smaller row first; the limit; and a sentence: how they
            were sought, and what share of the true neighbours that finds.
        """
        points: Vectors = self if len(rows) == len(self) else Some(self, rows, self.n_dimensions)
        k = min(NEIGHBOURS, len(rows) - 1)
        learned = inverted_file.learn(points, track=track)
        shard = inverted_file.Shard(learned, points, track=track)
        learned = inverted_file.tuned(learned, shard, k, track=track)
        limit = Limit(threshold) if threshold is not None else self._usual_limit(shard, k)
        found = []
        for block, distances, neighbours in inverted_file.all_others(shard, k, track=track):
            close = (distances <= limit.value) & (neighbours >= 0)
            pairs = np.stack([np.broadcast_to(block[:, None], close.shape)[close],
                              neighbours[close]], axis=1)  # fmt: skip
            found.append(np.sort(pairs, axis=1))
        pairs = rows[np.unique(np.concatenate(found), axis=0)]
        return pairs, limit, learned.describe(len(points))

    def _usual_limit(self, shard: inverted_file.Shard, k: int) -> Limit:
        """The limit by the k nearest others of some vectors of a shard."""
        some = sample_rows(len(shard.rows), _SAMPLED)
        found = []
        for start in range(0, len(some), _AT_A_TIME):
            asked = some[start : start + _AT_A_TIME]
            distances, neighbours = shard.search(shard.vectors.vectors(asked), k + 1)
            found.append(distances[but_itself(neighbours, asked)].reshape(-1, k))
        nearest = np.concatenate(found)
        whole = nearest[np.isfinite(nearest[:, -1])]  # fewer were found of the others
        looked_at = "vectors" if len(some) == len(shard.rows) else "vectors drawn at random"
        return limit_for(whole, threshold_for(self.n_dimensions), looked_at)

    def distances(self, pairs: IntArray) -> FloatArray:
        """The distance of each of ``pairs`` int64 (m, 2): float32 (m,)."""
        found = np.zeros(len(pairs), np.float32)
        for start in range(0, len(pairs), _BLOCK):
            some = pairs[start : start + _BLOCK]
            apart = self.scattered(some[:, 0]) - self.scattered(some[:, 1])
            found[start : start + _BLOCK] = np.linalg.norm(apart, axis=1)
        return found

    def _scaled(self, x: FloatArray) -> FloatArray:
        return compared(x, self._mean) / self._usual


def scattered(source: Vectors, rows: Array) -> FloatArray:
    """Vectors here and there, by a way of the source's own if it has one: float32 (b, d)."""
    found: FloatArray = getattr(source, "scattered", source.vectors)(rows)
    return found


def links_of(pairs: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """The rows that each row is in a pair with.

    >>> links_of([(0, 2), (1, 2)])
    {0: [2], 2: [0, 1], 1: [2]}
    """
    links: dict[int, list[int]] = {}
    for a, b in pairs:
        links.setdefault(a, []).append(b)
        links.setdefault(b, []).append(a)
    return links
