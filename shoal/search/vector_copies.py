"""Candidates for copies among vectors from elsewhere, which have no pixels to verify them by."""

from __future__ import annotations

import numpy as np

from shoal.embedding.embed import BLOCK, batches, n_batches
from shoal.embedding.linear_algebra import unit_rows
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track
from shoal.search.copies import NEIGHBOURS, content_of, digests
from shoal.search.nearness import Limit, limit_for, nearest_of
from shoal.search.thresholds import random_pairs

_THRESHOLD = 0.25
"""The greatest distance of a copy, as a share of the usual distance of two vectors."""
_FEW, _FEWER = 16, 8
"""Of so few numbers the size of each counts, not the direction alone. Of fewer than 8 many vectors
are that close by chance, and the threshold is lower."""
_RANDOM_PAIRS = 4000


def threshold_for(n_dimensions: int) -> float:
    """The greatest distance of a copy among vectors of so many numbers, whatever the pile.

    Two random points are this close as often in 1 to 8 dimensions.

    >>> [threshold_for(d) for d in (512, 8, 4, 2)]
    [0.25, 0.25, 0.0625, 0.00390625]
    """
    return float(_THRESHOLD ** max(1.0, _FEWER / n_dimensions))


def compared(x: FloatArray, mean: Array) -> FloatArray:
    """What is compared of vectors float32 (n, d): directions from the mean (d,), or of at most 16
    numbers the differences from it."""
    centred = x - mean
    return centred if x.shape[1] <= _FEW else unit_rows(centred).astype(np.float32)


class VectorComparison:
    """What the search for copies needs of vectors: the interface of `copies.Comparison`.

    The distance of two vectors is that of what is `compared`, as a share of the median distance of
    random pairs.

    Args:
        source: a `VectorSource`.
        track: shows progress.
    """

    digests: list[bytes]
    """The digest of each vector."""
    outlines: FloatArray
    """float32 (n, d): what is `compared`, scaled so that random pairs are 1 apart."""

    def __init__(self, source: ImageSource, track: Track) -> None:
        self.digests, vectors = [], []
        for rows in track(batches(source, BLOCK), "reading", n_batches(source, BLOCK)):
            content = content_of(source, rows)
            self.digests += digests(content)
            vectors.append(content)
        whole = np.concatenate(vectors)
        x = compared(whole, whole.mean(axis=0))
        self.outlines = x
        if len(x) > 1:
            pairs = random_pairs(len(x), _RANDOM_PAIRS, np.random.default_rng(0))
            usual = float(np.median(self.distances(pairs)))
            self.outlines = x / np.float32(usual or 1.0)

    def usual_limit(self, rows: IntArray, neighbours: IntArray) -> Limit:
        """See `limit_for`.

        Args:
            rows: int64 (m,), ascending, m ≥ 2: vectors of which no two are exact copies.
            neighbours: int64 (p, 2): pairs of them, see `closest_pairs`.
        """
        k = min(NEIGHBOURS, len(rows) - 1)
        nearest = nearest_of(rows, neighbours, self.distances(neighbours), k)
        return limit_for(nearest, threshold_for(self.outlines.shape[1]))

    def verified(self, pairs: IntArray, threshold: float) -> tuple[IntArray, FloatArray]:
        """Those of ``pairs`` int64 (m, 2) that are no farther apart than ``threshold``; how far."""
        distances = self.distances(pairs)
        return pairs[distances <= threshold], distances[distances <= threshold]

    def distances(self, pairs: IntArray) -> FloatArray:
        """The distance of each of ``pairs`` int64 (m, 2): float32 (m,)."""
        found = np.zeros(len(pairs), np.float32)
        for start in range(0, len(pairs), BLOCK):
            a, b = self.outlines[pairs[start : start + BLOCK]].transpose(1, 0, 2)
            found[start : start + BLOCK] = np.linalg.norm(a - b, axis=1)
        return found
