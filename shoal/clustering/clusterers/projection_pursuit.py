"""Projection pursuit: splits in two along the most bimodal directions of the embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.clustering.clusterers import spectral
from shoal.clustering.clusterers._base import VotingClusterer
from shoal.clustering.graph import (
    neighbour_graph,
    normalised_cut,
    strongest_tie,
    sweep_cut,
    walk_eigenvectors,
)
from shoal.clustering.partitions import distinct, r_squared
from shoal.clustering.small_groups import merged
from shoal.clustering.threads import one_thread
from shoal.embedding.linear_algebra import unit_rows, whitening
from shoal.embedding.projection import project
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Array, FloatArray, IntArray

_PER_DIMENSION = 30
"""Points a white dimension: in more dimensions than that, any split looks separable."""
_SWEPT = 3
"""Cuts of the neighbour graph that are tried as well: an uneven split has a high kurtosis."""
_SUBSPACES = 8
_CLEARLY = 0.25
"""Merged groups come first where their normalised cut is less than this share of the other one."""
_TIED, _LESS = 0.1, 0.9
"""And less than this share suffices where the other one has two groups that are tied as much; see
`strongest_tie`. Set on parts of two piles, tried on another (benchmarks/LOG.md)."""


_APART = 0.02
"""In two, too, a cut of the neighbour graph with a smaller normalised cut than this is taken where
each split along a direction clearly cuts more: as of two rings, one in the other."""


class ProjectionPursuit(VotingClusterer):
    """The ways to divide a pile, the best separated first.

    Two clusters: in the white embedding, directions of least kurtosis from many random starts
    (Friedman and Tukey 1974, doi:10.1109/T-C.1974.224051; of all distributions, two equal points
    have the least kurtosis), and the best cuts of the neighbour graph; from each, two-means until
    nothing moves. The ends that differ are the candidates, in the order of `r_squared`. Where the
    graph falls apart and no direction tells its parts, as of two rings, these are the groups.

    More clusters: `Spectral`, and as alternatives `merged` small groups, whose sizes follow the
    pile, and k-means in random halves of the white embedding. Merged groups come first where they
    clearly cut less of the neighbour graph: spectral clustering, which seeks the smallest
    normalised cut, then missed it, as where most of a pile is of one kind. Where it cut through a
    dense group, so that a tenth of the edges of a group lead to one other, they need not cut so
    much less.
    """

    candidate_labels_: Array
    """uint16 (c, m): each candidate's partition of the reference, the chosen one first."""
    separation_: Array
    """float32 (c,): R² of each, see `r_squared`."""
    weights_: Array
    """float32 (c, d) for two clusters, else (0, d): the log-odds of group 1 are
    x · weights + offset."""
    offset_: Array

    def __init__(
        self, n_clusters: int, n_starts: int, n_steps: int, max_candidates: int, min_share: float,
        random_state: int,
    ) -> None:  # fmt: skip
        self.n_clusters = n_clusters
        self.n_starts = n_starts
        self.n_steps = n_steps
        self.max_candidates = max_candidates
        self.min_share = min_share
        self.random_state = random_state

    @property
    def n_candidates(self) -> int:
        return len(self.candidate_labels_)

    @property
    def separation(self) -> FloatArray:
        return self.separation_

    def _fit(self, x: FloatArray) -> None:
        self.weights_ = np.zeros((0, x.shape[1]), dtype=np.float32)
        self.offset_ = np.zeros(0, dtype=np.float32)
        mean, white = whitening(x, max(2, len(x) // _PER_DIMENSION))
        z = ((x - mean) @ white).astype(np.float32)
        generator = np.random.default_rng(self.random_state)
        if self.n_clusters == 2 and len(x) > 4:
            candidates, by_direction = self._in_two(x, z, generator)
        else:
            candidates, by_direction = self._in_more(x, z, generator), False
        separation = np.array([r_squared(z, labels) for labels in candidates])
        order = [int(index) for index in np.argsort(-separation, kind="stable")]
        if self.n_clusters != 2:
            order = [0, *(index for index in order if index != 0)]
        kept = distinct(candidates, order, self.max_candidates)
        self.candidate_labels_ = np.stack([candidates[index] for index in kept]).astype(np.uint16)
        self.separation_ = separation[kept].astype(np.float32)
        if by_direction:
            rules = [_linear_rule(z, candidates[index]) for index in kept]
            weights = [white @ weight for weight, _ in rules]
            self.offset_ = np.array(
                [b - mean @ weight for weight, (_, b) in zip(weights, rules, strict=True)]
            ).astype(np.float32)
            self.weights_ = np.stack(weights).astype(np.float32)
        self.reference_labels_ = self.candidate_labels_[0].astype(np.int64)

    def _reorder(self, order: list[int]) -> None:
        for name in ("candidate_labels_", "separation_", "weights_", "offset_"):
            value = getattr(self, name)
            if len(value):
                setattr(self, name, value[order])
        self.reference_labels_ = self.candidate_labels_[0].astype(np.int64)

    def _divided(self, labels: IntArray) -> None:
        x = self.reference
        mean, white = whitening(x, x.shape[1])
        self.weights_ = np.zeros((0, x.shape[1]), dtype=np.float32)
        self.offset_ = np.zeros(0, dtype=np.float32)
        self.candidate_labels_ = labels[None].astype(np.uint16)
        self.separation_ = np.array([r_squared((x - mean) @ white, labels)], dtype=np.float32)
        self.reference_labels_ = labels

    def _spread(self, place: IntArray) -> None:
        self.candidate_labels_ = self.candidate_labels_[:, place]
        self.reference_labels_ = self.reference_labels_[place]

    def _labels(self, candidate: int) -> IntArray:
        return self.candidate_labels_[candidate].astype(np.int64)

    def _prepare(self, x: FloatArray) -> Any:
        return None if len(self.weights_) else super()._prepare(x)

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        """Two clusters: the posterior of two equal Gaussians on the line of the split.

        More: votes of the nearest remembered points.
        """
        if not len(self.weights_):
            return super()._memberships(x, prepared, candidate)
        along = project(x, self.weights_[candidate : candidate + 1])[:, 0]
        log_odds = np.clip(along + self.offset_[candidate], -50.0, 50.0)
        second = 1.0 / (1.0 + np.exp(-log_odds.astype(np.float64)))
        return np.stack([1.0 - second, second], axis=1).astype(np.float32)

    def _in_two(
        self, x: FloatArray, z: Array, generator: np.random.Generator
    ) -> tuple[list[IntArray], bool]:
        """The candidates, each int64 (n,), and whether directions tell their sides."""
        starts = generator.normal(size=(self.n_starts, z.shape[1])).astype(np.float32)
        sides = list((z @ least_kurtosis(z, starts, self.n_steps).T > 0).T)
        smallest = max(1, int(self.min_share * len(x) / 2))
        graph = neighbour_graph(x, min(20, max(2, len(x) // 4)))
        n_vectors = min(_SWEPT + 1, len(x) - 1)
        _, vectors = walk_eigenvectors(graph, n_vectors, self.random_state)
        swept = [sweep_cut(graph, vector, smallest) for vector in vectors.T[1:]]
        cuts = [side for _, side in swept]
        found = [two_means(z, side) for side in (*sides, *cuts)]
        large = [y for y in found if smallest <= y.sum() <= len(y) - smallest]
        least, apart = min(swept, key=lambda cut: cut[0])
        if least / 2 < _APART and all(
            least / 2 < _CLEARLY * normalised_cut(graph, y.astype(np.int64)) for y in large
        ):
            return [apart.astype(np.int64)], False
        # A pile without structure may have none that is even enough: then the cuts as they are.
        return [y.astype(np.int64) for y in large or cuts], True

    def _in_more(self, x: FloatArray, z: Array, generator: np.random.Generator) -> list[IntArray]:
        from sklearn.cluster import KMeans

        own = spectral.build(n_clusters=self.n_clusters, random_state=self.random_state)
        if not 2 < self.n_clusters < len(x) or not z.shape[1]:  # or all points are one
            own._fit(x)
            return [own.reference_labels_]
        graph = own.graph(x)
        found = [own.divide(x, graph)]
        if (following := merged(x, self.n_clusters, self.random_state)) is not None:
            found.insert(0 if _follows_better(graph, following, found[0]) else 1, following)
        for _ in range(_SUBSPACES):
            half = generator.permutation(z.shape[1])[: max(2, z.shape[1] // 2)]
            model = KMeans(self.n_clusters, n_init=2, random_state=self.random_state)
            with one_thread():
                found.append(model.fit(z[:, half]).labels_.astype(np.int64))
        return found


def _follows_better(graph: Any, following: IntArray, cut: IntArray) -> bool:
    """Whether merged groups, int64 (n,), are to come before those of a cut, int64 (n,)."""
    enough = _LESS if strongest_tie(graph, cut) >= _TIED else _CLEARLY
    return normalised_cut(graph, following) < enough * normalised_cut(graph, cut)


def least_kurtosis(z: Array, starts: Array, n_steps: int) -> Array:
    """Directions that locally minimise the kurtosis of the projection, by gradient descent.

    Args:
        z: float32 (n, c), white.
        starts: float32 (s, c), of any length.
        n_steps: of the descent.

    Returns:
        float32 (s, c), of unit length: local minima of E[(z · w)⁴] on the sphere, where it lies
        between 1 (two equal points) and, for Gaussian projections, 3.
    """
    w = unit_rows(starts)
    for _ in range(n_steps):
        projected = z @ w.T
        # Not projected**3: NumPy raises float32 to the third by pow, 200 times as slow.
        gradient = (projected * projected * projected).T @ z / len(z)
        gradient -= (gradient * w).sum(axis=1, keepdims=True) * w  # along the sphere
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        w = unit_rows(w - 0.3 * gradient / np.maximum(1.0, length))
    return w


def two_means(z: Array, side: Array, n_steps: int = 100) -> Array:
    """Lloyd's iterations from a split, bool (n,), of ``z`` (n, c), until no point changes sides."""
    for _ in range(n_steps):
        if side.all() or not side.any():
            break
        above, below = z[side].mean(axis=0), z[~side].mean(axis=0)
        moved = (z - (above + below) / 2) @ (above - below) > 0
        if np.array_equal(moved, side):
            break
        side = moved
    return side


def _linear_rule(z: Array, labels: IntArray) -> tuple[Array, float]:
    """Weights (c,) and offset: the log-odds of group 1 under two Gaussians of equal width."""
    side = labels == 1
    above, below = z[side].mean(axis=0), z[~side].mean(axis=0)
    direction = (above - below) / max(float(np.linalg.norm(above - below)), 1e-12)
    middle = float((above + below) @ direction) / 2
    distance = float((above - below) @ direction)
    along = z @ direction - np.where(side, above @ direction, below @ direction)
    slope = distance / max(float((along**2).mean()), 1e-6)
    return slope * direction.astype(np.float64), -slope * middle


def build(
    *,
    n_clusters: int = 2,
    n_starts: int = 60,
    n_steps: int = 120,
    max_candidates: int = 6,
    min_share: float = 0.1,
    random_state: int = 0,
) -> ProjectionPursuit:
    """Make the clusterer.

    Args:
        n_clusters: how many groups.
        n_starts: random directions to descend from.
        n_steps: of each descent.
        max_candidates: how many ways to divide the pile are kept.
        min_share: smallest side of a split in two, as a fraction of an even share.
        random_state: seed of the directions, of the eigenvector solver and of k-means.
    """
    check_interval("clusterer.n_starts", n_starts, 1, 10_000, RecipeError)
    check_interval("clusterer.n_steps", n_steps, 1, 10_000, RecipeError)
    check_interval("clusterer.max_candidates", max_candidates, 1, 100, RecipeError)
    check_interval("clusterer.min_share", min_share, 0, 1, RecipeError)
    return ProjectionPursuit(n_clusters, n_starts, n_steps, max_candidates, min_share, random_state)
