"""The views under which clusters are examined: changes that should not move an image elsewhere.

They change light and colours a little, but nothing that training was told to keep: groups that are
told by it would be found inconsistent for no fault of theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from shoal.models.checkpoint import Checkpoint
from shoal.recipes.asked_views import AUTO
from shoal.recipes.augmentation import Views
from shoal.recipes.named import BEST, RECIPES
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import COLOUR_FIELDS, INTENSITY_FIELDS, for_channels
from shoal.scoring.training_command import trained_by

EVALUATION_VIEWS = Views(
    min_crop=0.6, rotation=10, zoom=0.1, shear=0.1, shift=0.05, brightness=0.4, contrast=0.4,
    saturation=0.4, hue=0.1, grey_probability=0.2, noise=0.05,
)  # fmt: skip
"""Mild changes of photographs. No flip: digits have a left side."""
_EACH_CHANNEL = ("channel_gain", "channel_offset", "channel_gamma")


def evaluation_views(checkpoint: Checkpoint) -> Views:
    """`EVALUATION_VIEWS`, without the changes of light and colours that training was told to keep.

    Where training changed each channel by itself, so do these. A recipe that by itself changes no
    colours, as an autoencoder's, was told nothing: it is examined like the others.
    """
    recipe = checkpoint.recipe
    if any(getattr(recipe.views, name) for name in _EACH_CHANNEL):
        return for_channels(EVALUATION_VIEWS, "channels")
    kept = COLOUR_FIELDS if light_counts(checkpoint) else _kept(recipe)
    nothing: dict[str, Any] = dict.fromkeys(kept, 0.0)
    return replace(EVALUATION_VIEWS, **nothing)


def changed_by(views: Views, n_channels: int) -> Literal["", "light", "colours"]:
    """What such views change of images beside how they lie: colours, the light alone, or nothing.

    >>> changed_by(EVALUATION_VIEWS, 3), changed_by(EVALUATION_VIEWS, 1), changed_by(Views(), 3)
    ('colours', 'light', '')
    """
    if n_channels == 3 and (views.hue or views.saturation):
        return "colours"
    return "light" if any(getattr(views, name) for name in INTENSITY_FIELDS) else ""


def light_counts(checkpoint: Checkpoint) -> bool:
    """Whether light and colours are meant to tell kinds apart.

    A person said so on the command line, by ``--intensity`` or by settings of views; or in Python,
    where views then keep them. Views that keep the intensity of channels by shoal's own guess say
    nothing of the kind.
    """
    training = trained_by(checkpoint.origin.command)
    if training is not None and training.intensity not in ("", AUTO):
        return training.intensity == "matters"
    said = training is None or any(training.sets(f"views.{name}") for name in COLOUR_FIELDS)
    return said and keeps_intensity(checkpoint.recipe)


def keeps_intensity(recipe: Recipe) -> bool:
    """Whether views keep light and colours, though those of the named recipe change them.

    >>> keeps_intensity(replace(BEST, views=Views())), keeps_intensity(BEST)
    (True, False)
    >>> keeps_intensity(RECIPES["baseline"])  # nobody said anything
    False
    """
    changes = any(getattr(recipe.views, name) for name in INTENSITY_FIELDS)
    return bool(_kept(recipe)) and not changes


def _kept(recipe: Recipe) -> list[str]:
    """The fields that change colours in the views of the named recipe, and not in these."""
    usual = RECIPES.get(recipe.name, BEST).views
    return [
        name for name in COLOUR_FIELDS if getattr(usual, name) and not getattr(recipe.views, name)
    ]
