"""Candidates for copies, found by nearest neighbours and then verified by their pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from shoal.embedding.embed import batches, n_batches
from shoal.images.vectors.source import centre_of, n_dimensions_of
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track
from shoal.search.nearness import Limit
from shoal.search.pixel_distance import PixelDistance
from shoal.search.similarity import EXACT_FOR_ALL, Index
from shoal.search.thresholds import random_pairs

THRESHOLD = 0.5
"""The greatest distance of a copy. `find_duplicates` tells how it was measured."""
_BLOCK = 1024
NEIGHBOURS = 8
_RANDOM_PAIRS = 4000
_FEWEST_IMAGES = 100


def digests(pixels: Array) -> list[bytes]:
    """A digest of each image's pixels (b, H, W, C), or of each vector (b, d).

    Images that look the same have equal digests, and so have exact copies of vectors.
    """
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]


def content_of(source: ImageSource, rows: IntArray) -> Array:
    """What makes copies of rows (b,): vectors float32 (b, d) if there are any, else pixels."""
    if n_dimensions_of(source):
        vectors: Array = source.vectors(rows, centre_of(source))  # type: ignore[attr-defined]
        return vectors
    return source.read(rows)


def closest_pairs(x: FloatArray, rows: IntArray, track: Track) -> IntArray:
    """Pairs of images of which one is among the 8 nearest neighbours of the other.

    Args:
        x: float32 (n, d), the space in which neighbours are searched.
        rows: int64 (m,), ascending, m ≥ 2: the images that are compared.
        track: shows progress.

    Returns:
        int64 (p, 2), ascending.
    """
    points = x[rows]
    index = Index(points, metric="euclidean", exact_up_to=EXACT_FOR_ALL, track=track)
    k = min(NEIGHBOURS, len(rows) - 1)
    _, neighbours = index.search_all_others(points, k, track)
    pairs = np.stack([np.repeat(np.arange(len(rows)), k), neighbours.ravel()], axis=1)
    return rows[np.unique(np.sort(pairs, axis=1), axis=0)]


@dataclass(frozen=True)
class Seen:
    """What one pass over n images leaves for the search for copies; see `look_at`."""

    digests: list[bytes]
    """The digest of each image's pixels."""
    outlines: FloatArray
    """float32 (n, f), coarse colours, in which copies are neighbours; see `PixelDistance`."""
    sketches: Array
    """float16 (n, 1, h, w), coarse details; see `PixelDistance`."""
    z: FloatArray | None = None
    """float32 (n, d), the reduced embedding, if images are to be compared by it, too."""


def look_at(source: ImageSource, track: Track) -> Seen:
    """Look at each image of a pile once; what is seen of it does not depend on the others."""
    distance = PixelDistance(source.shape)
    marks: list[bytes] = []
    outlines, sketches = [], []
    for rows in track(batches(source, _BLOCK), "reading", n_batches(source, _BLOCK)):
        pixels = source.read(rows)
        marks += digests(pixels)
        outlines.append(distance.outlines(pixels))
        sketches.append(distance.sketches(pixels))
    return Seen(marks, np.concatenate(outlines), np.concatenate(sketches))


class Comparison:
    """What the search for copies needs of a pile, computed in one pass over its images.

    Args:
        source: the pile.
        track: shows progress.
        seen: what the pass left, if it was made before.
    """

    digests: list[bytes]
    """The digest of each image's pixels."""
    outlines: FloatArray
    """float32 (n, f), see `Seen`."""

    def __init__(self, source: ImageSource, track: Track, seen: Seen | None = None) -> None:
        self.source = source
        self.track = track
        self.distance = PixelDistance(source.shape)
        seen = look_at(source, track) if seen is None else seen
        self.digests, self.outlines = seen.digests, seen.outlines
        self._sketches = seen.sketches

    def usual_limit(self, rows: IntArray, neighbours: IntArray) -> Limit:
        """`THRESHOLD`, or less where all images are much alike; see `find_duplicates`.

        Args:
            rows: int64 (m,), ascending: images of which no two have the same pixels.
            neighbours: int64 (p, 2), pairs of them that may be copies; they do not count.
        """
        if len(rows) < _FEWEST_IMAGES:
            return Limit(THRESHOLD)
        pairs = random_pairs(len(rows), _RANDOM_PAIRS, np.random.default_rng(0))
        pairs = np.sort(rows[pairs], axis=1)
        key = (len(self.source), 1)
        distances = self.distances(pairs[~np.isin(pairs @ key, neighbours @ key)])
        return Limit(min(THRESHOLD, 0.42 * float(np.quantile(distances, 0.01))))

    def verified(self, pairs: IntArray, threshold: float) -> tuple[IntArray, FloatArray]:
        """Those of ``pairs`` int64 (m, 2) that are no farther apart than ``threshold``; how far."""
        copies, apart = [pairs[:0]], [np.zeros(0, np.float32)]
        starts = range(0, len(pairs), _BLOCK)
        for start in self.track(starts, "verifying", len(starts)):
            block = pairs[start : start + _BLOCK]
            a, b = self._sketches[block[:, 0]], self._sketches[block[:, 1]]
            block = block[self.distance.may_match(a, b)]
            distances = self.distances(block)
            copies.append(block[distances <= threshold])
            apart.append(distances[distances <= threshold])
        return np.concatenate(copies), np.concatenate(apart)

    def distances(self, pairs: IntArray) -> FloatArray:
        """The distance between the images of each of ``pairs`` int64 (m, 2): float32 (m,).

        See `PixelDistance`.
        """
        distances = [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(pairs), _BLOCK):
            rows, places = np.unique(pairs[start : start + _BLOCK], return_inverse=True)
            pixels = self.source.read(rows)
            first, second = places.reshape(-1, 2).T
            distances.append(self.distance(pixels[first], pixels[second]))
        return np.concatenate(distances)
