"""Export the images of a pile with their clusters, for people and programs without shoal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from shoal.corrections.labels import LabelledImage, write_labels, written_formats
from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError
from shoal.export import folders, tables
from shoal.export.missing import without_missing
from shoal.export.neighbours import find_neighbours, with_map
from shoal.images.csv_files import printable
from shoal.images.output_checks import check_writable, lies_in
from shoal.images.vectors.source import has_pictures
from shoal.plural import counted
from shoal.protocols import ImageSource, IntArray, Track, silent

__all__ = ["FORMATS", "MEANS", "check_export", "export_prediction", "plan_export"]

_LABELS = written_formats()
FORMATS = ("folders", "csv", "parquet", "json", *_LABELS)
_SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "json": ".json"} | _LABELS
_OF_PICTURES = ("folders", "json")
MEANS = ("copy", "hardlink", "symlink")


def export_prediction(
    source: ImageSource, prediction: ImageTable, out: str | Path, *,
    kind: str = "folders", by: str = "copy", track: Track = silent,
) -> list[str]:  # fmt: skip
    """Write the images of a prediction in one of several formats; the pile itself is only read.

    - ``folders``: ``out``/cluster/id for each image: its own file, or a PNG if it has none.
    - ``csv``: the columns id, cluster and, if known, name, decided (by a person), confidence,
      familiarity, x and y.
    - ``parquet``: the same columns with the images and their neighbours; see
      `tables.write_parquet`.
    - ``json``: images, categories and annotations as in COCO; see `tables.write_coco`.
    - ``fiftyone``, ``hugging-face``, ``label-studio``: the names of the images and of their
      clusters as these tools read them; see `shoal.corrections.label_files`.

    Images of the pile that the prediction does not hold are not written. Nothing appears under the
    name ``out`` before all of it is written.

    Args:
        source: the pile.
        prediction: as `predict` returns it or `load_prediction` reads it. If its clusters have
            names, these are used.
        out: an empty folder, or a path that does not exist.
        kind: one of `FORMATS`.
        by: one of `MEANS`: for folders, whether to copy the files of the pile or to link to them.
        track: shows progress.

    Returns:
        The ids of images that are in the prediction and not in the pile any more. They were left
        out.

    Raises:
        DataError: ``kind`` or ``by`` is unknown, the pile holds no image of the prediction, or an
            image without a file cannot be linked.
        OutputError: ``out`` exists, lies in the pile, or cannot be written.
    """
    out = Path(out)
    check_export(source.originals.path, out, kind, by)
    _check_pictures(source, kind)
    table, rows, missing = without_missing(prediction, source)
    if kind == "folders":
        folders.write_folders(source, rows, table.titles(), out, by, track)
    elif kind == "csv":
        tables.write_csv(table, out)
    elif kind == "parquet":
        table = with_map(table, track=track)
        neighbours = find_neighbours(table, track=track)
        tables.write_parquet(source, rows, table, neighbours, out, track)
    elif kind == "json":
        tables.write_coco(source, rows, table, out, track)
    else:
        path = source.originals.path
        pile = path.name if path is not None and path.is_dir() else ""
        write_labels(kind, out, _labelled(source, rows, table), pile)
    return missing


def _check_pictures(source: ImageSource, kind: str) -> None:
    """Raise if images are asked for where there are none.

    Raises:
        DataError: they are vectors without images.
    """
    if kind in _OF_PICTURES and not has_pictures(source):
        others = ", ".join(each for each in FORMATS if each not in _OF_PICTURES)
        raise DataError(
            f"kind must be one of {others} where vectors have no images, got {kind!r}; "
            "'shoal cluster … --images DATA' says which images are theirs."
        )


def _labelled(source: ImageSource, rows: IntArray, table: ImageTable) -> list[LabelledImage]:
    known = table.confidence.tolist() if table.has_confidence else [None] * len(table)
    stems = (_stem(source, row, name) for row, name in zip(rows.tolist(), table.ids, strict=True))
    return [
        LabelledImage(name, title, confidence, stem)
        for name, title, confidence, stem in zip(
            table.ids, table.titles(), known, stems, strict=True
        )
    ]


def _stem(source: ImageSource, row: int, name: str) -> str:
    """An image's id without the suffix of its file, if it ends in that."""
    if "." not in name.rpartition("/")[2]:
        return name
    suffix = source.originals.suffix(row)
    return name[: -len(suffix)] if suffix and name.lower().endswith(suffix.lower()) else name


def plan_export(
    source: ImageSource, prediction: ImageTable, out: str | Path, *,
    kind: str = "folders", by: str = "copy", shown: int = 3, noun: str = "image",
) -> str:  # fmt: skip
    """What `export_prediction` would write, as text.

    Args:
        source: the pile.
        prediction: see `export_prediction`; so are ``out``, ``kind`` and ``by``.
        out: where to write.
        kind: one of `FORMATS`.
        by: one of `MEANS`.
        shown: how many images of each folder to list.
        noun: what is exported, in the singular.

    Raises:
        DataError: see `export_prediction`.
        OutputError: see `export_prediction`.
    """
    out = Path(out)
    check_export(source.originals.path, out, kind, by)
    _check_pictures(source, kind)
    table, rows, missing = without_missing(prediction, source)
    titles = table.titles()
    others = len(source) - len(rows)
    lines = [f"would write {counted(len(rows), noun)} to {printable(str(out))} as {kind}"]
    if others:
        lines[0] += f"; {others:,} that the prediction does not mention are left out"
    if missing:
        lines.append(f"  {describe_missing(missing, prediction, source, noun=noun)}")
    if kind == "folders":
        how = source.originals.describe() if by == "copy" else f"as {by}s of their files"
        targets = folders.target_paths(source, rows, titles, by)
        lines += [f"  {how}", *_folder_lines(source, rows, targets, by, shown)]
    else:
        sizes = Counter(titles)
        lines += [f"  {printable(title)}: {counted(sizes[title], noun)}" for title in sorted(sizes)]
    return "\n".join([*lines, "nothing was written: leave out --dry-run to do it"])


def describe_missing(
    missing: Sequence[str], prediction: ImageTable, source: ImageSource, *, shown: int = 10,
    noun: str = "image",
) -> str:  # fmt: skip
    """A sentence on images of the prediction that are not in the pile.

    Args:
        missing: their ids, at least one.
        prediction: the table that names them.
        source: the pile; if it skipped a file, the sentence says why.
        shown: how many of them to name.
        noun: what they are, in the singular.
    """
    reasons = dict(source.skipped)
    named = [
        printable(name) + (f" ({reasons[name]})" if name in reasons else "")
        for name in missing[:shown]
    ]
    if len(missing) > shown:
        named.append(f"{len(missing) - shown:,} more")
    pile = source.originals.path or "the pile"
    return (
        f"{len(missing):,} of {counted(len(prediction), noun)} of "
        f"{prediction.path or 'the prediction'} {'is' if len(missing) == 1 else 'are'} not in "
        f"{pile} and {'was' if len(missing) == 1 else 'were'} left out: {', '.join(named)}"
    )


def check_export(data: Path | None, out: Path, kind: str, by: str) -> None:
    """Check the arguments of `export_prediction` before any work.

    Args:
        data: the path of the pile, if it has one.
        out: where to write.
        kind: one of `FORMATS`.
        by: one of `MEANS`.

    Raises:
        DataError: ``kind`` or ``by`` is unknown, or ``kind`` has no files to link.
        OutputError: ``out`` exists, lies in the pile, has the suffix of another kind, or cannot be
            written.
    """
    for name, value, choices in (("kind", kind, FORMATS), ("by", by, MEANS)):
        if value not in choices:
            hint = "; COCO is json" if value == "coco" else ""
            raise DataError(f"{name} must be one of {', '.join(choices)}, got {value!r}{hint}.")
    if by != "copy" and kind != "folders":
        raise DataError(f"by must be 'copy' with kind={kind!r}, got {by!r}.")
    if lies_in(out, data):
        raise OutputError(
            f"cannot write {out}: it lies in the pile {data}, which is only read; name a place "
            "outside."
        )
    if kind == "folders":
        folders.check_out(out)
    elif os.path.lexists(out):
        raise OutputError(f"{out} exists; an export replaces nothing, so name another file.")
    else:
        check_writable(out)
    suffix = out.suffix.lower()
    if suffix in _SUFFIXES.values() and suffix != _SUFFIXES.get(kind):
        right = next(name for name, known in _SUFFIXES.items() if known == suffix)
        wanted = _SUFFIXES.get(kind)
        written = f"a {wanted} file" if wanted else "a folder"
        other = f"name a {wanted} file" if wanted else "name a folder"
        raise OutputError(f"{out} would become {written}; {other}, or export with kind={right!r}.")


def _folder_lines(
    source: ImageSource, rows: IntArray, targets: Sequence[str], by: str, shown: int
) -> list[str]:
    """The folders to write, with the first images of each."""
    members: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        members.setdefault(target.partition("/")[0], []).append(number)
    lines = []
    for folder in sorted(members):
        lines.append(f"  {folder}/: {counted(len(members[folder]), 'image')}")
        for number in members[folder][:shown]:
            name = printable(source.ids[rows[number]])
            lines.append(f"    {by} {name} -> {targets[number]}")
        if len(members[folder]) > shown:
            lines.append("    …")
    return lines
