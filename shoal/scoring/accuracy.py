"""Expected accuracy: how often images are right, as far as can be known without labels.

The constants were fitted to many piles by `benchmarks/calibration.py`; how far off the rule is on
piles that it was not fitted to, docs/measurements.md tells under "Confidence".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.scoring.signals import Signals

_WEIGHTS = {"intercept": -0.3, "neighbour_overlap": 0.9, "stability": 0.4, "purity": 0.4}
_MEANS = {"neighbour_overlap": -2.0, "stability": 0.8, "purity": 0.85}
_SCALES = {"neighbour_overlap": 0.6, "stability": 0.12, "purity": 0.1}
_SPREAD = 0.12
"""Root mean square error of the estimate on piles that it was not fitted to."""


@dataclass(frozen=True)
class Estimate:
    """How often images are right under the best one-to-one naming of clusters."""

    expected_accuracy: float
    """In [1 / k, 1]."""
    low: float
    """From here …"""
    high: float
    """… to here it was for about nine of ten piles that were measured."""


def estimate(signals: Signals, n_clusters: int) -> Estimate:
    """Expected accuracy of a clustering from what speaks for it.

    A logistic function of three signals, the share of the way from chance, 1 / k, to 1.

    Args:
        signals: what was measured.
        n_clusters: k.
    """
    chance = 1.0 / n_clusters
    measured = {
        "neighbour_overlap": float(np.log(max(signals.neighbour_overlap, 0.02))),
        "stability": (signals.stability - chance) / (1.0 - chance),
        "purity": signals.purity,
    }
    odds = _WEIGHTS["intercept"]
    for name, value in measured.items():
        if np.isfinite(value):
            odds += _WEIGHTS[name] * (value - _MEANS[name]) / _SCALES[name]
    mean = chance + (1.0 - chance) / (1.0 + float(np.exp(-odds)))
    return Estimate(mean, max(chance, mean - 1.64 * _SPREAD), min(1.0, mean + 1.64 * _SPREAD))
