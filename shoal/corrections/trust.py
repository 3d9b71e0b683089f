"""How far learning is trusted: as far as it tells what was said of images that it did not hear of.

What a person said of a few parts says little of others, and where images lie apart from the rest,
such as those in another light, it may say the wrong thing. So the decided images are left out, a
part at a time, and learning from the others is asked where they belong. In each cluster it counts
as much as serves there; where it does not serve, images stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shoal.corrections.likeness import inverse_root, likeness
from shoal.corrections.parts import strips
from shoal.protocols import Array, FloatArray, IntArray

STAYS = 0.5
"""What the present group of an image counts where learning is not trusted at all."""
_STRENGTHS = np.linspace(0.0, 1.0, 5, dtype=np.float32)
PART = 12
"""Decided images that are left out at a time, about: a strip of a question."""
_TOLERANCE = 0.01
"""A share of the right group that is lower by this is as good: what is said shall have its way."""


@dataclass(frozen=True)
class Fit:
    """What learning makes of m decided images, and what it is made from."""

    rows: IntArray
    """int64 (m,), their places in the pile."""
    x: FloatArray
    """float32 (m, d), balanced."""
    mean: FloatArray
    """float32 (m, k), the scores that the clusters give to them."""
    said: FloatArray
    """float32 (m, k), 1 at the group of each."""
    residual: Array
    """float64 (m, k), what is learned from: what was said beyond ``mean``."""

    @cached_property
    def root(self) -> FloatArray:
        """float32 (m, m), lower triangle: its transpose times itself is the inverse of how alike
        they are, with noise."""
        # A matrix times its own transpose is computed another way, with other last bits.
        return inverse_root(likeness(self.x, self.x.copy()))

    @cached_property
    def weights(self) -> FloatArray:
        """float32 (m, k), that inverse times ``residual``."""
        weights: FloatArray = self.root.T @ (self.root @ self.residual.astype(np.float32))
        return weights

    @cached_property
    def left_out(self) -> FloatArray:
        """What is learned about each decided image from those of the other parts, float32 (m, k).

        The residual of a part that is left out follows from the fit to all of them, without
        another: equation 5.12 of Rasmussen and Williams (2006), for several images at once.
        """
        part = strips(self.x, PART)
        learned = np.empty_like(self.residual)
        for number in range(int(part.max()) + 1):
            own = np.flatnonzero(part == number)
            root = self.root[:, own]
            learned[own] = self.residual[own] - np.linalg.solve(root.T @ root, self.weights[own])
        return learned.astype(np.float32)


def trusted(fit: Fit, clusters: IntArray) -> FloatArray:
    """How much learning counts for each image of the pile, float32 (n,) from 0 to 1.

    Args:
        fit: to the decided images.
        clusters: int64 (n,), the cluster of each image of the pile, from 0.
    """
    learned, rows = fit.left_out, fit.rows
    right = fit.said.argmax(axis=1)[:, None]
    share = np.stack([
        np.take_along_axis(shares(fit.mean + strength * learned), right, axis=1)[:, 0]
        for strength in _STRENGTHS
    ], axis=1)  # fmt: skip
    n_clusters = int(clusters.max()) + 1
    total = np.zeros((n_clusters, len(_STRENGTHS)))
    np.add.at(total, clusters[rows], share)
    # What is known of all clusters counts as one part of each.
    count = np.bincount(clusters[rows], minlength=n_clusters)[:, None] + PART
    served = (total + PART * share.mean(axis=0)) / count
    good = served >= served.max(axis=1, keepdims=True) - _TOLERANCE
    strongest = len(_STRENGTHS) - 1 - good[:, ::-1].argmax(axis=1)
    return _STRENGTHS[strongest][clusters]


def shares(score: FloatArray) -> FloatArray:
    """Scores as shares: rows of numbers from 0 to 1 that sum to 1."""
    positive = np.clip(score, 1e-3, None) ** 2
    return positive / positive.sum(axis=1, keepdims=True)
