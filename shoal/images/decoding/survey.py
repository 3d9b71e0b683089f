"""Learning what is black and what is white in a pile, from a sample of its encoded images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.images.decoding.measure import Measured, measure
from shoal.images.decoding.parallel import in_order_or_isolation
from shoal.images.pixel_range import Numbers, PixelRange, type_of
from shoal.images.range_learning import Sample
from shoal.images.sampling import spread_rows

if TYPE_CHECKING:
    from shoal.images.decoding.form import Encoded
    from shoal.images.decoding.listing import Listing

_SAMPLE = 256
"""So many images, evenly spread over the pile, show its range."""
_ENOUGH = 16
"""Where fewer of them have the numbers in question, the whole pile is looked through for some."""
_SHARE = 0.1
"""From this share of the sample on 8-bit images are part of the pile, not strays."""


def learn_range(pile: Listing, kind: str, known: PixelRange, n_channels: int) -> PixelRange:
    """``known`` with a range for numbers of ``kind`` (f or i), learned from the pile.

    The sample is the same each time, and so is the range. Images of the pile have ``n_channels``.
    """
    rows = spread_rows(len(pile.names), _SAMPLE)
    seen, n_eight_bit = Sample(), 0
    colours = set[bool | None]()

    def add(measured: Measured | str) -> None:
        if not isinstance(measured, Measured) or measured.kind != kind:
            return
        values = _with_channels(measured.values, n_channels)
        if values is not None:
            low, high = (_with_channels(end[None], n_channels) for end in measured.extremes)
            assert low is not None
            assert high is not None
            seen.add(values, (low[0], high[0]))
            colours.add(measured.colour)

    def measured_of(contents: Iterable[Encoded]) -> Iterable[Measured | str]:
        return in_order_or_isolation(measure, contents, lambda _: "", isolated=pile.isolated)

    for measured in measured_of(pile.fetch(int(row)) for row in rows):
        n_eight_bit += measured == "8 bits"
        add(measured)
    if len(seen) < _ENOUGH:
        seen = Sample()
        for measured in measured_of(pile.contents()):
            add(measured)
            if len(seen) == _SAMPLE:
                break
    eight_bit = known.eight_bit or n_eight_bit >= _SHARE * len(rows)
    colour = True if True in colours else False if colours == {False} else None
    bounds = seen.learn(floats=kind == "f", conventional=eight_bit, colour=colour)
    return replace(known, eight_bit=eight_bit).knowing(type_of(kind), bounds)


def _with_channels(values: Numbers, n_channels: int) -> Numbers | None:
    """Pixels (m, C) as the pile has them: grey in a pile of colours, and the other way round."""
    if values.shape[1] == n_channels:
        return values
    if {values.shape[1], n_channels} != {1, 3}:
        return None
    return values.repeat(3, axis=1) if n_channels == 3 else values.mean(axis=1, keepdims=True)
