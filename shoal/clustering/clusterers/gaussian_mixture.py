"""A mixture of Gaussians."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.clustering.clusterers._base import BaseClusterer
from shoal.clustering.threads import one_thread
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Array, FloatArray

_COVARIANCES = ("full", "tied", "diag", "spherical")


class GaussianMixture(BaseClusterer):
    """scikit-learn's Gaussian mixture by expectation-maximisation (Dempster et al. 1977)."""

    weights_: Array
    means_: Array
    precisions_cholesky_: Array

    def __init__(
        self, n_clusters: int, covariance: str, n_init: int, regularisation: float,
        random_state: int,
    ) -> None:  # fmt: skip
        self.n_clusters = n_clusters
        self.covariance = covariance
        self.n_init = n_init
        self.regularisation = regularisation
        self.random_state = random_state

    def _fit(self, x: FloatArray) -> None:
        from sklearn.mixture import GaussianMixture as SklearnGaussianMixture

        # A covariance needs a floor in proportion to the data, or one point becomes a cluster.
        floor = self.regularisation * max(float(x.var(axis=0).mean()), 1e-12)
        model = SklearnGaussianMixture(
            self.n_clusters,
            covariance_type=self.covariance,
            n_init=self.n_init,
            reg_covar=floor,
            random_state=self.random_state,
        )
        with one_thread():
            model.fit(x.astype(np.float64))
        self.weights_ = model.weights_
        self.means_ = model.means_
        self.precisions_cholesky_ = model.precisions_cholesky_

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        """Posterior of the components."""
        from sklearn.mixture import GaussianMixture as SklearnGaussianMixture

        model = SklearnGaussianMixture(self.n_clusters, covariance_type=self.covariance)
        model.weights_ = self.weights_
        model.means_ = self.means_
        model.precisions_cholesky_ = self.precisions_cholesky_
        model.n_features_in_ = x.shape[1]
        return np.asarray(model.predict_proba(x.astype(np.float64)), dtype=np.float32)


def build(
    *,
    n_clusters: int = 2,
    covariance: str = "diag",
    n_init: int = 3,
    regularisation: float = 1e-3,
    random_state: int = 0,
) -> GaussianMixture:
    """Make the clusterer.

    Args:
        n_clusters: how many components.
        covariance: full, tied, diag or spherical.
        n_init: how many starts; the likeliest wins.
        regularisation: added to each variance, as a fraction of the data's mean variance.
        random_state: seed of the starts.
    """
    if covariance not in _COVARIANCES:
        raise RecipeError(
            f"clusterer.covariance must be one of {', '.join(_COVARIANCES)}, got {covariance!r}."
        )
    check_interval("clusterer.n_init", n_init, 1, 1000, RecipeError)
    check_interval("clusterer.regularisation", regularisation, 0, 1, RecipeError)
    return GaussianMixture(n_clusters, covariance, n_init, regularisation, random_state)
