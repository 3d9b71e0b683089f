"""What goes into the decoding of images, and what comes out of it.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

# Imported, a format's plugin is known to Pillow; asked for a format by its name, Pillow would
# import all of them, at a cost of some 0.1 s a worker.
from shoal.images.decoding.modes import (
    Pixels,
)
from shoal.images.pixel_range import PixelRange

try:
    from PIL import AvifImagePlugin  # since Pillow 11.3
except ImportError:
    AvifImagePlugin = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Unreadable:
    """In place of an image: why there is none."""

    reason: str


Encoded: TypeAlias = Path | bytes | Unreadable
"""A file, or its content, or why there is neither."""


@dataclass(frozen=True)
class Form:
    """What every image of a pile is brought to, and what is believed of the pile.

    ``same_size``: all its images have this very size. ``all_grey``: none has colour. An image that
    shows otherwise ends the decoding of its chunk, see `Chunk.surprise`.
    """

    height: int
    width: int
    channels: int
    same_size: bool = False
    all_grey: bool = False
    pixel_range: PixelRange | None = None
    """What is black and white in images of more than 8 bits; None: each decides by itself, as it
    was before ranges were learned. One with unknown numbers ends the chunk, too."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


class Facts(NamedTuple):
    """What an image is by itself: its size as it is to be seen, and whether it has no colour."""

    height: int
    width: int
    grey: bool


class Chunk(NamedTuple):
    """Several images decoded."""

    pixels: Pixels
    """uint8 (k, H, W, C): those that could be read, in order."""
    reasons: list[str]
    """One an image: why it could not be read, empty if it could."""
    sides: tuple[int, int]
    """The shortest and the longest side of those read, before they were brought to the form."""
    surprise: Facts | None
    """The image that the form's beliefs are wrong about, if there is one; the rest is void."""
    missing: tuple[int, int] = (0, 0)
    """How many pixels stood for nothing, and in how many images."""
    unknown: str = ""
    """The kind of the surprise's numbers if no range is known for them: see `Decoded`."""


class Decoded(NamedTuple):
    """One image decoded."""

    pixels: Pixels | None
    """uint8 (H, W, C); None where the form's beliefs are wrong."""
    facts: Facts
    n_missing: int = 0
    unknown: str = ""
    """The kind of its numbers, as NumPy's types have it, if the form knows no range for them."""
