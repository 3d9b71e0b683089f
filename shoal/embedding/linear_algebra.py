"""Linear algebra of embeddings: rows of length 1, and whitening."""

from __future__ import annotations

import numpy as np

from shoal.protocols import Array, FloatArray

_NO_LENGTH = 1e-12
"""A row that is no longer than this has no direction."""


def unit_rows(x: Array) -> Array:
    """Rows of ``x`` float (n, d) scaled to length 1; zero stays zero.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    unit: Array = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), _NO_LENGTH)
    return unit


def has_direction(x: Array) -> Array:
    """Which rows of ``x`` float (n, d) `unit_rows` brings to length 1: not zeros; bool (n,).

    >>> has_direction(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [True, False]
    """
    long: Array = np.linalg.norm(x, axis=1) >= _NO_LENGTH
    return long


def whitening(x: FloatArray, n_components: int) -> tuple[Array, Array]:
    """The mean (d,) and the linear map (d, c) that give ``x`` float32 (n, d) unit covariance.

    The map leads to the ``n_components`` leading principal directions, without those of almost no
    variance.
    """
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    values, vectors = values[::-1][:n_components], vectors[:, ::-1][:, :n_components]
    kept = values > max(values[0] * 1e-6, 1e-12)
    return mean, vectors[:, kept] / np.sqrt(values[kept])
