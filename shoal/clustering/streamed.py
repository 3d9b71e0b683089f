"""k-means of very many vectors: learned from a sample, corrected by all, memory bounded.

Lloyd's algorithm needs all points many times. A sample gives nearly the same centres: the mean of m
points lies off the mean of all by 1/√m of their spread, which adds 1/m to the mean squared
distance. So faiss (Johnson et al. 2017, arXiv:1702.08734) finds centres in a random sample that is
in memory; then every vector is read once, and each centre becomes the mean of all that are nearest
to it; then every vector is read again for its group. More than `ONE_LEVEL` groups are found on two
levels, see `two_levels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse

from shoal.clustering import two_levels
from shoal.clustering.centres import Centres, train
from shoal.clustering.vector_blocks import Halves, Vectors, row_blocks
from shoal.images.checks import check_n_clusters
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray, Track, silent

ONE_LEVEL = 10_000
"""Groups up to which one k-means finds them all; its time grows with their square."""
A_GROUP, FEWEST_A_GROUP = 256, 64
"""Sampled vectors for each group; fewer, where they would be more than `_MANY` in all."""
_MANY = 512_000
_APART = 1.0 / 1024.0


@dataclass(frozen=True)
class StreamedKMeans:
    """The centres of k groups, and what was measured on the way."""

    centres: Centres
    """float32 (k, d)."""
    objective: float
    """The mean squared distance of all vectors to the centres of the sample."""
    sample_objective: float
    """The same of the sample itself."""
    spread: float
    """The mean squared distance of the sample to its mean: the objective of a single group."""
    n_sample: int
    n: int

    def reordered(self, order: IntArray) -> StreamedKMeans:
        """The same with the centres in another order, int64 (k,)."""
        return replace(self, centres=self.centres.moved(self.centres.points[order]))

    def describe(self) -> str:
        """How the groups were found, and why the sample is enough, in a few sentences.

        The last one is a measurement: what the centres of the sample lose on vectors that they were
        not learned from.
        """
        k, coarse = len(self.centres), self.centres.coarse
        levels = "" if coarse is None else f" on two levels, {len(coarse):,} cells first"
        if self.n_sample == self.n:
            return f"k-means of all {self.n:,} vectors into {k:,} groups{levels}."
        each = self.n_sample / k
        lost = max(self.objective / max(self.sample_objective, 1e-30) - 1.0, 0.0)
        return (
            f"k-means of {self.n_sample:,} of {self.n:,} vectors, drawn at random, into {k:,} "
            f"groups{levels}. That is {each:,.0f} for each, so a centre is off by "
            f"1/{np.sqrt(each):.0f} of its group's spread. All vectors lie {lost:.1%} farther from "
            "these centres than the sample does. Then each centre was moved to the mean of all "
            "vectors that are nearest to it."
        )


def n_sampled(n: int, k: int) -> int:
    """How many of n vectors are sampled for k groups.

    256 for each group, which adds 1/256 to the objective; 64 for each where 256 would be more than
    512,000 in all, as the time of a k-means is their number times that of the groups.

    >>> [n_sampled(10_000_000, k) for k in (10, 1000, 5000, 20_000)]
    [20000, 256000, 512000, 1280000]
    """
    most = max(A_GROUP * k, 20_000)
    if most > _MANY:
        most = max(_MANY, FEWEST_A_GROUP * k)
    return min(n, most)


def k_means(
    vectors: Vectors, n_clusters: int, *, seed: int = 0, track: Track = silent,
    add_up: Callable[[Centres], Sums] | None = None,
) -> StreamedKMeans:  # fmt: skip
    """Find groups of vectors that do not fit into memory.

    A group that no vector is nearest to gets the place of half of a large one (as faiss does within
    its iterations); what is still empty in the end stays so, with the highest number.

    Args:
        vectors: n vectors of d numbers, read twice in blocks.
        n_clusters: how many groups, 1 to n.
        seed: of the sample and of the first centres. The same seed gives the same groups on the
            same machine.
        track: shows progress.
        add_up: does what `sums` does with all vectors, elsewhere.

    Returns:
        The centres. In memory are the sample (float16), the centres and sums (float32).

    Raises:
        DataError: more groups than vectors.
    """
    n = len(vectors)
    check_n_clusters(n_clusters, n, "vectors")
    sample = Halves.sampled(vectors, sample_rows(n, n_sampled(n, n_clusters), seed))
    if n_clusters > ONE_LEVEL:
        centres = two_levels.fit(sample, n_clusters, seed, track)
    else:
        for _ in track(range(1), "clustering a sample", 1):
            x = sample.take(slice(None))  # type: ignore[arg-type]
            centres = Centres(train(x, n_clusters, seed))
            del x
    in_sample = _mean([centres.nearest(x)[0] for _, x in sample.blocks()])
    found = add_up(centres) if add_up is not None else sums(vectors, centres, track)
    counts: FloatArray = np.maximum(found.sizes, 1).astype(np.float32)
    means: FloatArray = (centres.points + found.off / counts[:, None]).astype(np.float32)
    means = _refilled(means, found.sizes, np.random.default_rng(seed))
    return StreamedKMeans(
        centres.moved(means), found.squared / n, in_sample, _spread(sample), len(sample), n
    )


@dataclass(frozen=True)
class Assignment:
    """The nearest groups of n vectors; 12 bytes a vector."""

    labels: Array
    """int32 (n,): the nearest group."""
    squared: FloatArray
    """float32 (n, 2): the squared distances to the centres of the nearest group and the next."""

    @property
    def objective(self) -> float:
        """The mean squared distance to the nearest centre."""
        return float(self.squared[:, 0].mean(dtype=np.float64))

    def sizes(self, n_clusters: int) -> IntArray:
        """The vectors of each group, int64 (k,)."""
        return np.bincount(self.labels, minlength=n_clusters)


def by_size(found: StreamedKMeans, assignment: Assignment) -> tuple[StreamedKMeans, Assignment]:
    """Both with the groups numbered by their sizes, the largest first."""
    order = np.argsort(-assignment.sizes(len(found.centres)), kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return found.reordered(order), replace(assignment, labels=rank[assignment.labels])


def joined(parts: list[Assignment]) -> Assignment:
    """The assignments of parts of the vectors, in their order, as one."""
    return Assignment(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.squared for part in parts]),
    )


def assign(vectors: Vectors, centres: Centres, track: Track = silent) -> Assignment:
    """The nearest group of every vector; the vectors are read once, in blocks."""
    n = len(vectors)
    labels, distances = np.empty(n, np.int32), np.full((n, 2), np.inf, np.float32)
    blocks = row_blocks(n)
    for rows in track(blocks, "assigning", len(blocks)):
        squared, groups = centres.nearest(vectors.vectors(rows), min(2, len(centres)))
        labels[rows] = groups[:, 0]
        distances[rows, : squared.shape[1]] = squared
    return Assignment(labels, distances)


def group_sums(x: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
    """The sum of the vectors ``x`` float32 (b, d) of each of k groups, float32 (k, d).

    >>> group_sums(np.float32([[1, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 2).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    ones = np.ones(len(x), np.float32)
    places = (groups, np.arange(len(x)))
    member = scipy.sparse.csr_array((ones, places), shape=(n_groups, len(x)))
    return np.asarray(member @ x, dtype=np.float32)


@dataclass(frozen=True)
class Sums:
    """What a reading of vectors tells of the groups around k centres."""

    off: FloatArray
    """float32 (k, d): the sum of what the vectors of each group are off its centre. Such sums stay
    small, so that float32 is enough for very many vectors."""
    sizes: IntArray
    """int64 (k,)."""
    squared: float
    """The sum of the squared distances."""

    def __add__(self, other: Sums) -> Sums:
        """The sums of the vectors of both."""
        return Sums(self.off + other.off, self.sizes + other.sizes, self.squared + other.squared)


def sums(vectors: Vectors, centres: Centres, track: Track = silent) -> Sums:
    """Read vectors once, in blocks, and add up those nearest to each centre."""
    k = len(centres)
    off = np.zeros((k, vectors.n_dimensions), np.float32)
    sizes, squared = np.zeros(k, np.int64), 0.0
    blocks = row_blocks(len(vectors))
    for rows in track(blocks, "reading all vectors", len(blocks)):
        x = vectors.vectors(rows)
        distances, groups = centres.nearest(x)
        own = groups[:, 0]
        off += group_sums(x - centres.points[own], own, k)
        sizes += np.bincount(own, minlength=k)
        squared += float(distances.sum(dtype=np.float64))
    return Sums(off, sizes, squared)


def _refilled(means: FloatArray, sizes: IntArray, generator: np.random.Generator) -> FloatArray:
    """The centres with empty ones beside large ones, a little apart, so that they share these.

    Large groups are drawn by the squares of their sizes, each at most once.
    """
    empty = np.flatnonzero(sizes == 0)
    full = np.flatnonzero(sizes > 1)
    if not len(empty) or not len(full):
        return means
    weight = sizes[full].astype(np.float64) ** 2
    n_shared = min(len(empty), len(full))
    shared = generator.choice(full, n_shared, replace=False, p=weight / weight.sum())
    moved = means.copy()
    signs: Array = np.where(np.arange(means.shape[1]) % 2, np.float32(_APART), np.float32(-_APART))
    moved[empty[:n_shared]] = means[shared] * (1 + signs)
    moved[shared] = means[shared] * (1 - signs)
    return moved


def _spread(sample: Halves) -> float:
    """The mean squared distance of a sample from its mean."""
    mean = np.mean([x.mean(axis=0, dtype=np.float64) for _, x in sample.blocks()], axis=0)
    return _mean([np.square(x - mean).sum(axis=1) for _, x in sample.blocks()])


def _mean(blocks: list[Array]) -> float:
    return sum(float(b.sum(dtype=np.float64)) for b in blocks) / sum(len(b) for b in blocks)
