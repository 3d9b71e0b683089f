"""How likely each image is in the right group, by all that was said until now.

Before anything is said, the result's own confidence stands. With each strip of images that a person
decides it counts less, and the share that learning gives to an image's present group counts more.
That share follows answers, learning and merges. It may be too sure, so it is held against what the
person said: learning is asked about decided images that it did not hear of, and where it is wrong
about more of them than its shares say, it is taken to be so much oftener wrong about all others. If
its shares do not tell the answers that it is wrong about from the others, as where the embedding
does not show the kinds, they say nothing of other images, either: then those are as often wrong as
the answers. As long as few were decided, the result's confidence stands in for what they would say.

The images that were decided are no random sample: questions go where doubt is highest. So this
rather says too little than too much. Measured: benchmarks/clicks.py, benchmarks/LOG.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from shoal.corrections.corrected import corrected_confidence
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.corrections.spread import Spread
from shoal.corrections.trust import PART, Fit, shares
from shoal.protocols import FloatArray, IntArray

_FADES = 0.8
"""What the result's confidence counts after a strip, where it counted 1 before."""
_MOST_OF_A_GROUP = 3.0
"""Strips of one group that say something of another one, at most."""
_STANDS_IN = 3.0
"""Strips that the result's confidence counts, where shares are held against what was said: the
first answers may be right by chance."""


def chances(learned: Spread, before: FloatArray, groups: Groups) -> FloatArray:
    """The chance that each image is in the right group, float32 (n,) in [0, 1].

    It is 1 where a person decided, and where there is one group. Of images that belong nowhere
    learning says nothing.

    Args:
        learned: what `spread` makes of the groups.
        before: float32 (n,), see `from_the_result`.
        groups: as they are.
    """
    chance = np.where(groups.decided, np.float32(1.0), before)
    rows = np.flatnonzero(~groups.decided & (groups.group != NOWHERE))
    if len(learned.ids) == 1:
        chance[rows] = 1.0
        return chance
    if learned.fit is None or not len(rows):
        return chance
    place = np.searchsorted(learned.ids, groups.group)
    share = learned.likely(rows)[np.arange(len(rows)), place[rows]]
    doubt = 1.0 - share
    by_result = float((1.0 - before[rows]).mean())
    heard = _held_against(learned.fit, learned.strength, doubt, place[rows], by_result)
    decided = place[groups.decided & (groups.group != NOWHERE)]
    strips = np.bincount(decided, minlength=len(learned.ids)) / PART
    of_others = np.minimum(strips, _MOST_OF_A_GROUP)
    counts = strips + of_others.sum() - of_others
    old = _FADES ** counts[place[rows]]
    chance[rows] = old * before[rows] + (1.0 - old) * (1.0 - heard)
    return chance


def _held_against(
    fit: Fit, strength: FloatArray, doubt: FloatArray, place: IntArray, by_result: float
) -> FloatArray:
    """How likely images are in a wrong group by learning, held against what was said, float32 (m,).

    Args:
        fit: to the decided images.
        strength: float32 (n,), how much learning counts for each image of the pile.
        doubt: float32 (m,), how likely each of the images is in a wrong group by its shares.
        place: int64 (m,), the group that each of them is in, from 0.
        by_result: the share of them that is wrong by the result.
    """
    share = shares(fit.mean + strength[fit.rows, None] * fit.left_out)
    guess, unsure = share.argmax(axis=1), 1.0 - share.max(axis=1)
    wrong = guess != fit.said.argmax(axis=1)
    n_wrong, expected = float(wrong.sum()), float(unsure.sum())
    stands_in = _STANDS_IN * PART
    times = (n_wrong + stands_in * by_result) / max(
        expected + stands_in * float(doubt.mean()), 1e-6
    )
    # No doubt is too small to be left where most of what it did not hear of contradicts learning:
    # at least what it is wrong about beyond its doubts, and less where these were not far off.
    at_least = max(0.0, n_wrong - expected) / (len(wrong) + stands_in)
    at_least *= max(0.0, 1.0 - expected / max(n_wrong, 1e-6)) ** 2
    by_share = np.clip(doubt * max(1.0, times), at_least, 1.0)
    # The result counts as one strip of all groups, and all of them as one strip of each.
    of_all = (n_wrong + PART * by_result) / (len(wrong) + PART)
    n_groups = share.shape[1]
    of_group = np.bincount(guess, weights=wrong, minlength=n_groups) + PART * of_all
    of_group /= np.bincount(guess, minlength=n_groups) + PART
    blind = blindness(unsure, wrong)
    held: FloatArray = ((1.0 - blind) * by_share + blind * of_group[place]).astype(np.float32)
    return held


def blindness(doubt: FloatArray, wrong: BoolArray) -> float:
    """How well it fits that doubt does not tell wrong answers from right ones, in [0, 1].

    The p-value of the rank test of Mann and Whitney (1947) by the normal distribution: how often so
    large a share of the pairs, of a wrong and a right answer, would have the wrong one more
    doubtful, or the right one, if doubt said nothing. 1 where that share is no more than half.

    Args:
        doubt: float32 (m,).
        wrong: bool (m,).

    >>> doubt = np.linspace(0, 1, 40, dtype=np.float32)
    >>> blindness(doubt, doubt > 0.5) < 0.001, blindness(doubt, np.arange(40) % 2 == 0)
    (True, 1.0)
    """
    n_wrong, n_right = int(wrong.sum()), int((~wrong).sum())
    if not n_wrong or not n_right:
        return 0.0
    _, which, counts = np.unique(doubt, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[which]  # equal doubts share their ranks
    pairs = (rank[wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * n_right)
    spread = np.sqrt((n_wrong + n_right + 1) / (12 * n_wrong * n_right))
    return math.erfc(max(0.0, (pairs - 0.5) / spread) / math.sqrt(2.0))


def from_the_result(
    confidence: FloatArray, groups: Groups, clusters: Callable[[], FloatArray]
) -> FloatArray:
    """What the result says of each image in its present group, float32 (n,) in [0, 1].

    Where a group holds most of several clusters, their chances add up.

    Args:
        confidence: float32 (n,), of each image in the cluster that the result gave it.
        groups: as they are.
        clusters: gives float32 (n, k), how likely each cluster of the result is for each image, the
            clusters ascending without `NOWHERE`; it is asked only where some were merged.
    """
    nobody = np.zeros_like(groups.decided)
    chance = corrected_confidence(confidence, nobody, groups.inferred)
    plain = ~groups.inferred & ~groups.decided
    plain &= (groups.group != NOWHERE) & (groups.result != NOWHERE)
    ids = np.unique(groups.result[groups.result != NOWHERE])
    of = np.searchsorted(ids, groups.result)
    home = np.full(len(ids), NOWHERE, dtype=np.int64)
    for number in range(len(ids)):
        there, counts = np.unique(groups.group[plain & (of == number)], return_counts=True)
        if len(there) and 2 * counts.max() > counts.sum():
            home[number] = there[counts.argmax()]
    there, counts = np.unique(home[home != NOWHERE], return_counts=True)
    rows = np.flatnonzero(plain & np.isin(groups.group, there[counts > 1]))
    if not len(rows):
        return chance
    share = clusters()[rows]
    own = np.arange(len(rows)), of[rows]
    joined = (home == groups.group[rows][:, None]).astype(np.float32)
    joined[own] = 0.0
    apart = np.maximum(1.0 - share[own], 1e-6)
    chance[rows] += (1.0 - chance[rows]) * np.clip((share * joined).sum(axis=1) / apart, 0.0, 1.0)
    return chance
