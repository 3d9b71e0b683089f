"""Vectors in the gaps between groups, where nothing was learned.

`mahalanobis` models a whole pile as one cloud. In its middle, between groups, all seems familiar to
it. How far a vector is from the nearest of those that are remembered tells such gaps: it is
compared with how far these are from one another, each from the nearest other one.
"""

from __future__ import annotations

import numpy as np

from shoal.embedding import far_off
from shoal.embedding.neighbours import nearest, nearest_others
from shoal.protocols import Array, FloatArray

_USUAL = 0.99
"""Beyond this quantile the remembered lie apart themselves: a few of them would hide every gap."""
_FEWEST = 20


def apart_from_others(remembered: FloatArray) -> FloatArray:
    """How far each different point is from the nearest other one, ascending, float32 (m,).

    Nothing for fewer than 20 different ones, which say too little.

    Args:
        remembered: float32 (n, d), the reduced embedding of vectors that were learned from.

    >>> apart_from_others(np.arange(40, dtype=np.float32)[:, None] // 2).tolist() == [1.0] * 20
    True
    """
    different = np.unique(remembered, axis=0)
    if len(different) < _FEWEST:
        return np.empty(0, np.float32)
    return np.sort(nearest_others(different, 1)[0][:, 0]).astype(np.float32)


def apart_from(remembered: FloatArray, z: FloatArray) -> FloatArray:
    """How far each of ``z`` float32 (n, d) is from the nearest of the ``remembered``: (n,)."""
    return nearest(remembered, z, 1)[0][:, 0].astype(np.float32)


def in_gaps(apart: FloatArray, known: Array) -> Array:
    """Which vectors lie far farther off than those that are remembered do: bool (n,).

    In halves of eleven sets of vectors, also of heavy tails, up to 1 in 80 of the other half do.

    Args:
        apart: float32 (n,), see `apart_from`.
        known: ascending, see `apart_from_others`.

    >>> in_gaps(np.array([0.0, 1.0, 4.0]), np.ones(100)).tolist()
    [False, False, True]
    """
    usual = known[: max(1, int(np.ceil(_USUAL * len(known))))]
    return far_off.exceeds(apart, usual)
