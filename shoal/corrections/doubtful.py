"""Single images that learning is least sure of: where groups are nearly right, they say most."""

from __future__ import annotations

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.corrections.questions import STRIP, Question
from shoal.corrections.spread import Spread
from shoal.protocols import IntArray

MOST_CANDIDATES = 9
"""As many as there are keys."""


def doubtful(group: IntArray, left: BoolArray, learned: Spread) -> Question | None:
    """The question about the most doubtful images, each with a guess; None where none is left.

    Args:
        group: int64 (n,), the group of each image.
        left: bool (n,), the images that may be asked about.
        learned: what `spread` makes of the same groups.
    """
    free = np.flatnonzero(left & (group != NOWHERE))
    if not len(free) or len(learned.ids) < 2:
        return None
    share = learned.membership[free]
    best_two = np.partition(share, -2, axis=1)[:, -2:]
    lead = best_two[:, 1] - best_two[:, 0]
    places = np.argsort(lead, kind="stable")[:STRIP]
    rows, likely = free[places], share[places]
    guesses, candidates = of_each(rows, learned)
    present, counts = np.unique(group[rows], return_counts=True)
    shares = likely.mean(axis=0)[np.searchsorted(learned.ids, candidates)]
    return Question(
        -1, rows, rows, int(present[counts.argmax()]), candidates, tuple(shares.tolist()),
        float((1.0 - likely.max(axis=1)).sum()),
        "Each of these could as well be in another group.", guesses,
    )  # fmt: skip


def of_each(rows: IntArray, learned: Spread) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The likeliest group of each image, and the groups that some of them may belong to.

    Args:
        rows: int64 (m,), the images.
        learned: what `spread` makes of the groups.

    Returns:
        A group for each image, and up to nine groups, ascending: those that are among the two
        likeliest of an image first, then those that are likely for all.
    """
    likely = learned.membership[rows]
    ranked = np.argsort(-likely, axis=1, kind="stable")[:, :2]
    votes = likely.mean(axis=0)
    np.add.at(votes, ranked, 1.0 + np.take_along_axis(likely, ranked, axis=1))
    votes[ranked[:, 0]] += 3.0 * len(rows)  # those that are guessed are among them
    candidates = np.sort(np.argsort(-votes, kind="stable")[:MOST_CANDIDATES])
    return tuple(learned.ids[ranked[:, 0]].tolist()), tuple(learned.ids[candidates].tolist())
