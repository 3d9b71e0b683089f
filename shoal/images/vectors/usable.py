"""Which rows of vectors can be used, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.left_out import Count
from shoal.protocols import Array, IntArray

_LARGEST, _SMALLEST = 1e18, 1e-15
"""The largest number of a vector, and the least that the largest of all may be: squares of others
are no float32, or 0."""
_STEP, _LOST = 2.0**-23, 1e-3
"""The step from a float32 to the next, as a share of it; and the share of a column's spread from
which a step matters: then the numbers are told apart around their mean."""
_NOT_FINITE, _TOO_LARGE = "holds a number that is not finite", "holds a number beyond 1e18"


@dataclass(frozen=True)
class Usable:
    """What a look at all rows told."""

    rows: npt.NDArray[np.bool_]
    """Which rows can be used, bool (n,)."""
    n_constant: int
    """How many columns never change in these."""
    largest: float
    """The largest number of these, whatever its sign; 0 without any."""
    centre: Array | None
    """float64 (d,), the mean of these, where single precision would not tell them apart as they
    are; None where it does."""


def look_over(blocks: Iterable[tuple[IntArray, Array]], n: int, d: int) -> Usable:
    """Look at the vectors (n, d) in blocks: rows, int64 (b,), and their vectors, (b, d)."""
    usable = np.ones(n, dtype=bool)
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    moments = _Moments(d)
    for rows, block in blocks:
        exact = fits_single(block.dtype)
        numbers = block.astype(np.float32 if exact else np.float64, copy=False)
        good = (np.abs(numbers) <= _LARGEST).all(axis=1)  # False of NaN
        usable[rows] = good
        kept = numbers if good.all() else numbers[good]
        low = np.minimum(low, kept.min(axis=0, initial=np.inf))
        high = np.maximum(high, kept.max(axis=0, initial=-np.inf))
        if not exact:
            moments.add(kept)
    largest = max(float(high.max()), -float(low.min())) if usable.any() else 0.0
    spread = np.where(high > low, moments.spread(), np.inf)
    lost = lost_in_single(np.maximum(np.abs(low), np.abs(high)), spread).any()
    centre = moments.mean() if moments.n and lost else None
    return Usable(usable, int((low == high).sum()), largest, centre)


def lost_in_single(size: Array, spread: Array) -> Array:
    """Whether numbers of such a size and spread are not told apart in single precision, bool.

    >>> lost_in_single(np.array([1.7e9, 2e3]), np.array([10.0, 10.0])).tolist()
    [True, False]
    """
    lost: Array = size * _STEP > _LOST * spread
    return lost


def fits_single(kind: np.dtype[Any]) -> bool:
    """Whether float32 holds every number of a type exactly.

    >>> [fits_single(np.dtype(kind)) for kind in ("f2", "f4", "f8", "u1", "i2", "i4")]
    [True, True, False, True, True, False]
    """
    return bool(np.can_cast(kind, np.float32, "safe"))


class _Moments:
    """The mean and the standard deviation of columns (d,), which are read in blocks.

    They are summed up around the first vector: the spread may be a billionth of the numbers.
    """

    def __init__(self, d: int) -> None:
        self.n, self.origin, self.sums, self.squares = 0, np.zeros(d), np.zeros(d), np.zeros(d)

    def add(self, block: Array) -> None:
        """Count vectors float64 (b, d), too."""
        if not self.n and len(block):
            self.origin = block[0].copy()
        off = block - self.origin
        self.n += len(block)
        self.sums += off.sum(axis=0)
        self.squares += np.einsum("ij,ij->j", off, off)

    def mean(self) -> Array:
        found: Array = self.origin + self.sums / max(self.n, 1)
        return found

    def spread(self) -> Array:
        n = max(self.n, 1)
        found: Array = np.sqrt(np.maximum(self.squares / n - np.square(self.sums / n), 0.0))
        return found


def fault(vector: Array) -> str:
    """Why a vector (d,) cannot be used."""
    return _TOO_LARGE if np.isfinite(vector).all() else _NOT_FINITE


def check_usable(name: str, largest: float, n_usable: int, reasons: Sequence[str]) -> None:
    """Fail unless any row can be used, and its numbers can be squared.

    Args:
        name: what the vectors are called.
        largest: see `Usable`.
        n_usable: rows that are left.
        reasons: why each of the others is not.

    Raises:
        DataError: saying which of the two it is.
    """
    if not n_usable:
        raise DataError(_none_usable(name, reasons))
    if 0 < largest < _SMALLEST:
        raise DataError(
            f"{name}: the largest number of all vectors is {largest:.1g}, too small to be "
            f"squared; multiply all by the same number, such as {_power(1 / largest)}."
        )


def counts(skipped: Sequence[tuple[str, str]]) -> list[Count]:
    """Rows left out, counted by their reasons; a single one by its id."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in skipped:
        by_reason.setdefault(reason, []).append(name)
    return [
        Count(1, names[0], reason)
        if len(names) == 1
        else Count(len(names), "vectors", f"each {reason}")
        for reason, names in by_reason.items()
    ]


def _none_usable(name: str, reasons: Sequence[str]) -> str:
    kinds = set(reasons)
    if kinds == {_TOO_LARGE}:
        return (
            f"{name}: every vector {_TOO_LARGE}, too large to be squared; divide all by the same "
            "number."
        )
    return f"{name}: every vector {_NOT_FINITE if len(kinds) > 1 else kinds.pop()}."


def _power(number: float) -> str:
    """The power of ten below a number.

    >>> _power(3.2e20)
    '1e20'
    """
    return f"1e{int(np.floor(np.log10(number)))}"
