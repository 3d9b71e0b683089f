"""Looking at an image: its channels, its size, and numbers to learn its pile's range from.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import ImageFile

from shoal.images.decoding.file import alone_if_large, ask
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.modes import is_wide, raw_of
from shoal.images.decoding.raw_pixels import SIDEWAYS, facts_of, is_eight_bit, kind_of, missing_of
from shoal.images.pixel_range import Numbers
from shoal.images.range_learning import extremes_of, spread
from shoal.images.readers.raw import MOST_PIXELS, Raw

_LOOK = 64
"""The side, in pixels, of an image that is looked at only for its channels."""
_SAMPLE = 4096
"""Pixels of an image, about, from which the range of its pile is learned."""


def count_channels(content: Encoded) -> int:
    """How many channels an image has; 3 for every one that Pillow reads, 0 if it has none.

    Grey and colour go together in a pile, so they count as the same. Pillow's images are not
    decoded for it.
    """
    n_channels = ask(content, lambda raw: facts_of(raw).channels, lambda _: 3, _LOOK)
    if isinstance(n_channels, Unreadable):
        return 0  # it will be decoded, and its reason given, later
    return 3 if n_channels == 1 else n_channels


def size_of(content: Encoded) -> tuple[int, int] | str:
    """Width and height of an image as its file tells them; or why it cannot be read."""
    size = ask(content, lambda raw: _upright(raw)[::-1], lambda opened: opened.size)
    return size.reason if isinstance(size, Unreadable) else size


def upright_size_of(content: Encoded) -> tuple[int, int] | None:
    """Height and width of an image, upright; None if it cannot be read. Pillow decodes nothing."""

    def by_pillow(opened: ImageFile.ImageFile) -> tuple[int, int]:
        sideways = opened.getexif().get(0x0112, 1) in SIDEWAYS
        return opened.size if sideways else opened.size[::-1]

    size = ask(content, _upright, by_pillow)
    return None if isinstance(size, Unreadable) else size


def _upright(raw: Raw) -> tuple[int, int]:
    facts = facts_of(raw)
    return facts.height, facts.width


class Measured(NamedTuple):
    """Pixels of an image of more than 8 bits, from which its pile's range is learned."""

    kind: str
    """f or i, as NumPy's types have it."""
    extremes: tuple[Numbers, Numbers]
    """The least and the greatest number of each channel, (C,) each."""
    values: Numbers
    """Some thousand of its pixels, float64 (m, C); NaN where they are missing."""
    colour: bool | None = None
    """Whether its channels are red, green and blue; None: the file does not say."""


def measure(content: Encoded) -> Measured | str:
    """Pixels of an image of more than 8 bits; "8 bits", or "" for an image that cannot be read."""
    measured = ask(content, _measured, _measured_opened)
    return "" if isinstance(measured, Unreadable) else measured  # its reason is given later


def _measured_opened(opened: ImageFile.ImageFile) -> Measured | str:
    if not is_wide(opened):
        return "8 bits"
    if opened.height * opened.width > MOST_PIXELS:
        return ""
    with alone_if_large(opened.width * opened.height):
        opened.load()
        return _measured(raw_of(opened))


def _measured(raw: Raw) -> Measured | str:
    if is_eight_bit(raw):
        return "8 bits"
    n_channels = raw.pixels.shape[2]
    values, missing = raw.pixels.reshape(-1, n_channels), missing_of(raw).reshape(-1, n_channels)
    whole = ~missing.any(axis=1)
    if missing.all():
        return ""
    if missing.any():
        values = np.where(missing, np.nan, values.astype(np.float64))
    extremes = extremes_of(values)
    few = spread(values[whole] if whole.any() else values, _SAMPLE).astype(np.float64)
    return Measured(kind_of(raw).kind, extremes, few, facts_of(raw).colour)
