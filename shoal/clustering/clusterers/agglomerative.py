"""Agglomerative clustering."""

from __future__ import annotations

import numpy as np

from shoal.clustering.clusterers._base import VotingClusterer
from shoal.clustering.threads import one_thread
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import FloatArray

_LINKAGES = ("ward", "average", "complete", "single")


class Agglomerative(VotingClusterer):
    """scikit-learn's agglomerative clustering, by default Ward's (1963) minimum variance.

    Merging every pair costs O(m²) memory, so m points are first gathered into at most
    ``n_seeds`` k-means groups, whose centres are then merged (with Ward's linkage the groups'
    sizes are not used: the seeds are many and small).
    """

    def __init__(self, n_clusters: int, linkage: str, n_seeds: int, random_state: int) -> None:
        self.n_clusters = n_clusters
        self.linkage = linkage
        self.n_seeds = n_seeds
        self.random_state = random_state

    def _fit(self, x: FloatArray) -> None:
        from sklearn.cluster import AgglomerativeClustering
        from sklearn.cluster import KMeans as SklearnKMeans

        seeds, members = x, np.arange(len(x))
        if len(x) > max(self.n_seeds, self.n_clusters):
            n_seeds = max(self.n_seeds, self.n_clusters)
            model = SklearnKMeans(n_seeds, n_init=1, random_state=self.random_state)
            with one_thread():
                members = model.fit(x).labels_
            seeds = model.cluster_centers_
        merged = (
            np.zeros(1, dtype=np.int64)
            if len(seeds) == 1
            else AgglomerativeClustering(self.n_clusters, linkage=self.linkage).fit(seeds).labels_
        )
        self.reference_labels_ = merged[members].astype(np.int64)


def build(
    *,
    n_clusters: int = 2,
    linkage: str = "ward",
    n_seeds: int = 3000,
    random_state: int = 0,
) -> Agglomerative:
    """Make the clusterer; ``linkage`` is ward, average, complete or single."""
    if linkage not in _LINKAGES:
        raise RecipeError(
            f"clusterer.linkage must be one of {', '.join(_LINKAGES)}, got {linkage!r}."
        )
    check_interval("clusterer.n_seeds", n_seeds, 2, 20_000, RecipeError)
    return Agglomerative(n_clusters, linkage, n_seeds, random_state)
