"""`Within`: what the images of a file are, where a file may hold several."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.images.readers.frame_choice import Every
from shoal.images.readers.raw import Pages


@dataclass(frozen=True)
class Within:
    """What the images of a file are, where there is a choice."""

    every: Every | None = None
    """Seconds from one frame of a video to the next, or ``cuts``: a frame of each shot. None: a
    second, and animated pictures are one image, their first frame."""
    pages: Pages = "auto"
    """Whether the pages of a file are images, or the channels of one image."""
