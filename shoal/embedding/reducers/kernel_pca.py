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
    """Principal components in the feature space of exp(-gamma ‖x - y‖²).

    Exact (Schölkopf, Smola and Müller 1998, doi:10.1162/089976698300017467) when the landmarks
    are all the data. With m < n random landmarks it is the Nyström approximation (Williams and
    Seeger 2001): the kernel is replaced by K_nm K_mm⁻¹ K_mn and its principal components taken,
    which costs O(n m²) instead of O(n³), and only m points need to be kept for new images.
    """

    landmarks_: Array
    landmarks_scale_: Array
    gamma_: Array
    projection_: Array
    offset_: Array

    def __init__(
        self, n_components: int, gamma: float | None, n_landmarks: int | None, random_state: int
    ) -> None:
        self.n_components = n_components
        self.gamma = gamma
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from float32 (n, d); the result is float32 (n, min(n_components, m))."""
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
        """Project float32 (m, d), a block at a time."""
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
        gamma: of the kernel; by default 1 / d, as scikit-learn's.
        n_landmarks: how many points carry the kernel; by default all of them, the exact method.
        random_state: seed of the choice of landmarks.

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
