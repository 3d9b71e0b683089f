"""Views that suit a pile: as a person said, and else by what its images are."""

from __future__ import annotations

from shoal.protocols import ImageSource
from shoal.recipes.asked_views import AskedViews
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import ChannelKind, for_channels


def suit(source: ImageSource, recipe: Recipe, asked: AskedViews) -> tuple[Recipe, list[str]]:
    """The recipe with views that suit the images, and lines that say what was chosen and why.

    Args:
        source: the images.
        recipe: its views are those of ordinary photographs.
        asked: what a person said.
    """
    if asked.says_nothing:
        return recipe, []
    kind = _kind_of(source)
    views, said = recipe.views, []
    if asked.leaves_choice:
        views = for_channels(views, kind)
        if views != recipe.views:
            said.append(
                f"the {source.shape[2]} channels are no colours: views change the intensity of "
                "each by itself, and no hue"
            )
    return asked.applied(recipe, views, kind), said


def _kind_of(source: ImageSource) -> ChannelKind:
    n_channels = source.shape[2]
    return "grey" if n_channels == 1 else "rgb" if n_channels == 3 else "channels"
