"""What people see of images of any channels: grey or colour, 8 bits.

One channel is grey, and three are red, green and blue as they are. Of others three are shown, a
composite: those that a person chose, or the first three that vary.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.channels import SAMPLE, varying
from shoal.images.levels import Pixels
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, ImageSource

Pictures = npt.NDArray[np.uint8]
Composite = tuple[int, ...]
"""The channels shown, counted from 0: one, as grey, or three, as red, green and blue."""

_chosen: weakref.WeakKeyDictionary[ImageSource, Composite] = weakref.WeakKeyDictionary()


def to_pictures(pixels: Pixels, composite: Sequence[int] | None = None) -> Pictures:
    """Images (b, H, W, C), uint8 or uint16, as pictures uint8 (b, H, W, 1 or 3).

    ``composite`` names one or three channels, counted from 0; None: see `composite_of`.

    >>> deep = np.arange(4, dtype=np.uint16).reshape(1, 1, 1, 4) * 257
    >>> to_pictures(deep, (3, 2, 1)).ravel().tolist(), to_pictures(deep, (2,)).ravel().tolist()
    ([3, 2, 1], [2])
    """
    n_channels = pixels.shape[3]
    if composite is None and n_channels not in (1, 3):
        composite = default_composite(varying(pixels), n_channels)
    if composite is not None:
        pixels = pixels[..., list(composite)]
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def read_pictures(source: ImageSource, rows: Array) -> Pictures:
    """Images ``rows`` (b,) of a source as pictures uint8 (b, H, W, 1 or 3)."""
    return to_pictures(source.read(rows), composite_of(source))


def picture_shape(source: ImageSource) -> tuple[int, int, int]:
    """(H, W, 1 or 3) of the pictures of a source."""
    height, width, n_channels = source.shape
    composite = composite_of(source)
    return height, width, n_channels if composite is None else len(composite)


def composite_of(source: ImageSource) -> Composite | None:
    """The channels that pictures of a source show; None: its one or three channels as they are.

    The person's choice; else the first three that vary. Of two channels the first is shown in red
    and blue, the second in green, which is told apart by those who see no difference between red
    and green.

    >>> from shoal.images.array import ArraySource
    >>> composite_of(ArraySource(np.eye(8, dtype=np.uint16).reshape(2, 2, 2, 8)))
    (0, 1, 2)
    """
    chosen: Composite | None = getattr(source, "composite", None)
    if chosen is not None:
        return chosen
    if source.shape[2] in (1, 3):
        return None
    whole = getattr(source, "source", source)  # of a subset, so that it looks as its pile does
    if whole is not source:
        return composite_of(whole)
    if source not in _chosen:
        sample = source.read(sample_rows(len(source), SAMPLE))
        _chosen[source] = default_composite(varying(sample), source.shape[2])
    return _chosen[source]


def default_composite(varying_channels: Sequence[int], n_channels: int) -> Composite:
    """The channels to show if nobody chose.

    >>> default_composite([1, 2, 4, 5], 6), default_composite([0, 1], 2), default_composite([3], 5)
    ((1, 2, 4), (0, 1, 0), (3,))
    """
    best = list(varying_channels[:3]) or list(range(min(3, n_channels)))
    return (best[0], best[1], best[0]) if len(best) == 2 else tuple(best)


def check_composite(composite: Sequence[int] | None, n_channels: int) -> Composite | None:
    """A person's choice, counted from 1, as `Composite`, which counts from 0.

    Raises:
        DataError: it names neither one nor three channels, or one that there is not.

    >>> check_composite([4, 3, 2], 4)
    (3, 2, 1)
    >>> check_composite([4, 3, 5], 4)
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: composite must name channels from 1 to 4, got 5.
    """
    if composite is None:
        return None
    if len(composite) not in (1, 3):
        raise DataError(f"composite must name one or three channels, got {len(composite)}.")
    for channel in composite:
        if not 1 <= channel <= n_channels:
            raise DataError(f"composite must name channels from 1 to {n_channels}, got {channel}.")
    return tuple(int(channel) - 1 for channel in composite)


def describe_composite(source: ImageSource) -> str:
    """What pictures show, as a phrase; empty where they show all channels.

    >>> from shoal.images.array import ArraySource
    >>> describe_composite(ArraySource(np.zeros((1, 4, 4, 5), np.uint8), composite=(5, 1, 2)))
    'channels 5, 1 and 2 as red, green and blue'
    """
    composite = composite_of(source)
    if composite is None:
        return ""
    if len(composite) == 1:
        return f"channel {composite[0] + 1} as grey"
    red, green, blue = (channel + 1 for channel in composite)
    if red == blue:
        return f"channel {red} as magenta and channel {green} as green"
    return f"channels {red}, {green} and {blue} as red, green and blue"
