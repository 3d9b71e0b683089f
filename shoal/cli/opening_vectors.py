"""How the commands open vectors from elsewhere, with the pictures that they belong to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from shoal.cli.opening import left_out_described, open_images
from shoal.cli.options import OpenOptions
from shoal.cli.run_identity import pictures_of_run
from shoal.images.csv_files import printable
from shoal.images.vectors import open as vectors
from shoal.images.vectors.source import VectorSource
from shoal.models.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import ImageSource


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
    given: dict[str, Any] = {
        "array": options.array, "n_dimensions": checkpoint.n_dimensions, "at_least": at_least,
        **vectors.known_columns(data, origin.column, origin.id_column),
    }  # fmt: skip
    pictures = pictures_of_run(path.parent)
    shown = None
    if pictures is not None:
        source = vectors.open_vectors(data, **given)
        source.recognise(origin.digest)
        if source.digest() == origin.digest:  # other vectors have other images
            shown = open_images(
                pictures, OpenOptions(cache=options.cache), report=report, only_shown=True
            )
    opened = open_vectors(data, images=shown, **given)
    opened.recognise(origin.digest)
    return opened
