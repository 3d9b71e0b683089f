"""Calibration: what a membership is worth, so that confidence means how often images are right.

A membership says how surely a clusterer would put an image where it did, if its clusters were the
truth; of clusters that are not, it is as sure. How often images are right in the mean,
`accuracy.estimate` says; which of them more often than others, clusters found again in halves of
the pile (`signals`): the more often such images stay together, the more often they are right.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, fields

import numpy as np

from shoal.protocols import Array, FloatArray, IntArray
from shoal.scoring import consistency, quality
from shoal.scoring.accuracy import Estimate, estimate
from shoal.scoring.signals import NOT_TOLD, Reclusterings, Signals, Told, ViewSignals

_KNOTS = 21
_SHRUNK_BY = 200
"""A cluster's own level counts as much as this many images speak for it."""
_SLOPE = 0.5
"""How far the log-odds of being right follow those of the stability."""
MARGIN = 1e-4


@dataclass(frozen=True)
class Calibration:
    """The confidences of a clustering's memberships, and how far the clustering can be trusted."""

    estimate: Estimate
    """The estimated share of images that are right."""
    signals: Signals
    """The signals from which that was estimated."""
    memberships: FloatArray
    """float32 (k, m): for each cluster ascending memberships in [0, 1]."""
    confidences: FloatArray
    """float32 (k, m): their confidences, in [1 / k, 1]; between two memberships the confidence is
    interpolated."""

    @property
    def n_clusters(self) -> int:
        return len(self.memberships)

    def apply(self, membership: FloatArray) -> FloatArray:
        """Memberships float32 (n, k) as probabilities float32 (n, k), rows summing to 1.

        The largest of a row stays the largest and is the confidence; what is left over is divided
        as the other memberships are, or more evenly, where one of them would outgrow it.
        """
        n, k = membership.shape
        if k < 2:
            return np.ones_like(membership)
        rows, labels = np.arange(n), membership.argmax(axis=1)
        own = membership[rows, labels]
        sure = self._sure(own, labels)
        others = membership.astype(np.float64)
        others[rows, labels] = 0.0
        total = others.sum(axis=1, keepdims=True)
        even = np.full_like(others, 1.0 / (k - 1))
        even[rows, labels] = 0.0
        others = np.where(total > 1e-12, others / np.maximum(total, 1e-12), even)
        left = 1.0 - sure
        # As much of the others' own proportions as leaves each below the confidence.
        greatest, room = others.max(axis=1), (1.0 - MARGIN) * sure / left
        spare = np.maximum(greatest - 1.0 / (k - 1), 1e-12)
        share = np.clip((room - 1.0 / (k - 1)) / spare, 0.0, 1.0)[:, None]
        found = left[:, None] * (share * others + (1.0 - share) * even)
        found[rows, labels] = sure
        return found.astype(np.float32)

    def confidence(self, own: FloatArray, labels: IntArray) -> FloatArray:
        """The confidences of `apply` by the largest membership of each row alone.

        Args:
            own: float32 (n,), the largest memberships.
            labels: int (n,), the clusters that they are of.

        Returns:
            float32 (n,).
        """
        return self._sure(own, labels).astype(np.float32)

    def _sure(self, own: FloatArray, labels: IntArray) -> Array:
        sure = np.empty(len(own), dtype=np.float64)
        for cluster in range(self.n_clusters):
            members = labels == cluster
            sure[members] = np.interp(
                own[members], self.memberships[cluster], self.confidences[cluster]
            )
        return np.clip(sure, (1.0 + MARGIN) / self.n_clusters, 1.0 - MARGIN)


def calibrate(
    z: FloatArray,
    membership: FloatArray,
    reclusterings: Reclusterings,
    view_signals: ViewSignals,
    views: list[IntArray],
    identity: IntArray | None = None,
    told: Told = NOT_TOLD,
) -> Calibration:
    """What memberships are worth, from how the same n images fare otherwise.

    Args:
        z: float32 (n, d), the embedding in which clusters were found.
        membership: float32 (n, k), clusters numbered by size.
        reclusterings: the images divided again.
        view_signals: how two views of them compare; `signals.NO_VIEWS` where there are none.
        views: the clusters of each view, int64 (n,), numbered likewise; none where there are none.
        identity: int64 (n,), see `appearance.identities`; None if it is not known.
        told: what is known of the clusters without the embedding.
    """
    k = membership.shape[1]
    labels = membership.argmax(axis=1)
    own = membership[np.arange(len(labels)), labels].astype(np.float64)
    stable = reclusterings.stability(labels).astype(np.float64)
    signals = Signals(
        neighbour_overlap=view_signals.neighbour_overlap,
        recognition=view_signals.recognition,
        purity=quality.neighbour_purity(z, labels),
        stability=float(stable.mean()),
        method_agreement=reclusterings.method_agreement(labels),
        view_agreement=float(np.mean([view == labels for view in views])) if views else np.nan,
        consistency=consistency.combined([labels, *views], view_signals.recognition)
        if views
        else np.nan,
        **asdict(told),
    )
    sizes = np.bincount(labels, minlength=k)
    found = estimate(signals, sizes, labels=labels, identity=identity)
    at, level = _levels(own, labels, stable, k)
    scores = np.empty(len(own))
    for cluster in range(k):
        members = labels == cluster
        scores[members] = np.interp(own[members], at, level[cluster])
    moved_by = _shift(_logit(scores), found.expected_accuracy, k)
    worth = _sure(_logit(level), moved_by, k)
    memberships = np.broadcast_to(at, worth.shape)
    return Calibration(found, signals, memberships.astype(np.float32), worth.astype(np.float32))


def to_arrays(calibrations: list[Calibration]) -> dict[str, Array]:
    """For a checkpoint: of each candidate one, in their order."""
    if not calibrations:
        return {}
    return {
        "memberships": np.stack([each.memberships for each in calibrations]),
        "confidences": np.stack([each.confidences for each in calibrations]),
        "estimates": np.array([astuple(each.estimate) for each in calibrations]),
        "signals": np.array([astuple(each.signals) for each in calibrations]),
    }


def from_arrays(arrays: dict[str, Array], candidate: int = 0) -> Calibration | None:
    """The calibration of a candidate, counted from 0; None if there is none, as in older files."""
    if not arrays or candidate >= len(arrays["memberships"]):
        return None
    return Calibration(
        estimate=Estimate(*(float(x) for x in arrays["estimates"][candidate])),
        signals=Signals(*(float(x) for x in arrays["signals"][candidate][: len(fields(Signals))])),
        memberships=arrays["memberships"][candidate],
        confidences=arrays["confidences"][candidate],
    )


def _levels(own: Array, labels: IntArray, stable: Array, k: int) -> tuple[Array, Array]:
    """Knots of membership (m,), and the stability there in each cluster (k, m).

    One rising curve for all, by isotonic regression, moved up or down for each cluster as far as
    its own images speak for that.
    """
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip").fit(own, stable)
    at = np.quantile(own, np.linspace(0.0, 1.0, _KNOTS))
    common = curve.predict(at)
    beyond = stable - curve.predict(own)
    sums = np.bincount(labels, beyond, minlength=k)
    moved = sums / (np.bincount(labels, minlength=k) + _SHRUNK_BY)
    return at, np.clip(common[None] + moved[:, None], 0.0, 1.0)


def _logit(share: Array) -> Array:
    share = np.clip(share, 0.02, 0.98)
    return np.log(share / (1.0 - share))


def _sure(odds: Array, shift: float, k: int) -> Array:
    """Confidence in [1 / k, 1] from log-odds of stability, moved by ``shift``."""
    return 1.0 / k + (1.0 - 1.0 / k) / (1.0 + np.exp(-(_SLOPE * odds + shift)))


def _shift(odds: Array, wanted: float, k: int) -> float:
    """How far to move log-odds (n,), so that the mean confidence is ``wanted``."""
    from scipy.optimize import brentq

    def surplus(shift: float) -> float:
        return float(_sure(odds, shift, k).mean()) - wanted

    low, high = -20.0, 20.0
    if surplus(low) >= 0.0:
        return low
    return high if surplus(high) <= 0.0 else float(brentq(surplus, low, high))
