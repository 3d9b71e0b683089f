"""Projection onto learned axes, alike for an image whatever other images come with it."""

from __future__ import annotations

import numpy as np

from shoal.protocols import Array, FloatArray

_BLOCK = 2048
"""Rows held in double precision at a time."""


def project(x: FloatArray, axes: Array) -> FloatArray:
    """The inner products of rows ``x`` (n, d) with ``axes`` (k, d): float32 (n, k).

    Summed in double precision: a matrix product adds up the last rows of its input in another order
    than the others, which in single precision would give an image other numbers, from the seventh
    digit, when it stands elsewhere in the pile.

    >>> x = np.random.default_rng(0).normal(size=(20, 136)).astype(np.float32)
    >>> np.array_equal(project(x, x[:5])[::-1], project(x[::-1], x[:5]))
    True
    """
    projected = np.empty((len(x), len(axes)), dtype=np.float32)
    axes = axes.T.astype(np.float64)
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        projected[rows] = x[rows].astype(np.float64) @ axes
    return projected
