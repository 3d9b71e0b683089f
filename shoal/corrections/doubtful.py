"""Single images that learning is least sure of: where groups are nearly right, they say most."""

from __future__ import annotations

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.corrections.questions import STRIP, Question
from shoal.corrections.spread import Spread
from shoal.protocols import IntArray

_SURE = 0.8
"""An image whose likeliest group leads by this share is not counted as doubtful."""
_CANDIDATES = 9
"""As many as there are keys."""


def doubtful(group: IntArray, left: BoolArray, learned: Spread) -> tuple[Question | None, int]:
    """The question about the most doubtful images, each with a guess, and how many are doubtful.

    Args:
        group: int64 (n,), the group of each image.
        left: bool (n,), the images that may be asked about.
        learned: what `spread` makes of the same groups.
    """
    free = np.flatnonzero(left & (group != NOWHERE))
    if not len(free) or len(learned.ids) < 2:
        return None, 0
    share = learned.membership[free]
    best_two = np.partition(share, -2, axis=1)[:, -2:]
    lead = best_two[:, 1] - best_two[:, 0]
    n_doubtful = max(int((lead < _SURE).sum()), 1)
    places = np.argsort(lead, kind="stable")[:STRIP]
    rows, likely = free[places], share[places]
    ranked = np.argsort(-likely, axis=1, kind="stable")[:, :2]
    votes = np.zeros(share.shape[1])
    np.add.at(votes, ranked, np.take_along_axis(likely, ranked, axis=1))
    votes[ranked[:, 0]] += len(rows)  # those that are guessed are among them
    candidates = np.sort(np.argsort(-votes, kind="stable")[: min(_CANDIDATES, (votes > 0).sum())])
    present, counts = np.unique(group[rows], return_counts=True)
    mean = likely.mean(axis=0)
    guesses = learned.ids[ranked[:, 0]].tolist()
    return Question(
        -1, rows, rows, int(present[counts.argmax()]),
        tuple(learned.ids[candidates].tolist()), tuple(mean[candidates].tolist()),
        float((1.0 - likely.max(axis=1)).sum()),
        "Each of these could as well be in another group.", tuple(guesses),
    ), n_doubtful  # fmt: skip
