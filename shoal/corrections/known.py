"""Which images of a table are those that a person corrected.

An id alone does not say so: the rows of another array have the same numbers, and cameras give next
week's photographs the names of last week's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shoal.corrections.groups import BoolArray, Groups
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.csv_files import as_text
from shoal.protocols import IntArray

_TOLERANCE = 0.01
"""The greatest distance between two embeddings of one image, as a share of the mean length. Other
machines round differently."""


def known_rows(
    table: ImageTable, groups: Groups, *, same_pile: bool | None = None,
    reviewed: ImageTable | None = None,
) -> BoolArray:  # fmt: skip
    """Which rows of ``table`` are images of ``groups``, bool (n,).

    Args:
        table: n images.
        groups: of the corrected images.
        same_pile: whether the pixels of the two piles are the same; None if that is not known.
        reviewed: a table of the corrected images with the embedding of the same checkpoint. An
            image is the same if its embedding is.

    Raises:
        DataError: images are named by their row alone, and nothing tells whether they are the same.
    """
    ids = [as_text(name) for name in table.ids]
    known = np.array([name in groups.pile.row_of for name in ids], dtype=bool)
    if same_pile or not known.any():
        return known
    if reviewed is not None and table.has_embedding:
        return known & _as_before(table, ids, reviewed)
    other = same_pile is False or len(ids) != len(groups.ids)
    if other and all(name.isdecimal() for name in ids):
        raise DataError(
            f"these {len(ids):,} images are not the {len(groups.ids):,} that were corrected, and "
            "both are named by their row alone."
        )
    return known


def with_new_ids(table: ImageTable, known: BoolArray, groups: Groups) -> ImageTable:
    """The table with another id for each image that only shares its id with a corrected one."""
    ids = [as_text(name) for name in table.ids]
    for row in np.flatnonzero(~known).tolist():
        if ids[row] in groups.pile.row_of:
            ids[row] += "\0new"
    return replace(table, ids=ids)


def _as_before(table: ImageTable, ids: list[str], reviewed: ImageTable) -> BoolArray:
    """Which images have the embedding that the reviewed image of their id has."""
    row_of = {as_text(name): row for row, name in enumerate(reviewed.ids)}
    rows: IntArray = np.array([row_of.get(name, -1) for name in ids], dtype=np.int64)
    if table.embedding.shape[1] != reviewed.embedding.shape[1]:
        return rows >= 0
    distance = np.linalg.norm(table.embedding - reviewed.embedding[rows], axis=1)
    length = float(np.linalg.norm(reviewed.embedding, axis=1).mean())
    same: BoolArray = (rows >= 0) & (distance <= _TOLERANCE * length)
    return same
