"""The orders in which the members of a group are shown."""

from __future__ import annotations

import numpy as np

from shoal.embedding.neighbours import most_typical
from shoal.errors import DataError
from shoal.protocols import FloatArray, IntArray

ORDERS = ("typical", "doubtful", "part", "like")
_CENTRED_ON = 4096
_SAMPLED_FROM = 2048


def typical(z: FloatArray, rows: IntArray) -> IntArray:
    """The members nearest the middle of the group first."""
    return most_typical(z, rows, np.median(z[_spread_out(rows, _CENTRED_ON)], axis=0))


def typical_of_some(z: FloatArray, rows: IntArray) -> IntArray:
    """Of a large group 2,048 members at most, those nearest their middle first."""
    some = _spread_out(rows, _SAMPLED_FROM)
    return most_typical(z, some) if len(some) else some


def doubtful(confidence: FloatArray, rows: IntArray) -> IntArray:
    """The least certain members first."""
    return rows[np.argsort(confidence[rows], kind="stable")]


def like(z: FloatArray, rows: IntArray, row: int) -> IntArray:
    """The members most like an image first."""
    return most_typical(z, rows, z[row])


def by_part(z: FloatArray, rows: IntArray, parts: IntArray) -> tuple[IntArray, IntArray]:
    """The members part by part, the largest first, the most typical of each first.

    Returns:
        Rows and their parts, each int64 (m,).
    """
    numbers, counts = np.unique(parts, return_counts=True)
    order = numbers[np.argsort(-counts, kind="stable")]
    ordered = [typical(z, rows[parts == part]) for part in order]
    return np.concatenate(ordered), np.repeat(np.arange(len(order)), np.sort(counts)[::-1])


def _spread_out(rows: IntArray, most: int) -> IntArray:
    """At most so many of the rows, at even steps."""
    return rows[:: max(1, -(-len(rows) // most))]


def check_order(order: str) -> None:
    """Raise `DataError` unless ``order`` is one of `ORDERS`."""
    if order not in ORDERS:
        raise DataError(f"order must be {', '.join(ORDERS[:-1])} or {ORDERS[-1]}, got {order!r}.")
