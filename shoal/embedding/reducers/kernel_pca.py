"""Kernel PCA with the Gaussian (RBF) kernel, exact or on landmarks."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from shoal.embedding.projection import project
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.fitted import FittedArrays, from_half, to_half
from shoal.protocols import Array, FloatArray


class KernelPCA(FittedArrays):
    """Principal components in the feature space of the kernel exp(-gamma ‖x - y‖²).

    With all points as landmarks the result is exact (Schölkopf, Smola and Müller 1998,
    doi:10.1162/089976698300017467). With m < n random landmarks it is the Nyström approximation
    (Williams and Seeger 2001, "Using the Nyström method to speed up kernel machines"): the kernel
    matrix K_nn is replaced by K_nm K_mm⁻¹ K_mn. That costs O(n m²) instead of O(n³), and only the
    landmarks are kept for new images.
    """

    landmarks_: Array
    """float16 (m, d), see `to_half`."""
    landmarks_scale_: Array
    """float32 ()."""
    gamma_: Array
    """float ()."""
    projection_: Array
    """float32 (m, c): kernels with the landmarks to components."""
    offset_: Array
    """float32 (c,): the components of the mean, which are subtracted."""

    def __init__(
        self, n_components: int, gamma: float | None, n_landmarks: int | None, random_state: int
    ) -> None:
        self.n_components = n_components
        self.gamma = gamma
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from ``x`` float32 (n, d); return float32 (n, c), c ≤ n_components.

        Fewer components are left where the landmarks span fewer dimensions.
        """
        n = len(x)
        m = n if self.n_landmarks is None else min(self.n_landmarks, n)
        chosen = np.sort(np.random.default_rng(self.random_state).choice(n, m, replace=False))
        self.landmarks_, self.landmarks_scale_ = to_half(x[chosen])
        self.gamma_ = np.asarray(1.0 / x.shape[1] if self.gamma is None else self.gamma)

        landmarks = from_half(self.landmarks_, self.landmarks_scale_)
        values, vectors = scipy.linalg.eigh(self._kernel(landmarks, landmarks).astype(np.float64))
        kept = values > values[-1] * 1e-10  # below lies rounding; its inverse would be noise
        whiten = vectors[:, kept] / np.sqrt(values[kept])
        features = self._kernel(x, landmarks) @ whiten  # inner products ≈ the kernel's
        mean = features.mean(axis=0)
        covariance = np.cov(features - mean, rowvar=False) if n > 1 else np.eye(kept.sum())
        _, axes = scipy.linalg.eigh(covariance.reshape(kept.sum(), -1))
        axes = axes[:, ::-1][:, : self.n_components]
        # An eigenvector's sign is arbitrary: make its largest entry positive, as scikit-learn does.
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        self.projection_ = (whiten @ axes).astype(np.float32)
        self.offset_ = (mean @ axes).astype(np.float32)
        return self.transform(x)

    def transform(self, x: FloatArray) -> FloatArray:
        """The components of ``x`` float32 (m, d), float32 (m, c).

        Rows are taken in blocks, so that the memory stays bounded.
        """
        landmarks = from_half(self.landmarks_, self.landmarks_scale_)
        blocks = [
            project(self._kernel(x[start : start + 2048], landmarks), self.projection_.T)
            for start in range(0, len(x), 2048)
        ]
        return np.concatenate(blocks) - self.offset_

    def _kernel(self, x: FloatArray, y: FloatArray) -> Array:
        from sklearn.metrics.pairwise import rbf_kernel

        kernel: Array = rbf_kernel(x, y, gamma=float(self.gamma_))
        return kernel


def build(
    *,
    n_components: int = 200,
    gamma: float | None = None,
    n_landmarks: int | None = None,
    random_state: int = 0,
) -> KernelPCA:
    """Make the reducer.

    Args:
        n_components: how many components are kept, at most as many as landmarks.
        gamma: the kernel's coefficient, above 0; by default 1 / d, as in scikit-learn.
        n_landmarks: how many random points are landmarks; by default all points are, which is the
            exact method.
        random_state: the seed of the choice of landmarks.

    Raises:
        RecipeError: an option is out of range.

    >>> x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    >>> build(n_components=3, n_landmarks=10).fit_transform(x).shape
    (20, 3)
    """
    check_interval("reducers.kernel_pca.n_components", n_components, 1, 1_000_000, RecipeError)
    if gamma is not None:
        check_interval(
            "reducers.kernel_pca.gamma", gamma, 0, float("inf"), RecipeError, open_low=True
        )
    if n_landmarks is not None:
        check_interval("reducers.kernel_pca.n_landmarks", n_landmarks, 2, 1_000_000, RecipeError)
    return KernelPCA(n_components, gamma, n_landmarks, random_state)
