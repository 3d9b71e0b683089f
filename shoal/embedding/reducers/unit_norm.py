"""Scale every vector to length 1, so that Euclidean distance orders as the cosine does."""

from __future__ import annotations

import numpy as np

from shoal.embedding.linear_algebra import unit_rows
from shoal.models.fitted import FittedArrays
from shoal.protocols import FloatArray


class UnitNorm(FittedArrays):
    """x / ‖x‖. Contrastive objectives compare directions, so their codes mean directions."""

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Nothing to learn: `transform`."""
        return self.transform(x)

    def transform(self, x: FloatArray) -> FloatArray:
        """float32 (n, d) to float32 (n, d) of unit length; zero stays zero."""
        return unit_rows(x).astype(np.float32)


def build(*, random_state: int = 0) -> UnitNorm:
    """Make the reducer. It draws nothing.

    >>> build().fit_transform(np.array([[3.0, 4.0]], dtype=np.float32))
    array([[0.6, 0.8]], dtype=float32)
    """
    return UnitNorm()
