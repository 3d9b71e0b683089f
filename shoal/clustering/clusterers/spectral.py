"""Spectral clustering: cuts of the nearest-neighbour graph."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from shoal.clustering.centres import Centres, train
from shoal.clustering.clusterers._base import VotingClusterer
from shoal.clustering.graph import best_cut, modularity, neighbour_graph, walk_eigenvectors
from shoal.clustering.threads import one_thread
from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.neighbours import nearest
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Array, FloatArray, IntArray

_LONGEST = 1000.0
"""Steps of the random walk, at most: separate components would be remembered for ever."""
_TRIED = 4
"""Eigenvectors swept for a cut in two: a weakly tied handful may take the first for itself."""
_STARTS, _FEWEST_STARTS = 200, 10
"""Starts of k-means. More than 60 are hardly better on average, but fail less often
(benchmarks/LOG.md)."""
_STARTED = 2_000_000
"""Points in all starts together, so that those of a large pile do not take for ever."""
_SMALL = 500
_MOST_VECTORS = 1500
"""Eigenvectors, at most: those of 500 groups. More take an hour and gigabytes, and so
many groups are found as well in fewer directions than there are groups."""


class Spectral(VotingClusterer):
    """Normalised cuts of the symmetric k-nearest-neighbour graph.

    Two clusters: the threshold on one of the leading eigenvectors of the random walk with the
    smallest normalised cut (Shi and Malik 2000, doi:10.1109/34.868688, section 3). More: k-means
    on a diffusion map (Coifman and Lafon 2006, doi:10.1016/j.acha.2006.04.006): 3k eigenvectors,
    each scaled by its eigenvalue to the power ``diffusion_time``, by default so long a walk that
    about k dimensions are left, see `forgetting_time`. With the first k eigenvectors alone, a
    tight handful of look-alikes takes a dimension, and so a cluster, from a large but looser group.
    Of many starts of k-means the one whose clusters have the greatest `modularity` in the graph
    wins, not the one with the least inertia: several kinds put together and one divided may be as
    compact, but hang together less.

    Components of the graph far smaller than a cluster (copies of one image, strays) can be cut
    off for free, so they are set aside, and then join the group of their nearest neighbour.
    scikit-learn's SpectralClustering has none of the three.
    """

    def __init__(
        self, n_clusters: int, n_neighbors: int, diffusion_time: float | None, min_share: float,
        random_state: int,
    ) -> None:  # fmt: skip
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.diffusion_time = diffusion_time
        self.min_share = min_share
        self.random_state = random_state

    def _fit(self, x: FloatArray) -> None:
        if self.n_clusters == 1 or len(x) <= max(self.n_clusters, 3):
            # Nothing to cut, or a point a cluster.
            self.reference_labels_ = np.arange(len(x)) % self.n_clusters
            return
        self.reference_labels_ = self.divide(x, self.graph(x))

    def graph(self, x: FloatArray) -> scipy.sparse.csr_array:
        """The neighbour graph of ``x`` float32 (n, d) that is cut."""
        # As with the votes: in a tiny pile, everybody would be everybody's neighbour.
        return neighbour_graph(x, min(self.n_neighbors, max(2, len(x) // (2 * self.n_clusters))))

    def divide(self, x: FloatArray, graph: scipy.sparse.csr_array) -> IntArray:
        """The groups of ``x`` float32 (n, d), which has that `graph`: int64 (n,)."""
        smallest = max(1, int(self.min_share * len(x) / self.n_clusters))
        core = _core(graph, smallest, self.n_clusters)
        labels = np.empty(len(x), dtype=np.int64)
        labels[core] = self._cut(graph[core][:, core], smallest)
        strays = np.setdiff1d(np.arange(len(x)), core)
        if len(strays):
            labels[strays] = labels[core[nearest(x[core], x[strays], 1)[1][:, 0]]]
        return labels

    def _cut(self, graph: scipy.sparse.csr_array, smallest: int) -> IntArray:
        n_vectors = _TRIED + 1 if self.n_clusters == 2 else min(3 * self.n_clusters, _MOST_VECTORS)
        n_vectors = min(n_vectors, graph.shape[0])
        values, vectors = walk_eigenvectors(graph, n_vectors, self.random_state)
        if self.n_clusters == 2:
            return best_cut(graph, vectors.T[1:], smallest)
        time = self.diffusion_time
        if time is None:
            time = forgetting_time(values, self.n_clusters)
        # Rows of unit length (Ng, Jordan and Weiss 2001, step 4): only directions tell groups.
        found = self._kmeans(unit_rows(vectors * values**time))
        edges = graph.tocoo()  # once for all
        return max(found, key=lambda labels: modularity(edges, labels))

    def _kmeans(self, x: Array) -> list[IntArray]:
        """Groups of ``x`` (n, d), from many starts."""
        from sklearn.cluster import KMeans

        if 3 * self.n_clusters > _MOST_VECTORS or (len(x) >= _SMALL and x.shape[1] > len(x) // 4):
            # Groups of few points: to choose so many first centres well would take hours.
            points = np.ascontiguousarray(x, dtype=np.float32)
            centres = Centres(train(points, self.n_clusters, self.random_state, n_starts=1))
            return [centres.nearest(points)[1][:, 0]]

        n_starts = min(_STARTS, max(_FEWEST_STARTS, _STARTED // len(x)))
        seeds = np.random.default_rng(self.random_state).integers(2**31, size=n_starts).tolist()
        with one_thread():
            models = [KMeans(self.n_clusters, n_init=1, random_state=seed) for seed in seeds]
            return [model.fit(x).labels_.astype(np.int64) for model in models]


def _core(graph: scipy.sparse.csr_array, smallest: int, n_clusters: int) -> IntArray:
    """The points in components of at least ``smallest`` points; all, if too few are left."""
    _, component = scipy.sparse.csgraph.connected_components(graph, directed=False)
    core = np.flatnonzero(np.bincount(component)[component] >= smallest)
    return core if len(core) > max(n_clusters, 3) else np.arange(graph.shape[0])


def forgetting_time(values: Array, n_dimensions: int) -> float:
    """How long a random walk forgets all but so many dimensions: t with Σ λᵢ²ᵗ = n_dimensions.

    Each eigenvector's square weight in the diffusion map at time t is λᵢ²ᵗ, between 1, remembered,
    and 0; over all of them the sum is how likely, summed over the points, a walk of 2 t steps is
    back where it began. One time for all piles does not do: at 16 digits keep 10 dimensions, which
    is where their ten kinds are found best, and photographs of ten kinds 1.5, which loses them.

    Args:
        values: eigenvalues of the walk, the largest first, in [0, 1].
        n_dimensions: to be left.

    Returns:
        In steps, from 0 (fewer values are there) to 1,000 (as many separate components).

    >>> float(round(forgetting_time(np.array([1.0, 1.0, 0.5, 0.5]), 3), 6))
    0.5
    """

    def surplus(time: float) -> float:
        return float((values ** (2.0 * time)).sum()) - n_dimensions

    if surplus(0.0) <= 0:
        return 0.0
    if surplus(_LONGEST) >= 0:
        return _LONGEST
    from scipy.optimize import brentq

    return float(brentq(surplus, 0.0, _LONGEST))


def build(
    *,
    n_clusters: int = 2,
    n_neighbors: int = 20,
    diffusion_time: float | None = None,
    min_share: float = 0.1,
    random_state: int = 0,
) -> Spectral:
    """Make the clusterer.

    Args:
        n_clusters: how many groups.
        n_neighbors: of each point in the graph.
        diffusion_time: steps of the random walk, for three clusters or more; by default as
            `forgetting_time` of ``n_clusters`` says.
        min_share: smallest side of a two-way cut, and smallest component of the graph that is
            not set aside, as a fraction of an even share.
        random_state: seed of the eigenvector solver and of k-means.
    """
    check_interval("clusterer.n_neighbors", n_neighbors, 1, 1000, RecipeError)
    if diffusion_time is not None:
        check_interval("clusterer.diffusion_time", diffusion_time, 0, _LONGEST, RecipeError)
    check_interval("clusterer.min_share", min_share, 0, 1, RecipeError)
    return Spectral(n_clusters, n_neighbors, diffusion_time, min_share, random_state)
