"""The views that test the groups: never what training was told to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.images.array import ArraySource
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.recipes.asked_views import AskedViews
from shoal.recipes.named import BEST, RECIPES
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import COLOUR_FIELDS, INTENSITY_FIELDS
from shoal.scoring.evaluation_views import (
    EVALUATION_VIEWS,
    changed_by,
    evaluation_views,
    light_counts,
)
from shoal.training.suit import suit

NO_COLOURS = tuple(f"views.{name}=0" for name in COLOUR_FIELDS)


def checkpoint_of(recipe: Recipe, n_channels: int = 3, command: str = "") -> Checkpoint:
    """A checkpoint with all that decides the views."""
    return Checkpoint(
        recipe=recipe, image_shape=(8, 8, n_channels), n_images=40, step=0, total_steps=0,
        epoch=1.0, encoder_state={}, objective_states=[], origin=Origin(command=command),
    )  # fmt: skip


def trained_on(
    n_channels: int, intensity: str | None = None, settings: tuple[str, ...] = (),
    name: str | None = None,
) -> Checkpoint:  # fmt: skip
    """What a run on noise comes to that was told so, on the command line."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 8, 8, n_channels), dtype=np.uint8)
    if n_channels == 3:
        noise[..., 1:] = noise[..., :1]  # channels that go together are colours
    asked = AskedViews.of(None, intensity, settings, recipe_named=name is not None)
    recipe, _ = suit(ArraySource(noise), RECIPES[name or "best"], asked)
    said = "" if intensity is None else f" --intensity {intensity}"
    said += "".join(f" --set {each}" for each in settings)
    return checkpoint_of(recipe, n_channels, f"shoal run pile.npy found{said}")


def changed(checkpoint: Checkpoint) -> dict[str, Any]:
    """Which changes of intensity the views make."""
    views = evaluation_views(checkpoint)
    assert views.rotation == EVALUATION_VIEWS.rotation
    return {name: getattr(views, name) for name in INTENSITY_FIELDS if getattr(views, name)}


@pytest.mark.parametrize(
    "told",
    [
        trained_on(3, "matters"),
        trained_on(1, "matters"),
        trained_on(3, "matters", name="baseline"),  # whose own views change nothing
        trained_on(3, settings=NO_COLOURS),
        trained_on(5),  # shoal took the channels for measurements
        replace(trained_on(3, "matters"), origin=Origin()),  # in Python
        replace(trained_on(3, "matters"), origin=Origin(command="shoal run pile.npy f --resume")),
    ],
)
def test_what_training_kept_is_not_changed(told: Checkpoint) -> None:
    assert changed(told) == {}
    assert changed_by(evaluation_views(told), told.image_shape[2]) == ""


def test_what_training_changed_is_changed_a_little() -> None:
    everything = {name: getattr(EVALUATION_VIEWS, name) for name in COLOUR_FIELDS}
    for told in (trained_on(3), trained_on(3, "varies"), trained_on(3, "ignored"),
                 trained_on(3, name="baseline"), trained_on(1, name="digits"),
                 checkpoint_of(RECIPES["baseline"])):  # fmt: skip
        assert changed(told) == everything
    assert "hue" not in changed(trained_on(3, settings=("views.hue=0",)))
    assert changed(trained_on(5, "varies"))["channel_gain"] == EVALUATION_VIEWS.brightness
    assert changed_by(evaluation_views(trained_on(5, "varies")), 5) == "light"


def test_light_counts_only_where_somebody_says_so() -> None:
    assert not light_counts(trained_on(5))  # shoal's own guess
    assert light_counts(trained_on(5, "matters"))
    assert light_counts(trained_on(3, settings=NO_COLOURS))
    assert light_counts(replace(trained_on(5), origin=Origin()))  # from Python
    assert not light_counts(checkpoint_of(BEST))
    assert not light_counts(trained_on(3, "varies"))
