"""The metric of vectors from elsewhere: directions alone, or the vectors as they are."""

from __future__ import annotations

from dataclasses import replace

from shoal.recipes.parts import Part, check_choice
from shoal.recipes.recipe import Recipe

AUTO, COSINE, EUCLIDEAN = "auto", "cosine", "euclidean"
_DIRECTIONS = Part("unit_norm")


def with_metric(recipe: Recipe, metric: str) -> Recipe:
    """A recipe that compares vectors so; ``auto`` leaves it as it is.

    >>> from shoal.recipes.named import VECTORS
    >>> [str(part) for part in with_metric(VECTORS, "euclidean").reducers]
    ['pca(n_components=64)']

    Raises:
        RecipeError: there is no such metric.
    """
    check_choice("metric", metric, (AUTO, COSINE, EUCLIDEAN))
    if metric == AUTO:
        return recipe
    others = tuple(part for part in recipe.reducers if part.name != _DIRECTIONS.name)
    return replace(recipe, reducers=(_DIRECTIONS, *others) if metric == COSINE else others)


def metric_of(recipe: Recipe) -> str:
    """The metric of a recipe: ``cosine`` if it brings vectors to one length, else ``euclidean``.

    >>> from shoal.recipes.named import VECTORS
    >>> metric_of(VECTORS), metric_of(with_metric(VECTORS, "euclidean"))
    ('cosine', 'euclidean')
    """
    brings = any(part.name == _DIRECTIONS.name for part in recipe.reducers)
    return COSINE if brings else EUCLIDEAN
