"""Mending a damaged journal with the table beside it, which holds what its first line said."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from pathlib import Path

from shoal.clustering.digest import IMAGES
from shoal.corrections.entry import Entry
from shoal.corrections.journal_file import line_of, reviewed_beside, start_of
from shoal.corrections.mend import Mended, mend
from shoal.embedding.table import result_digest
from shoal.errors import DataError
from shoal.export.clustering_digest import stored_digest
from shoal.export.prediction import load_prediction

_HEAD = re.compile(r'"time":"([^"]*)","op":"start","says":"([^"]*)"')
_IDS = b'"ids":'


def mend_corrections(path: str | Path) -> Mended | None:
    """Keep a damaged file of corrections aside, and go on with what can be read; see `mend`.

    Raises:
        DataError: there is none, it is no journal, or a newer version of shoal wrote it.
        OutputError: it cannot be written, or another process has it open.
    """
    return mend(path, lambda piece: _begin(reviewed_beside(path), piece))


def _begin(reviewed: Path, piece: bytes) -> Entry | None:
    """The first entry of a journal about a table; None if there is none that fits the piece."""
    if not reviewed.is_file():
        return None
    with contextlib.suppress(DataError):
        table = load_prediction(reviewed)
        entry = start_of(table, {
            "result": result_digest(table.ids, table.labels),
            "images": stored_digest(reviewed, IMAGES), "clustering": stored_digest(reviewed),
        })  # fmt: skip
        head = _HEAD.search(piece.decode("utf-8", "replace"))
        entry = replace(entry, n=1, time=head[1], says=head[2]) if head else replace(entry, n=1)
        return entry if _agrees(piece, line_of(entry)) else None
    return None


def _agrees(piece: bytes, line: bytes) -> bool:
    """Whether the ids and groups in a piece of a line, at least half of them, stand in the line."""
    left, whole = (part.rstrip(b"\0\n").partition(_IDS)[2] for part in (piece, line))
    start = _alike(left, whole)
    end = _alike(left[start:][::-1], whole[start:][::-1])
    return 2 * (start + end) >= len(left)


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes the beginnings of two texts share."""
    differ = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))
