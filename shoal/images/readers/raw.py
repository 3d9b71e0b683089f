"""`Raw`: one image as its file holds it, before shoal brings it to a range and a size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Content: TypeAlias = Path | bytes
"""A file, or what it holds."""
MOST_CHANNELS = 64
"""Channels that an image of a pile may have."""
MOST_PIXELS = 89_478_485
"""Pillow's own limit: what announces more is taken for a bomb that fills the memory."""
NEEDS = "needs an extra"
Pages: TypeAlias = Literal["auto", "channels", "images"]
"""What the pages of a file are: the channels of one image, or images; ``auto``: by their shapes."""


@dataclass(frozen=True)
class Raw:
    """One image as its file holds it.

    Raises:
        ValueError: the pixels are not (H, W, C) with 1 to 64 channels, or not real numbers.

    >>> Raw(np.zeros((4, 5, 2), np.uint16)).pixels.shape
    (4, 5, 2)
    """

    pixels: npt.NDArray[Any]
    """(H, W, C), of bool, uint8, uint16, other integers, or floats."""
    colour: bool | None = None
    """Whether the three channels are red, green and blue, so that colour changes and a grey
    version of the image mean something. None: the file does not say."""
    missing: npt.NDArray[np.bool_] | None = None
    """Which pixels stand for no data, bool (H, W, C); None: those that are not finite."""
    orientation: int = 1
    """The EXIF orientation that the pixels still have to be turned by, 1 to 8."""
    size: tuple[int, int] | None = None
    """Height and width of the image as the file holds it, where the pixels are a smaller version;
    None: that of the pixels."""
    among_others: bool = False
    """Whether the file is known to hold other images, of which this one counts."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or not 1 <= self.pixels.shape[2] <= MOST_CHANNELS:
            raise ValueError(f"pixels of shape {self.pixels.shape}")
        if self.pixels.dtype.kind not in "buif":
            raise ValueError(f"pixels of type {self.pixels.dtype}")


class ReasonError(ValueError):
    """Why a file is not read, in shoal's own words."""


def needs_extra(kind: str, extra: str) -> ModuleNotFoundError:
    """The error of a reader whose library is not installed; its message is the reason.

    >>> str(needs_extra("HEIC", "photos"))
    "HEIC needs an extra: pip install 'shoal[photos]'"
    """
    return ModuleNotFoundError(f"{kind} {NEEDS}: pip install 'shoal[{extra}]'")


def bomb(height: int, width: int) -> str:
    """Why an image of so many pixels is not decoded."""
    return f"{width:,} × {height:,} pixels, more than the {MOST_PIXELS:,} that are safe to decode"


def check_pixels(height: int, width: int, most: int = MOST_PIXELS) -> None:
    """Refuse an image of more pixels than ``most``, before it is decoded.

    Raises:
        ReasonError: the message is the reason, see `bomb`.
    """
    if height * width > most:
        raise ReasonError(bomb(height, width))


class Reader(Protocol):
    """What a module of this package offers.

    A module may also have ``is_plain(content) -> bool``: whether Pillow reads this very file right,
    so that it is left to Pillow; and ``LIBRARIES``, the modules that ``EXTRA`` installs for it.
    """

    SUFFIXES: frozenset[str]
    """In lower case, with the dot."""
    EXTRA: str
    """The extra of shoal that installs what the reader needs, such as ``scientific``; empty if
    nothing is needed."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes is of this kind."""
        ...

    def members(self, content: Content, pages: Pages = "auto") -> list[str]:
        """The names of the images inside a file: ``['']`` for one, ``['page=0', 'page=1']`` for
        several. An image of several is called ``<file>#<name>``.

        Args:
            content: the file.
            pages: what the pages, planes or frames of a file are, where a file does not say it.

        Raises:
            ValueError: the file cannot be read; the message is the reason.
            ModuleNotFoundError: the library is not installed.
        """
        ...

    def read(self, content: Content, member: str = "", *, side: int | None = None) -> Raw:
        """One image of a file.

        Args:
            content: the file.
            member: a name that `members` listed.
            side: the longest side that is needed, in pixels, for readers that can decode a
                smaller version in less time; None: the whole.

        Raises:
            ValueError: the image cannot be read; the message is the reason.
            ModuleNotFoundError: the library is not installed.
        """
        ...
