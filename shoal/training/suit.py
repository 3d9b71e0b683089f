"""Views that suit a pile: as a person said, and else by what its images are."""

from __future__ import annotations

from shoal.images.channels import as_colours, channel_kind
from shoal.protocols import ImageSource
from shoal.recipes.asked_views import AUTO, AskedViews
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import for_channels
from shoal.training.choose_views import choose_views


def suit(source: ImageSource, recipe: Recipe, asked: AskedViews) -> tuple[Recipe, list[str]]:
    """The recipe with views that suit the images, and lines that say what was chosen and why.

    Args:
        source: the images.
        recipe: its views are those of ordinary photographs.
        asked: what a person said.
    """
    if asked.says_nothing:
        return recipe, []
    kind, said = channel_kind(source), list[str]()
    if asked.intensity == "ignored":
        kind = as_colours(source)
    views = for_channels(recipe.views, kind) if asked.leaves_choice else recipe.views
    if asked.leaves_choice:
        views, said = choose_views(
            source, views, kind, orientation=asked.orientation == AUTO,
            intensity=asked.intensity == AUTO,
        )  # fmt: skip
    return asked.applied(recipe, views, kind), said
