"""Noise: the points of a pile that belong nowhere, told by how far they lie from the others.

A cluster of things that belong nowhere can be as dense as any other, so that the distance to the
next few points does not tell it. The distance that reaches a fair share of the whole pile does,
unless a kind of the pile lies as far apart.
"""

from __future__ import annotations

import numpy as np

from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray
from shoal.recipes.noise import parse

_REACHED = 0.15
"""The share of the pile that the distance of a point reaches. Measured: benchmarks/LOG.md."""
_POINTS = 2000
"""The most points that are remembered."""
_DEVIATIONS = 2.5
"""How far beyond the median a distance is noise where no share is given: in units of how far below
it the 16th percentile lies, which noise does not move, all as logarithms."""
_BLOCK = 4096


def fit_noise(z: FloatArray, noise: str, seed: int) -> dict[str, Array]:
    """Learn what is noise in a pile; nothing if noise is off or there are fewer than 20 points.

    Args:
        z: float32 (n, d), the reduced embedding.
        noise: a share such as ``0.1``, which is set aside; auto: what lies far beyond the rest;
            or off.
        seed: of the sample that is remembered.

    Returns:
        For a checkpoint: ``points`` float16 (m, d), and the greatest distance that is no noise,
        ``limit`` float64 ().
    """
    share = parse(noise)
    if share == 0.0 or len(z) < 20:
        return {}
    points = z[sample_rows(len(z), _POINTS, seed)].astype(np.float16)
    known = distances(z, points)
    if share is not None:
        return {"points": points, "limit": np.asarray(np.quantile(known, 1.0 - share))}
    logarithms = np.log(np.maximum(known, 1e-12))
    low, middle = np.quantile(logarithms, [0.16, 0.5])
    return {"points": points, "limit": np.asarray(np.exp(middle + _DEVIATIONS * (middle - low)))}


def without_noise(z: FloatArray, noise: str, seed: int) -> FloatArray:
    """The rows of ``z`` float32 (n, d) that are no noise: those in which groups are found."""
    return z[~is_noise(z, fit_noise(z, noise, seed))]


def is_noise(z: FloatArray, learned: dict[str, Array]) -> Array:
    """Which rows of ``z`` float32 (n, d) are noise, bool (n,); none if nothing was learned."""
    if not learned:
        return np.zeros(len(z), dtype=bool)
    return distances(z, learned["points"]) > float(learned["limit"])


def distances(z: FloatArray, points: Array) -> Array:
    """How far the ball around each row of ``z`` (n, d) reaches that holds 15 % of points (m, d).

    Returns:
        float64 (n,). A row's distance does not depend on the other rows.
    """
    others = points.astype(np.float64)
    place = max(1, round(_REACHED * len(others))) - 1
    squares = np.square(others).sum(axis=1)
    found = np.empty(len(z))
    for start in range(0, len(z), _BLOCK):
        block = z[start : start + _BLOCK].astype(np.float64)
        between = np.square(block).sum(axis=1)[:, None] + squares - 2.0 * block @ others.T
        found[start : start + _BLOCK] = np.partition(between, place, axis=1)[:, place]
    return np.sqrt(np.maximum(found, 0.0))
