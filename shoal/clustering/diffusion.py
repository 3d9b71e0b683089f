"""The diffusion map of points: the random walk on their neighbour graph as coordinates.

It divides points into any number of clusters, and is computed once for all of these numbers. The
number of clusters is weighed with it, and trees are built in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from shoal.clustering.graph import best_cut, neighbour_graph, walk_eigenvectors
from shoal.clustering.threads import one_thread
from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.neighbours import nearest
from shoal.protocols import Array, FloatArray, IntArray

# As in `clusterers.spectral`, where it was measured.
NEIGHBOURS = 20
# One long walk for all numbers of clusters, not one for each (`spectral.forgetting_time`): numbers
# are compared on one map, and what only a short walk remembers is not found again. So 10 is chosen
# for digits 23 times of 24, not 20 times, and the tree cut in ten has an accuracy of 0.97, not 0.9.
_TIME = 16.0
_SWEPT = 4


@dataclass(frozen=True)
class DiffusionMap:
    """Eigenvectors of the random walk on the nearest-neighbour graph of n points.

    Coifman and Lafon 2006, doi:10.1016/j.acha.2006.04.006, equation 9, at time 16.
    """

    graph: scipy.sparse.csr_array
    """float64 (m, m), without the points in tiny components of their own, the strays."""
    core: IntArray
    """int64 (n,): the place of each point in the graph; a stray has the place of its nearest."""
    values: Array
    """float64 (v,): eigenvalues in [0, 1], the largest first."""
    vectors: Array
    """float64 (m, v)."""

    def places(self) -> Array:
        """Coordinates of the points, float64 (n, v - 1): all scaled vectors but the constant."""
        return (self.vectors * self.values**_TIME)[self.core, 1:]

    def directions(self, n_vectors: int | None = None) -> Array:
        """All scaled vectors, each point's brought to length 1: float64 (n, v), for k-means."""
        return unit_rows((self.vectors * self.values**_TIME)[self.core, :n_vectors])

    def divide(self, n_clusters: int, seed: int) -> IntArray:
        """Clusters much as `Spectral` finds them, int64 (n,), the largest first.

        They differ in the time, 16, and in the choice among the starts of k-means: the most compact
        of eight. To choose by modularity takes more starts, and more than twice as long.
        """
        if n_clusters == 2:
            smallest = max(1, self.graph.shape[0] // 20)
            swept = self.vectors.T[1 : _SWEPT + 1]
            labels = best_cut(self.graph, swept, smallest)[self.core]
        else:
            labels = k_means(self.directions(3 * n_clusters), n_clusters, seed)
        return by_size(labels)


def diffusion_map(
    z: FloatArray, n_vectors: int, smallest: int, seed: int, n_neighbors: int = NEIGHBOURS
) -> DiffusionMap:
    """The diffusion map of points.

    Args:
        z: float32 (n, d).
        n_vectors: how many eigenvectors, with the constant one; at most n.
        smallest: points in components of the graph with fewer points than this (copies, strays) go
            with their nearest neighbour. Such components can be cut off for free, and would
            become clusters of their own.
        seed: of the eigenvector solver.
        n_neighbors: of each point in the graph; fewer for fewer than ten times as many points.
    """
    graph = neighbour_graph(z, min(n_neighbors, max(3, len(z) // 10)))
    component = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    sizes = np.bincount(component)
    kept = np.flatnonzero(sizes[component] >= min(smallest, sizes.max()))
    place = np.searchsorted(kept, kept[nearest(z[kept], z, 1)[1][:, 0]])
    place[kept] = np.arange(len(kept))  # among exact copies the nearest may be another
    graph = graph[kept][:, kept]
    values, vectors = walk_eigenvectors(graph, min(n_vectors, len(kept) - 1), seed)
    return DiffusionMap(graph, place.astype(np.int64), values, vectors)


def k_means(x: Array, n_clusters: int, seed: int) -> IntArray:
    """k-means clusters of ``x`` float (n, d), int64 (n,); fewer if fewer points differ."""
    from sklearn.cluster import KMeans

    with one_thread():
        labels = KMeans(n_clusters, n_init=8, random_state=seed).fit(x).labels_
    return labels.astype(np.int64)


def by_size(labels: Sequence[int] | IntArray) -> IntArray:
    """The same clusters numbered from 0 without gaps, the largest first, int64 (n,).

    >>> by_size([7, 3, 3, 5, 3, 5]).tolist()
    [2, 0, 0, 1, 0, 1]
    """
    _, cluster, sizes = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[cluster]
