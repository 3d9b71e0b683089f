"""Expected accuracy: how often images are right, as far as can be known without labels.

The constants were fitted to many piles by `benchmarks/calibration.py`; how far off the rule is on
piles that it was not fitted to, docs/measurements.md tells under "Confidence".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.protocols import IntArray
from shoal.scoring.signals import Signals

_INTERCEPT, _OVERLAP, _COHESION = -3.16, 0.96, 7.03
"""Of the log-odds of the way from chance to 1: alone, by log overlap, by stability × purity."""
_SPREAD = 0.16
"""Root mean square error of the estimate on piles that it was not fitted to."""
_BY_CHANCE = 0.02
"""The neighbour overlap of views that have nothing in common: 20 of 1,000."""


@dataclass(frozen=True)
class Estimate:
    """How often images are right under the best one-to-one naming of clusters."""

    expected_accuracy: float
    """In [1 / k, 1]."""
    low: float
    """From here …"""
    high: float
    """… to here it was for about nine of ten piles that were measured."""


def estimate(signals: Signals, sizes: IntArray) -> Estimate:
    """Expected accuracy of a clustering from what speaks for it.

    Args:
        signals: what was measured.
        sizes: int64 (k,), how many images each cluster holds.
    """
    chance = 1.0 / len(sizes)
    odds = _INTERCEPT + _OVERLAP * log_overlap(signals) + _COHESION * cohesion(signals, sizes)
    mean = chance + (1.0 - chance) / (1.0 + float(np.exp(-odds)))
    return Estimate(mean, max(chance, mean - 1.64 * _SPREAD), min(1.0, mean + 1.64 * _SPREAD))


def log_overlap(signals: Signals) -> float:
    """How far neighbours stay neighbours when shown differently, beyond chance, as a logarithm.

    It tells a trained embedding from an untrained one, in which clusters can be as stable.
    """
    overlap = signals.neighbour_overlap
    return float(np.log(max(overlap - _BY_CHANCE, 0.001)) if np.isfinite(overlap) else np.log(0.1))


def cohesion(signals: Signals, sizes: IntArray) -> float:
    """Stability, less the chance that clusters of these sizes give, times purity, in [0, 1]."""
    chance = float(np.square(sizes / sizes.sum()).sum())
    if chance == 1.0:
        return 0.0
    stability = (signals.stability - chance) / (1.0 - chance)
    return max(stability, 0.0) * max(signals.purity, 0.0)
