"""How much a run does: quick, default or thorough. Each is a number of epochs.

For the size of the images see `shoal.images.decoding.fitting.choose_side`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shoal.recipes import parts
from shoal.recipes.recipe import Recipe


@dataclass(frozen=True)
class Effort:
    """How much longer a run trains than its recipe says. For sizes see `fitting.choose_side`."""

    times: float
    """So many times the recipe's epochs."""


DEFAULT_EFFORT = "default"
EFFORTS = {
    "quick": Effort(1 / 3),
    DEFAULT_EFFORT: Effort(1.0),
    "thorough": Effort(2.0),
}


def effort_named(name: Any) -> Effort:
    """The effort of that name.

    Raises:
        RecipeError: there is none.
    """
    parts.check_choice("effort", name, EFFORTS)
    return EFFORTS[name]


def with_effort(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the epochs of that effort.

    >>> from shoal.recipes.named import BEST
    >>> [with_effort(BEST, name).epochs for name in EFFORTS]
    [13, 38, 76]

    Raises:
        RecipeError: there is no such effort.
    """
    epochs = recipe.epochs * effort_named(name).times
    return recipe if name == DEFAULT_EFFORT else replace(recipe, epochs=_whole(epochs))


def _whole(epochs: float) -> float:
    """A whole number from 3 epochs on."""
    return round(epochs) if epochs >= 3 else round(epochs, 3)
