"""A table whose pile has lost images since: the part of it that can still be exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from shoal.embedding.table import ImageTable
from shoal.images.csv_files import look_up, places_of
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource, IntArray


def without_missing(
    table: ImageTable, source: ImageSource
) -> tuple[ImageTable, IntArray, list[str]]:
    """Divide a table into the images that are in the pile and those that are not.

    Returns:
        The table of the images that are in the pile, their rows in the pile, int64 (n,), and the
        ids of the other images.

    Raises:
        DataError: no image of the table is in the pile.

    >>> from shoal.images.array import ArraySource
    >>> pile = ArraySource(np.zeros((2, 4, 4), np.uint8), ids=["a.png", "b.png"])
    >>> table = ImageTable.of_labels(["gone.png", "b.png"], np.array([0, 1]))
    >>> kept, rows, missing = without_missing(table, pile)
    >>> kept.ids, rows.tolist(), missing
    (['b.png'], [1], ['gone.png'])
    """
    places = places_of(source.ids)
    kept = [number for number, name in enumerate(table.ids) if name in places]
    missing = [name for name in table.ids if name not in places]
    if missing and not kept:
        look_up(missing, source.ids, table.path or Path("the table"))  # raises
    rows = np.array([places[table.ids[number]] for number in kept], dtype=np.int64)
    return (table if not missing else _select(table, kept)), rows, missing


def is_of_other_rows(source: ImageSource, checkpoint: Checkpoint, prediction: Path) -> bool:
    """Whether a run's own table numbers the rows of another pile than ``source``.

    Ids that are numbers of rows fit any pile. What a file is called says which image it is, so of
    files nothing is said.

    Args:
        source: the pile.
        checkpoint: of the run.
        prediction: a table beside it.
    """
    numbered = all(name == str(row) for row, name in enumerate(source.ids))
    own = prediction.name in ("prediction.csv", "table.parquet")
    return own and numbered and checkpoint.origin.digest != source.digest()


def _select(table: ImageTable, numbers: list[int]) -> ImageTable:
    """The images ``numbers`` of a table as a table."""
    return replace(
        table,
        ids=[table.ids[number] for number in numbers],
        labels=table.labels[numbers],
        embedding=table.embedding[numbers],
        confidence=table.confidence[numbers],
        xy=None if table.xy is None else table.xy[numbers],
        familiarity=None if table.familiarity is None else table.familiarity[numbers],
        decided=None if table.decided is None else table.decided[numbers],
        names=None if table.names is None else [table.names[number] for number in numbers],
    )
