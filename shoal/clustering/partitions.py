"""Partitions of the same points: matching, agreement, and how well an embedding predicts one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.protocols import Array, IntArray


def match(clusters: IntArray, labels: IntArray) -> IntArray:
    """Rename clusters to the classes that they agree with most often, one to one.

    The assignment is optimal (Kuhn 1955, the Hungarian method). If there are more clusters than
    classes, clusters without a class become -1.

    >>> match(np.array([5, 5, 7]), np.array([1, 1, 0])).tolist()
    [1, 1, 0]
    """
    from scipy.optimize import linear_sum_assignment

    cluster_names, rows = np.unique(clusters, return_inverse=True)
    class_names, columns = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(cluster_names), len(class_names)), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    chosen = np.full(len(cluster_names), -1, dtype=np.int64)
    matched_rows, matched_columns = linear_sum_assignment(-counts)
    chosen[matched_rows] = class_names[matched_columns]
    return chosen[rows]


def aligned(other: IntArray, labels: IntArray) -> IntArray:
    """The partition ``other``, its clusters renamed to those of ``labels`` they agree with most.

    Unlike in `match`, further clusters get further names. Both are int64 (n,), numbered from 0.

    >>> aligned(np.array([1, 1, 0, 2]), np.array([0, 0, 1, 1])).tolist()
    [0, 0, 1, 2]
    """
    from scipy.optimize import linear_sum_assignment

    size = int(max(other.max(), labels.max())) + 1
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (other, labels), 1)
    rows, columns = linear_sum_assignment(-counts)
    names = np.empty(size, dtype=np.int64)
    names[rows] = columns
    return names[other]


def overlap(a: IntArray, b: IntArray) -> float:
    """The share of points on which two partitions agree under the best naming, in [0, 1].

    Args:
        a: int64 (n,), groups numbered from 0.
        b: int64 (n,), likewise.

    >>> overlap(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1]))
    0.75
    """
    return float(np.mean(match(a, b) == b))


def distinct(partitions: Sequence[IntArray], order: Sequence[int], most: int) -> list[int]:
    """Indices of different partitions, the first of ``order``, at most ``most``.

    A partition that agrees with an earlier one on 90 % of the points or more is left out.
    """
    kept: list[int] = []
    for candidate in order:
        if len(kept) < most and all(
            overlap(partitions[candidate], partitions[earlier]) < 0.9 for earlier in kept
        ):
            kept.append(candidate)
    return kept


def r_squared(z: Array, labels: IntArray) -> float:
    """How well a linear map of ``z`` predicts the partition: R² in [0, 1], the mean over groups.

    Least squares to the groups' indicators, as discriminative clustering has it (Bach and
    Harchaoui 2007, "DIFFRAC"). The indicators have unit variance, so that small groups count
    as much as large ones.

    Args:
        z: float (n, c), white: zero mean, unit covariance.
        labels: int64 (n,).

    >>> z = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    >>> r_squared(z, np.array([0, 0, 1, 1])), r_squared(z, np.array([0, 1, 0, 1]))
    (1.0, 0.0)
    """
    shares = []
    for group in np.unique(labels):
        indicator = (labels == group).astype(np.float64)
        deviation = float(indicator.std())
        if deviation == 0.0:
            return 0.0
        weights = z.T @ (indicator - indicator.mean()) / (deviation * len(z))
        shares.append(float((weights**2).sum()))
    return min(1.0, float(np.mean(shares)))


def agreement(a: IntArray, b: IntArray) -> float:
    """The adjusted Rand index of two partitions of the same images, in [-0.5, 1].

    Hubert and Arabie 1985, doi:10.1007/BF01908075, equation 5: the share of pairs of images that
    both put together or both put apart, corrected for chance. Names of clusters do not matter.

    Args:
        a: int64 (n,).
        b: int64 (n,).

    >>> agreement(np.array([0, 0, 1, 1]), np.array([5, 5, 3, 3]))
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    if len(np.unique(a)) < 2 or len(np.unique(b)) < 2:
        return 0.0
    return float(adjusted_rand_score(a, b))


def largest(sizes: IntArray, most: int) -> list[int]:
    """The ``most`` largest clusters that are not empty, in the order of their numbers.

    >>> largest(np.array([3, 0, 9, 5]), 2)
    [2, 3]
    """
    order = np.argsort(-sizes, kind="stable")[:most]
    return sorted(int(cluster) for cluster in order if sizes[cluster])
