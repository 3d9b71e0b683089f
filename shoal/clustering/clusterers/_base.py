"""The base of all clusterers: a remembered sample, and two ways to assign new points."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from shoal.clustering.partitions import r_squared
from shoal.embedding.linear_algebra import whitening
from shoal.embedding.neighbours import distinct_points, nearest
from shoal.images.sampling import sample_rows
from shoal.models.fitted import FittedArrays, from_half, to_half
from shoal.protocols import Array, FloatArray, IntArray

_COPIES = 0.5
"""With more than this share of copies, each point counts once: copies would decide everything."""
_FEW_POINTS, _FEW_A_CLUSTER = 256, 10
"""Copies are sought where no more points than this differ, in all or for each cluster."""


class BaseClusterer(FittedArrays):
    """Remembers the points it was fitted on, so that another k can be tried later.

    They are rounded to half precision before anything is fitted, so that a clusterer read back
    from a file has seen exactly what this one saw.

    No more points that differ than clusters, as in a pile of copies, are a cluster each, whatever
    the method, and further clusters stay empty. Where copies are more than half of a pile, each
    point counts once, so that 199 copies of one image do not outvote another.
    """

    max_reference = 20_000
    """A larger pile is clustered on a random sample of this many: the cost stays bounded."""

    by_size = False
    """Whether its groups are numbered by their sizes already, the largest first."""

    n_clusters: int
    random_state: int
    reference_: Array
    reference_scale_: Array
    points_: Array | None = None
    """float32 (m, d), m ≤ n_clusters, if these are all the points that differ."""
    voters_: Array | None = None
    """int64 (m,): rows of the reference that differ, where the rest are copies of them."""

    @property
    def reference(self) -> FloatArray:
        """The points it was fitted on, float32 (m, d)."""
        return from_half(self.reference_, self.reference_scale_)

    def fit(self, x: FloatArray) -> Self:
        """Find the groups of ``x`` float32 (n, d), n ≥ n_clusters."""
        reference = self.remember(x).reference
        self.points_ = self.voters_ = None
        most = max(_FEW_POINTS, _FEW_A_CLUSTER * self.n_clusters)
        found = distinct_points(reference, most)
        if found is not None and len(found[0]) <= self.n_clusters:
            self.points_ = reference[found[0]]
            self._divided(found[1])
        elif found is not None and len(found[0]) < (1.0 - _COPIES) * len(reference):
            self.voters_ = found[0]
            self._fit(reference[found[0]])
            self._spread(found[1])
        else:
            self._fit(reference)
        return self

    def remember(self, x: FloatArray) -> Self:
        """Remember ``x`` float32 (n, d), or a sample of very many, without finding groups."""
        if len(x) > self.max_reference:
            x = x[sample_rows(len(x), self.max_reference, self.random_state)]
        self.reference_, self.reference_scale_ = to_half(x)
        return self

    @property
    def n_candidates(self) -> int:
        """How many ways to divide the points it found: one, unless it looks for more."""
        return 1

    @property
    def separation(self) -> FloatArray:
        """How well each candidate stands out, float32 (n_candidates,): R², see `r_squared`."""
        mean, white = whitening(self.reference, self.reference_.shape[1])
        labels = self.predict(self.reference)
        return np.array([r_squared((self.reference - mean) @ white, labels)], dtype=np.float32)

    def reordered(self, order: Sequence[int]) -> Self:
        """A clusterer with the candidates in another order; candidate 0 is the choice."""
        if sorted(order) != list(range(self.n_candidates)):
            raise ValueError(
                f"order must hold each of {self.n_candidates} candidates once, got {list(order)}."
            )
        other = copy.copy(self)
        other._reorder(list(order))
        return other

    def predict(self, x: FloatArray, candidate: int = 0) -> IntArray:
        """The most likely group of each point, int64 (m,)."""
        return self.predict_proba(x, candidate).argmax(axis=1)

    def predict_proba(self, x: FloatArray, candidate: int = 0) -> FloatArray:
        """Memberships float32 (m, k), rows summing to 1, of ``x`` float32 (m, d)."""
        if not 0 <= candidate < self.n_candidates:
            raise ValueError(f"candidate must be below {self.n_candidates}, got {candidate}.")
        return self._proba(x, self._prepare(x), candidate)

    def predict_proba_each(self, x: FloatArray) -> Iterator[FloatArray]:
        """`predict_proba` under each candidate; what they share is computed once."""
        prepared = self._prepare(x)
        for candidate in range(self.n_candidates):
            yield self._proba(x, prepared, candidate)

    def _proba(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        if self.points_ is None:
            return self._memberships(x, prepared, candidate)
        # By inverse squares of the distances (Shepard 1968): 1 at the points, even between them.
        squared = np.square(x[:, None].astype(np.float64) - self.points_[None]).sum(axis=2)
        shares = 1.0 / np.maximum(squared, max(1e-12 * float(squared.max(initial=0.0)), 1e-24))
        found = np.zeros((len(x), self.n_clusters), dtype=np.float32)
        found[:, : len(self.points_)] = shares / shares.sum(axis=1, keepdims=True)
        return found

    def _fit(self, x: FloatArray) -> None:
        """Find the groups of ``x`` float32 (m, d), more of them than clusters."""
        raise NotImplementedError

    def _divided(self, labels: IntArray) -> None:
        """Learn that the reference falls into ``labels`` int64 (m,), a group for each point."""

    def _spread(self, place: IntArray) -> None:
        """Make what was learned of the distinct points hold for all: ``place`` int64 (m,)."""

    def _prepare(self, x: FloatArray) -> Any:
        """Compute what the memberships of ``x`` under all candidates have in common."""

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        """See `predict_proba`; ``prepared`` is what `_prepare` returned for ``x``."""
        raise NotImplementedError

    def _reorder(self, order: list[int]) -> None:
        """Replace the arrays that hold candidates; there are none where there is one candidate."""


class CentroidClusterer(BaseClusterer):
    """Groups around centres: memberships fall off as Gaussians of one common width."""

    centres_: Array
    variance_: Array

    def _set_centres(self, x: FloatArray, centres: Array) -> None:
        self.centres_ = centres.astype(np.float32)
        squared = nearest(self.centres_, x, 1)[0].astype(np.float64) ** 2
        # The maximum-likelihood variance a dimension, of which k-means is the hard limit.
        self.variance_ = np.asarray(max(float(squared.mean()) / x.shape[1], 1e-12))

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        """Posterior of an equal mixture of spherical Gaussians at the centres."""
        cross = x.astype(np.float64) @ self.centres_.T.astype(np.float64)
        logits = (cross - 0.5 * (self.centres_.astype(np.float64) ** 2).sum(1)) / self.variance_
        return _softmax(logits)


class VotingClusterer(BaseClusterer):
    """Groups without centres: new points take a vote among their nearest remembered ones."""

    n_votes = 20
    reference_labels_: Array

    def _divided(self, labels: IntArray) -> None:
        self.reference_labels_ = labels

    def _spread(self, place: IntArray) -> None:
        self.reference_labels_ = self.reference_labels_[place]

    def _labels(self, candidate: int) -> IntArray:
        """The groups of the reference under a candidate, int64 (m,)."""
        return self.reference_labels_

    def _prepare(self, x: FloatArray) -> Any:
        """The voters of each point, int64 (m, v), and the weights of their votes, (m, v).

        Voters are numbered as `electorate` has them.
        """
        rows, _, n_votes = self.electorate()
        distances, indices = nearest(self.reference[rows], x, n_votes)
        # The kernel's width is the distance of the last voter (as in self-tuning spectral
        # clustering, Zelnik-Manor and Perona 2004), so that it fits dense and thin regions.
        width = np.maximum(distances[:, -1:], 1e-12)
        return indices, np.exp(-((distances / width) ** 2))

    def electorate(self, candidate: int = 0) -> tuple[IntArray | slice, IntArray, int]:
        """Who votes: rows of the reference, their groups int64 (m,), how many of them have a vote.

        Only the nearest have one.
        """
        rows = slice(None) if self.voters_ is None else self.voters_
        labels = self._labels(candidate)[rows]
        # Not more voters than half an even share, or a tiny pile's groups outvote one another.
        return rows, labels, min(self.n_votes, max(1, len(labels) // (2 * self.n_clusters)))

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        """Share of the votes of the nearest neighbours, at most 20, nearer ones counting more."""
        indices, weights = prepared
        labels = self.electorate(candidate)[1]
        votes = np.zeros((len(x), self.n_clusters), dtype=np.float64)
        for column in range(indices.shape[1]):
            np.add.at(
                votes,
                (np.arange(len(x)), labels[indices[:, column]]),
                weights[:, column],
            )
        return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def _softmax(logits: Array) -> FloatArray:
    logits = logits - logits.max(axis=1, keepdims=True)
    likelihood = np.exp(logits)
    return (likelihood / likelihood.sum(axis=1, keepdims=True)).astype(np.float32)
