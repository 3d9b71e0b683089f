"""A table as a person left it: the groups of the journal in place of the clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shoal.corrections.groups import Groups
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.csv_files import as_text

_INFERRED = 0.5
"""Confidence was calibrated for the cluster that an image was in, not for one it is moved to."""


def corrected(table: ImageTable, groups: Groups) -> ImageTable:
    """The table with the groups as labels, numbered by size, and their names.

    Images that belong nowhere have the last number. The confidence of an image that a person
    decided is 1; of an image that shoal moved by what was said of others it is at most 0.5.

    Args:
        table: of the same images as ``groups``, in any order.
        groups: what a person made of them.

    Raises:
        DataError: the table has an image that the corrections do not know.
    """
    ids = [as_text(name) for name in table.ids]
    unknown = next((name for name in ids if name not in groups.pile.row_of), None)
    if unknown is not None:
        raise DataError(
            f"the corrections do not know the image {unknown!r}; carry them over first."
        )
    rows = groups.pile.rows(ids)
    group = groups.group[rows]
    order = {known: number for number, known in enumerate(groups.sizes)}
    labels = np.array([order[known] for known in group.tolist()], dtype=np.int64)
    inferred = np.minimum(table.confidence, _INFERRED)
    confidence = np.where(groups.inferred[rows], inferred, table.confidence)
    confidence = np.where(groups.decided[rows], 1.0, confidence).astype(np.float32)
    names = [groups.title(known) for known in group.tolist()]
    return replace(table, labels=labels, confidence=confidence, names=names, named_for="")
