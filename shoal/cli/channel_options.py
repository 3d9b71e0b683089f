"""What a person writes for the channels and the range of images, and for what is within a file."""

from __future__ import annotations

from contextlib import suppress
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


COLOURS = {"yes": True, "no": False, "auto": None}
"""What --colours says of three channels."""


def colours_as_typed(said: bool | None) -> str:
    """What --colours is, where a checkpoint or a person said so.

    >>> colours_as_typed(False), colours_as_typed(None)
    ('no', 'auto')
    """
    return next(name for name, meaning in COLOURS.items() if meaning is said)


def parse_within(every: str | None, pages: str, colours: str | None = None) -> Within:
    """What --every, --pages and --colours say.

    Raises:
        DataError: ``every`` is neither a time nor ``cuts``, or another is not offered.

    >>> parse_within("2.5", "auto").every, parse_within("cuts", "images").every
    (2.5, 'cuts')
    """
    if pages not in ("auto", "channels", "images"):
        raise DataError(f"pages must be 'images' or 'channels', got {pages!r}.")
    if colours is not None and colours not in COLOURS:
        raise DataError(f"colours must be 'yes', 'no' or 'auto', got {colours!r}.")
    time: Any = every
    with suppress(TypeError, ValueError):  # nothing is asked, or what `Within` knows or refuses
        time = float(time)
    return Within(time, pages, colours=COLOURS[colours or "auto"])  # type: ignore[arg-type]
