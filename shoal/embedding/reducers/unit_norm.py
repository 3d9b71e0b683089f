"""Vectors of length 1, whose Euclidean distances are in the order of their cosine distances."""

from __future__ import annotations

import numpy as np

from shoal.embedding.linear_algebra import unit_rows
from shoal.models.fitted import FittedArrays
from shoal.protocols import FloatArray


class UnitNorm(FittedArrays):
    """Divides each vector by its length: x / ‖x‖.

    Contrastive objectives compare directions alone, so the length of a code means nothing.
    """

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """The same as `transform`: there is nothing to learn."""
        return self.transform(x)

    def transform(self, x: FloatArray) -> FloatArray:
        """``x`` float32 (m, d) with rows of unit length, float32 (m, d); zeros stay zeros."""
        return unit_rows(x).astype(np.float32)


def build(*, random_state: int = 0) -> UnitNorm:
    """Make the reducer; ``random_state`` is not used.

    >>> build().fit_transform(np.array([[3.0, 4.0]], dtype=np.float32))
    array([[0.6, 0.8]], dtype=float32)
    """
    return UnitNorm()
