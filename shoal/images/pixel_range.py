"""What is black and white in images of more than 8 bits: one range for a whole pile.

8-bit images are never changed: 0 is black, 255 is white. Any other number needs a range. It is
learned once, from the pile that a checkpoint learns from, and kept with the checkpoint; images that
come later are brought to 8 bits by the same range, so that equal numbers look equal. No image's own
darkest or brightest pixel decides how it is seen.

The rule, for integers and for floats each by itself:

1. Floats in [0, 1] are shares of white. Numbers in [0, 255] are 8-bit levels. Integers that use
   more than half of [0, 65535] are 16-bit levels. A thousandth of the pixels at either end may lie
   outside, as hot pixels do. A pile that stays in the lowest quarter is not of this kind.
2. Any other pile: from its darkest to its brightest pixel, where hot and dead pixels (a thousandth
   at either end, and single values far from all others) decide nothing.
3. Beside 8-bit images, numbers keep the scale that they are usually stored in: from 0 to the least
   of 1 (floats), 255, 1023, 4095, 16383 and 65535 that holds them.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[Any]
Bounds: TypeAlias = tuple[float, float]
"""The number that is black and the one that is white; the second is greater."""

TAIL = 0.001
"""The share of pixels, at either end, that decide nothing."""
_MARGIN = 0.2
"""Beyond the tails the range reaches by so much of itself, at most, so that rare bright spots stay
apart."""
_TOLERANCE = 0.01
_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_FEW = 10_000
"""So few pixels cannot show that a pile of dark images is not of 8 bits."""


@dataclass(frozen=True)
class PixelRange:
    """The ranges of a pile, for integers and for floats; None: it has no such numbers.

    ``eight_bit`` says that it has 8-bit images.

    >>> PixelRange(integers=(1000.0, 3100.0)).of(np.dtype(np.uint16))
    (1000.0, 3100.0)
    """

    integers: Bounds | None = None
    floats: Bounds | None = None
    eight_bit: bool = False

    def of(self, dtype: np.dtype[Any]) -> Bounds | None:
        """The range for numbers of a type; None if it is not known."""
        return self.floats if dtype.kind == "f" else self.integers

    def knowing(self, dtype: np.dtype[Any], bounds: Bounds) -> Self:
        """The same with the range for numbers of a type."""
        if dtype.kind == "f":
            return replace(self, floats=bounds)
        return replace(self, integers=bounds)

    def to_json(self) -> dict[str, Any]:
        """Numbers and lists, for a file."""
        return {
            "integers": None if self.integers is None else list(self.integers),
            "floats": None if self.floats is None else list(self.floats),
            "eight_bit": self.eight_bit,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: ``values`` is something else.
        """

        def bounds(pair: Any) -> Bounds | None:
            if pair is None:
                return None
            low, high = float(pair[0]), float(pair[1])
            if not (np.isfinite(high - low) and low < high):
                raise ValueError(f"a pixel range from {low:g} to {high:g}")
            return low, high

        return cls(bounds(values["integers"]), bounds(values["floats"]), bool(values["eight_bit"]))

    def describe(self, before: PixelRange | None = None) -> list[str]:
        """Notes for a person; none for 8-bit images.

        ``before`` is the range that was known before the pile was opened.
        """
        lines = []
        for kind in ("integers", "floats"):
            bounds: Bounds | None = getattr(self, kind)
            if bounds is None or bounds == (0.0, 255.0):
                continue
            known = before is not None and getattr(before, kind) == bounds
            why = "as in training" if known else "learned from the whole pile"
            low, high = bounds
            lines.append(f"pixels ({kind}) from {low:g}, black, to {high:g}, white: {why}")
        return lines


def learn(values: Numbers, extremes: Bounds, *, floats: bool, conventional: bool) -> Bounds:
    """The range of a pile, see the rule at the top of this module.

    Args:
        values: finite pixels (m,), a fair sample of the pile's.
        extremes: its least and its greatest finite pixel.
        floats: whether they are floats.
        conventional: whether there are 8-bit images beside them.

    >>> pixels = np.arange(1000, 3101).repeat(10)
    >>> learn(pixels, (1000, 3100), floats=False, conventional=False)
    (1000.0, 3100.0)
    >>> learn(pixels, (1000, 3100), floats=False, conventional=True)
    (0.0, 4095.0)
    >>> learn(np.append(pixels, 65535), (1000, 65535), floats=False, conventional=False)[1] < 4000
    True
    """
    tops = (1.0, *_TOPS) if floats else _TOPS
    if not len(values):
        return 0.0, tops[0]
    values = np.sort(values.astype(np.float64))
    low, high = (float(end) for end in extremes)
    least, most = np.quantile(values, (TAIL, 1 - TAIL), method="nearest").tolist()
    fitting = [
        top for top in tops
        if 0 <= low <= high <= top
        or (least >= -_TOLERANCE * top and most <= (1 + _TOLERANCE) * top)
    ]  # fmt: skip
    if fitting and (conventional or low == high):
        return 0.0, fitting[0]
    if fitting:
        top = fitting[0]
        wide = len(values) < _FEW or most - min(least, 0.0) >= top / 4
        if top <= 255 and wide:
            return 0.0, top
    inner_low, inner_high = _without_far_values(values, least, most)
    if fitting == [65535.0] and inner_high - inner_low >= 65535.0 / 2:
        return 0.0, 65535.0
    # Where a value is left out that side ends, room for it included.
    low, high = (
        low if inner_low == least else inner_low, high if inner_high == most else inner_high
    )  # fmt: skip
    margin = _MARGIN * (inner_high - inner_low)
    low, high = max(low, inner_low - margin), min(high, inner_high + margin)
    return (low, high) if high - low > 1e-30 else (low, low + max(1.0, abs(low)))


def _without_far_values(values: Numbers, least: float, most: float) -> Bounds:
    """The ends of the tails, where a single value farther off than all others spread is left out.

    Such as -9999 for no data, or 65535 for a mask: many pixels may have it.
    """
    inner = values[np.searchsorted(values, least) : np.searchsorted(values, most, "right")]
    first, last = inner[0], inner[-1]
    above = inner[np.searchsorted(inner, first, "right") :]
    below = inner[: np.searchsorted(inner, last)]
    if len(above) and above[0] < above[-1] and above[0] - first > above[-1] - above[0]:
        # Room below, so that the value left out stays darker than the darkest of the others.
        least = float(above[0] - (above[-1] - above[0]) * _MARGIN / 2)
        below = below[below > first]
    if len(below) and below[0] < below[-1] and last - below[-1] > below[-1] - max(below[0], least):
        most = float(below[-1] + (below[-1] - below[0]) * _MARGIN / 2)
    return least, most


def spread(values: Numbers, count: int) -> Numbers:
    """At most ``count`` of the values (m,), evenly spread, in step with no row, column or channel.

    The same each time: multiples of the golden ratio, modulo one.

    >>> spread(np.arange(1000), 5)
    array([  0, 618, 236, 854, 472])
    """
    if len(values) <= count:
        return values
    places = np.arange(count) * 0.6180339887498949 % 1.0 * len(values)
    return values[places.astype(np.int64)]


def to_levels(pixels: Numbers, bounds: Bounds) -> npt.NDArray[np.uint8]:
    """Finite numbers of any shape as 8-bit levels: ``bounds`` are 0 and 255, beyond is cut off.

    >>> to_levels(np.array([900, 1000, 2050, 3100, 9999]), (1000.0, 3100.0)).tolist()
    [0, 0, 128, 255, 255]
    """
    low, high = bounds
    exact = np.float32 if pixels.dtype.itemsize <= 2 or pixels.dtype == np.float32 else np.float64
    levels: Numbers = pixels.astype(exact)
    if low:
        np.subtract(levels, exact(low), out=levels)
    np.multiply(levels, exact(255.0 / (high - low)), out=levels)
    np.rint(levels, out=levels)
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


def fill(image: Numbers, missing: npt.NDArray[np.bool_], bounds: Bounds) -> Numbers:
    """An image, its missing pixels set to the median of the others, or black if all are missing."""
    filled = image.astype(np.float64)
    filled[missing] = np.median(filled[~missing]) if not missing.all() else bounds[0]
    return filled
