"""`Within`: what the images of a file and their channels are, where the files do not say so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from shoal.errors import DataError
from shoal.images.readers.frame_choice import Every
from shoal.images.readers.raw import Pages


@dataclass(frozen=True)
class Within:
    """What the images of a file and their channels are, where there is a choice.

    Raises:
        DataError: ``every`` is not a time or ``cuts``.

    >>> Within.from_json(Within(every=2.5).to_json())
    Within(every=2.5, pages='auto', channels='', colours=None)
    """

    every: Every | None = None
    """Seconds from one frame of a video to the next, or ``cuts``: a frame of each shot. None: a
    second; an animated picture in a folder is one image, its first frame, and by itself all of its
    frames."""
    pages: Pages = "auto"
    """Whether the pages of a file are images, or the channels of one image."""
    channels: str = ""
    """The pattern of the names of files that are the channels of one image, see
    `decoding.channel_files`; empty: a file is an image, or holds some."""
    colours: bool | None = None
    """Whether three channels are colours, as a person said; None: as the files or the pile show."""

    def __post_init__(self) -> None:
        every: Any = self.every
        if every is None or every == "cuts":
            return
        if isinstance(every, str) or not (math.isfinite(every) and every > 0):
            raise DataError(f"every must be a number of seconds above 0, or 'cuts', got {every!r}.")

    def to_json(self) -> dict[str, Any]:
        """As a dictionary of what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any] | None) -> Within:
        """The inverse of `to_json`; None, as in older files, gives the default."""
        return cls() if content is None else cls(**content)
