"""What is black and white in images of more than 8 bits: one range for a whole pile.

8-bit images are never changed: 0 is black, 255 is white. Any other number needs a range. It is
learned once, from the pile that a checkpoint learns from, see `range_learning`, and kept with the
checkpoint. Images that come later are seen by the same range, so that equal numbers look equal. No
image's own darkest or brightest pixel decides how it is seen.

Within its range a number becomes one of 65,536 levels, so nothing is cut to 8 bits. Checkpoints
written before shoal could do this know ranges of 256 levels, and go on seeing as they did.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[Any]
Bounds: TypeAlias = tuple[float, float]
"""The number that is black and the one that is white; the second is greater."""
ChannelBounds: TypeAlias = Bounds | tuple[Bounds, ...]
"""One pair for all channels, or one pair for each."""

KINDS = ("integers", "floats")
_EIGHT_BITS = (0.0, 255.0)
_SAID = 8
"""So many channels are listed with their ranges; the rest is counted."""


@dataclass(frozen=True)
class PixelRange:
    """The ranges of a pile, for integers and for floats; None: it has no such numbers.

    >>> PixelRange(integers=(1000.0, 3100.0)).of(np.dtype(np.uint16))
    (1000.0, 3100.0)
    """

    integers: ChannelBounds | None = None
    floats: ChannelBounds | None = None
    eight_bit: bool = False
    """Whether the pile has 8-bit images."""
    levels: int = 16
    """Bits that a number keeps, 8 or 16."""
    given: bool = field(default=False, compare=False, repr=False)
    """Whether a person set the ranges."""

    def of(self, dtype: np.dtype[Any]) -> ChannelBounds | None:
        """The range for numbers of a type; None if it is not known."""
        return self.floats if dtype.kind == "f" else self.integers

    def knowing(self, dtype: np.dtype[Any], bounds: ChannelBounds) -> Self:
        """The same with the range for numbers of a type."""
        if dtype.kind == "f":
            return replace(self, floats=bounds)
        return replace(self, integers=bounds)

    def keeps_eight_bits(self, dtype: np.dtype[Any]) -> bool:
        """Whether 8 bits hold all levels of numbers of a type.

        >>> PixelRange(integers=(0.0, 255.0)).keeps_eight_bits(np.dtype(np.int64))
        True
        """
        if self.levels == 8:
            return True
        bounds = self.of(dtype)
        return dtype.kind != "f" and (bounds is None or set(pairs(bounds)) == {_EIGHT_BITS})

    def to_json(self) -> dict[str, Any]:
        """Numbers and lists, for a file."""
        return {
            "integers": _to_lists(self.integers),
            "floats": _to_lists(self.floats),
            "eight_bit": self.eight_bit,
            "levels": self.levels,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: ``values`` is something else.
        """
        levels = int(values.get("levels", 8))  # files written before there were 16 say nothing
        if levels not in (8, 16):
            raise ValueError(f"pixels of {levels} bits")
        integers, floats = _from_lists(values["integers"]), _from_lists(values["floats"])
        return cls(integers, floats, bool(values["eight_bit"]), levels)

    def describe(self, before: PixelRange | None = None) -> list[str]:
        """Notes for a person; none for 8-bit images.

        ``before`` is the range that was known before the pile was opened. If the pile has numbers
        of another kind than it knew, what it knew says nothing of them, and is not told.

        >>> print(*PixelRange(floats=((0.0, 1.0), (-3.0, 5.0))).describe())
        pixels (floats) of channel 1 from 0, black, to 1, white; 2: -3 to 5: learned from the whole
        pile
        >>> trained = PixelRange(integers=(0.0, 900.0))
        >>> print(*trained.knowing(np.dtype(np.float32), (0.0, 1.0)).describe(trained))
        pixels (floats) from 0, black, to 1, white: learned from the whole pile; training had none
        """
        lines = []
        same = self.integers is not None and self.integers == self.floats
        known = {kind: getattr(before, kind, None) for kind in KINDS}
        new = [kind for kind in KINDS if known[kind] is None and getattr(self, kind) is not None]
        others = any(known.values()) and new
        for kind in others or (KINDS[:1] if same else KINDS):
            bounds: ChannelBounds | None = getattr(self, kind)
            if bounds is None or set(pairs(bounds)) == {_EIGHT_BITS}:
                continue
            why = "learned from the whole pile" + ("; training had none" if others else "")
            if known[kind] == bounds:
                why = "as given" if before is not None and before.given else "as in training"
            of_kind = "" if same else f" ({kind})"
            lines.append(f"pixels{of_kind} {describe_bounds(bounds)}: {why}")
        return lines


def type_of(kind: str) -> np.dtype[Any]:
    """A type of the numbers that NumPy calls ``kind``, for `PixelRange.of`: floats or integers."""
    return np.dtype(np.float32 if kind == "f" else np.int32)


def pairs(bounds: ChannelBounds) -> tuple[Bounds, ...]:
    """The pairs of a range: a single one if it is for all channels.

    >>> pairs((0.0, 1.0)), pairs(((0.0, 1.0), (2.0, 3.0)))
    (((0.0, 1.0),), ((0.0, 1.0), (2.0, 3.0)))
    """
    return (bounds,) if isinstance(bounds[0], float | int) else bounds


def joined(bounds: Sequence[Bounds]) -> ChannelBounds:
    """One range from those of the channels: a single pair where all are equal."""
    return bounds[0] if len(set(bounds)) == 1 else tuple(bounds)


def check_channels(bounds: ChannelBounds, n_channels: int) -> None:
    """Raise unless a range is for all channels, or has a pair for each.

    Raises:
        ValueError: it has another number of pairs.
    """
    n_pairs = len(pairs(bounds))
    if n_pairs not in (1, n_channels):
        raise ValueError(
            f"pixel_range must be one for all channels, or one for each of {n_channels}, got "
            f"{n_pairs}"
        )


def parse(text: str) -> PixelRange:
    """The range that a person writes: ``LOW:HIGH``, or one for each channel with commas between.

    Raises:
        ValueError: it is not of this form, or a pair does not increase.

    >>> parse("0:4095").integers
    (0.0, 4095.0)
    >>> parse("0:1,-3:5").floats
    ((0.0, 1.0), (-3.0, 5.0))
    """
    bounds = []
    for pair in text.split(","):
        low, colon, high = pair.partition(":")
        if not colon:
            raise ValueError(f"{pair!r} has no colon")
        bounds.append(_checked((float(low), float(high))))
    chosen = bounds[0] if len(bounds) == 1 else tuple(bounds)
    return PixelRange(chosen, chosen, given=True)


def describe_bounds(bounds: ChannelBounds) -> str:
    """What is black and what is white, for a person.

    >>> describe_bounds((0.0, 4095.0)), describe_bounds(((0.0, 1.0), (2.0, 3.0)))
    ('from 0, black, to 4095, white', 'of channel 1 from 0, black, to 1, white; 2: 2 to 3')
    """
    each = pairs(bounds)
    low, high = each[0]
    if len(each) == 1:
        return f"from {low:g}, black, to {high:g}, white"
    said = [f"of channel 1 from {low:g}, black, to {high:g}, white"]
    said += [f"{number}: {a:g} to {b:g}" for number, (a, b) in enumerate(each[1:_SAID], start=2)]
    if len(each) > _SAID:
        said.append(f"and {len(each) - _SAID} more, each by its own")
    return "; ".join(said)


def _to_lists(bounds: ChannelBounds | None) -> list[Any] | None:
    if bounds is None:
        return None
    each = [list(pair) for pair in pairs(bounds)]
    return each[0] if len(each) == 1 else each


def _from_lists(values: Any) -> ChannelBounds | None:
    if values is None:
        return None
    if isinstance(values[0], list | tuple):
        return tuple(_checked(pair) for pair in values)
    return _checked(values)


def _checked(pair: Any) -> Bounds:
    low, high = float(pair[0]), float(pair[1])
    if not (np.isfinite(high - low) and low < high):
        raise ValueError(f"a pixel range from {low:g} to {high:g}")
    return low, high
