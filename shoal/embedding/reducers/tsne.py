"""t-SNE: a map in two dimensions, on which new images find a place, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.embedding.neighbours import distinct_points, nearest
from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.fitted import FittedArrays, from_half, to_half
from shoal.protocols import Array, FloatArray

_COARSE = 2
"""The width of the cells on which forces are interpolated. openTSNE's are 1 wide and take three
times as long, and neighbours in the embedding are as often neighbours on the map: 0.40 of the ten
nearest, either way, with 5,000 images."""
_FEWEST = 8
"""With fewer distinct points t-SNE has no neighbourhoods to keep."""


class TSNE(FittedArrays):
    """t-SNE (van der Maaten and Hinton 2008) by openTSNE (Poličar et al. 2024,
    doi:10.18637/jss.v109.i03).

    New images are placed among the fitted ones, which stay where they are. Fewer than 8 distinct
    points are laid out by their first two principal components.
    """

    points_: Array
    """float16 (n, d): the fitted points, see `to_half`."""
    points_scale_: Array
    """float32 ()."""
    embedding_: Array
    """float32 (n, 2): their places."""

    def __init__(
        self, perplexity: float, n_iter: int, interpolate: bool, random_state: int
    ) -> None:
        self.perplexity = perplexity
        self.interpolate = interpolate
        self.n_iter = n_iter
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Lay out ``x`` float32 (n, d) and return the places, float32 (n, 2)."""
        self.points_, self.points_scale_ = to_half(_at_least_two_columns(x))
        if self._degenerate():
            centred = x - x.mean(axis=0)
            left, values, _ = np.linalg.svd(centred, full_matrices=False)
            plane = np.zeros((len(x), 2), dtype=np.float32)
            width = min(2, len(values))
            plane[:, :width] = left[:, :width] * values[:width]
            self.embedding_ = plane
        else:
            import openTSNE

            options = self._options()
            if self.interpolate:
                options |= {"negative_gradient_method": "fft", "ints_in_interval": _COARSE}
            model = openTSNE.TSNE(
                perplexity=self._perplexity(), n_iter=self.n_iter,
                neighbors=options.pop("method"), **options,
            )  # fmt: skip
            plane = np.asarray(model.fit(self._points()), dtype=np.float32)
            # openTSNE centres a map whenever it adds points. Centred now, the map does not move
            # then, and new images land among their neighbours.
            self.embedding_ = plane - (plane.max(axis=0) + plane.min(axis=0)) / 2
        return self.embedding_

    def transform(self, x: FloatArray) -> FloatArray:
        """Places of ``x`` float32 (m, d) among the fitted points, float32 (m, 2)."""
        reference, x = self._points(), _at_least_two_columns(x)
        if self._degenerate():
            return np.asarray(self.embedding_[nearest(reference, x, 1)[1][:, 0]], dtype=np.float32)
        import openTSNE

        affinities = openTSNE.affinity.PerplexityBasedNN(
            reference, perplexity=self._perplexity(), **self._options()
        )
        embedding = openTSNE.TSNEEmbedding(
            self.embedding_.astype(np.float64), affinities, n_jobs=1,
            random_state=self.random_state,
        )  # fmt: skip
        placed = embedding.transform(x, perplexity=min(5.0, self._perplexity()))
        return np.asarray(placed, dtype=np.float32)

    def _degenerate(self) -> bool:
        return distinct_points(self._points(), most=_FEWEST - 1) is not None

    def _points(self) -> FloatArray:
        return from_half(self.points_, self.points_scale_)

    def _perplexity(self) -> float:
        return min(self.perplexity, (len(self.points_) - 1) / 3)

    def _options(self) -> dict[str, Any]:
        # One thread: openTSNE adds up forces in the order in which its threads finish, and t-SNE
        # amplifies a difference in the last bit. The same seed must give the same map.
        return {"method": "exact", "n_jobs": 1, "random_state": self.random_state}


def _at_least_two_columns(x: FloatArray) -> FloatArray:
    return x if x.shape[1] > 1 else np.pad(x, ((0, 0), (0, 1)))  # openTSNE starts from a plane


def build(
    *, perplexity: float = 30.0, n_iter: int = 500, interpolate: bool = False, random_state: int = 0
) -> TSNE:
    """Make the reducer.

    Args:
        perplexity: roughly how many neighbours an image has, at most (n - 1) / 3.
        n_iter: steps after the 250 of early exaggeration.
        interpolate: interpolate forces on a grid (Linderman et al. 2019, arXiv:1712.09005), which
            takes a sixth of the time with 5,000 images. From 10,000 images on it is always done.
        random_state: the seed of the first layout.

    Raises:
        RecipeError: an option is out of range.

    >>> x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    >>> build().fit_transform(x).shape
    (6, 2)
    """
    check_interval("reducers.tsne.perplexity", perplexity, 1, 10_000, RecipeError)
    check_interval("reducers.tsne.n_iter", n_iter, 1, 100_000, RecipeError)
    return TSNE(perplexity, n_iter, interpolate, random_state)
