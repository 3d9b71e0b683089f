"""A sample of rows, where looking at all of them would take too long."""

from __future__ import annotations

import numpy as np

from shoal.protocols import IntArray


def sample_rows(n: int, most: int, random_state: int | np.random.Generator = 0) -> IntArray:
    """All of ``n`` rows, or ``most`` of them drawn at random: int64 (m,), ascending.

    Args:
        n: how many there are.
        most: more than this many are sampled.
        random_state: a seed, or a generator, which is drawn from only if there are more.

    >>> sample_rows(3, 5).tolist(), len(sample_rows(9, 5))
    ([0, 1, 2], 5)
    """
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(random_state).choice(n, most, replace=False))


def spread_rows(n: int, most: int) -> IntArray:
    """At most ``most`` of ``n`` rows, evenly spread from the first to the last: int64 (m,).

    >>> spread_rows(9, 3).tolist(), spread_rows(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))
