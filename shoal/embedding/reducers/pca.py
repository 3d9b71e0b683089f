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
    """Principal components by scikit-learn's PCA (Pearson 1901, doi:10.1080/14786440109462720).

    For more than 1,000 columns scikit-learn may take random projections (Halko et al. 2011,
    arXiv:0909.4061).
    """

    components_: Array
    """float32 (c, d), rows of unit length."""
    mean_: Array
    """float32 (d,)."""
    scale_: Array
    """float32 (c,): each component's factor, 1 unless the components are whitened."""

    def __init__(self, n_components: int, whiten: bool, random_state: int) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from ``x`` float32 (n, d); return float32 (n, c), c = min(n_components, n, d)."""
        from sklearn.decomposition import PCA as SklearnPCA

        # scikit-learn alone would take random projections where rows are few. For so few columns
        # the exact method is faster, too.
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
        """The components of ``x`` float32 (m, d), float32 (m, c)."""
        return project(x - self.mean_, self.components_ * self.scale_[:, None])


def build(*, n_components: int = 64, whiten: bool = False, random_state: int = 0) -> PCA:
    """Make the reducer.

    Args:
        n_components: how many components are kept, at most n and d.
        whiten: divide each component by its standard deviation.
        random_state: the seed of random projections.

    Raises:
        RecipeError: ``n_components`` is out of range.

    >>> x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    >>> build(n_components=2).fit_transform(x).shape
    (20, 2)
    """
    check_interval("reducers.pca.n_components", n_components, 1, 1_000_000, RecipeError)
    return PCA(n_components, whiten, random_state)
