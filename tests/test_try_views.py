"""Views tried out before training: whether colours are all that the encoder would learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.images.array import ArraySource
from shoal.recipes.asked_views import AUTO, AskedViews
from shoal.recipes.named import BEST
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import recoloured
from shoal.scoring import try_views as module
from shoal.scoring.try_views import try_views
from shoal.training.suit import suit

UNSAID = AskedViews(AUTO, AUTO)
RECIPE = replace(BEST, encoder=Part("vgg", {"widths": (8, 16)}), n_clusters=2)
STRONGER = recoloured(RECIPE.views, "rgb")


def bars(n: int = 400, seed: int = 0) -> np.ndarray:
    """Lying and standing bars of any colour on a ground of any colour."""
    generator = np.random.default_rng(seed)
    images = np.empty((n, 16, 16, 3))
    images[:] = generator.uniform(0, 255, (n, 1, 1, 3))
    for row in range(n):
        at, colour = generator.integers(3, 10), generator.uniform(0, 255, 3)
        if row % 2:
            images[row, at : at + 4, 2:14] = colour
        else:
            images[row, 2:14, at : at + 4] = colour
    return images.astype(np.uint8)


def scored(monkeypatch: pytest.MonkeyPatch, *scores: float) -> list[Recipe]:
    """Have trials come to these scores; the recipes that are tried."""
    tried: list[Recipe] = []

    def trial(source: Any, recipe: Recipe, *_: Any) -> float:
        tried.append(recipe)
        return scores[len(tried) - 1]

    monkeypatch.setattr(module, "_trial", trial)
    return tried


@pytest.mark.parametrize(
    ("scores", "views"),
    [
        ((0.06,), RECIPE.views),  # what images show is learned: one trial is enough
        ((0.04, 0.12), RECIPE.views),
        ((0.04, 0.15), STRONGER),
        ((-0.01, -0.02), RECIPE.views),  # noise
    ],
)
def test_colours_change_more_only_where_that_alone_helps(
    monkeypatch: pytest.MonkeyPatch, scores: Sequence[float], views: object
) -> None:
    tried = scored(monkeypatch, *scores)
    found, said = try_views(ArraySource(bars()), RECIPE, RECIPE.views, UNSAID)
    assert found == replace(RECIPE, views=views)
    assert [recipe.views for recipe in tried] == [RECIPE.views, STRONGER][: len(scores)]
    assert len(said) == 1
    assert "-0" not in said[0]
    # All trials together see at most a fifth of the images that the run sees.
    assert sum(recipe.epochs for recipe in tried) <= 0.2 * RECIPE.epochs


@pytest.mark.parametrize(
    "asked",
    [
        AskedViews(),  # a recipe was named: its views are taken as they are
        AskedViews(AUTO, "matters"),
        AskedViews(AUTO, "varies"),
        AskedViews(AUTO, AUTO, ("epochs=3", "views.hue = 0.2")),
    ],
)
def test_who_speaks_of_colours_decides(monkeypatch: pytest.MonkeyPatch, asked: AskedViews) -> None:
    scored(monkeypatch)
    assert try_views(ArraySource(bars()), RECIPE, RECIPE.views, asked) == (RECIPE, [])


def test_nothing_is_tried_where_it_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch)
    images = bars()
    shown = images // 16
    shown[::2, :8] = 255  # the groups of the pixels are those of the things
    for pile in (
        shown,
        images[:150],  # too few to judge by
        images[:, :5, :5],  # too small
        np.full_like(images, 7),
    ):
        assert try_views(ArraySource(pile), RECIPE, RECIPE.views, UNSAID) == (RECIPE, [])


def test_things_in_any_colours_are_learned_as_things() -> None:
    source = ArraySource(bars())
    recipe = replace(BEST, n_clusters=2)
    suited, _ = suit(source, recipe, UNSAID)
    found, said = try_views(source, suited, recipe.views, UNSAID)
    assert suited.views.free_orientation  # for the channels of an array were no colours
    assert found.views == STRONGER
    assert "these views are taken, as of colours after all, and turn nothing" in said[0]
    asked = AskedViews(AUTO, "ignored")
    at_once, _ = suit(source, recipe, asked)
    assert at_once.views == STRONGER
    assert try_views(source, at_once, recipe.views, asked) == (at_once, [])
