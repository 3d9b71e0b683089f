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


def scored(monkeypatch: pytest.MonkeyPatch, *scores: float, light: float = 0.0) -> list[Recipe]:
    """Have the groups of the pixels, and of trials, come to these scores; the recipes tried.

    Args:
        monkeypatch: of pytest.
        scores: how well what images show tells the groups of the pixels, and of each trial.
        light: how well light and colours tell those of the first trial.
    """
    tried: list[Recipe] = []
    # In the order in which they are asked: pixels; the usual views, by both; the stronger ones.
    asked = iter([*scores[:2], light, *scores[2:]])

    def trial(source: Any, recipe: Recipe, *_: Any) -> np.ndarray:
        tried.append(recipe)
        return np.zeros(len(source), dtype=np.int64)

    monkeypatch.setattr(module, "_trial", trial)
    monkeypatch.setattr(module, "predictability", lambda *_: next(asked))
    return tried


@pytest.mark.parametrize(
    ("scores", "light", "outcome"),
    [
        ((0.0, 0.40, 0.64), 0.4, "usual"),  # better by what colours are worth
        ((0.0, 0.40, 0.66), 0.4, "stronger"),
        ((0.0, 0.23, 0.29), 0.95, "stronger"),  # colours are all that was learned
        ((0.0, 0.23, 0.27), 0.95, "usual"),
        ((0.0, 0.04, 0.15), 0.4, "stronger"),  # nothing was learned
        ((0.0, 0.04, 0.13), 0.4, "usual"),
        ((0.0, 0.50, 0.61), 0.95, "usual"),  # not all
        ((0.0, -0.01, -0.02), 0.0, "usual"),  # noise
        ((0.08, 0.0, 1.0), 0.0, "stronger"),
        ((0.09, 0.0, 1.0), 0.0, ""),
    ],
)
def test_colours_change_more_only_where_that_helps_far_more(
    monkeypatch: pytest.MonkeyPatch, scores: Sequence[float], light: float, outcome: str
) -> None:
    tried = scored(monkeypatch, *scores, light=light)
    found, came_of_it, said = try_views(ArraySource(bars()), RECIPE, RECIPE.views, UNSAID)
    assert came_of_it == outcome
    assert found == replace(RECIPE, views=STRONGER if outcome == "stronger" else RECIPE.views)
    assert [recipe.views for recipe in tried] == ([RECIPE.views, STRONGER] if outcome else [])
    assert len(said) == bool(outcome)
    assert "-0" not in "".join(said)
    if outcome:  # each number stands in the row of what it is of
        table = [line.split() for line in said[0].splitlines() if line.startswith("  ")]
        told = [f"{max(score, 0.0):.2f}" for score in (scores[0], scores[1], light, scores[2])]
        assert [table[1][-2], *table[2][-2:], table[3][-2]] == told
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
    scored(monkeypatch, 0.0, 0.0, 1.0)
    assert try_views(ArraySource(bars()), RECIPE, RECIPE.views, asked) == (RECIPE, "", [])


def test_nothing_is_tried_where_it_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_trial", lambda *_: pytest.fail("a trial was made"))
    images = bars()
    shown = images // 16
    shown[::2, :8] = 255  # the groups of the pixels are those of the things
    for pile in (
        shown,
        images[:150],  # too few to judge by
        images[:, :5, :5],  # too small
        np.full_like(images, 7),
    ):
        assert try_views(ArraySource(pile), RECIPE, RECIPE.views, UNSAID) == (RECIPE, "", [])


def test_things_in_any_colours_are_learned_as_things() -> None:
    source = ArraySource(bars())
    recipe = replace(BEST, n_clusters=2)
    suited, _ = suit(source, recipe, UNSAID)
    found, outcome, said = try_views(source, suited, recipe.views, UNSAID)
    assert suited.views.free_orientation  # for the channels of an array were no colours
    assert found.views == STRONGER
    assert outcome == "stronger"
    assert "are taken: under them the groups follow what the images show" in said[0]
    assert "taken for colours after all. Views turn nothing. If light" in said[0]
    asked = AskedViews(AUTO, "ignored")
    at_once, _ = suit(source, recipe, asked)
    assert at_once.views == STRONGER
    assert try_views(source, at_once, recipe.views, asked) == (at_once, "", [])
