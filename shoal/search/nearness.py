"""How near copies are among vectors: clearly nearer than neighbours are in this pile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.plural import counted
from shoal.protocols import Array, FloatArray, IntArray

_FEWEST = 10
"""Fewer vectors do not show how near neighbours usually are."""
_FALSE = 0.05
"""Of the vectors that stand out, the share that does so by chance, at most in expectation."""
_OTHERS = 0.1
"""The share of vectors that do not stand out among those within the limit, at most."""
_DENSEST = 0.05
"""The share of the pile, its densest part, that says how near is near everywhere."""
_BY_CHANCE, _CLOSE = 1e-4, 0.1
"""What is nearer than a tenth of the distances in that part, and than one in 10,000 by chance."""

_ROUNDING = 1e-6
"""Distances are computed in single precision."""


@dataclass(frozen=True)
class Limit:
    """The greatest distance of a copy, and what is not sure about it."""

    value: float
    doubt: str = ""
    """A sentence or two; empty if there is no doubt."""


def limit_for(distances: FloatArray, most: float, looked_at: str = "vectors") -> Limit:
    """The greatest distance of a copy, by how far the nearest neighbours of vectors are.

    Where the points around a vector are even, its neighbours' distances, to the power of the number
    of dimensions that the pile has locally, are as sorted uniform numbers (compare Facco et al.
    2017, doi:10.1038/s41598-017-11873-y). So the share of vectors whose nearest neighbour is that
    near by chance is known, however dense each one's surroundings are. Those that stand out are
    chosen by Benjamini and Hochberg's rule (1995, doi:10.1111/j.2517-6161.1995.tb02031.x), and the
    limit lies between them and the others. Many copies of one vector stand out from each other
    as little as a dense group does. They are told where they are much nearer than all but the
    densest part of the pile; else they are left, and the doubt says so.

    Args:
        distances: float32 (n, k), from n vectors to their k nearest others, which are no exact
            copies, the nearest first.
        most: the limit is not above this.
        looked_at: what the vectors are, in the plural.

    >>> far = np.float32([[0.8, 0.9, 1.0]])
    >>> limit = limit_for(np.concatenate([np.repeat(far, 30, 0), [[0.1, 0.8, 0.9]] * 2]), 0.25)
    >>> 0.1 < limit.value <= 0.25, limit.doubt
    (True, '')
    """
    n, k = distances.shape
    nearest, farthest = distances[:, 0], distances[:, -1]
    if n < _FEWEST or k < 2:
        doubt = f"{n} {looked_at} do not show how near neighbours usually are: judge for yourself."
        return Limit(most, doubt if n and (nearest <= most).any() else "")
    dimensions = _local_dimensions(distances)
    closer = (nearest / np.maximum(farthest, _ROUNDING)).astype(np.float64) ** dimensions
    outstanding = _rejected(1.0 - (1.0 - np.minimum(closer, 1.0)) ** (k - 1))
    dense = float(np.quantile(farthest, _DENSEST))
    floor = dense * min(_CLOSE, (_BY_CHANCE / k) ** (1.0 / dimensions))
    value = min(most, max(_boundary(nearest, outstanding), floor))
    value = value if value >= _ROUNDING else 0.0
    return Limit(value, _doubt(distances, value, most, looked_at))


def nearest_of(rows: IntArray, pairs: IntArray, distances: FloatArray, k: int) -> FloatArray:
    """The distances of each row's k nearest others, float32 (n, k), the nearest first.

    Args:
        rows: int64 (n,), ascending.
        pairs: int64 (p, 2), pairs of these rows, each once; each row's k nearest are among them.
        distances: float32 (p,).
        k: how many, at least 1.
    """
    row = np.searchsorted(rows, pairs.T.ravel())
    both = np.concatenate([distances, distances])
    order = np.lexsort((both, row))
    starts = np.searchsorted(row[order], np.arange(len(rows)))
    found: FloatArray = both[order][starts[:, None] + np.arange(k)]
    return found


def _local_dimensions(distances: FloatArray) -> float:
    """Of how many dimensions the pile looks around a vector, from its last two neighbours.

    The first ones may be copies. (r_k-1 / r_k) ** d is distributed as the largest of k - 1 uniform
    numbers, whose median is 0.5 ** (1 / (k - 1)).
    """
    ratios = distances[:, -1].astype(np.float64) / np.maximum(distances[:, -2], 1e-30)
    typical = max(float(np.log(np.median(ratios))), 1e-9)
    return float(np.log(2) / (distances.shape[1] - 1) / typical)


def _rejected(p: FloatArray) -> Array:
    """Which of the p-values (n,) Benjamini and Hochberg's rule rejects: bool (n,)."""
    ordered = np.sort(p)
    passed = np.flatnonzero(ordered <= _FALSE * np.arange(1, len(p) + 1) / len(p))
    return p <= (ordered[passed[-1]] if len(passed) else -1.0)


def _boundary(nearest: FloatArray, outstanding: Array) -> float:
    """The distance up to which nearly all stand out; 0 if none do.

    It lies between two distances that occur, as far from one as from the other by their ratio.
    """
    order = np.argsort(nearest, kind="stable")
    wrong = np.cumsum(~outstanding[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(outstanding[order] & (wrong <= _OTHERS))
    if not len(good):
        return 0.0
    last, after = nearest[order[good[-1]]], nearest[order[min(good[-1] + 1, len(order) - 1)]]
    return float(max(last, np.sqrt(last * after)))


def _of_all(n: int, n_all: int, noun: str) -> str:
    """How many of ``noun`` in the plural have something.

    >>> _of_all(240, 240, "vectors"), _of_all(1, 240, "vectors"), _of_all(3, 240, "vectors")
    ('All 240 vectors have', '1 of 240 vectors has', '3 of 240 vectors have')
    """
    if n == n_all > 1:
        return f"All {n:,} {noun} have"
    return f"{n:,} of {n_all:,} {noun} {'has' if n == 1 else 'have'}"


def _doubt(distances: FloatArray, value: float, most: float, looked_at: str) -> str:
    """What the limit leaves open, in sentences; empty if nothing."""
    nearest, farthest, n_near = distances[:, 0], distances[:, -1], distances.shape[1]
    said = []
    between = int(((nearest > value) & (nearest <= most)).sum())
    if between:
        said.append(
            f"{_of_all(between, len(nearest), looked_at)} another within {most:.2g}, but hardly "
            "nearer than the rest around it: they may be copies, or only alike, and are not "
            f"counted. To count them, give threshold={most:g}."
        )
    crowded = int((farthest <= value).sum())
    if crowded:
        said.append(
            f"{counted(crowded, 'vector')} told as copies may be of a dense group instead: at "
            f"least {n_near} others are that near."
        )
    return " ".join(said)
