"""The nearest-neighbour graph of points, its random walk, and cuts of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from shoal.embedding.neighbours import nearest_others
from shoal.protocols import Array, FloatArray, IntArray

_LARGE_PART = 0.02
"""Parts of a graph of at least this share of the points are no strays."""


def neighbour_graph(x: FloatArray, n_neighbors: int) -> scipy.sparse.csr_array:
    """The symmetric graph of nearest neighbours.

    Two points are joined if one is among the nearest of the other: with weight 1 if each is among
    the other's, with weight ½ if only one is.

    Args:
        x: float32 (n, d).
        n_neighbors: that each point chooses; fewer in a smaller pile.

    Returns:
        float64 (n, n), with an empty diagonal.
    """
    n = len(x)
    k = min(n_neighbors, n - 1)
    indices = nearest_others(x, k)[1]
    rows = np.repeat(np.arange(n), k)
    graph = scipy.sparse.csr_array(
        (np.ones(n * k), (rows, indices.ravel())), shape=(n, n), dtype=np.float64
    )
    return scipy.sparse.csr_array((graph + graph.T) / 2)


def walk_eigenvectors(
    graph: scipy.sparse.csr_array, n_vectors: int, random_state: int
) -> tuple[Array, Array]:
    """Leading eigenvalues and right eigenvectors of the graph's random walk, largest first.

    Args:
        graph: symmetric, float64 (n, n), without isolated points.
        n_vectors: how many, at most n. The first is constant. The iterative solver wants far more
            points than vectors; of fewer than 4 times as many, all are computed.
        random_state: seed of the solver's start.

    Returns:
        Eigenvalues (n_vectors,) in [-1, 1], negative ones raised to 0, and vectors
        (n, n_vectors).
    """
    degree = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)
    root = np.sqrt(degree)
    scaling = scipy.sparse.diags_array(1.0 / root)
    walk = scaling @ graph @ scaling  # symmetric, with the walk's eigenvalues
    part = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    n_large = (np.bincount(part) >= _LARGE_PART * len(part)).sum()
    if n_large > 1 and _iterates(len(part), n_vectors):
        values, vectors = _of_parts(walk, part, n_vectors, random_state, root)
    else:
        values, vectors = _leading(walk, n_vectors, random_state)
    order = np.argsort(-values)[:n_vectors]
    walks = vectors[:, order] / root[:, None]
    # A vector's scale and sign are arbitrary: unit mean square under the walk's stationary weight.
    weight = degree / degree.sum()
    walks = walks / np.sqrt((weight[:, None] * walks**2).sum(axis=0))
    walks = walks * np.where(walks[np.abs(walks).argmax(axis=0), np.arange(len(order))] < 0, -1, 1)
    return np.clip(values[order], 0.0, 1.0), walks


def _iterates(n: int, n_vectors: int) -> bool:
    """Whether the iterative solver is used for so many points and vectors."""
    return n >= 500 and 4 * n_vectors <= n


def _leading(
    walk: scipy.sparse.csr_array, n_vectors: int, random_state: int
) -> tuple[Array, Array]:
    """The leading eigenvalues and eigenvectors of a symmetric matrix, and perhaps more of them."""
    n = walk.shape[0]
    if n < 500:
        return np.linalg.eigh(walk.toarray())
    if not _iterates(n, n_vectors):
        first = n - min(n_vectors, n)
        return scipy.linalg.eigh(walk.toarray(), subset_by_index=(first, n - 1))
    start = np.random.default_rng(random_state).uniform(0.5, 1.5, n)
    return scipy.sparse.linalg.eigsh(
        walk, n_vectors, which="LA", v0=start, tol=1e-6, ncv=max(40, 4 * n_vectors)
    )


def _of_parts(
    walk: scipy.sparse.csr_array, part: IntArray, n_vectors: int, random_state: int, root: Array
) -> tuple[Array, Array]:
    """The same of a graph in several parts: the eigenvectors of each part by itself.

    Each part has the eigenvalue 1. Of so many equal ones the iterative solver finds some only.

    Args:
        walk: symmetric, float64 (n, n).
        part: int (n,), the part of each point.
        n_vectors: how many are wanted.
        random_state: seed of the solver's start.
        root: float64 (n,), the eigenvector that is constant once it is divided by itself.
    """
    largest_first = np.argsort(-np.bincount(part), kind="stable")[:n_vectors]
    members = [np.flatnonzero(part == number) for number in largest_first.tolist()]
    whole = np.zeros((len(part), len(members)))
    found: list[tuple[float, IntArray, Array]] = []
    for place, rows in enumerate(members):
        whole[rows, place] = root[rows] / np.linalg.norm(root[rows])
        own, inside = _leading(walk[rows][:, rows], min(n_vectors, len(rows)), random_state)
        order = np.argsort(-own)[1:n_vectors]  # the first is that of the eigenvalue 1
        found += [(float(own[column]), rows, inside[:, column]) for column in order.tolist()]
    found = sorted(found, key=lambda each: -each[0])[: n_vectors - len(members)]
    # One vector of the eigenvalue 1 is constant; the others tell the parts apart.
    constant = whole.T @ root
    turned = whole @ np.linalg.qr(np.column_stack([constant, np.eye(len(constant))[:, 1:]]))[0]
    vectors = np.zeros((len(part), len(members) + len(found)))
    vectors[:, : len(members)] = turned
    for column, (_, rows, inside) in enumerate(found, start=len(members)):
        vectors[rows, column] = inside
    return np.array([1.0] * len(members) + [value for value, _, _ in found]), vectors


def sweep_cut(
    graph: scipy.sparse.csr_array, direction: Array, smallest: int = 1
) -> tuple[float, Array]:
    """Split the points in two at the threshold on ``direction`` with the least normalised cut.

    Ncut(A, B) = cut(A, B) / vol(A) + cut(A, B) / vol(B), Shi and Malik 2000,
    doi:10.1109/34.868688, equation 2. All n - 1 thresholds are tried in one pass: a point that
    changes sides adds its degree to the volume, and to the cut its edges to the far side less
    those to its new side.

    Args:
        graph: symmetric, float64 (n, n).
        direction: float (n,).
        smallest: the fewest points of a side.

    Returns:
        The normalised cut, in [0, 2], and bool (n,): which points lie above the threshold.

    >>> path = scipy.sparse.csr_array(np.diag([1.0, 0.1, 1.0], 1) + np.diag([1.0, 0.1, 1.0], -1))
    >>> sweep_cut(path, np.array([0.0, 1.0, 2.0, 3.0]))[1]
    array([False, False,  True,  True])
    """
    n = len(direction)
    order = np.argsort(direction, kind="stable")
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    edges = graph.tocoo()
    rows, columns = edges.coords
    # Edge (i, j) is cut by thresholds after ranks min … max - 1: a difference array.
    first = np.minimum(rank[rows], rank[columns])
    last = np.maximum(rank[rows], rank[columns])
    change = np.bincount(first, edges.data, n) - np.bincount(last, edges.data, n)
    cut = np.maximum(np.cumsum(change)[:-1] / 2, 0.0)  # every edge stands twice in the graph
    volume = np.cumsum(np.asarray(graph.sum(axis=1)).ravel()[order])
    below, above = volume[:-1], volume[-1] - volume[:-1]
    normalised = cut / np.maximum(below, 1e-12) + cut / np.maximum(above, 1e-12)
    smallest = min(smallest, n // 2)
    allowed = slice(smallest - 1, n - smallest)
    best = smallest - 1 + int(normalised[allowed].argmin())
    return float(normalised[best]), rank > best


def best_cut(graph: scipy.sparse.csr_array, directions: Iterable[Array], smallest: int) -> IntArray:
    """The cut in two with the least normalised cut among the sweeps of several directions.

    Args:
        graph: symmetric, float64 (n, n).
        directions: each float (n,), such as the eigenvectors of the random walk.
        smallest: the fewest points of a side.

    Returns:
        int64 (n,), the side of each point: 0 or 1.
    """
    cuts = [sweep_cut(graph, direction, smallest) for direction in directions]
    return min(cuts, key=lambda cut: cut[0])[1].astype(np.int64)


def modularity(graph: scipy.sparse.sparray, labels: IntArray) -> float:
    """How much more of the edges' weight lies within groups than if ends were drawn by degree.

    Newman and Girvan 2004, arXiv:cond-mat/0308217, equation 5, with weights: over the groups, the
    sum of the share of weight within less the square of the share of all ends, in [-0.5, 1].

    Args:
        graph: symmetric, float64 (n, n), with at least one edge.
        labels: int64 (n,), from 0.

    >>> two_pairs = scipy.sparse.csr_array(np.kron(np.eye(2), [[0.0, 1.0], [1.0, 0.0]]))
    >>> modularity(two_pairs, np.array([0, 0, 1, 1])), modularity(two_pairs, np.zeros(4, np.int64))
    (0.5, 0.0)
    """
    edges = graph.tocoo()
    rows, columns = edges.coords
    total = edges.data.sum()
    within = edges.data[labels[rows] == labels[columns]].sum()
    ends = np.bincount(labels[rows], edges.data)
    return float(within / total - ((ends / total) ** 2).sum())


def normalised_cut(graph: scipy.sparse.sparray, labels: IntArray) -> float:
    """The mean over groups of the share of its edges' weight that leaves a group, in [0, 1].

    Shi and Malik 2000, doi:10.1109/34.868688, equation 2, divided by the number of groups.

    Args:
        graph: symmetric, float64 (n, n); each group has an edge.
        labels: int64 (n,), from 0.

    >>> two_pairs = scipy.sparse.csr_array(np.kron(np.eye(2), [[0.0, 1.0], [1.0, 0.0]]))
    >>> normalised_cut(two_pairs, np.array([0, 0, 1, 1]))
    0.0
    >>> normalised_cut(two_pairs, np.array([0, 1, 0, 1]))
    1.0
    """
    edges = graph.tocoo()
    rows, columns = edges.coords
    ends = np.bincount(labels[rows], edges.data)
    leave = labels[rows] != labels[columns]
    left = np.bincount(labels[rows][leave], edges.data[leave], len(ends))
    return float((left / np.maximum(ends, 1e-12)).mean())


def strongest_tie(graph: scipy.sparse.sparray, labels: IntArray) -> float:
    """The largest share of a group's edges' weight that leads to one other group, in [0, 1].

    Of two groups the share of the one with less weight counts. It is small where the pile is
    sparse between any two groups, and large where a group was cut in two.

    Args:
        graph: symmetric, float64 (n, n).
        labels: int64 (n,), from 0.

    >>> two_pairs = scipy.sparse.csr_array(np.kron(np.eye(2), [[0.0, 1.0], [1.0, 0.0]]))
    >>> strongest_tie(two_pairs, np.array([0, 0, 1, 1]))
    0.0
    >>> strongest_tie(two_pairs, np.array([0, 1, 2, 2]))
    1.0
    """
    k = int(labels.max()) + 1
    edges = graph.tocoo()
    rows, columns = edges.coords
    ties = np.bincount(labels[rows] * k + labels[columns], edges.data, k * k).reshape(k, k)
    ends = np.maximum(ties.sum(axis=1), 1e-12)
    shares = ties / np.minimum.outer(ends, ends)
    np.fill_diagonal(shares, 0.0)
    return float(shares.max())
