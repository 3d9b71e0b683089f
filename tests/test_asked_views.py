"""What a person says of the images decides the views of a run, and goes before shoal's choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal import load
from shoal.cli.opening_as_learned import open_as_learned
from shoal.cli.options import OpenOptions
from shoal.errors import RecipeError
from shoal.estimator.image_clusterer import ImageClusterer
from shoal.images.array import ArraySource
from shoal.images.channels import channel_kind
from shoal.images.within import Within
from shoal.recipes.asked_views import AskedViews
from shoal.recipes.named import BEST
from shoal.recipes.views_for import INTENSITY_FIELDS
from shoal.training.suit import suit

SMALL = ["--epochs", "0.2", "--set", "encoder.widths=(8,16)", "--set", "checkpoints=1",
         "--device", "cpu"]  # fmt: skip


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    np.save(tmp_path / "pile.npy", generator.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8))
    return tmp_path / "pile.npy"


def test_the_flags_of_train_set_views_and_settings_go_before_them(
    pile: Path, run_cli: Callable[..., Any]
) -> None:
    words = ["train", pile, pile.parent / "c.pth", *SMALL, "--orientation", "free",
             "--intensity", "matters", "--set", "views.hue=0.1"]  # fmt: skip
    assert run_cli(*words).code == 0
    views = load(pile.parent / "c.pth").recipe.views
    assert views.free_orientation
    assert {name: getattr(views, name) for name in INTENSITY_FIELDS if getattr(views, name)} == {
        "hue": 0.1
    }
    again = run_cli(*words)
    assert again.code == 0
    assert "finished checkpoint of this run already" in again.err + again.out
    words[words.index("free")] = "upright"
    other = run_cli(*words)
    assert other.code == 2
    assert "it has --set views.free_orientation=True" in other.err


def test_a_person_may_say_whether_three_channels_are_colours(
    pile: Path, run_cli: Callable[..., Any]
) -> None:
    place = pile.parent / "c.pth"
    guessed = run_cli("train", pile, place, *SMALL)
    assert "do not go together as colours do, and are taken for measurements (--colours" in (
        guessed.err
    )
    assert load(place).within.colours is None
    asked = ["train", pile, place, *SMALL, "--colours", "yes"]
    assert "it has --colours auto" in run_cli(*asked).err
    colours = run_cli(*asked, "--force")
    assert "8 × 8 pixels in colour" in colours.err
    assert "go together" not in colours.err
    trained = load(place)
    assert trained.recipe.views.saturation > 0
    assert trained.within.colours is True
    assert "finished checkpoint of this run already" in run_cli(*asked).err
    opened = open_as_learned(pile, trained, OpenOptions())
    assert channel_kind(opened) == "rgb"
    assert Within.from_json({"every": None, "pages": "auto", "channels": ""}) == Within()  # older

    np.save(pile.parent / "grey.npy", np.zeros((24, 8, 8), np.uint8))
    refused = run_cli("train", pile.parent / "grey.npy", pile.parent / "d.pth", "--colours", "no")
    assert (refused.code, refused.err) == (
        2,
        "shoal: --colours is only for images of three channels, and these have 1; leave it out.\n",
    )
    unknown = run_cli("run", pile, pile.parent / "e", "--colours", "perhaps")
    assert unknown.code == 2
    assert "--colours must be 'yes', 'no' or 'auto', got 'perhaps'" in unknown.err


def test_an_interrupted_run_goes_on_with_the_views_that_it_began_with(
    pile: Path, run_cli: Callable[..., Any]
) -> None:
    words = ["run", pile, pile.parent / "found", *SMALL, "--orientation", "free"]
    assert run_cli(*words).code == 0
    (pile.parent / "found" / "map.png").unlink()
    assert run_cli(*words, "--resume").code == 0
    assert run_cli(*words).code == 0
    words[words.index("free")] = "upright"
    other = run_cli(*words)
    assert other.code == 2
    assert "it has --orientation free" in other.err


@pytest.mark.parametrize("name", ["orientation", "intensity"])
def test_an_unknown_word_is_one_sentence(
    pile: Path, run_cli: Callable[..., Any], name: str
) -> None:
    result = run_cli("train", pile, pile.parent / "c.pth", f"--{name}", "sideways")
    assert result.code == 2
    assert f"--{name} must be one of " in result.err
    assert "got 'sideways'" in result.err
    assert len(result.err.strip().splitlines()) == 1
    with pytest.raises(RecipeError, match=f"{name} must be one of"):
        ImageClusterer(**{name: "sideways"}).fit(np.zeros((4, 8, 8), np.uint8))


def test_a_named_recipe_is_taken_as_it_is_and_no_name_leaves_the_choice_to_shoal() -> None:
    named = AskedViews.of(None, None, [], recipe_named=True)
    unnamed = AskedViews.of(None, None, [], recipe_named=False)
    assert (named.says_nothing, named.leaves_choice) == (True, False)
    assert (unnamed.says_nothing, unnamed.leaves_choice) == (False, True)
    five = ArraySource(np.zeros((4, 8, 8, 5), np.uint8))
    assert suit(five, BEST, named) == (BEST, [])
    chosen, said = suit(five, BEST, unnamed)
    assert (chosen.views.hue, chosen.views.brightness) == (0, 0)
    assert (chosen.views.channel_gain, chosen.views.min_crop) == (0, 0.6)
    assert "measurements" in said[0]
    free = AskedViews.of("free", None, [], recipe_named=True)
    assert suit(five, BEST, free)[0].views.hue == BEST.views.hue
    assert suit(five, BEST, free)[0].views.free_orientation


def test_the_estimator_takes_the_same_words() -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype=np.uint8)
    settings = ["encoder.widths=(8,16)", "checkpoints=1"]
    fitted = ImageClusterer(
        epochs=0.2, settings=settings, orientation="free", intensity="varies"
    ).fit(images)
    views = fitted.checkpoint_.recipe.views
    assert views.free_orientation
    assert views.brightness == BEST.views.brightness
