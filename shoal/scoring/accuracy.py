"""Expected accuracy: how often images are right, as far as can be known without labels.

The constants were fitted to many piles by `benchmarks/calibration.py`, each judged by a rule that
had not seen it; docs/measurements.md, "Confidence", tells how far off that is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.protocols import IntArray
from shoal.scoring.signals import Signals

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


def estimate(signals: Signals, n_clusters: int, sizes: IntArray) -> Estimate:
    """Expected accuracy of a clustering from what speaks for it.

    Args:
        signals: what was measured.
        n_clusters: k.
        sizes: int64 (k,), images in each.
    """
    chance = 1.0 / n_clusters
    known = [
        share for share in (signals.view_agreement, signals.stability, signals.method_agreement)
        if np.isfinite(share)
    ]  # fmt: skip
    beyond = max(0.0, (float(np.prod(known)) - chance) / (1.0 - chance)) if chance < 1 else 1.0
    if np.isfinite(signals.recognition):
        beyond *= np.sqrt(signals.recognition)
    mean = chance + (1.0 - chance) * beyond
    return Estimate(mean, max(chance, mean - 1.64 * _SPREAD), min(1.0, mean + 1.64 * _SPREAD))
