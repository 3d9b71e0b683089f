"""Views that suit what the images are."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from shoal.images.channels import ChannelKind
from shoal.recipes.augmentation import Views
from shoal.recipes.named import BEST, RECIPES
from shoal.recipes.views_for import (
    INTENSITY_FIELDS,
    for_channels,
    with_intensity,
    with_orientation,
)

KINDS: tuple[ChannelKind, ...] = ("grey", "rgb", "channels")


def changed(before: Views, after: Views) -> set[str]:
    after.check()
    new = asdict(after)
    return {name for name, value in asdict(before).items() if value != new[name]}


def test_orientation_changes_orientation_alone_and_can_be_taken_back() -> None:
    free = with_orientation(Views(rotation=10), True)
    assert changed(Views(rotation=10), free) == {"free_orientation", "horizontal_flip"}
    assert changed(free, with_orientation(free, False)) == {"free_orientation"}
    assert with_orientation(BEST.views, False) == BEST.views


@pytest.mark.parametrize("kind", KINDS)
def test_intensity_that_matters_is_not_changed(kind: ChannelKind) -> None:
    strong = with_intensity(BEST.views, False, kind)
    kept = with_intensity(strong, True, kind)
    assert not any(getattr(kept, name) for name in INTENSITY_FIELDS)
    assert changed(strong, kept) <= set(INTENSITY_FIELDS)
    assert kept.min_crop == BEST.views.min_crop


@pytest.mark.parametrize("kind", KINDS)
def test_intensity_that_varies_is_changed_where_the_recipe_changed_none(kind: ChannelKind) -> None:
    varied = changed(Views(), with_intensity(Views(), False, kind))
    wanted = {
        "grey": {"brightness", "contrast"},
        "rgb": {"brightness", "contrast", "saturation", "hue", "grey_probability"},
        "channels": {"channel_gain", "channel_offset", "channel_gamma", "channel_noise"},
    }
    assert varied == wanted[kind]


@pytest.mark.parametrize("recipe", RECIPES)
def test_grey_and_colour_images_keep_the_views_of_every_recipe(recipe: str) -> None:
    views = RECIPES[recipe].views
    assert for_channels(views, "grey") == for_channels(views, "rgb") == views
    channels = for_channels(views, "channels")
    assert (channels.saturation, channels.hue, channels.grey_probability) == (0, 0, 0)
    assert (channels.channel_gain > 0) == (views.brightness > 0)
    assert for_channels(channels, "channels") == channels
