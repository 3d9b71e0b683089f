"""The channels of a pile: whether they are colours, and which of them say nothing."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Literal

import numpy as np

from shoal.images.levels import Pixels
from shoal.images.pixel_range import pairs
from shoal.images.range_learning import are_colours, spread
from shoal.images.sampling import sample_rows
from shoal.plural import counted
from shoal.protocols import ImageSource

ChannelKind = Literal["grey", "rgb", "channels"]

SAMPLE = 256
"""So many images of a pile show what its channels are."""
_PIXELS = 2**18
_SAID = 8
_known: weakref.WeakKeyDictionary[ImageSource, ChannelKind] = weakref.WeakKeyDictionary()
"""What was seen of sources of three channels: it is asked for several times in a run."""


def channel_kind(source: ImageSource) -> ChannelKind:
    """What the channels of a pile are.

    ``grey``: there is one. ``rgb``: there are three that are colours, because the files say so or
    because they go together as colours do, see `are_colours`. ``channels``: anything else.

    >>> from shoal.images.array import ArraySource
    >>> channel_kind(ArraySource(np.zeros((2, 4, 4, 5), np.uint16)))
    'channels'
    """
    n_channels = source.shape[2]
    if n_channels != 3:
        return "grey" if n_channels == 1 else "channels"
    if source not in _known:
        _known[source] = "rgb" if _is_rgb(source) else "channels"
    return _known[source]


def guessed_channels(source: ImageSource) -> list[str]:
    """A line for a person on channels that are taken for measurements, where nobody says so.

    Of channels that are taken for colours, which they mostly are, `guessed_colours` says less.

    >>> from shoal.images.array import ArraySource
    >>> guessed_channels(ArraySource(np.zeros((2, 4, 4, 1), np.uint8)))
    []
    """
    n_channels = source.shape[2]
    if n_channels not in (1, 3):
        return [f"the {n_channels} channels are no colours, and are taken for measurements"]
    if n_channels == 1 or getattr(source, "colour", None) is not None:
        return []
    n_varying = 3 - len(constant_channels(source))
    if not n_varying:
        return []
    if channel_kind(source) == "rgb":
        return []
    return [
        "the three channels do not go together as colours do, and are taken for measurements "
        "(--colours yes: they are colours)"
    ]


def guessed_colours(source: ImageSource) -> str:
    """What follows "in colour" where nothing but the channels themselves say that they are colours.

    >>> from shoal.images.array import ArraySource
    >>> light = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1).repeat(3, axis=3)
    >>> guessed_colours(ArraySource(light))
    ' (a guess by how the channels go together; else --colours no)'
    """
    if source.shape[2] != 3 or getattr(source, "colour", None) is not None:
        return ""
    together = 3 - len(constant_channels(source)) > 1
    if not together or channel_kind(source) != "rgb":
        return ""
    return " (a guess by how the channels go together; else --colours no)"


def as_colours(source: ImageSource) -> ChannelKind:
    """The same if colours tell nothing: three channels may be colours that do not go together."""
    return "rgb" if source.shape[2] == 3 else channel_kind(source)


def _is_rgb(source: ImageSource) -> bool:
    colour: bool | None = getattr(source, "colour", None)
    if colour is None:
        pixel_range = getattr(source, "pixel_range", None)
        ranges = () if pixel_range is None else (pixel_range.integers, pixel_range.floats)
        each_its_own = any(bounds is not None and len(pairs(bounds)) == 3 for bounds in ranges)
        colour = not each_its_own and are_colours(_pixels_of(source).astype(np.float64))
    return colour


def constant_channels(source: ImageSource) -> list[int]:
    """The channels, counted from 0, that have one number in all of the pile, as far as is seen.

    A sample of the images decides; those of a large pile are not all read.
    """
    sample = source.read(sample_rows(len(source), SAMPLE))
    varied = set(varying(sample))
    return [channel for channel in range(source.shape[2]) if channel not in varied]


def varying(pixels: Pixels) -> list[int]:
    """The channels, counted from 0, of images (b, H, W, C) that have more than one number.

    >>> varying(np.array([[0, 5, 1], [0, 5, 2]], np.uint8).reshape(2, 1, 1, 3))
    [2]
    """
    flat = pixels.reshape(-1, pixels.shape[3])
    if not len(flat):
        return []
    return [int(channel) for channel in np.flatnonzero((flat != flat[0]).any(axis=0))]


def describe_constant(channels: Sequence[int], n_channels: int) -> list[str]:
    """A sentence for a person on channels, counted from 0, that tell nothing; none if none do.

    >>> describe_constant([3], 5)
    ['channel 4 of 5 has the same number in all pixels: it tells nothing']
    """
    if not channels or n_channels == 1:
        return []
    if len(channels) == 1:
        return [
            f"channel {channels[0] + 1} of {n_channels} has the same number in all "
            "pixels: it tells nothing"
        ]
    named = ", ".join(str(channel + 1) for channel in channels[:_SAID])
    more = f" and {len(channels) - _SAID} more" if len(channels) > _SAID else ""
    return [
        f"{counted(len(channels), 'channel')} of {n_channels} ({named}{more}) have the "
        "same number in all pixels: they tell nothing"
    ]


def _pixels_of(source: ImageSource) -> Pixels:
    """Some pixels (m, C) of a sample of the images."""
    rows = sample_rows(len(source), SAMPLE)
    pixels: Pixels = spread(source.read(rows).reshape(-1, source.shape[2]), _PIXELS)
    return pixels
