"""Principal component analysis."""

from __future__ import annotations

import numpy as np

from shoal.embedding.projection import project
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.fitted import FittedArrays
from shoal.protocols import Array, FloatArray

_FEW_COLUMNS = 1000


class PCA(FittedArrays):
    """scikit-learn's PCA (Pearson 1901; Halko et al. 2011, arXiv:0909.4061, for large inputs)."""

    components_: Array
    mean_: Array
    scale_: Array

    def __init__(self, n_components: int, whiten: bool, random_state: int) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from float32 (n, d); the result is float32 (n, min(n_components, n, d))."""
        from sklearn.decomposition import PCA as SklearnPCA

        # Left to itself, scikit-learn takes random projections where the rows are few; for so few
        # columns the exact way is faster, too.
        solver = "covariance_eigh" if x.shape[1] <= _FEW_COLUMNS else "auto"
        model = SklearnPCA(
            min(self.n_components, *x.shape), svd_solver=solver, random_state=self.random_state
        )
        with np.errstate(all="ignore"):  # equal rows have no variance to divide by
            model.fit(x)
        self.mean_ = model.mean_.astype(np.float32)
        self.components_ = model.components_.astype(np.float32)
        variance = np.nan_to_num(model.explained_variance_)  # of one row there is none
        spread = np.sqrt(np.maximum(variance, 1e-12)) if self.whiten else 1.0
        self.scale_ = np.broadcast_to(np.float32(1.0) / spread, len(self.components_)).astype("f4")
        return self.transform(x)

    def transform(self, x: FloatArray) -> FloatArray:
        """Project float32 (m, d)."""
        return project(x - self.mean_, self.components_ * self.scale_[:, None])


def build(*, n_components: int = 64, whiten: bool = False, random_state: int = 0) -> PCA:
    """Make the reducer; ``whiten`` gives every component unit variance.

    >>> x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    >>> build(n_components=2).fit_transform(x).shape
    (20, 2)
    """
    check_interval("reducers.pca.n_components", n_components, 1, 1_000_000, RecipeError)
    return PCA(n_components, whiten, random_state)
