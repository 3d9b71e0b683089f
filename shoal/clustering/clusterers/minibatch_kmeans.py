"""Mini-batch k-means."""

from __future__ import annotations

from shoal.clustering.clusterers._base import CentroidClusterer
from shoal.clustering.threads import one_thread
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import FloatArray


class MiniBatchKMeans(CentroidClusterer):
    """scikit-learn's mini-batch k-means (Sculley 2010, doi:10.1145/1772690.1772862)."""

    def __init__(self, n_clusters: int, batch_size: int, n_init: int, random_state: int) -> None:
        self.n_clusters = n_clusters
        self.batch_size = batch_size
        self.n_init = n_init
        self.random_state = random_state

    def _fit(self, x: FloatArray) -> None:
        from sklearn.cluster import MiniBatchKMeans as SklearnMiniBatchKMeans

        model = SklearnMiniBatchKMeans(
            self.n_clusters,
            batch_size=self.batch_size,
            n_init=self.n_init,
            random_state=self.random_state,
        )
        with one_thread():
            self._set_centres(x, model.fit(x).cluster_centers_)


def build(
    *, n_clusters: int = 2, batch_size: int = 1024, n_init: int = 3, random_state: int = 0
) -> MiniBatchKMeans:
    """Make the clusterer; the best of ``n_init`` starts wins."""
    check_interval("clusterer.batch_size", batch_size, 1, 1_000_000, RecipeError)
    check_interval("clusterer.n_init", n_init, 1, 1000, RecipeError)
    return MiniBatchKMeans(n_clusters, batch_size, n_init, random_state)
