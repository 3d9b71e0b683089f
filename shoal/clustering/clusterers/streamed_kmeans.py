"""k-means for very many points and groups: by faiss, each point compared with its nearest groups.

`shoal.large` fits its centres to points that do not fit into memory. Fitted as other clusterers
are, it learns from the points that it is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.clustering.centres import Centres
from shoal.clustering.clusterers._base import BaseClusterer
from shoal.clustering.streamed import StreamedKMeans, assign, by_size, k_means
from shoal.models.fitted import from_half, to_half
from shoal.protocols import Array, FloatArray, IntArray


class StreamedKMeansClusterer(BaseClusterer):
    """Centres in half precision. A point belongs to the two nearest groups alone."""

    by_size = True
    centres_: Array
    centres_scale_: Array
    variance_: Array
    coarse_: Array | None = None
    """float32 (c, d), the first of two levels; None where there is one."""
    _centres: Centres | None = None

    def __init__(self, n_clusters: int, random_state: int) -> None:
        self.n_clusters = n_clusters
        self.random_state = random_state

    @property
    def centres(self) -> Centres:
        """The centres of the groups."""
        if self._centres is None:
            self._centres = Centres(from_half(self.centres_, self.centres_scale_), self.coarse_)
        return self._centres

    def take(self, found: StreamedKMeans, reference: FloatArray) -> None:
        """Become what was found elsewhere; ``reference`` float32 (m, d) is a sample of it."""
        self.remember(reference)
        self._take(found)

    def shares(self, squared: FloatArray) -> FloatArray:
        """How far each point belongs to its nearest group rather than to the next.

        The posterior of two equal spherical Gaussians.

        Args:
            squared: float32 (b, 2), squared distances to the two nearest centres.

        Returns:
            float32 (b,) in [0.5, 1].
        """
        further = (squared[:, 1] - squared[:, 0]).astype(np.float64)
        odds = np.exp(-np.minimum(further / (2.0 * self.variance_), 700.0))
        return (1.0 / (1.0 + odds)).astype(np.float32)

    def most_likely(self, x: FloatArray) -> tuple[IntArray, FloatArray]:
        """The nearest group of each point, int64 (m,), and its share, float32 (m,)."""
        if self.points_ is not None or self.n_clusters == 1:
            proba = self.predict_proba(x)
            return proba.argmax(axis=1), proba.max(axis=1)
        squared, groups = self.centres.nearest(x, 2)
        return groups[:, 0], self.shares(squared)

    def predict(self, x: FloatArray, candidate: int = 0) -> IntArray:
        """The nearest group of each point, int64 (m,)."""
        if self.points_ is not None:
            return super().predict(x, candidate)
        return self.centres.nearest(x)[1][:, 0]

    def _fit(self, x: FloatArray) -> None:
        points = _InMemory(x)
        found = k_means(points, self.n_clusters, seed=self.random_state)
        self._take(by_size(found, assign(points, found.centres))[0])

    def _take(self, found: StreamedKMeans) -> None:
        self.centres_, self.centres_scale_ = to_half(found.centres.points)
        self.coarse_, self._centres = found.centres.coarse, None
        # The maximum-likelihood variance a dimension, of which k-means is the hard limit.
        self.variance_ = np.asarray(max(found.objective / self.centres_.shape[1], 1e-12))

    def _memberships(self, x: FloatArray, prepared: Any, candidate: int) -> FloatArray:
        proba = np.zeros((len(x), self.n_clusters), np.float32)
        if self.n_clusters == 1:
            return proba + 1
        squared, groups = self.centres.nearest(x, 2)
        rows, own = np.arange(len(x)), self.shares(squared)
        proba[rows, groups[:, 0]], proba[rows, groups[:, 1]] = own, 1 - own
        return proba


class _InMemory:
    """Points in memory as `Vectors`."""

    def __init__(self, x: FloatArray) -> None:
        self.x, self.n_dimensions = x, x.shape[1]

    def __len__(self) -> int:
        return len(self.x)

    def vectors(self, indices: Array) -> FloatArray:
        return self.x[indices]


def build(*, n_clusters: int = 2, random_state: int = 0) -> StreamedKMeansClusterer:
    """Make the clusterer; ``random_state`` is the seed of the sample and the first centres."""
    return StreamedKMeansClusterer(n_clusters, random_state)
