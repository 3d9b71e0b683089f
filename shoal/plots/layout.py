"""The map: places on a plane, near one another for images that are alike."""

from __future__ import annotations

import numpy as np

from shoal.embedding.reducers import tsne
from shoal.protocols import FloatArray, Track, silent

MOST_FITTED = 5_000
"""Of more images a random sample of this many is laid out, and the others are placed among them."""
_MANY = 3_000


def lay_out(z: FloatArray, *, seed: int = 0, track: Track = silent) -> FloatArray:
    """t-SNE of an embedding float32 (n, d) to a plane, float32 (n, 2).

    See `reducers.tsne` for the sources.
    """
    n = len(z)
    sample = np.random.default_rng(seed).permutation(n)[:MOST_FITTED]
    # Interpolation on a grid costs the same for any number of images.
    model = tsne.build(interpolate=len(sample) >= _MANY, random_state=seed)
    xy = np.empty((n, 2), dtype=np.float32)
    rest = np.setdiff1d(np.arange(n), sample)
    blocks = [sample, *np.array_split(rest, -(-len(rest) // 10_000))] if len(rest) else [sample]
    for number, block in enumerate(track(blocks, "drawing map", len(blocks))):
        xy[block] = model.fit_transform(z[block]) if number == 0 else model.transform(z[block])
    return xy
