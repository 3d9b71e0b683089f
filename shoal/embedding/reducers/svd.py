"""Truncated singular value decomposition: PCA without centring."""

from __future__ import annotations

import numpy as np

from shoal.embedding.projection import project
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.fitted import FittedArrays
from shoal.protocols import Array, FloatArray


class SVD(FittedArrays):
    """scikit-learn's TruncatedSVD, by random projections (Halko et al. 2011, arXiv:0909.4061)."""

    components_: Array
    """float32 (c, d): right singular vectors, of unit length."""

    def __init__(self, n_components: int, random_state: int) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from ``x`` float32 (n, d); return float32 (n, c), c = min(n_components, n, d)."""
        from sklearn.decomposition import TruncatedSVD

        n_components = min(self.n_components, *x.shape)
        if x.shape[1] == 1:  # scikit-learn refuses a single column
            self.components_ = np.ones((1, 1), dtype=np.float32)
            return self.transform(x)
        model = TruncatedSVD(n_components, random_state=self.random_state)
        with np.errstate(all="ignore"):  # equal rows have no variance to divide by
            model.fit(x)
        self.components_ = model.components_.astype(np.float32)
        return self.transform(x)

    def transform(self, x: FloatArray) -> FloatArray:
        """Project ``x`` float32 (m, d) on the singular vectors, float32 (m, c)."""
        return project(x, self.components_)


def build(*, n_components: int = 64, random_state: int = 0) -> SVD:
    """Make the reducer.

    Args:
        n_components: how many singular vectors are kept, at most n and d.
        random_state: the seed of the random projections.

    Raises:
        RecipeError: ``n_components`` is out of range.

    >>> x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    >>> build(n_components=2).fit_transform(x).shape
    (20, 2)
    """
    check_interval("reducers.svd.n_components", n_components, 1, 1_000_000, RecipeError)
    return SVD(n_components, random_state)
