"""What a person decided, as plain numbers for training: the group of each image, or nothing."""

from __future__ import annotations

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.honoured import Corrections
from shoal.corrections.known import known_rows
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.csv_files import as_text
from shoal.protocols import ImageSource, IntArray


def decided_groups(source: ImageSource, corrections: Corrections) -> IntArray:
    """The group of each image of ``source`` that a person decided, int64 (n,); -1 of the others.

    Images that belong nowhere are among the others: they need not be alike.

    Raises:
        DataError: the corrections are of other images, or fewer than two images were decided.
    """
    groups = corrections.groups
    ids = [as_text(name) for name in source.ids]
    nothing = ImageTable.of_labels(ids, np.zeros(len(ids), dtype=np.int64))
    of = corrections.about("images")
    try:
        known = known_rows(nothing, groups, same_pile=source.digest() == of if of else None)
    except DataError as error:
        raise DataError(f"{corrections.path} does not fit: {error}") from None
    told = np.full(len(ids), -1, dtype=np.int64)
    for row in np.flatnonzero(known).tolist():
        place = groups.pile.row_of[ids[row]]
        if groups.decided[place] and groups.group[place] != NOWHERE:
            told[row] = groups.group[place]
    if (told >= 0).sum() < 2:
        raise DataError(
            f"{corrections.path} decides {(told >= 0).sum()} of these images, and training learns "
            "from 2 or more; move or confirm images in 'shoal review'."
        )
    return told
