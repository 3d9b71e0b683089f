"""Learning what is black and white in a pile from a sample of its pixels.

The rule, for integers and for floats each by itself:

1. Floats in [0, 1] are shares of white. Numbers in [0, 255] are 8-bit levels. Integers that use
   more than half of [0, 65535] are 16-bit levels. A thousandth of the pixels at either end may lie
   outside, as hot pixels do. A pile that stays in the lowest quarter is not of this kind.
2. Any other pile: from its darkest to its brightest pixel, where hot and dead pixels (a thousandth
   at either end, and single values far from all others) decide nothing.
3. Beside 8-bit images, numbers keep the scale that they are usually stored in: from 0 to the least
   of 1 (floats), 255, 1023, 4095, 16383 and 65535 that holds them.

Channels have a range each. Three channels that are colours share one, so that no colour is lost.
Floats in [0, 255] are 8-bit levels in all channels: one that never exceeds 1 is nearly black.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.images.pixel_range import Bounds, ChannelBounds, Numbers, joined

TAIL = 0.001
"""The share of pixels, at either end, that decide nothing."""
_MARGIN = 0.2
"""Beyond the tails the range reaches by so much of itself, at most, so that rare bright spots stay
apart."""
_TOLERANCE = 0.01
_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_FEW = 10_000
"""So few pixels cannot show that a pile of dark images is not of 8 bits."""
_LARGEST = 1e300
"""Greater numbers count as this one: the width of a range must be a number, too."""
_ALIKE = 0.5
_SCALES = 4.0
"""Three channels are colours if any two correlate by at least `_ALIKE`, and if none is spread more
than `_SCALES` times as widely as another."""


class Sample:
    """Pixels of a pile, from which its range is learned.

    >>> sample = Sample()
    >>> sample.add(np.array([[1000.0, 1.0], [3000.0, 7.0]]))
    >>> sample.learn(floats=False, conventional=False, colour=False)
    ((1000.0, 3000.0), (0.0, 255.0))
    """

    def __init__(self) -> None:
        self._values: list[Numbers] = []
        self._low: Numbers | None = None
        self._high: Numbers | None = None

    def __len__(self) -> int:
        """How often something was added."""
        return len(self._values)

    def add(self, values: Numbers, extremes: tuple[Numbers, Numbers] | None = None) -> None:
        """Add pixels ``values`` (m, C) of one or several images; NaN where they are missing.

        ``extremes`` are the least and the greatest number of each channel (C,) in all pixels of
        these images, infinite where there is none; by default those of ``values``.
        """
        values = values.astype(np.float64)
        low, high = extremes_of(values) if extremes is None else extremes
        self._values.append(values)
        self._low = low if self._low is None else np.minimum(self._low, low)
        self._high = high if self._high is None else np.maximum(self._high, high)

    @property
    def extremes(self) -> Bounds:
        """The least and the greatest number of all channels."""
        if self._low is None or self._high is None:
            return np.inf, -np.inf
        return float(self._low.min()), float(self._high.max())

    def learn(self, *, floats: bool, conventional: bool, colour: bool | None) -> ChannelBounds:
        """The range, see the rule at the top of this module.

        Args:
            floats: whether the numbers are floats.
            conventional: whether there are 8-bit images beside them.
            colour: whether three channels are colours; None: the sample decides.
        """
        if self._low is None or self._high is None:
            return learn(np.empty(0), (0.0, 0.0), floats=floats, conventional=conventional)
        values = np.concatenate(self._values)
        if colour is None:
            colour = values.shape[1] == 3 and are_colours(values)
        if colour or values.shape[1] == 1:
            columns = [(values.ravel(), self.extremes)]
        else:
            ends = zip(self._low.tolist(), self._high.tolist(), strict=True)
            columns = list(zip(values.T, ends, strict=True))
        channels = [(np.sort(column[np.isfinite(column)]), ends) for column, ends in columns]
        in_8_bits = floats and _are_8_bits(channels)
        return joined([
            (0.0, 255.0) if in_8_bits and _fits(column, ends, 1.0)
            else learn(column, ends, floats=floats, conventional=conventional)
            for column, ends in channels
        ])  # fmt: skip


def extremes_of(values: Numbers) -> tuple[Numbers, Numbers]:
    """The least and the greatest of each column of ``values`` (m, C); infinite where all are NaN.

    Infinite numbers count as missing, as NaN does.
    """
    if values.dtype.kind != "f":
        return values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64)
    finite = np.isfinite(values)
    low = np.min(values, axis=0, initial=np.inf, where=finite)
    high = np.max(values, axis=0, initial=-np.inf, where=finite)
    return low.astype(np.float64), high.astype(np.float64)


def are_colours(values: Numbers) -> bool:
    """Whether three channels go together as red, green and blue do; ``values`` are (m, 3).

    The colours of things correlate, for most of the light that reaches them is white.

    >>> light = np.random.default_rng(0).random((1000, 1))
    >>> are_colours(light * [1.0, 0.9, 0.7]), are_colours(light * [1.0, 0.9, -0.7])
    (True, False)
    >>> are_colours(np.zeros((1000, 3)))  # nothing speaks against it
    True
    """
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < 2 or (values == values[0]).all():
        return True
    low, high = np.quantile(values, (0.01, 0.99), axis=0)
    width = high - low
    if not width.min() > 0 or width.max() > _SCALES * width.min():
        return False
    return float(np.corrcoef(values.clip(low, high), rowvar=False).min()) >= _ALIKE


def learn(values: Numbers, extremes: Bounds, *, floats: bool, conventional: bool) -> Bounds:
    """The range of a pile, or of a channel of it, see the rule at the top of this module.

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
    values = np.sort(values.astype(np.float64).clip(-_LARGEST, _LARGEST))
    low, high = (min(max(float(end), -_LARGEST), _LARGEST) for end in extremes)
    least, most = _without_tails(values)
    fitting = [top for top in tops if _fits(values, (low, high), top)]
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


def _are_8_bits(channels: Sequence[tuple[Numbers, Bounds]]) -> bool:
    """Whether channels are in [0, 255], and reach far in it together.

    Args:
        channels: ascending values of each, and their extremes.
    """
    return all(_fits(values, ends, 255.0) for values, ends in channels) and any(
        len(values) > 0 and _without_tails(values)[1] >= 255.0 / 4 for values, _ in channels
    )


def _fits(values: Numbers, extremes: Bounds, top: float) -> bool:
    """Whether numbers are in [0, ``top``], but for the tails of ``values``, ascending."""
    if 0 <= extremes[0] <= extremes[1] <= top or not len(values):
        return True
    least, most = _without_tails(values)
    return least >= -_TOLERANCE * top and most <= (1 + _TOLERANCE) * top


def _without_tails(values: Numbers) -> Bounds:
    """The least and the greatest of ``values`` but for the tails that decide nothing."""
    least, most = np.quantile(values, (TAIL, 1 - TAIL), method="nearest").tolist()
    return least, most


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
