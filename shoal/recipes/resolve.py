"""The recipe of a run, from the parameters of a command or of the estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.recipes.named import named
from shoal.recipes.parts import fits
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import changes, override

_MOST_MINUTES = 100_000


def resolve(
    recipe: str | Recipe, settings: Sequence[str], given: Mapping[str, tuple[str, Any]]
) -> Recipe:
    """Return a recipe with settings and with parameters that decide a field of it.

    Args:
        recipe: the recipe, or its name.
        settings: changes written ``FIELD=VALUE``.
        given: for each parameter that was given: the field it decides, and the field's value. A
            value of None is known only once the images are, and leaves the field as it is.

    Raises:
        RecipeError: the recipe is unknown, a value is of a wrong type or out of range, or a setting
            and a parameter decide the same field.

    >>> given = {"n_clusters": ("n_clusters", 5), "random_state": ("seed", np.int64(7))}
    >>> recipe = resolve("best", ["batch_size=64"], given)
    >>> recipe.batch_size, recipe.n_clusters, recipe.seed
    (64, 5, 7)
    """
    if not isinstance(settings, list | tuple) or not all(isinstance(s, str) for s in settings):
        raise RecipeError(
            f"settings must be a list of texts such as ['batch_size=64'], got {settings!r}."
        )
    if isinstance(recipe, str):
        recipe = named(recipe)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"recipe must be the name of a recipe or a Recipe, got {recipe!r}.")
    for parameter, (field, _) in given.items():
        if changes(settings, field):
            raise RecipeError(
                f"{parameter} and the setting {field}=… cannot both be given; give one."
            )
    recipe = override(recipe, settings)
    values = {field: plain(value) for field, value in given.values() if value is not None}
    recipe = replace(recipe, **values)
    recipe.check()
    return recipe


def check_length(epochs: float | None, minutes: float | None) -> None:
    """Raise unless at most one of the two is given, and ``minutes`` are a sensible number.

    Raises:
        RecipeError: both are given, or ``minutes`` is no number in (0, 100000].
    """
    if minutes is None:
        return
    if epochs is not None:
        raise RecipeError("epochs and minutes cannot both be given; give one.")
    if not fits(plain(minutes), float):
        raise RecipeError(f"minutes must be a number, got {minutes!r}.")
    check_interval("minutes", plain(minutes), 0, _MOST_MINUTES, RecipeError, open_low=True)


def plain(value: Any) -> Any:
    """A NumPy number as Python's own; ``np.arange`` puts NumPy numbers into a parameter grid."""
    return value.item() if isinstance(value, np.generic) else value
