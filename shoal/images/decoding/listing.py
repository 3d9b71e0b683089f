"""A pile before it is decoded: the list of its images, and what a user wants of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shoal.images.decoding.form import Encoded
from shoal.images.left_out import LeftOut
from shoal.images.pixel_range import PixelRange
from shoal.images.within import Within
from shoal.protocols import Track, silent

SEEN_AT = "seen at"
"""How the note begins on the size that a network sees, and what it costs."""


@dataclass(frozen=True)
class Wanted:
    """The arguments of `open_source` that every format gets."""

    image_shape: tuple[int, int, int] | None = None
    size: int | None = None
    array: str | None = None
    cache: bool = True
    track: Track = silent
    pixel_range: PixelRange | None = PixelRange()  # noqa: RUF009 - frozen
    """The range of images of more than 8 bits, as far as it is known; the rest is learned. None:
    each image decides for itself, as in older checkpoints."""
    channels: str | None = None
    """Which axis of an array holds the channels, ``first`` or ``last``, or a pattern of files that
    are channels, see `decoding.channel_files`; None: the shape tells, and a file is an image."""
    within: Within = Within()  # noqa: RUF009 - frozen
    """What the images of a file are, where a file holds several."""
    fit: str | None = None
    """How images of other shapes are brought to one, see `fitting.FITS`; None: as the pile asks,
    and cropped to a given ``image_shape``, as in older checkpoints."""
    effort: str = "default"
    """quick, default or thorough: how large images are seen, see `fitting.choose_side`."""
    n_clusters: int = 1
    """How many clusters are to be found: fewer images are refused before any is decoded."""


@dataclass(frozen=True)
class Listing:
    """The encoded images of a pile. They need not be in memory.

    ``contents()`` iterates over all images, ``fetch(row)`` gives a single one. ``left_out`` lists
    the files that are no images by their names or first bytes. ``classes`` names the class of each
    image, if the pile is sorted by classes.
    """

    names: Sequence[str]
    contents: Callable[[], Iterable[Encoded]]
    fetch: Callable[[int], Encoded]
    left_out: Sequence[LeftOut] = ()
    classes: Sequence[str] | None = None
    kind: str = "image file"
    isolated: bool = False
    """Whether libraries read some of the images that a damaged file may crash."""
    places: Sequence[tuple[int, int]] | None = None
    """Where each image lies in its file, if that is known: the first byte, and how many."""
    joined: tuple[int, int] = (0, 0)
    """Of how many files the pages were taken for channels though the file does not say that they
    are, and how many pages they have at most."""
    file_of: Sequence[int] | None = None
    """The number of the file that holds each image, where a file may hold several."""
    moving: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Of videos and of animated pictures, by their noun: how many there are, how many of their
    frames are images, and how many more would be if they were not near-identical to the one before.
    """

    def itself(self, track: Track) -> Listing:
        """For `decode_pile`, where nothing is left to list."""
        return self
