"""Clusters whose sizes follow the pile: many small groups, merged where the graph ties them."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from shoal.clustering.diffusion import diffusion_map
from shoal.clustering.threads import one_thread
from shoal.protocols import Array, FloatArray, IntArray

_GROUPS = 8
"""Small groups a cluster."""
_MOST_GROUPS = 800
"""Merging takes the cube of their number: a second or so for this many."""
_FEWEST_POINTS = 2
"""Points a small group, on average."""


def merged(x: FloatArray, n_clusters: int, seed: int) -> IntArray | None:
    """Clusters of ``x`` float32 (n, d), int64 (n,); None where points are few or clusters many.

    k-means on the diffusion map makes many small groups, and the two that are tied most closely
    become one group, until ``n_clusters`` are left. Cuts and k-means prefer clusters of like size;
    this does not.
    """
    n_groups = _GROUPS * n_clusters
    if n_groups > _MOST_GROUPS or len(x) < _FEWEST_POINTS * n_groups:
        return None
    from sklearn.cluster import KMeans

    smallest = max(2, len(x) // (10 * n_clusters))
    diffusion = diffusion_map(x, 3 * n_clusters + 1, smallest, seed)
    places = diffusion.directions(3 * n_clusters)
    with one_thread():
        found = KMeans(n_groups, n_init=2, random_state=seed).fit(places).labels_
    names, groups = np.unique(found, return_inverse=True)
    if len(names) < n_clusters:
        return None
    of_row = np.empty(diffusion.graph.shape[0], dtype=np.int64)
    of_row[diffusion.core] = groups
    member = scipy.sparse.csr_array(
        (np.ones(len(of_row)), (np.arange(len(of_row)), of_row)), shape=(len(of_row), len(names))
    )
    ties = (member.T @ diffusion.graph @ member).toarray()
    return merge(ties, np.bincount(groups).astype(np.float64), n_clusters)[groups]


def merge(ties: Array, sizes: Array, n_clusters: int) -> IntArray:
    """Merge groups until ``n_clusters`` are left: average linkage on a graph.

    Args:
        ties: float64 (m, m), symmetric: the weight of the edges between the points of two groups.
        sizes: float64 (m,), points in each group.
        n_clusters: at most m.

    Returns:
        int64 (m,): the cluster of each group.

    >>> ties = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> merge(ties, np.array([1.0, 1.0, 1.0]), 2).tolist()
    [0, 0, 1]
    >>> merge(ties, np.array([1.0, 9.0, 1.0]), 2).tolist()
    [0, 1, 0]
    """
    ties, sizes, cluster = ties.copy(), sizes.copy(), np.arange(len(sizes))
    closeness = ties / np.outer(sizes, sizes)
    np.fill_diagonal(closeness, -1.0)
    for _ in range(len(sizes) - n_clusters):
        a, b = sorted(np.unravel_index(closeness.argmax(), closeness.shape))
        ties[a] += ties[b]
        ties[:, a] += ties[:, b]
        sizes[a] += sizes[b]
        cluster[cluster == b] = a
        closeness[a] = np.where(closeness[a] < 0, -1.0, ties[a] / (sizes[a] * sizes))
        closeness[:, a] = closeness[a]
        closeness[b] = closeness[:, b] = -1.0
    return np.unique(cluster, return_inverse=True)[1].astype(np.int64)
