"""What the pages, planes or frames of a file are: channels of one image, or images."""

from __future__ import annotations

from shoal.images.readers.raw import MOST_CHANNELS, Content, Pages, ReasonError, check_pixels

MOST_PLANES = 10
"""So many planes of one shape, at most, are taken for the channels of one image."""
MOST_BYTES = 2**29
"""Pixels of one image, as its file stores them, may have so many bytes."""

TOO_MUCH = "it announces more than the memory holds"


def are_channels(n: int, pages: Pages) -> bool:
    """Whether ``n`` planes of one shape and type are channels.

    >>> are_channels(4, "auto"), are_channels(40, "auto"), are_channels(40, "channels")
    (True, False, True)

    Raises:
        ReasonError: they shall be channels, but are too many.
    """
    if pages == "auto":
        return n <= MOST_PLANES
    if pages == "channels" and n > MOST_CHANNELS:
        raise ReasonError(f"{n:,} pages, more than the {MOST_CHANNELS} channels an image may have")
    return pages == "channels"


def number_in(member: str, key: str) -> int | None:
    """The number after ``key=`` in the name of an image; None for another name.

    >>> number_in("page=3", "page"), number_in("", "page")
    (3, None)
    """
    name, _, number = member.partition("=")
    return int(number) if name == key and number.isdecimal() else None


def size_of(content: Content) -> int:
    """The bytes of a file."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def check_size(height: int, width: int, channels: int, itemsize: int) -> None:
    """Refuse an image that would fill the memory, before any of it is decoded.

    Raises:
        ReasonError: the message is the reason.

    >>> check_size(100_000, 100_000, 1, 1)
    Traceback (most recent call last):
    ...
    shoal.images.readers.raw.ReasonError: 100,000 × 100,000 pixels, more than the 89,478,485 that
    are safe to decode
    """
    check_pixels(height, width)
    if min(height, width, channels) < 1:
        raise ReasonError("an image without pixels")
    if channels > MOST_CHANNELS:
        raise ReasonError(f"{channels:,} channels, more than the {MOST_CHANNELS} an image may have")
    n_bytes = height * width * channels * itemsize
    if n_bytes > MOST_BYTES:
        raise ReasonError(
            f"{width:,} × {height:,} pixels of {channels} channels, {n_bytes >> 20:,} MB, more "
            f"than the {MOST_BYTES >> 20} MB that are safe to decode"
        )
