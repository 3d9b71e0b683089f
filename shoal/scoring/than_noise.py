"""Are groups of vectors clearer than those that the same clusterer finds in noise?

Of images it is asked whether what they show tells their groups, see `structure`. Vectors from
elsewhere show nothing but how they lie. But any clusterer divides anything, and where vectors are
of few numbers even groups of noise are found again in half of them. So groups are compared with
those of noise that spreads as the vectors do, as the gap statistic compares them (Tibshirani,
Walther and Hastie 2001, doi:10.1111/1467-9868.00293).
"""

from __future__ import annotations

import math

import numpy as np

from shoal.clustering.clustering import build_clusterer
from shoal.embedding.linear_algebra import unit_rows
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray
from shoal.recipes.metric import COSINE, metric_of
from shoal.recipes.parts import build
from shoal.recipes.recipe import Recipe
from shoal.scoring.quality import neighbour_purity

NOISE = 0.05
"""Below this score groups are no clearer than those of noise."""
CLEARER = 0.15
"""From this score on the estimate of the accuracy counts in full. Of groups of noise 9 of 10 have
less than the middle of both, those of real sets of vectors 0.1 to 1.0 (benchmarks/LOG.md)."""
_DRAWS = 3
_MOST, _MOST_A_CLUSTER = 600, 8
_FEWEST, _FEWEST_A_CLUSTER = 20, 2
_NEIGHBOURS = 20
_SLOW = "tsne"
"""The reducer that takes seconds for a few hundred vectors."""


def noise_purity(x: FloatArray, recipe: Recipe) -> float:
    """The neighbour purity of the groups that a recipe finds in noise that spreads as ``x`` does.

    Two kinds of noise are drawn, each along the principal axes of the vectors: normal, of the same
    covariance, and even, over the same range. That counts in whose groups neighbours are purer.

    Args:
        x: float32 (m, c), vectors before any reduction.
        recipe: its reducers, its clusterer and its number of clusters.

    Returns:
        A mean of three draws, up to 1; NaN if there are too few vectors, or it would take long.
    """
    if not enough(len(x), recipe.n_clusters) or any(p.name == _SLOW for p in recipe.reducers):
        return math.nan
    if metric_of(recipe) == COSINE:  # lengths are not compared, and would decide how noise spreads
        x = unit_rows(x)
    mean = x.mean(axis=0, dtype=np.float64)
    places, axes = _along_axes(x - mean)
    generator = np.random.default_rng(recipe.seed)
    deviations, low, high = places.std(axis=0), places.min(axis=0), places.max(axis=0)
    kinds = (
        lambda: generator.normal(size=places.shape) * deviations,
        lambda: generator.uniform(low, high, size=places.shape),
    )
    purities = [
        [_purity((draw() @ axes + mean).astype(np.float32), recipe) for _ in range(_DRAWS)]
        for draw in kinds
    ]
    return float(np.mean(purities, axis=1).max())


def beyond_noise(z: FloatArray, labels: IntArray, n_clusters: int, purity: float) -> float:
    """How far groups are clearer than those of noise: 0 as clear, 1 at best, below 0 less clear.

    Args:
        z: float32 (m, d), the reduced embedding of the vectors that `noise_purity` was told.
        labels: int64 (m,), their groups.
        n_clusters: how many groups were asked for.
        purity: what that gave.
    """
    own = _purity_of(z, labels, n_clusters)
    return (own - purity) / max(1.0 - purity, 1e-6)


def weight(beyond: float) -> float:
    """How much an estimate counts by the score of `beyond_noise`, in [0, 1]; 1 if it is NaN.

    >>> weight(-0.2), round(weight(0.1), 3), weight(0.6), weight(math.nan)
    (0.0, 0.5, 1.0, 1.0)
    """
    if math.isnan(beyond):
        return 1.0
    return min(max((beyond - NOISE) / (CLEARER - NOISE), 0.0), 1.0)


def is_noise(beyond: float) -> bool:
    """Whether groups are no clearer than those of noise, as far as that was measured.

    Then the estimate counts nothing, and the confidence is that of chance.
    """
    return beyond < NOISE


def compared(n_vectors: int, recipe: Recipe) -> IntArray:
    """Which of so many vectors are compared with noise: a sample of their rows, int64 (m,)."""
    most = max(_MOST, _MOST_A_CLUSTER * recipe.n_clusters)
    return sample_rows(n_vectors, most, recipe.seed)


def enough(n_vectors: int, n_clusters: int) -> bool:
    """Whether so many vectors can be compared with noise."""
    return n_vectors >= max(_FEWEST, _FEWEST_A_CLUSTER * n_clusters)


def _along_axes(centred: Array) -> tuple[Array, Array]:
    """Centred vectors (m, c) by their principal axes: their places (m, r), and the axes (r, c)."""
    u, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    return u * lengths, axes


def _purity(x: FloatArray, recipe: Recipe) -> float:
    """The neighbour purity of the groups found in ``x`` float32 (m, c)."""
    z = x
    for part in recipe.reducers:
        z = build("reducers", part, random_state=recipe.seed).fit_transform(z)
    clusterer = build_clusterer(recipe, recipe.n_clusters).fit(z)
    return _purity_of(z, clusterer.predict_proba(z).argmax(axis=1), recipe.n_clusters)


def _purity_of(z: FloatArray, labels: IntArray, n_clusters: int) -> float:
    """The neighbour purity, by at most half as many neighbours as an even group has members."""
    few = max(1, len(z) // (2 * n_clusters))
    return neighbour_purity(z, labels, n_neighbors=min(_NEIGHBOURS, few))
