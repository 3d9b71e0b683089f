"""The parameters of `ImageClusterer` as a recipe; `fit` checks them, as scikit-learn asks."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from shoal.clustering.choose_k import AUTO
from shoal.errors import RecipeError
from shoal.recipes.efforts import DEFAULT_EFFORT, effort_named, with_effort
from shoal.recipes.named import DEFAULT
from shoal.recipes.recipe import Recipe
from shoal.recipes.resolve import check_length, resolve
from shoal.recipes.settings import changes


def recipe_of(
    recipe: str | Recipe | None,
    *,
    n_clusters: int | str,
    effort: str = DEFAULT_EFFORT,
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
    >>> recipe = recipe_of("best", n_clusters=5, **others)
    >>> recipe.n_clusters, recipe.epochs, recipe.batch_size, recipe.seed
    (5, 3, 64, 7)
    """
    check_length(epochs, minutes)
    auto = isinstance(n_clusters, str)
    if auto and n_clusters != AUTO:
        raise RecipeError(f"n_clusters must be a whole number or {AUTO!r}, got {n_clusters!r}.")
    given: dict[str, tuple[str, Any]] = {"n_clusters": ("n_clusters", None if auto else n_clusters)}
    if epochs is not None:
        given["epochs"] = ("epochs", epochs)
    if minutes is not None:
        given["minutes"] = ("epochs", None)
    if random_state is not None:
        given["random_state"] = ("seed", _seed(random_state))
    resolved = resolve(DEFAULT if recipe is None else recipe, settings, given)
    if epochs is None and minutes is None and not changes(settings, "epochs"):
        resolved = with_effort(resolved, effort)
    effort_named(effort)
    return resolved


def _seed(random_state: Any) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    # Never None: that would be NumPy's global generator, which shoal does not use.
    return int(check_random_state(random_state).randint(2**31 - 1))
