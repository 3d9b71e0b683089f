"""Which images are copies of which: likely pairs first, then judged by their pixels alone."""

from __future__ import annotations

import hashlib

import numpy as np

from shoal.embedding.embed import batches, n_batches
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track
from shoal.search.pixel_distance import PixelDistance
from shoal.search.similarity import EXACT_FOR_ALL, Index
from shoal.search.thresholds import random_pairs

THRESHOLD = 0.5
"""The greatest distance of a copy; see `duplicates` for what it was measured on."""
_BLOCK = 1024
_NEIGHBOURS = 8
_DRAWN = 4000
_FEWEST = 100


def digests(pixels: Array) -> list[bytes]:
    """Of each image's pixels uint8 (b, H, W, C): equal for exact copies."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]


class Comparison:
    """A pile looked at once, so that copies can be sought in it."""

    digests: list[bytes]
    """Of each image's pixels."""
    outlines: FloatArray
    """float32 (n, f), in which copies are neighbours; see `PixelDistance`."""

    def __init__(self, source: ImageSource, track: Track) -> None:
        self.source = source
        self.track = track
        self.distance = PixelDistance(source.shape)
        self.digests = []
        outlines, sketches = [], []
        for rows in track(batches(source, _BLOCK), "looking", n_batches(source, _BLOCK)):
            pixels = source.read(rows)
            self.digests += digests(pixels)
            outlines.append(self.distance.outlines(pixels))
            sketches.append(self.distance.sketches(pixels))
        self.outlines = np.concatenate(outlines)
        self._sketches: Array = np.concatenate(sketches)

    def neighbours(self, x: FloatArray, rows: IntArray) -> IntArray:
        """Pairs of ``rows`` one of which is among the other's 8 nearest: int64 (m, 2), ascending.

        Args:
            x: float32 (n, d), in which nearness is meant.
            rows: int64, ascending, 2 or more.
        """
        points = x[rows]
        index = Index(points, metric="euclidean", exact_up_to=EXACT_FOR_ALL, track=self.track)
        k = min(_NEIGHBOURS + 1, len(rows))
        starts = range(0, len(rows), _BLOCK)
        found = [
            index.search(points[start : start + _BLOCK], k)[1]
            for start in self.track(starts, "comparing", len(starts))
        ]
        pairs = np.stack([np.repeat(np.arange(len(rows)), k), np.concatenate(found).ravel()], 1)
        pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
        return rows[np.unique(pairs, axis=0)]

    def usual_threshold(self, rows: IntArray, neighbours: IntArray) -> float:
        """`THRESHOLD`, or less for images alike by nature; see `find_duplicates`.

        Args:
            rows: int64 (m,), ascending: images of which no two have the same pixels.
            neighbours: int64 (p, 2), pairs of them that may be copies, and are left out.
        """
        if len(rows) < _FEWEST:
            return THRESHOLD
        drawn = np.sort(rows[random_pairs(len(rows), _DRAWN, np.random.default_rng(0))], axis=1)
        key = (len(self.source), 1)
        found = self.distances(drawn[~np.isin(drawn @ key, neighbours @ key)])
        return min(THRESHOLD, 0.42 * float(np.quantile(found, 0.01)))

    def verified(self, pairs: IntArray, threshold: float) -> IntArray:
        """Those of ``pairs`` int64 (m, 2) that are no farther apart than ``threshold``."""
        kept = []
        starts = range(0, len(pairs), _BLOCK)
        for start in self.track(starts, "verifying", len(starts)):
            block = pairs[start : start + _BLOCK]
            a, b = self._sketches[block[:, 0]], self._sketches[block[:, 1]]
            block = block[self.distance.may_match(a, b)]
            kept.append(block[self.distances(block) <= threshold])
        return np.concatenate(kept) if kept else pairs

    def distances(self, pairs: IntArray) -> FloatArray:
        """The distances of ``pairs`` int64 (m, 2): float32 (m,); see `PixelDistance`."""
        found = [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(pairs), _BLOCK):
            rows, places = np.unique(pairs[start : start + _BLOCK], return_inverse=True)
            pixels = self.source.read(rows)
            first, second = places.reshape(-1, 2).T
            found.append(self.distance(pixels[first], pixels[second]))
        return np.concatenate(found)
