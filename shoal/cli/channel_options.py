"""What a person writes for the channels and the range of images, and for what is within a file."""

from __future__ import annotations

from typing import Any

from shoal.errors import DataError
from shoal.images.pixel_range import PixelRange, parse
from shoal.images.within import Within


def parse_range(text: str | None) -> PixelRange:
    """What --range says; nothing is known if it is left out.

    Raises:
        DataError: it is not of the form LOW:HIGH, or such pairs with commas between.
    """
    try:
        return PixelRange() if text is None else parse(text)
    except ValueError:
        raise DataError(
            "pixel_range must be LOW:HIGH, such as 0:4095, or one for each channel with commas "
            f"between, got {text!r}."
        ) from None


def parse_composite(text: str | None) -> tuple[int, ...] | None:
    """The channels that --composite names, counted from 1.

    Raises:
        DataError: it is not numbers with commas between.

    >>> parse_composite("4,3,2")
    (4, 3, 2)
    """
    try:
        return None if text is None else tuple(int(channel) for channel in text.split(","))
    except ValueError:
        raise DataError(
            f"composite must name one or three channels, such as 4,3,2, got {text!r}."
        ) from None


def parse_within(every: str | None, pages: str) -> Within:
    """What --every and --pages say.

    Raises:
        DataError: ``every`` is neither a time nor ``cuts``, or ``pages`` is not offered.

    >>> parse_within("2.5", "auto").every, parse_within("cuts", "images").every
    (2.5, 'cuts')
    """
    if pages not in ("auto", "channels", "images"):
        raise DataError(f"pages must be 'images' or 'channels', got {pages!r}.")
    written: Any = every
    try:
        return Within(None if every is None else float(every), pages)  # type: ignore[arg-type]
    except ValueError:
        return Within(written, pages)  # type: ignore[arg-type]
