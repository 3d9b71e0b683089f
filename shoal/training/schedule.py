"""How a recipe's epochs become steps, and the learning rate of each."""

from __future__ import annotations

import math

from shoal.models.pace import Pace
from shoal.recipes.recipe import Recipe


def batch_size(recipe: Recipe, n_images: int) -> int:
    """Images a step: the recipe's, or a tenth of a small pile, so that an epoch has ten steps.

    >>> from shoal.recipes.named import BEST
    >>> batch_size(BEST, 8500), batch_size(BEST, 1797), batch_size(BEST, 5)
    (384, 179, 2)
    """
    return max(2, min(recipe.batch_size, n_images // 10))


def steps_an_epoch(recipe: Recipe, n_images: int) -> int:
    """The steps of an epoch: every image is seen once, except for less than a batch of them."""
    return n_images // batch_size(recipe, n_images)


def n_steps(recipe: Recipe, n_images: int) -> int:
    """Steps of the whole run, at least 1."""
    return max(1, round(recipe.epochs * steps_an_epoch(recipe, n_images)))


def learning_rate(recipe: Recipe, step: int, total_steps: int, pace: Pace | None = None) -> float:
    """The rate at ``step`` (from 1): a linear rise, then constant or half a cosine to 0.

    SGDR without restarts (Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5). Where a time
    limit has changed the run's length, the cosine follows `Pace.fraction`.

    Args:
        recipe: with its learning rate, warmup steps and schedule.
        step: from 1 to ``total_steps``.
        total_steps: of the run, if it has no ``pace``.
        pace: how the run's length was decided; None: it is ``total_steps``.

    >>> from shoal.recipes.named import IMPROVED
    >>> [round(learning_rate(IMPROVED, step, 1000), 6) for step in (1, 60, 61, 1000)]
    [1.7e-05, 0.001, 0.001, 0.0]
    """
    pace = Pace.of(total_steps) if pace is None else pace
    warmup = min(recipe.warmup_steps, pace.first_total // 10)
    if step <= warmup:
        return recipe.learning_rate * step / warmup
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if len(pace.decisions) == 1:
        progress = (step - warmup - 1) / max(1, pace.total - warmup)
    else:
        start = pace.fraction(warmup)
        progress = (pace.fraction(step - 1) - start) / max(1e-9, 1.0 - start)
    return recipe.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, progress))))
