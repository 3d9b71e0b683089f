"""Hugging Face's image folder with a ``metadata.jsonl`` or ``metadata.csv``, or that file alone.

A row has ``file_name``, a path from where the file lies, and here ``label``. An image folder
without such a file has its labels in the names of its folders, see `image_folder`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shoal.corrections.label_files import csv_table
from shoal.corrections.labels import Label, LabelFile, LabelledImage
from shoal.errors import DataError
from shoal.images.csv_files import write_rows

TITLE = "Hugging Face's metadata"
SUFFIX = ".csv"
_NAMES = ("metadata.jsonl", "metadata.csv")


def read(file: LabelFile) -> list[Label] | None:
    """The label of each row."""
    if file.path.is_dir():
        inside = [LabelFile(path) for path in _files(file.path)]
        labelled = [part for part in inside if not part.rows or "label" in part.rows[0]]
        labels = [label for part in labelled for label in read(part) or ()]
        return labels if any(label for _, label in labels) else None
    if file.path.suffix.lower() == ".jsonl":
        rows = [_parsed(file, n, line) for n, line in enumerate(file.text.splitlines(), 1)
                if line.strip()]  # fmt: skip
        if not rows or not all(isinstance(row, dict) and "file_name" in row for row in rows):
            return None
        return [(str(row["file_name"]), str(row.get("label", "") or "").strip()) for row in rows]
    if file.rows and "file_name" in file.rows[0]:
        return csv_table.read(file)
    return None


def write(out: Path, images: Sequence[LabelledImage], pile: str) -> None:
    """Write a ``metadata.csv``, which belongs into the folder of the images."""
    del pile
    rows = [
        (image.name, image.label, "" if image.confidence is None else f"{image.confidence:.6g}")
        for image in images
    ]
    write_rows(out, ["file_name", "label", "confidence"], rows)


def _parsed(file: LabelFile, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"{file.path} is damaged: line {number} is not JSON.") from None


def _files(folder: Path) -> list[Path]:
    return [
        path
        for pattern in ("", "*/")
        for name in _NAMES
        for path in sorted(folder.glob(pattern + name))
    ]
