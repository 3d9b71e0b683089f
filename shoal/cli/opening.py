"""How the commands open a pile of images, and say what had to be left out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from shoal.cli.channel_options import parse_composite, parse_range, parse_within
from shoal.cli.options import OpenOptions
from shoal.cli.request import Request
from shoal.images.csv_files import printable
from shoal.images.decoding.listing import SEEN_AT
from shoal.images.left_out import Count
from shoal.images.open import check_wanted, open_source
from shoal.images.pixel_range import PixelRange
from shoal.images.shards import check_there
from shoal.plural import counted
from shoal.progress import Reporter
from shoal.protocols import ImageSource

_AS_IT_IS = OpenOptions()


def open_images(
    path: Path,
    options: OpenOptions = _AS_IT_IS,
    *,
    image_shape: tuple[int, int, int] | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
    at_least: int = 1,
    n_clusters: int = 1,
    size: int | None = None,
    fit: str | None = None,
    effort: str = "default",
    report: Reporter | None = None,
    only_shown: bool = False,
) -> ImageSource:
    """Open a pile and name on standard error what had to be left out, even when quiet.

    ``report`` shows the decoding, and says what size the images are brought to, what it costs and
    where they are kept; see `open_source`. Of images that are ``only_shown`` no network sees that
    size, and nothing is said of it.
    """
    source = open_quietly(
        path, options, image_shape=image_shape, pixel_range=pixel_range, at_least=at_least,
        n_clusters=n_clusters, size=size, fit=fit, effort=effort, report=report,
    )  # fmt: skip
    if report is not None:
        for note in getattr(source, "notes", ()):
            if not (only_shown and note.startswith(SEEN_AT)):
                report.say(note)
    counts = getattr(source, "left_out", None)
    if counts is None:
        counts = [Count(1, *row) for row in source.skipped]
    n_files = getattr(source, "n_files", None)
    lines = [*map(printable, left_out_described(len(source), counts, n_files=n_files))]
    if any(not count.expected for count in counts):
        print(*lines, sep="\n", file=sys.stderr)
    elif report is not None and (counts or (n_files is not None and n_files[0] != len(source))):
        report.say("\n".join(lines))
    return source


def open_quietly(
    path: Path, options: OpenOptions, *, report: Reporter | None = None, **wanted: Any
) -> ImageSource:
    """Open a pile without a word on what was left out: another process has said it."""
    within = parse_within(options.every, options.pages, options.colours)
    return open_source(
        path, array=options.array, cache=options.cache, track=report, channels=options.channels,
        composite=parse_composite(options.composite), every=within.every, pages=within.pages,
        colours=within.colours, **wanted,
    )  # fmt: skip


def open_to_learn(
    path: Path, options: OpenOptions, request: Request, report: Reporter, *,
    size: int | None, fit: str | None, pixel_range: str | None,
) -> tuple[ImageSource, Request]:  # fmt: skip
    """Open a pile to learn from, and complete the request: workers of it open the pile again.

    Args:
        path: the images.
        options: how they are opened.
        request: the run.
        report: shows progress.
        size: as ``--size`` has it.
        fit: as ``--fit`` has it.
        pixel_range: as ``--range`` has it.
    """
    wanted: dict[str, Any] = {
        "at_least": 2, "size": size, "fit": fit, "effort": request.effort,
        "pixel_range": parse_range(pixel_range), "n_clusters": request.n_clusters,
    }  # fmt: skip
    source = open_images(path, options, **wanted, report=report)
    return source, replace(request, reopen=reopening(path, options, **wanted))


def check_asked(
    path: Path, options: OpenOptions, request: Request, *, size: int | None, fit: str | None,
    pixel_range: str | None,
) -> None:  # fmt: skip
    """Raise for what `open_to_learn` would refuse in any case, before its folder is looked at."""
    parse_range(pixel_range)
    parse_composite(options.composite)
    within = parse_within(options.every, options.pages, options.colours)
    check_wanted(
        path, size=size, array=options.array, channels=options.channels, every=within.every,
        pages=within.pages, fit=fit, n_clusters=request.n_clusters,
    )  # fmt: skip


def reopening(path: Path, options: OpenOptions, **wanted: Any) -> Callable[[], ImageSource]:
    """What opens a pile again in another process, which may work in another folder.

    Args:
        path: the images.
        options: how they were opened.
        wanted: what else `open_images` was asked for.
    """
    return partial(open_quietly, path.absolute(), options, **wanted)


def check_any_images(path: Path) -> None:
    """Raise if nothing is there, or a folder holds no file at all, before anything else is said.

    Raises:
        DataError: so it is.
    """
    check_there(path)
    if path.is_dir() and not any(files for _, _, files in os.walk(path)):
        open_source(path)


def left_out_described(
    n_images: int, counts: Sequence[Count], *, each: str = "file", kept: str = "image",
    n_files: tuple[int, int] | None = None,
) -> list[str]:  # fmt: skip
    """How many files there are and what became of them: a line in all, and a line for each reason.

    ``n_files``: of how many of how many files there are images, where a file may hold several.

    >>> left_out_described(40, [Count(10, ".heic", "HEIC"), Count(1, "a.jpg", "empty")])
    ['51 files: 40 images, 11 left out', '  10 .heic: HEIC', '  a.jpg: empty']
    >>> left_out_described(9, [Count(1, "a.jpg", "empty")], n_files=(2, 3))[0]
    '3 files: 2 hold 9 images, 1 left out'
    >>> left_out_described(9, [Count(4, "such as a#t=1", "damaged")], n_files=(2, 2))[0]
    '2 files: 2 hold 9 images, 4 files or images within them left out'
    >>> left_out_described(9, [], n_files=(1, 1)), left_out_described(2, [], n_files=(2, 2))
    (['1 file holds 9 images'], ['2 files: 2 images, 0 left out'])
    """
    n_left = sum(count.n_files for count in counts)
    images = counted(n_images, kept)
    lines = [f"{counted(n_images + n_left, each)}: {images}, {n_left:,} left out"]
    if n_files is not None and n_files[0] != n_images:
        holding, n_all = n_files
        hold = f"hold{'s' if holding == 1 else ''} {images}"
        within = "" if n_left == n_all - holding else f" {each}s or {kept}s within them"
        lines = [f"{counted(n_all, each)}: {holding:,} {hold}, {n_left:,}{within} left out"]
        if not n_left:
            lines = [f"{counted(holding, each)} {hold}"]
    for count in counts:
        number = f"{count.n_files:,} " if count.n_files > 1 else ""
        lines.append(f"  {number}{count.what}: {count.reason}")
    return lines
