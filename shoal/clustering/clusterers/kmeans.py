"""k-means."""

from __future__ import annotations

from shoal.clustering.clusterers._base import CentroidClusterer
from shoal.clustering.threads import one_thread
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import FloatArray


class KMeans(CentroidClusterer):
    """scikit-learn's k-means (Lloyd 1982; k-means++ starts, Arthur and Vassilvitskii 2007)."""

    def __init__(self, n_clusters: int, n_init: int, random_state: int) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.random_state = random_state

    def _fit(self, x: FloatArray) -> None:
        from sklearn.cluster import KMeans as SklearnKMeans

        model = SklearnKMeans(self.n_clusters, n_init=self.n_init, random_state=self.random_state)
        with one_thread():
            self._set_centres(x, model.fit(x).cluster_centers_)


def build(*, n_clusters: int = 2, n_init: int = 10, random_state: int = 0) -> KMeans:
    """Make the clusterer; the best of ``n_init`` starts wins."""
    check_interval("clusterer.n_init", n_init, 1, 1000, RecipeError)
    return KMeans(n_clusters, n_init, random_state)
