"""The parameters of `ImageClusterer` as a recipe; `fit` checks them, as scikit-learn asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from shoal.clustering.choose_k import AUTO
from shoal.errors import RecipeError
from shoal.recipes.named import named
from shoal.recipes.parts import fits
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import changes, override


def resolve(
    recipe: str | Recipe,
    *,
    n_clusters: int | str,
    epochs: float | None,
    minutes: float | None,
    settings: Sequence[str],
    random_state: int | np.random.RandomState | None,
) -> Recipe:
    """The recipe that these parameters describe.

    Two parameters need the images and are not applied here: ``minutes``, and ``n_clusters`` when
    it is ``"auto"``.

    Raises:
        RecipeError: a parameter is unknown, of a wrong type or out of range, or two of them
            contradict each other.

    >>> others = {"epochs": 3, "minutes": None, "settings": ["batch_size=64"], "random_state": 7}
    >>> recipe = resolve("best", n_clusters=5, **others)
    >>> recipe.n_clusters, recipe.epochs, recipe.batch_size, recipe.seed
    (5, 3, 64, 7)
    """
    if epochs is not None and minutes is not None:
        raise RecipeError("epochs and minutes cannot be given together; give one of them.")
    if minutes is not None and not (fits(_plain(minutes), float) and 0 < minutes <= 100_000):
        raise RecipeError(f"minutes must be a number in (0, 100000], got {minutes!r}.")
    if isinstance(n_clusters, str) and n_clusters != AUTO:
        raise RecipeError(f"n_clusters must be a whole number or {AUTO!r}, got {n_clusters!r}.")
    if not isinstance(settings, list | tuple) or not all(isinstance(s, str) for s in settings):
        raise RecipeError(
            f"settings must be a list of texts such as ['batch_size=64'], got {settings!r}."
        )
    if isinstance(recipe, str):
        recipe = named(recipe)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"recipe must be the name of a recipe or a Recipe, got {recipe!r}.")
    given = _changes(n_clusters, epochs, minutes, random_state)
    for parameter, (field, _) in given.items():
        if changes(settings, field):
            raise RecipeError(
                f"{parameter} and {field}=… in settings cannot be given together; leave out the "
                "setting."
            )
    recipe = override(recipe, settings)
    values = {field: value for field, value in given.values() if value is not None}
    recipe = replace(recipe, **values)
    recipe.check()
    return recipe


def _changes(
    n_clusters: int | str, epochs: float | None, minutes: float | None, random_state: Any
) -> dict[str, tuple[str, Any]]:
    """For each parameter that decides a field of the recipe: the field and its value.

    The value is None where it is not known before the images are.
    """
    number = None if isinstance(n_clusters, str) else _plain(n_clusters)
    changes: dict[str, tuple[str, Any]] = {"n_clusters": ("n_clusters", number)}
    if epochs is not None:
        changes["epochs"] = ("epochs", _plain(epochs))
    if minutes is not None:
        changes["minutes"] = ("epochs", None)
    if random_state is not None:
        changes["random_state"] = ("seed", _seed(random_state))
    return changes


def _seed(random_state: Any) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    # Never None: that would be NumPy's global generator, which shoal does not use.
    return int(check_random_state(random_state).randint(2**31 - 1))


def _plain(value: Any) -> Any:
    """A NumPy number as Python's own; ``np.arange`` puts NumPy numbers into a parameter grid."""
    return value.item() if isinstance(value, np.generic) else value
