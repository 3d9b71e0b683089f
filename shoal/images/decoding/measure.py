"""Looking at an encoded image: its channels, and numbers from which its pile's range is learned.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from shoal.images.decoding.file import (
    LARGE,
    File,
    one_large,
    open_with_pillow,
    reason_of,
)
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.modes import is_wide, raw_of
from shoal.images.decoding.raw_pixels import facts_of, is_eight_bit, kind_of, missing_of
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
    if isinstance(content, Unreadable):
        return 0
    try:
        file = File.of(content)
        if file.reader is None:
            with open_with_pillow(file):
                return 3
        n_channels = facts_of(file.read(_LOOK)).channels
        return 3 if n_channels == 1 else n_channels
    except Exception:  # noqa: BLE001 - it will be decoded, and its reason given, later
        return 0


def size_of(content: Encoded) -> tuple[int, int] | str:
    """Width and height of an image as its file tells them; or why it cannot be read."""
    if isinstance(content, Unreadable):
        return content.reason
    try:
        file = File.of(content)
        if file.reader is None:
            with open_with_pillow(file) as opened:
                return opened.size
        facts = facts_of(file.read(None))
        return facts.width, facts.height
    except Exception as error:  # noqa: BLE001 - what a broken file raises depends on its reader
        return reason_of(error, content)


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
    if isinstance(content, Unreadable):
        return ""
    try:
        file = File.of(content)
        if file.reader is not None:
            return _measured(file.read(None))
        with open_with_pillow(file) as opened:
            if not is_wide(opened):
                return "8 bits"
            if opened.height * opened.width > MOST_PIXELS:
                return ""
            with one_large if opened.width * opened.height > LARGE else nullcontext():
                opened.load()
                return _measured(raw_of(opened))
    except Exception:  # noqa: BLE001 - it will be decoded, and its reason given, later
        return ""


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
