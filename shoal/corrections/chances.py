"""How likely each image is in the right group, by all that was said until now.

Before anything is said, the result's own confidence stands. With each strip of images that a person
decides it counts less, and the share that learning gives to an image's present group counts more.
That share follows answers, learning and merges. It may be too sure, so it is held against what the
person said: learning is asked about decided images that it did not hear of, and where it is wrong
about more of them than its shares say, it is taken to be so much oftener wrong about all others. As
long as few were decided, the result's confidence stands in for what they would say.

The images that were decided are no random sample: questions go where doubt is highest. So this
rather says too little than too much. Measured: benchmarks/clicks.py, benchmarks/LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shoal.corrections.corrected import corrected_confidence
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import Groups
from shoal.corrections.spread import Spread
from shoal.corrections.trust import PART, Fit, shares
from shoal.protocols import FloatArray

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
    by_result = float((1.0 - before[rows]).mean()), float(doubt.mean())
    times, at_least = _doubted(learned.fit, learned.strength, by_result)
    heard = np.clip(doubt * times, at_least, 1.0)
    decided = place[groups.decided & (groups.group != NOWHERE)]
    strips = np.bincount(decided, minlength=len(learned.ids)) / PART
    of_others = np.minimum(strips, _MOST_OF_A_GROUP)
    counts = strips + of_others.sum() - of_others
    old = _FADES ** counts[place[rows]]
    chance[rows] = old * before[rows] + (1.0 - old) * (1.0 - heard)
    return chance


def _doubted(fit: Fit, strength: FloatArray, by_result: tuple[float, float]) -> tuple[float, float]:
    """How many times as many images learning is wrong about as its shares say; 1 or more.

    And the share that it is wrong about at least, of all images: no doubt is too small to be left
    where most of what it did not hear of contradicts it. That share is what it is wrong about
    beyond its own doubts, and less where these were not far off.

    Args:
        fit: to the decided images.
        strength: float32 (n,), how much learning counts for each image.
        by_result: the share that is wrong of all others by the result, and as its shares say.
    """
    share = shares(fit.mean + strength[fit.rows, None] * fit.left_out)
    wrong = float((share.argmax(axis=1) != fit.said.argmax(axis=1)).sum()) / PART
    expected = float((1.0 - share.max(axis=1)).sum()) / PART
    beyond = max(0.0, wrong - expected) / (len(fit.rows) / PART + _STANDS_IN)
    at_least = beyond * max(0.0, 1.0 - expected / max(wrong, 1e-6)) ** 2
    wrong += _STANDS_IN * by_result[0]
    expected += _STANDS_IN * by_result[1]
    return max(1.0, wrong / max(expected, 1e-6)), at_least


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
