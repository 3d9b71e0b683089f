"""How the commands open what they are given, and say what had to be left out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shoal import pipeline
from shoal.cli.channel_options import parse_composite, parse_within
from shoal.cli.options import OpenOptions
from shoal.cli.run_identity import pictures_of_run
from shoal.errors import CheckpointError, DataError, ShoalError
from shoal.images.array import ArraySource
from shoal.images.csv_files import printable
from shoal.images.left_out import Count
from shoal.images.open import open_source
from shoal.images.pixel_range import PixelRange
from shoal.images.vectors import open as vectors
from shoal.images.vectors.source import VectorSource
from shoal.images.within import Within
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CHECKPOINT_SUFFIXES
from shoal.plural import counted, pixels
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
    size: int | None = None,
    fit: str | None = None,
    effort: str = "default",
    report: Reporter | None = None,
) -> ImageSource:
    """Open a pile and name on standard error what had to be left out, even when quiet.

    ``report`` shows the decoding, and says what size the images are brought to, what it costs and
    where they are kept; see `open_source`.
    """
    source = open_quietly(
        path, options, image_shape=image_shape, pixel_range=pixel_range, at_least=at_least,
        size=size, fit=fit, effort=effort, report=report,
    )  # fmt: skip
    if report is not None:
        for note in getattr(source, "notes", ()):
            report.say(note)
    counts = getattr(source, "left_out", None)
    if counts is None:
        counts = [Count(1, *row) for row in source.skipped]
    missed = [count for count in counts if not count.expected]
    if missed:
        lines = left_out_described(len(source), counts)
        print(*map(printable, lines), sep="\n", file=sys.stderr)
    elif counts and report is not None:
        report.say("\n".join(map(printable, left_out_described(len(source), counts))))
    return source


def open_quietly(
    path: Path, options: OpenOptions, *, report: Reporter | None = None, **wanted: Any
) -> ImageSource:
    """Open a pile without a word on what was left out: another process has said it."""
    within = parse_within(options.every, options.pages)
    return open_source(
        path, array=options.array, cache=options.cache, track=report, channels=options.channels,
        composite=parse_composite(options.composite), every=within.every, pages=within.pages,
        **wanted,
    )  # fmt: skip


def reopening(path: Path, options: OpenOptions, **wanted: Any) -> Callable[[], ImageSource]:
    """What opens a pile again in another process, which may work in another folder.

    Args:
        path: the images.
        options: how they were opened.
        wanted: what else `open_images` was asked for.
    """
    return partial(open_quietly, path.absolute(), options, **wanted)


def open_as_learned(
    path: Path, checkpoint: Checkpoint, options: OpenOptions, *, at_least: int = 1,
    size: int | None = None, report: Reporter | None = None,
) -> ImageSource:  # fmt: skip
    """Open images as those that a checkpoint learned from: of their shape, range and fit.

    See `open_images` and `asked_or_learned`.
    """
    return open_images(
        path, asked_or_learned(options, checkpoint, path), image_shape=checkpoint.image_shape,
        pixel_range=checkpoint.pixel_range, fit=checkpoint.fit, at_least=at_least, size=size,
        report=report,
    )  # fmt: skip


def open_vectors(
    path: Path,
    *,
    images: ImageSource | None = None,
    array: str | None = None,
    column: str | None = None,
    id_column: str | None = None,
    n_dimensions: int | None = None,
    at_least: int = 1,
    report: Reporter | None = None,
) -> VectorSource:
    """Open vectors from elsewhere, and say what was left out; see `images.vectors.open`.

    ``report`` says what else is to be known of them, where they are opened to be learned from.
    """
    source = vectors.open_vectors(
        path, images=images, array=array, column=column, id_column=id_column,
        n_dimensions=n_dimensions, at_least=at_least,
    )  # fmt: skip
    if report is not None:
        for note in source.notes:
            report.say(note)
    if source.left_out:
        lines = left_out_described(len(source), source.left_out, each="row", kept="vector")
        print(*map(printable, lines), sep="\n", file=sys.stderr)
    return source


def open_vectors_of(
    checkpoint: Checkpoint, path: Path, data: Path, options: OpenOptions,
    report: Reporter | None, *, at_least: int = 1,
) -> VectorSource:  # fmt: skip
    """Open vectors for a checkpoint, with the pictures that its run showed for these.

    Args:
        checkpoint: it says which columns its own vectors were in.
        path: its file; the run's record lies beside it.
        data: the vectors.
        options: which array of a .npz file, and whether decoded images are kept.
        report: says what was left out.
        at_least: the fewest vectors.
    """
    origin = checkpoint.origin
    of_parquet = data.suffix.lower() == ".parquet"
    given: dict[str, Any] = {
        "array": options.array, "n_dimensions": checkpoint.n_dimensions, "at_least": at_least,
        "column": origin.column or None if of_parquet else None,
        "id_column": origin.id_column or None if of_parquet else None,
    }  # fmt: skip
    pictures = pictures_of_run(path.parent)
    if pictures is None:
        return open_vectors(data, **given)
    source = vectors.open_vectors(data, **given)
    if source.digest() != checkpoint.origin.digest:  # other vectors have other images
        return open_vectors(data, **given)
    shown = open_images(pictures, OpenOptions(cache=options.cache), report=report)
    return open_vectors(data, images=shown, **given)


def open_pile(
    data: Path,
    checkpoint: Path | None = None,
    options: OpenOptions = _AS_IT_IS,
    *,
    size: int | None = None,
    report: Reporter | None = None,
) -> ImageSource:
    """Images as they are; or vectors, where a file holds these or a checkpoint takes them.

    Args:
        data: the images or the vectors.
        checkpoint: the file of the checkpoint that clustered them, if there is one.
        options: completed by the checkpoint, see `asked_or_learned`.
        size: see `open_images`.
        report: shows progress.

    Raises:
        DataError: they cannot be used.
    """
    if not vectors.holds_vectors(data):
        known = None if checkpoint is None else checkpoints.load(checkpoint)
        return open_images(data, asked_or_learned(options, known, data), size=size, report=report)
    if size is not None:
        raise DataError(f"size is only for images, got size={size} with {data}, which are vectors.")
    loaded = None if checkpoint is None else checkpoints.load(checkpoint)
    if checkpoint is None or loaded is None or not loaded.n_dimensions:
        return open_vectors(data, array=options.array)
    return open_vectors_of(loaded, checkpoint, data, options, report)


def asked_or_learned(
    options: OpenOptions, checkpoint: Checkpoint | None, data: Path
) -> OpenOptions:
    """The options with what a checkpoint says of the images of ``data``, where nothing was asked.

    The pattern of a checkpoint whose channels were files of their own is for folders alone.
    """
    known = Within() if checkpoint is None else checkpoint.within
    if data.suffix.lower() in (".npy", ".npz"):  # which holds no files
        known = Within()
    own = None if known.every is None else str(known.every)
    pattern = known.channels or None if data.is_dir() else None
    composite = options.composite
    if composite is None and checkpoint is not None and checkpoint.composite:
        composite = ",".join(map(str, checkpoint.composite))
    return replace(
        options,
        every=own if options.every is None else options.every,
        pages=known.pages if options.pages == "auto" else options.pages,
        channels=pattern if options.channels is None else options.channels,
        composite=composite,
    )


def check_any_images(path: Path) -> None:
    """Raise if a folder holds no file at all, before anything else is said of a command.

    Raises:
        DataError: it holds none.
    """
    if path.is_dir() and not any(files for _, _, files in os.walk(path)):
        open_source(path)


def check_size(size: int | None, checkpoint: Checkpoint | None) -> None:
    """Raise if a side is asked of images that a checkpoint brings to its own.

    Raises:
        DataError: another side than the checkpoint's.
    """
    if size is None or checkpoint is None:
        return
    height, width, _ = checkpoint.image_shape
    if (height, width) != (size, size):
        raise DataError(
            f"--size must be left out or {height} with this checkpoint, got {size}: it compares "
            f"images of {pixels(height, width)}."
        )


def left_out_described(
    n_images: int, counts: Sequence[Count], *, each: str = "file", kept: str = "image"
) -> list[str]:
    """How many files there are and what became of them: a line in all, and a line for each reason.

    >>> left_out_described(40, [Count(10, ".heic", "HEIC"), Count(1, "a.jpg", "empty")])
    ['51 files: 40 images, 11 left out', '  10 .heic: HEIC', '  a.jpg: empty']
    """
    n_left = sum(count.n_files for count in counts)
    lines = [f"{counted(n_images + n_left, each)}: {counted(n_images, kept)}, {n_left:,} left out"]
    for count in counts:
        number = f"{count.n_files:,} " if count.n_files > 1 else ""
        lines.append(f"  {number}{count.what}: {count.reason}")
    return lines


def open_with(
    checkpoint: Path,
    data: Path,
    report: Reporter,
    options: OpenOptions = _AS_IT_IS,
    *,
    at_least: int = 1,
) -> tuple[ImageSource, Checkpoint]:
    """A checkpoint, and images of the shape it learned from, or vectors of its length.

    Where nothing else is asked for, a file holds the images that it held when the checkpoint
    learned: ``every`` and ``pages`` are those of the checkpoint.

    Raises:
        DataError: a checkpoint is given as the images.
    """
    if data.is_file() and data.suffix.lower() in CHECKPOINT_SUFFIXES:
        raise DataError(f"{data} is a checkpoint, not images; DATA comes first, then CHECKPOINT.")
    loaded = checkpoints.load(checkpoint)
    check_learned(loaded, checkpoint)
    if loaded.n_dimensions:
        opened = open_vectors_of(loaded, checkpoint, data, options, report, at_least=at_least)
        return opened, loaded
    return open_as_learned(data, loaded, options, at_least=at_least, report=report), loaded


def check_learned(checkpoint: Checkpoint, path: Path) -> None:
    """Try a checkpoint on two blank images: its parts may be whole, and yet not of one another.

    Raises:
        CheckpointError: something in it is missing, of another shape, or not a number.
    """
    blank: ImageSource = ArraySource(np.zeros((2, *checkpoint.image_shape), np.uint8))
    if checkpoint.n_dimensions:
        blank = VectorSource(np.eye(2, checkpoint.n_dimensions, dtype=np.float32))
    reason = "what it computes is not a number"
    try:
        if not checkpoint.n_dimensions:
            checkpoint.build_encoder()
        # t-SNE takes seconds to place even two images.
        if not checkpoint.finished or any(
            part.name == "tsne" for part in checkpoint.recipe.reducers
        ):
            return
        table = pipeline.predict(blank, checkpoint, familiarity=True)
        if np.isfinite(table.embedding).all() and np.isfinite(table.confidence).all():
            return
    except ShoalError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # noqa: BLE001 - of parts that do not fit, anything
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
    raise CheckpointError(
        f"{path}: the parts of this checkpoint do not fit one another ({reason}); train again or "
        "restore the file from a copy."
    )
