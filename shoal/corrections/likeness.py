"""How alike images are, and what some of them, the landmarks, say of all others by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.images.decoding.parallel import in_order
from shoal.protocols import Array, FloatArray

_GAMMA = 1.0
"""How fast likeness fades, see `likeness`."""
_NOISE = 0.3
"""The variance of an observation: of twelve images that a person named at once, some are wrong."""
_BLOCK = 512
"""Images are compared in blocks that fit into a processor's cache."""


def likeness(x: FloatArray, y: FloatArray) -> FloatArray:
    """How alike rows of unit length are, float32 (n, m): 1 if equal, 0 if nothing is in common.

    (exp(γ cos) - 1) / (exp(γ) - 1), a kernel as a power series of the cosine without its constant.

    >>> likeness(np.float32([[1, 0]]), np.float32([[1, 0], [0, 1]])).tolist()
    [[1.0, 0.0]]
    """
    alike: FloatArray = _GAMMA * (x @ y.T)
    np.expm1(alike, out=alike)
    alike /= np.expm1(_GAMMA)
    return alike


@dataclass(frozen=True)
class Landmarks:
    """What m images say of any image: the sum of their words, as far as they are like it."""

    points: FloatArray
    """float32 (m, d), rows of unit length."""
    words: FloatArray
    """float32 (m, k)."""

    def of(self, x: FloatArray) -> FloatArray:
        """What they say of images, float32 (n, k).

        Args:
            x: float32 (n, d), rows of unit length.
        """
        said = np.empty((len(x), self.words.shape[1]), dtype=np.float32)
        starts = range(0, len(x), _BLOCK)

        def says(start: int) -> FloatArray:
            return likeness(x[start : start + _BLOCK], self.points) @ self.words

        # No block waits for another one, as the threads of linear algebra would.
        for start, words in zip(starts, in_order(says, starts), strict=True):
            said[start : start + _BLOCK] = words
        return said


def inverse_root(between: FloatArray) -> FloatArray:
    """The root R of the inverse of ``between`` with noise: Rᵀ R = (between + noise)⁻¹.

    Args:
        between: float32 (m, m), how alike observations are; overwritten. With the noise its
            eigenvalues are from 0.3 to about m: single precision does, and takes half the time.

    Returns:
        float32 (m, m), lower triangle.
    """
    from scipy.linalg.lapack import spotrf, strtri  # NumPy's Cholesky takes four times as long

    between[np.diag_indices(len(between))] += _NOISE
    factor, _ = spotrf(between.T, overwrite_a=True)  # transposed, as LAPACK orders numbers
    transposed, _ = strtri(factor, overwrite_c=True)
    root: FloatArray = transposed.T
    return root


def fewer_landmarks(between: FloatArray, residual: Array) -> Array:
    """The weights of a few landmarks, the first of the observations: the subset of regressors.

    Section 8.3.1 of the book.

    Args:
        between: float32 (s, m), how alike landmarks and observations are.
        residual: float64 (m, k).

    Returns:
        float64 (s, k).
    """
    within = between[:, : len(between)].astype(np.float64)
    system = (between @ between.T).astype(np.float64) + _NOISE * within
    system[np.diag_indices(len(system))] += 1e-3
    return np.linalg.solve(system, between.astype(np.float64) @ residual)
