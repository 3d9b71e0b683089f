"""Which rows of vectors can be used, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.left_out import Count
from shoal.protocols import Array, FloatArray, IntArray

_LARGEST, _SMALLEST = 1e18, 1e-15
"""The largest number of a vector, and the least that the largest of all may be: squares of others
are no float32, or 0."""
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


def look_over(blocks: Iterable[tuple[IntArray, FloatArray]], n: int, d: int) -> Usable:
    """Look at the vectors (n, d) in blocks: rows, int64 (b,), and their vectors, float32 (b, d)."""
    usable = np.ones(n, dtype=bool)
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    for rows, block in blocks:
        good = (np.abs(block) <= _LARGEST).all(axis=1)  # False of NaN
        usable[rows] = good
        kept = block[good]
        low = np.minimum(low, kept.min(axis=0, initial=np.inf))
        high = np.maximum(high, kept.max(axis=0, initial=-np.inf))
    largest = max(float(high.max()), -float(low.min())) if usable.any() else 0.0
    return Usable(usable, int((low == high).sum()), largest)


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
        Count(len(names), names[0] if len(names) == 1 else "vectors", reason)
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
