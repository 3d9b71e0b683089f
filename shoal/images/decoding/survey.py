"""Learning what is black and what is white in a pile, from a sample of its encoded images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from shoal.images.decoding.image import Measured, measure
from shoal.images.decoding.parallel import in_order
from shoal.images.pixel_range import Bounds, PixelRange, learn

if TYPE_CHECKING:
    from shoal.images.decoding.listing import Listing

_SAMPLE = 256
"""So many images, evenly spread over the pile, show its range."""
_ENOUGH = 16
"""Where fewer of them have the numbers in question, the whole pile is looked through for some."""
_SHARE = 0.1
"""From this share of the sample on 8-bit images are part of the pile, not strays."""


@dataclass
class _Kind:
    """Pixels of the images with one kind of numbers."""

    values: list[np.ndarray] = field(default_factory=list)
    low: float = np.inf
    high: float = -np.inf

    def add(self, measured: Measured) -> None:
        low, high = measured.extremes
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.values.append(measured.values)

    def bounds(self, kind: str, conventional: bool) -> Bounds:
        values = np.concatenate(self.values) if self.values else np.empty(0)
        extremes = (self.low, self.high)
        return learn(values, extremes, floats=kind == "f", conventional=conventional)


def learn_range(pile: Listing, kind: str, known: PixelRange) -> PixelRange:
    """``known`` with a range for numbers of ``kind`` (f or i), learned from the pile.

    The sample is the same each time, and so is the range.
    """
    rows = np.unique(np.linspace(0, len(pile.names) - 1, _SAMPLE).round().astype(int))
    seen, n_eight_bit = _Kind(), 0
    for measured in in_order(measure, (pile.fetch(int(row)) for row in rows)):
        n_eight_bit += measured == "8 bits"
        if isinstance(measured, Measured) and measured.kind == kind:
            seen.add(measured)
    if len(seen.values) < _ENOUGH:
        seen = _Kind()
        for measured in in_order(measure, pile.contents()):
            if isinstance(measured, Measured) and measured.kind == kind:
                seen.add(measured)
                if len(seen.values) == _SAMPLE:
                    break
    eight_bit = known.eight_bit or n_eight_bit >= _SHARE * len(rows)
    dtype = np.dtype(np.float32 if kind == "f" else np.int32)
    return replace(known, eight_bit=eight_bit).knowing(dtype, seen.bounds(kind, eight_bit))
