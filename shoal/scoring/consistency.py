"""Consistency under augmentation: do clusters survive what should not matter to them?

Every image is shown twice more as it might as well have been taken, a little cropped, turned and
recoloured. The views are the same whatever the recipe, so that scores compare between recipes, one
that trains on no views at all among them; but what training was told to keep, such as colours that
tell kinds apart, they keep, see `evaluation_views`. Which scores follow the true accuracy was
measured: docs/measurements.md, "The score without labels".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import mean

import numpy as np

from shoal.clustering.partitions import agreement
from shoal.protocols import IntArray

FEWEST_IMAGES = 20
"""In a smaller pile the nearest neighbours of an image are all other images."""


def combine(view_agreement: float, recognition: float) -> float:
    """Consistency: one score, in [0, 1], the geometric mean of view agreement and recognition.

    The first asks whether an image stays in its cluster when it is shown differently, and
    follows the accuracy about as well alone; the second, whether it stays itself, is a guard
    against an embedding that throws everything together, whose few clusters would be consistent.
    What was measured: `benchmarks/label_free.py`.

    >>> round(combine(0.8, 0.9), 3), combine(-0.1, 1.0)
    (0.849, 0.0)
    """
    return float(np.sqrt(max(view_agreement, 0.0) * recognition))


def combined(labels: Sequence[IntArray], recognition: float) -> float:
    """The same from clusters: ``labels`` of the images and of their views, each int64 (n,)."""
    return combine(view_agreement(labels), recognition)


def view_agreement(labels: Sequence[IntArray]) -> float:
    """Mean agreement of any two of several clusterings of the same images, in [-0.5, 1]."""
    return mean(agreement(*pair) for pair in combinations(labels, 2))


def in_words(consistency: float, view_agreement: float = 0.0) -> str:
    """A score in words. The steps, at 0.4 and 0.7, are a manner of speaking, not measured.

    ``view_agreement`` tells a low score of clusters that stay as they are: images look alike.

    >>> in_words(0.82)
    'consistent: the clusters hardly change when images are shown a little differently'
    >>> in_words(0.5, 0.9).partition(":")[0]
    'the clusters are consistent, but many images are not told from one another'
    """
    if consistency >= 0.7:
        return "consistent: the clusters hardly change when images are shown a little differently"
    if view_agreement >= 0.7:
        return (
            "the clusters are consistent, but many images are not told from one another: they "
            "look alike when they are shown a little differently"
        )
    if consistency >= 0.4:
        return (
            "consistent in part: shown a little differently, many images change their cluster or "
            "are no longer like themselves"
        )
    return "not consistent: the clusters depend on how the images happen to be shown"
