"""A pile before it is decoded: what it lists, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shoal.images.decoding.form import Encoded
from shoal.images.left_out import LeftOut
from shoal.images.pixel_range import PixelRange
from shoal.protocols import Track, silent


@dataclass(frozen=True)
class Wanted:
    """What was asked of `open_source`, as every format gets it."""

    image_shape: tuple[int, int, int] | None = None
    size: int | None = None
    array: str | None = None
    cache: bool = True
    track: Track = silent
    pixel_range: PixelRange | None = PixelRange()  # noqa: RUF009 - frozen
    """What is known of black and white in images of more than 8 bits; the rest is learned. None:
    each image decides by itself, as for checkpoints of before ranges were learned."""


@dataclass(frozen=True)
class Listing:
    """The n encoded images of a pile, not all of which need be in memory.

    ``contents`` gives them one after the other, at each call anew, ``fetch`` one alone.
    ``left_out`` are those that are known, before any is decoded, to be none; ``classes`` the name
    of each one's class, if the pile is sorted by classes.
    """

    names: Sequence[str]
    contents: Callable[[], Iterable[Encoded]]
    fetch: Callable[[int], Encoded]
    left_out: Sequence[LeftOut] = ()
    classes: Sequence[str] | None = None
    kind: str = "image file"
