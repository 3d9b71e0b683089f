"""Expected accuracy: how many images are in the right cluster, estimated without labels.

`benchmarks/calibration.py` fitted the constants to many piles. docs/measurements.md, "Confidence",
shows the errors of the estimate on piles that it was not fitted to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.protocols import IntArray
from shoal.scoring.one_piece import is_one_piece
from shoal.scoring.signals import Signals, follows_light
from shoal.scoring.than_noise import weight

_SHOWN = (-5.70, 4.81, 4.17)
"""The log-odds of the expected share of the way from chance to 1: a constant, and the weights of
`cohesion` and of the square root of `Signals.shown`."""
_BEYOND = -2.1
"""What `light_beyond` takes off them."""
_UNSHOWN = (-3.16, 7.03, 0.96)
"""The same where it is not known what images show, as of vectors: a constant, and the weights of
`cohesion` and of `log_overlap`."""
_CLEAR_CUT = 0.8
"""What `clear_cut` adds to them: groups of vectors that are clear in every way were all right, and
yet more than 0.84 of the way could not be expected."""
_SPREAD, _SPREAD_UNSHOWN = 0.12, 0.16
"""The root mean square error of the estimate on piles that it was not fitted to."""
_BY_CHANCE = 0.02
"""The neighbour overlap of unrelated embeddings of 1,000 images: 20 of 1,000."""
_CERTAIN = 0.99
"""The expected accuracy of clusters that are right by definition."""
ROUGH_BELOW = 300
"""For fewer images only a range is told: one image more or less moves the estimate by up to 0.25 on
30 images."""


@dataclass(frozen=True)
class Estimate:
    """An accuracy, with each cluster matched to one label."""

    expected_accuracy: float
    """In [1 / k, 1]."""
    low: float
    """Nine of ten measured piles were at least so accurate,"""
    high: float
    """and at most so accurate."""

    def rough(self) -> Estimate:
        """The same estimate with its range widened to whole tenths.

        >>> rough = Estimate(0.92, 0.66, 0.98).rough()
        >>> rough.low, rough.high
        (0.6, 1.0)
        """
        low, high = math.floor(self.low * 10) / 10, math.ceil(self.high * 10) / 10
        return Estimate(self.expected_accuracy, low, high)

    def text(self, n_images: int) -> str:
        """The estimate and its range in two decimals; for few images the rough range alone.

        >>> Estimate(0.92, 0.66, 0.98).text(8500), Estimate(0.92, 0.66, 0.98).text(30)
        ('0.92 (0.66 – 0.98)', '0.6 – 1.0')
        """
        if n_images < ROUGH_BELOW:
            rough = self.rough()
            return f"{rough.low:.1f} – {rough.high:.1f}"
        return f"{self.expected_accuracy:.2f} ({self.low:.2f} – {self.high:.2f})"


def estimate(
    signals: Signals, sizes: IntArray, *, labels: IntArray | None = None,
    identity: IntArray | None = None,
) -> Estimate:  # fmt: skip
    """The expected accuracy of a clustering.

    A clustering that puts each picture with all its copies into a cluster of its own is right by
    definition, whatever the signals say: in a pile of copies they are near chance.

    Args:
        signals: the label-free measurements of the clustering.
        sizes: int64 (k,), how many images each cluster holds.
        labels: int64 (n,), the clusters of the images measured, if known.
        identity: int64 (n,), equal numbers for copies of one picture, if known.

    >>> nothing = Signals(*[0.0] * 7)
    >>> labels, identity = np.array([1, 0, 0, 0]), np.array([0, 1, 1, 1])
    >>> estimate(nothing, np.array([3, 1]), labels=labels, identity=identity).expected_accuracy
    0.99
    """
    if labels is not None and identity is not None and _is_by_picture(labels, identity):
        return Estimate(_CERTAIN, _CERTAIN, 1.0)
    chance = 1.0 / len(sizes)
    known: tuple[float, ...] = (1.0, cohesion(signals, sizes))
    beyond = 0.0
    if math.isfinite(signals.shown):
        weights, spread = _SHOWN, _SPREAD
        known += (math.sqrt(max(signals.shown, 0.0)),)
        beyond = light_beyond(signals.light, signals.shown)
    else:
        weights, spread = _UNSHOWN, _SPREAD_UNSHOWN
        known += (log_overlap(signals),)
    odds = float(np.dot(weights, known)) + _CLEAR_CUT * clear_cut(signals, sizes)
    doubt = 0.0 if is_one_piece(signals.cut_inside) else weight(signals.beyond_noise)

    def expected(odds: float) -> float:
        return chance + doubt * (1.0 - chance) / (1.0 + math.exp(-odds))

    mean, if_light_tells = expected(odds + _BEYOND * beyond), expected(odds)
    low, high = mean - 1.64 * spread, if_light_tells + 1.64 * spread
    if follows_light(signals.light, signals.shown):  # right, or as if drawn by lot: both may be
        mean, low = min(mean, (chance + if_light_tells) / 2), chance
    return Estimate(mean, max(chance, low), min(1.0, high))


def share_text(share: float, n_images: int) -> str:
    """A share with as many decimals as ``n_images`` images allow, at most three.

    One image of 30 is 0.03 of them, so the second decimal of their mean says nothing. The rest is
    cut off, not rounded: 1.0 would say that all are right.

    >>> share_text(0.9234, 30), share_text(0.9234, 500), share_text(0.9237, 8500)
    ('0.9', '0.92', '0.923')
    >>> share_text(0.97, 30), share_text(1.0, 30)
    ('0.9', '1.0')
    """
    decimals = 1 if n_images < 100 else 2 if n_images < 1000 else 3
    return f"{math.floor(share * 10**decimals + 1e-6) / 10**decimals:.{decimals}f}"


def _is_by_picture(labels: IntArray, identity: IntArray) -> bool:
    """Whether each cluster holds all copies of one of several pictures."""
    pictures, clusters = np.unique(identity), np.unique(labels)
    pairs = np.unique(np.stack([labels, identity]), axis=1).shape[1]
    return 1 < len(pictures) < len(identity) and len(pictures) == len(clusters) == pairs


def log_overlap(signals: Signals) -> float:
    """The logarithm of the neighbour overlap of two views beyond chance.

    It tells a trained embedding from an untrained one, whose clusters can be as stable.
    """
    overlap = signals.neighbour_overlap
    return float(np.log(max(overlap - _BY_CHANCE, 0.001)) if np.isfinite(overlap) else np.log(0.1))


def light_beyond(light: float, shown: float) -> float:
    """How much better light and colours tell clusters than twice what images show: in [0, 1].

    Such clusters may be right, where colours tell kinds apart, and are else as if drawn by lot. It
    is 0 where light was not measured, as it is not where a person said that it counts.

    >>> light_beyond(0.9, 0.2), light_beyond(0.9, 0.6), light_beyond(float("nan"), 0.2)
    (0.5, 0.0, 0.0)
    """
    return max(light - 2.0 * max(shown, 0.0), 0.0) if math.isfinite(light) else 0.0


def clear_cut(signals: Signals, sizes: IntArray) -> float:
    """How far three or more groups of vectors are clear in every way, in [0, 1].

    They are far clearer than those of noise, found again in half of the vectors, other methods find
    them, too, and so many groups are found again by another: pieces of a walk lack the third, and
    two kinds taken for one the last (benchmarks/LOG.md). Of two groups it is 0: whatever falls into
    more falls into two as clearly.

    >>> clear = Signals(*[1.0] * 7, beyond_noise=1.0, strength=1.0)
    >>> clear_cut(clear, np.array([50, 40, 30])), clear_cut(clear, np.array([50, 40]))
    (1.0, 0.0)
    """
    if len(sizes) < 3 or math.isnan(signals.beyond_noise + signals.strength):
        return 0.0
    found_again, alike = cohesion(signals, sizes), signals.method_agreement
    return min(
        _share_of_way(found_again, 0.9, 1.0), _share_of_way(alike, 0.9, 1.0),
        _share_of_way(signals.beyond_noise, 0.7, 0.95), _share_of_way(signals.strength, 0.6, 0.9),
    )  # fmt: skip


def _share_of_way(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def cohesion(signals: Signals, sizes: IntArray) -> float:
    """Stability, corrected for chance with clusters of these sizes, times purity, in [0, 1]."""
    chance = float(np.square(sizes / sizes.sum()).sum())
    if chance == 1.0:
        return 0.0
    stability = (signals.stability - chance) / (1.0 - chance)
    return max(stability, 0.0) * max(signals.purity, 0.0)
