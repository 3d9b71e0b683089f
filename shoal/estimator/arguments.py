"""The arguments of `ImageClusterer` as a recipe, checked: in `fit`, as scikit-learn wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from shoal.choose_k import AUTO
from shoal.errors import RecipeError
from shoal.recipes.parts import fits
from shoal.recipes.recipe import Recipe, named
from shoal.recipes.settings import override


def resolve(
    recipe: str | Recipe,
    *,
    n_clusters: int | str,
    epochs: float | None,
    minutes: float | None,
    settings: Sequence[str],
    random_state: int | np.random.RandomState | None,
) -> Recipe:
    """The recipe with all that was asked, but for what needs a look at the images first.

    That is ``minutes``, and ``n_clusters`` if it is ``"auto"``.

    Raises:
        RecipeError: something unknown, of a wrong type or out of range, or asked twice.

    >>> asked = {"epochs": 3, "minutes": None, "settings": ["batch_size=64"], "random_state": 7}
    >>> found = resolve("best", n_clusters=5, **asked)
    >>> found.n_clusters, found.epochs, found.batch_size, found.seed
    (5, 3, 64, 7)
    """
    if epochs is not None and minutes is not None:
        raise RecipeError("either epochs or minutes is expected, and both came; give one.")
    if minutes is not None and not (fits(_plain(minutes), float) and 0 < minutes <= 100_000):
        raise RecipeError(f"minutes is expected in (0, 100000], and {minutes!r} came.")
    if isinstance(n_clusters, str) and n_clusters != AUTO:
        raise RecipeError(
            f"n_clusters is expected as a whole number or {AUTO!r}, and {n_clusters!r} came."
        )
    if not isinstance(settings, list | tuple) or not all(isinstance(s, str) for s in settings):
        raise RecipeError(
            f"settings are expected as a list of texts, such as ['batch_size=64'], and "
            f"{settings!r} came."
        )
    if isinstance(recipe, str):
        recipe = named(recipe)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"recipe is expected as a name or a Recipe, and {recipe!r} came.")
    number = None if isinstance(n_clusters, str) else _plain(n_clusters)
    asked: dict[str, tuple[str, Any]] = {"n_clusters": ("n_clusters", number)}
    if epochs is not None or minutes is not None:
        asked["epochs"] = ("minutes" if epochs is None else "epochs", _plain(epochs))
    if random_state is not None:
        asked["seed"] = ("random_state", _seed(random_state))
    for field, (argument, _) in asked.items():
        if any(setting.partition("=")[0].strip() == field for setting in settings):
            raise RecipeError(
                f"either {argument} or {field}=… in settings is expected, and both came; leave "
                "out the setting."
            )
    recipe = override(recipe, settings)
    values = {field: value for field, (_, value) in asked.items() if value is not None}
    recipe = replace(recipe, **values)
    recipe.check()
    return recipe


def _seed(random_state: Any) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    # None would be NumPy's global generator, of which shoal makes no use: it never comes here.
    return int(check_random_state(random_state).randint(2**31 - 1))


def _plain(value: Any) -> Any:
    """A number of NumPy's, as a parameter grid made by ``np.arange`` holds them, as Python's."""
    return value.item() if isinstance(value, np.generic) else value
