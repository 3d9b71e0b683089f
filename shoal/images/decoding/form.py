"""The types of decoding: encoded images, the form they are brought to, and the result.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from shoal.images.decoding.fitting import CROP, share_outside
from shoal.images.levels import Pixels
from shoal.images.pixel_range import PixelRange


@dataclass(frozen=True)
class Unreadable:
    """Stands in place of an image that cannot be read, and says why."""

    reason: str


@dataclass(frozen=True)
class Member:
    """One image of a file that a reader of `shoal.images.readers` reads.

    >>> Member(Path("clip.MP4"), "t=12.5").suffix, Member(b"...", suffix=".heic").member
    ('.mp4', '')
    """

    content: Path | bytes
    """The file, or what it holds."""
    member: str = ""
    """The name of the image among those of the file; empty if the file holds one image."""
    suffix: str = ""
    """The suffix of the file's name, in lower case: the content alone does not tell a camera's raw
    file from a TIFF. That of the path if left out."""

    def __post_init__(self) -> None:
        if not self.suffix and isinstance(self.content, Path):
            object.__setattr__(self, "suffix", self.content.suffix.lower())


Encoded: TypeAlias = Path | bytes | Member | Unreadable
"""An encoded image: its file, its content, one image of several, or why there is none of these."""


@dataclass(frozen=True)
class Form:
    """The shape that every image of a pile is brought to, and what is assumed of the pile.

    ``same_size``: all images have this size already. ``all_grey``: no image has colour. An image
    that contradicts this ends the decoding of its chunk, see `Chunk.surprise`.
    """

    height: int
    width: int
    channels: int
    same_size: bool = False
    all_grey: bool = False
    pixel_range: PixelRange | None = None
    """What is black and white in images of more than 8 bits; None: each image decides for itself,
    as in older checkpoints. An image with numbers of unknown range ends the chunk, too."""
    wide: bool = False
    """Whether the images have 16-bit levels. One that needs them, where they have not, ends the
    chunk, too."""
    colour: bool | None = None
    """Whether the files say that three channels are red, green and blue; None: they do not say."""
    fit: str = CROP
    """How images of other shapes are brought to this one, see `fitting.FITS`."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint16 if self.wide else np.uint8)


class Facts(NamedTuple):
    """An image's own size, upright, and its channels. ``grey``: it has one, without colour."""

    height: int
    width: int
    grey: bool
    channels: int = 1
    colour: bool | None = None
    """Whether its three channels are red, green and blue; None: the file does not say."""

    def outside(self, form: Form) -> float:
        """The share of the image, in [0, 1), that lies outside the form once it covers it.

        >>> Facts(320, 32, True).outside(Form(32, 32, 1))
        0.9
        """
        if form.fit != CROP:
            return 0.0
        return share_outside((self.height, self.width), (form.height, form.width))

    def is_larger(self, form: Form) -> bool:
        """Whether the image has more pixels than the form on both sides."""
        return self.height > form.height and self.width > form.width

    def is_far_smaller(self, form: Form) -> bool:
        """Whether a pixel of the image becomes 4 or more on each side."""
        return 4 * max(self.height, self.width) <= min(form.height, form.width)


class Chunk(NamedTuple):
    """Several images decoded."""

    pixels: Pixels
    """uint8 or uint16 (k, H, W, C): the images that could be read, in order."""
    reasons: list[str]
    """For each image, why it could not be read; empty if it could."""
    sides: tuple[int, int]
    """The shortest and the longest side of the images, before they were brought to the form."""
    surprise: Facts | None
    """The facts of an image that contradicts the form; then nothing else here is valid."""
    missing: tuple[int, int] = (0, 0)
    """How many pixels were no numbers, and in how many images."""
    unknown: str = ""
    """The kind of that image's numbers if the form does not do for them, see `Decoded`."""
    outside: float = 0.0
    """The shares of the images that lie outside the form once they cover it, added up."""
    n_beyond: int = 0
    """How many images are outside the pile's range to a large part."""
    n_larger: int = 0
    """How many images show more in a larger form: they are larger on both sides."""
    far_smaller: Sequence[int] = ()
    """The places, among all images of the chunk, of those that are far smaller than the form."""


class Decoded(NamedTuple):
    """One image decoded."""

    pixels: Pixels | None
    """uint8 or uint16 (H, W, C); None if the image contradicts the form."""
    facts: Facts
    n_missing: int = 0
    unknown: str = ""
    """The kind of its numbers (f or i, as in NumPy) if the form has no range for them, or has 8
    bits where they need 16."""
    beyond: bool = False
    """Whether much of it is outside the pile's range."""
