"""Learned state as plain arrays, so that a checkpoint needs no pickle."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from shoal.protocols import Array, FloatArray


class FittedArrays:
    """Mixin: every attribute whose name ends in one underscore is learned, and is an array.

    >>> class Mean(FittedArrays):
    ...     def fit(self, x):
    ...         self.mean_ = x.mean(0)
    ...         return self
    >>> state = Mean().fit(np.array([[0.0, 2.0], [2.0, 4.0]])).get_arrays()
    >>> Mean().set_arrays(state).mean_
    array([1., 3.])
    """

    def get_arrays(self) -> dict[str, Array]:
        """The learned attributes, by name."""
        return {
            name: np.asarray(value)
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_") and value is not None
        }

    def set_arrays(self, arrays: dict[str, Array]) -> Self:
        """Restore what `get_arrays` returned, and return self."""
        for name, value in arrays.items():
            setattr(self, name, value)
        return self


def to_half(x: FloatArray) -> tuple[Array, Array]:
    """Points in half precision: float16 in [-1, 1], and the float32 number to multiply them by.

    They take half the room, and numbers are off by at most 2⁻¹¹ of themselves.
    """
    scale: Any = np.float32(max(float(np.abs(x).max(initial=0.0)), 1e-12))
    return (x / scale).astype(np.float16), np.asarray(scale)


def from_half(half: Array, scale: Array) -> FloatArray:
    """The points float32 that `to_half` returned in half precision."""
    return half.astype(np.float32) * np.float32(scale)
