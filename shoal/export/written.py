"""Whether a file is of a kind that shoal writes: others are a person's own and not replaced."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

from shoal.clustering.tree import load_tree
from shoal.errors import ShoalError
from shoal.images.csv_files import decode_text
from shoal.images.decoding.image import look
from shoal.images.left_out import DRAWN

_HEADERS = {
    ("id", "label"), ("id", "cluster"), ("id", "reason"), ("cluster", "name"), ("a", "b"),
    ("query", "rank"), ("rank", "id"), ("group", "id"),
}  # fmt: skip
"""The first two columns of the CSV files that commands write."""
_HEAD = 4096
MODEL = "shoal model 1"
"""Says in the metadata of an exported model what wrote it."""


def is_foreign(path: Path) -> bool:
    """Whether something else is at ``path`` than what shoal writes under such a name.

    Only text, CSV, Parquet and JSON files, PNG pictures and exported models are asked: of others
    nobody can tell. A Parquet file that cannot be read may be a damaged one of shoal's.
    """
    if not path.is_file() or not path.stat().st_size:
        return False
    suffix = path.suffix.lower()
    if suffix == ".png":
        return look(path) != DRAWN
    if suffix == ".json":
        try:
            load_tree(path)
        except ShoalError:
            return True
        return False
    if suffix == ".parquet":
        return _has_no_clusters(path)
    if suffix in (".onnx", ".pt2"):
        return MODEL.encode() not in path.read_bytes()
    return suffix in ("", ".csv", ".txt") and _first_columns(path) not in _HEADERS


def _first_columns(path: Path) -> tuple[str, ...]:
    with contextlib.suppress(OSError, UnicodeError, csv.Error):
        with path.open("rb") as file:
            first = decode_text(file.readline(_HEAD)).strip()
        for separator in ",;\t":  # a spreadsheet may have written it anew
            cells = next(csv.reader([first], delimiter=separator), [])
            if len(cells) > 1:
                return tuple(cell.strip() for cell in cells[:2])
    return ()


def _has_no_clusters(path: Path) -> bool:
    import pyarrow.parquet as pq

    try:
        names = set(pq.read_schema(path).names)
    except (OSError, ValueError):
        return False
    return "id" not in names or not {"label", "cluster"} & names
