"""Streams of random numbers, each decided by a seed, a use and a counter."""

from __future__ import annotations

import numpy as np
import torch

WEIGHTS, ORDER, VIEWS = range(3)
"""Uses of randomness in a run. No two uses share numbers."""


def seed_of(*entropy: int) -> int:
    """A seed for PyTorch, in [0, 2⁶³), that ``entropy`` decides.

    >>> seed_of(0, VIEWS, 7) == seed_of(0, VIEWS, 7), seed_of(0, VIEWS, 7) == seed_of(0, VIEWS, 8)
    (True, False)
    """
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(*entropy: int) -> torch.Generator:
    """A generator on the CPU that ``entropy`` decides."""
    return torch.Generator().manual_seed(seed_of(*entropy))
