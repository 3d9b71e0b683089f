"""Streams of random numbers, each decided by a seed, a use and a counter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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


@dataclass(frozen=True)
class Draws:
    """Random numbers for each image of a batch, of which this process may hold a share.

    Those of the whole batch are drawn, so that an image gets the same ones on any number of
    workers.

    >>> whole = Draws(generator(7), 5, slice(None)).uniform(2)
    >>> bool((Draws(generator(7), 5, slice(3, 5)).uniform(2) == whole[3:]).all())
    True
    """

    generator: torch.Generator
    n_images: int
    """Of the whole batch."""
    own: slice
    """Those that are here."""

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1): float (b, *shape) for b images here."""
        return torch.rand((self.n_images, *shape), generator=self.generator)[self.own]

    def normal(self, *shape: int) -> Tensor:
        """Numbers of mean 0 and variance 1: float (b, *shape)."""
        return torch.randn((self.n_images, *shape), generator=self.generator)[self.own]

    def integers(self, below: int, *shape: int) -> Tensor:
        """Integers from 0: int64 (b, *shape)."""
        size = (self.n_images, *shape)
        return torch.randint(0, below, size, generator=self.generator)[self.own]
