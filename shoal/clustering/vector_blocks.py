"""Vectors that are read a block at a time, because all of them together do not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from shoal.protocols import Array, FloatArray, IntArray


class Vectors(Protocol):
    """n vectors of d numbers; `VectorSource` is one."""

    @property
    def n_dimensions(self) -> int:
        """d."""
        ...

    def __len__(self) -> int: ...

    def vectors(self, indices: Array) -> FloatArray:
        """The vectors ``indices`` (b,), float32 (b, d)."""
        ...


class OffCentre(Protocol):
    """Vectors that can be read less a centre, in double precision; `VectorSource` has some."""

    def __len__(self) -> int: ...

    def vectors(self, indices: Array, centre: Array | None = None) -> FloatArray:
        """The vectors ``indices`` (b,) less ``centre`` (d,), float32 (b, d)."""
        ...


ROWS = 32_768
"""Vectors that are in memory at a time: 16 MB at 128 numbers each."""


@dataclass(frozen=True)
class Reduced:
    """Vectors as a function of them, such as the reducers of a checkpoint, gives them."""

    source: OffCentre
    function: Callable[[FloatArray], FloatArray]
    n_dimensions: int
    centre: Array | None = None
    """float64 (d,), what is subtracted first."""

    def __len__(self) -> int:
        return len(self.source)

    def vectors(self, indices: Array) -> FloatArray:
        return self.function(self.source.vectors(indices, self.centre))


def row_blocks(n: int, size: int = ROWS) -> list[IntArray]:
    """The rows 0 to n - 1, ``size`` at a time.

    >>> [rows.tolist() for rows in row_blocks(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    return [np.arange(start, min(start + size, n)) for start in range(0, n, size)]


class Halves:
    """Vectors in memory in half precision: float16 in [-1, 1], and a float32 factor a vector.

    >>> halves = Halves.of(np.float32([[1, 2], [4e6, 1e6]]))
    >>> halves.take(np.array([1])).tolist()
    [[4000000.0, 1000000.0]]
    """

    def __init__(self, n: int, d: int) -> None:
        self.halves = np.empty((n, d), np.float16)
        self.factors = np.empty((n, 1), np.float32)

    def __len__(self) -> int:
        return len(self.halves)

    @classmethod
    def of(cls, x: FloatArray) -> Halves:
        """Vectors float32 (n, d) in half precision."""
        halves = cls(*x.shape)
        halves.put(np.arange(len(x)), x)
        return halves

    @classmethod
    def sampled(cls, source: Vectors, rows: IntArray) -> Halves:
        """The vectors ``rows`` int64 (m,) of a source, read a block at a time."""
        halves = cls(len(rows), source.n_dimensions)
        for places in row_blocks(len(rows)):
            halves.put(places, source.vectors(rows[places]))
        return halves

    def put(self, places: IntArray, x: FloatArray) -> None:
        """Set the vectors ``places`` (b,) to ``x`` float32 (b, d)."""
        factors = np.maximum(np.abs(x).max(axis=1, keepdims=True), 1e-30)
        self.factors[places] = factors
        self.halves[places] = x / factors

    def take(self, places: Array) -> FloatArray:
        """The vectors ``places`` (b,), float32 (b, d)."""
        return self.halves[places].astype(np.float32) * self.factors[places]

    def blocks(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """All of them in order, each block with its places."""
        for places in row_blocks(len(self)):
            yield places, self.take(places)
