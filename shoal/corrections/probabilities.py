"""How likely each group of a person is for each image."""

from __future__ import annotations

import numpy as np

from shoal.corrections.corrected import numbers
from shoal.corrections.honoured import Corrections, groups_under
from shoal.embedding.table import ImageTable
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray


def group_probabilities(
    table: ImageTable, corrections: Corrections, checkpoint: Checkpoint
) -> FloatArray:
    """How likely each group is for each image, float32 (n, g); rows sum to 1.

    The largest number of a row is at the image's own group, and is its confidence, or a little more
    where that would not be the largest. The rest is shared as the memberships in clusters say: a
    cluster counts for the groups of its corrected images.

    Args:
        table: n images with embedding, as `honour` gives it.
        corrections: which it honours.
        checkpoint: which embedded the images.
    """
    division = corrections.division
    groups, pile, _ = groups_under(corrections, checkpoint, division)
    number = numbers(groups, groups)
    n_groups = max(len(number), int(table.labels.max(initial=0)) + 1)
    memberships = division.memberships(table.embedding, checkpoint)
    shares = np.zeros((memberships.shape[1], n_groups), dtype=np.float32)
    if pile is not None:
        row_of = groups.pile.row_of
        for name, cluster in zip(pile.ids, pile.labels.tolist(), strict=True):
            if name in row_of:
                shares[cluster, number[int(groups.group[row_of[name]])]] += 1
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    rows = np.arange(len(table))
    others = memberships @ shares + np.float32(1e-6)
    others[rows, table.labels] = 0
    others /= np.maximum(others.sum(axis=1, keepdims=True), 1e-30)
    most = others.max(axis=1)
    own = np.maximum(table.confidence, most / (1 + most)) if n_groups > 1 else np.ones(len(table))
    result: FloatArray = (others * (1 - own)[:, None]).astype(np.float32)
    result[rows, table.labels] = own
    return result
