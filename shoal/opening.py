"""How the commands open what they are given, and say what had to be left out."""

from __future__ import annotations

import sys
from pathlib import Path

from shoal import checkpoint as checkpoints
from shoal.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.rows import printable
from shoal.sources import open_source


def open_images(
    path: Path,
    *,
    image_shape: tuple[int, int, int] | None = None,
    at_least: int = 1,
    size: int | None = None,
    array: str | None = None,
    cache: bool = True,
    report: Reporter | None = None,
) -> ImageSource:
    """Open a pile and name on standard error what had to be left out, even when quiet.

    ``report`` shows the decoding, and says what size the images are brought to, what it costs and
    where they are kept; see `open_source`.
    """
    source = open_source(
        path, image_shape=image_shape, at_least=at_least, size=size, array=array, cache=cache,
        track=report,
    )  # fmt: skip
    if report is not None:
        for note in getattr(source, "notes", ()):
            report.say(note)
    skipped = source.skipped
    if skipped:
        lines = [f"  {name}: {reason}" for name, reason in skipped[:20]]
        print(
            f"{len(skipped):,} of {len(source) + len(skipped):,} files could not be read and are "
            "left out:",
            *map(printable, lines),
            *([f"  … and {len(skipped) - 20:,} more"] if len(skipped) > 20 else []),
            sep="\n",
            file=sys.stderr,
        )
    return source


def open_with(
    checkpoint: Path,
    data: Path,
    report: Reporter,
    *,
    array: str | None = None,
    cache: bool = True,
    at_least: int = 1,
) -> tuple[ImageSource, Checkpoint]:
    """A checkpoint, and images of the shape it learned from; see `open_images`."""
    loaded = checkpoints.load(checkpoint)
    source = open_images(
        data, image_shape=loaded.image_shape, at_least=at_least, array=array, cache=cache,
        report=report,
    )  # fmt: skip
    return source, loaded
