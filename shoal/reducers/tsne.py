"""t-SNE, with a place for new images."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from shoal.checks import check_interval
from shoal.errors import RecipeError
from shoal.fitted import FittedArrays, from_half, to_half
from shoal.protocols import Array, FloatArray

_FEWEST = 8  # below, neighbourhoods of three mean nothing


class TSNE(FittedArrays):
    """openTSNE's t-SNE (van der Maaten and Hinton 2008; Poličar et al. 2024,
    doi:10.18637/jss.v109.i03).

    New images are placed among the old ones, which stay where they are. Fewer than 8 points are
    laid out by their first two principal components.
    """

    points_: Array
    points_scale_: Array
    embedding_: Array

    def __init__(self, perplexity: float, n_iter: int, random_state: int) -> None:
        self.perplexity = perplexity
        self.n_iter = n_iter
        self.random_state = random_state

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Lay out float32 (n, d) as float32 (n, 2)."""
        self.points_, self.points_scale_ = to_half(x)
        if len(x) < _FEWEST:
            centred = x - x.mean(axis=0)
            left, values, _ = np.linalg.svd(centred, full_matrices=False)
            plane = np.zeros((len(x), 2), dtype=np.float32)
            width = min(2, len(values))
            plane[:, :width] = left[:, :width] * values[:width]
            self.embedding_ = plane
        else:
            self.embedding_ = np.asarray(self._model().fit(self._points()), dtype=np.float32)
        return self.embedding_

    def transform(self, x: FloatArray) -> FloatArray:
        """Place float32 (m, d) among the fitted points: float32 (m, 2)."""
        from shoal.neighbours import nearest

        reference = self._points()
        if len(reference) < _FEWEST:
            return np.asarray(self.embedding_[nearest(reference, x, 1)[1][:, 0]], dtype=np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            embedding = self._model().prepare_initial(
                reference, initialization=self.embedding_.astype(np.float64)
            )
            placed = embedding.transform(x, perplexity=min(5.0, (len(reference) - 1) / 3))
        return np.asarray(placed, dtype=np.float32)

    def _points(self) -> FloatArray:
        return from_half(self.points_, self.points_scale_)

    def _model(self) -> Any:
        import openTSNE

        # One thread: openTSNE adds up forces in the order its threads finish, and t-SNE amplifies
        # the last bit; the same seed must give the same map.
        return openTSNE.TSNE(
            perplexity=min(self.perplexity, (len(self.points_) - 1) / 3),
            n_iter=self.n_iter,
            neighbors="exact",
            n_jobs=1,
            random_state=self.random_state,
        )


def build(*, perplexity: float = 30.0, n_iter: int = 500, random_state: int = 0) -> TSNE:
    """Make the reducer; the perplexity is lowered for fewer than about 3 · perplexity points."""
    check_interval("reducers.tsne.perplexity", perplexity, 1, 10_000, RecipeError)
    check_interval("reducers.tsne.n_iter", n_iter, 1, 100_000, RecipeError)
    return TSNE(perplexity, n_iter, random_state)
