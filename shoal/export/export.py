"""Take it away: images and what was found about them, for people and programs without shoal."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError
from shoal.export import folders, tables
from shoal.images.csv_files import printable
from shoal.images.files import check_writable
from shoal.plural import counted
from shoal.protocols import ImageSource, Track, silent

__all__ = ["FORMATS", "MEANS", "check_export", "export_prediction", "plan_export"]

FORMATS = ("folders", "csv", "parquet", "json")
MEANS = ("copy", "hardlink", "symlink")


def export_prediction(
    source: ImageSource, prediction: ImageTable, out: str | Path, *,
    kind: str = "folders", by: str = "copy", track: Track = silent,
) -> None:  # fmt: skip
    """Write the predicted images of a pile as one of `FORMATS`; the pile itself is only read.

    - ``folders``: ``out``/cluster/id for each image, its own file or, where it has none, a PNG.
    - ``csv``: the columns id, cluster and, where known, name, confidence, familiarity, x and y.
    - ``parquet``: these, the encoded images and each one's nearest, see `tables.parquet`.
    - ``json``: images, categories and annotations as COCO has them, see `tables.coco`.

    Images of the pile that the prediction does not mention are left out. What is written appears
    under its name when it is whole.

    Args:
        source: the pile.
        prediction: of its images, as `predict` returns or `load_prediction` reads it; names given
            to clusters are used.
        out: a folder that is not there or empty, or a file that is not there.
        kind: one of `FORMATS`.
        by: for folders, one of `MEANS`: files of their own, or links to the pile's files.
        track: shows progress.

    Raises:
        DataError: an unknown format or means, an image that the pile does not have, or links where
            the pile has no files.
        OutputError: ``out`` exists, lies in the pile, or cannot be written.
    """
    out = Path(out)
    check_export(source.originals.path, out, kind, by)
    rows = prediction.rows_in(source)
    if kind == "folders":
        folders.write(source, rows, prediction.titles(), out, by, track)
    elif kind == "csv":
        tables.csv(prediction, out)
    elif kind == "parquet":
        tables.parquet(source, rows, prediction, out, track)
    else:
        tables.coco(source, rows, prediction, out, track)


def plan_export(
    source: ImageSource, prediction: ImageTable, out: str | Path, *,
    kind: str = "folders", by: str = "copy", shown: int = 3,
) -> str:  # fmt: skip
    """What `export_prediction` would do, for a reader; the same mistakes are found."""
    out = Path(out)
    check_export(source.originals.path, out, kind, by)
    rows = prediction.rows_in(source)
    titles = prediction.titles()
    left_out = len(source) - len(rows)
    lines = [f"would write {counted(len(rows), 'image')} to {printable(str(out))} as {kind}"]
    if left_out:
        lines[0] += f"; {left_out:,} that the prediction does not mention are left out"
    sizes = Counter(titles)
    if kind != "folders":
        lines += [
            f"  {printable(title)}: {counted(sizes[title], 'image')}" for title in sorted(sizes)
        ]
        return "\n".join([*lines, "nothing was written: leave out --dry-run to do it"])
    lines.append(f"  {source.originals.describe() if by == 'copy' else f'as {by}s of their files'}")
    targets = folders.places_for(source, rows, titles, by)
    members: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        members.setdefault(target.partition("/")[0], []).append(number)
    for folder in sorted(members):
        lines.append(f"  {folder}/: {counted(len(members[folder]), 'image')}")
        for number in members[folder][:shown]:
            name = printable(source.ids[rows[number]])
            lines.append(f"    {by} {name} -> {targets[number]}")
        if len(members[folder]) > shown:
            lines.append("    …")
    return "\n".join([*lines, "nothing was written: leave out --dry-run to do it"])


def check_export(data: Path | None, out: Path, kind: str, by: str) -> None:
    """Fail now if `export_prediction` could not do it.

    Raises:
        DataError: an unknown format or means, or means where there is nothing to link.
        OutputError: ``out`` exists, lies in the pile, or cannot be written.
    """
    for option, value, choices in (("--as", kind, FORMATS), ("--by", by, MEANS)):
        if value not in choices:
            raise DataError(
                f"{option} is expected among {', '.join(choices)}, and {value!r} came; choose one."
            )
    if by != "copy" and kind != "folders":
        raise DataError(
            f"--by {by} is for --as folders, and --as {kind} came; leave one of them out."
        )
    if data is not None and data.is_dir():
        real, pile = (Path(os.path.realpath(path)) for path in (out, data))
        if real == pile or pile in real.parents:
            raise OutputError(
                f"cannot write {out}: it lies in the images of {data}, which are not touched; name "
                "a place outside."
            )
    if kind == "folders":
        folders.check_out(out)
    elif os.path.lexists(out):
        raise OutputError(
            f"cannot write {out}: it exists, and an export replaces nothing; name another file."
        )
    else:
        check_writable(out)
