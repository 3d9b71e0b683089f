"""How far learning is trusted: as far as it tells what was said of images that it did not hear of.

What a person said of a few parts says little of others, and where images lie apart from the rest,
such as those in another light, it may say the wrong thing. So the decided images are left out, a
part at a time, and learning from the others is asked where they belong. In each cluster it counts
as much as serves there; where it does not serve, images stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.corrections.parts import strips
from shoal.protocols import Array, FloatArray, IntArray

STAYS = 0.5
"""What the present group of an image counts where learning is not trusted at all."""
_STRENGTHS = np.linspace(0.0, 1.0, 5, dtype=np.float32)
_PART = 12
"""Decided images that are left out at a time, about: a strip of a question."""
_TOLERANCE = 0.01
"""A share of the right group that is lower by this is as good: what is said shall have its way."""


@dataclass(frozen=True)
class Fit:
    """What learning makes of m decided images, and what it is made from."""

    x: FloatArray
    """float32 (m, d), balanced."""
    mean: FloatArray
    """float32 (m, k), the scores that the clusters give to them."""
    said: FloatArray
    """float32 (m, k), 1 at the group of each."""
    residual: Array
    """float64 (m, k), what is learned from: what was said beyond ``mean``."""
    root: FloatArray
    """float32 (m, m), lower triangle: its transpose times itself is the inverse of how alike they
    are, with noise."""
    weights: Array
    """float64 (m, k), that inverse times ``residual``."""


def trusted(fit: Fit, clusters: IntArray, rows: IntArray) -> FloatArray:
    """How much learning counts for each image of the pile, float32 (n,) from 0 to 1.

    Args:
        fit: to the decided images.
        clusters: int64 (n,), the cluster of each image of the pile, from 0.
        rows: int64 (m,), the places of the decided images in the pile.
    """
    learned = _left_out(fit)
    right = fit.said.argmax(axis=1)[:, None]
    share = np.stack([
        np.take_along_axis(shares(fit.mean + strength * learned), right, axis=1)[:, 0]
        for strength in _STRENGTHS
    ], axis=1)  # fmt: skip
    n_clusters = int(clusters.max()) + 1
    total = np.zeros((n_clusters, len(_STRENGTHS)))
    np.add.at(total, clusters[rows], share)
    # What is known of all clusters counts as one part of each.
    count = np.bincount(clusters[rows], minlength=n_clusters)[:, None] + _PART
    served = (total + _PART * share.mean(axis=0)) / count
    good = served >= served.max(axis=1, keepdims=True) - _TOLERANCE
    strongest = len(_STRENGTHS) - 1 - good[:, ::-1].argmax(axis=1)
    return _STRENGTHS[strongest][clusters]


def _left_out(fit: Fit) -> FloatArray:
    """What is learned about each decided image from those of the other parts, float32 (m, k).

    The residual of a part that is left out follows from the fit to all of them, without another:
    equation 5.12 of Rasmussen and Williams (2006), for several images at once.
    """
    part = strips(fit.x, _PART)
    learned = np.empty_like(fit.residual)
    for number in range(int(part.max()) + 1):
        own = np.flatnonzero(part == number)
        root = fit.root[:, own]
        learned[own] = fit.residual[own] - np.linalg.solve(root.T @ root, fit.weights[own])
    return learned.astype(np.float32)


def shares(score: FloatArray) -> FloatArray:
    """Scores as shares: rows of numbers from 0 to 1 that sum to 1."""
    positive = np.clip(score, 1e-3, None) ** 2
    return positive / positive.sum(axis=1, keepdims=True)
