"""`AskedViews`: what a person said of the images, which goes before what shoal would choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shoal.images.channels import ChannelKind
from shoal.recipes import parts
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import changes, override
from shoal.recipes.views_for import COLOUR_FIELDS, recoloured, with_intensity, with_orientation

AUTO = "auto"
ORIENTATIONS = ("free", "upright", AUTO)
INTENSITIES = ("matters", "varies", "ignored", AUTO)


@dataclass(frozen=True)
class AskedViews:
    """What the views of a run are to be, as far as a person said so."""

    orientation: str | None = None
    """free: the images have no up; upright: they have one; auto: shoal decides by the pile; None:
    as the recipe has it."""
    intensity: str | None = None
    """Whether light tells kinds of images apart. matters: brightness and colours do; varies:
    brightness does not, it changes by chance; ignored: neither do; auto and None as above."""
    settings: tuple[str, ...] = ()
    """Settings written ``FIELD=VALUE``, see `override`. Those of views go before all else."""

    @staticmethod
    def of(
        orientation: Any, intensity: Any, settings: Sequence[str], *, recipe_named: bool
    ) -> AskedViews:
        """What the parameters of a command or of the estimator ask for.

        Args:
            orientation: one of `ORIENTATIONS`, or None.
            intensity: one of `INTENSITIES`, or None.
            settings: changes to the recipe.
            recipe_named: whether a recipe was asked for by name. It is then taken as it is where
                nothing else is said; without, shoal decides by the pile.

        Raises:
            RecipeError: a value is unknown.
        """
        for name, value, known in (
            ("orientation", orientation, ORIENTATIONS), ("intensity", intensity, INTENSITIES),
        ):  # fmt: skip
            if value is not None:
                parts.check_choice(name, value, known)
        unsaid = None if recipe_named else AUTO
        return AskedViews(orientation or unsaid, intensity or unsaid, tuple(settings))

    @property
    def leaves_choice(self) -> bool:
        """Whether shoal decides anything by the pile."""
        return AUTO in (self.orientation, self.intensity)

    @property
    def says_nothing(self) -> bool:
        """Whether the recipe's views stay as they are."""
        return self.orientation is None and self.intensity is None

    @property
    def decides_colours(self) -> bool:
        """Whether shoal is not to try how much views should change colours."""
        said = any(changes(self.settings, f"views.{name}") for name in COLOUR_FIELDS)
        return self.intensity != AUTO or said

    def applied(self, recipe: Recipe, views: Views, kind: ChannelKind) -> Recipe:
        """The recipe with ``views``, changed to what a person said of images of this kind.

        >>> from shoal.recipes.named import BEST
        >>> asked = AskedViews("free", "matters", ("views.hue=0.1",))
        >>> views = asked.applied(BEST, BEST.views, "rgb").views
        >>> views.free_orientation, views.brightness, views.hue
        (True, 0.0, 0.1)
        """
        if self.orientation in ("free", "upright"):
            views = with_orientation(views, self.orientation == "free")
        if self.intensity in ("matters", "varies"):
            views = with_intensity(views, self.intensity == "matters", kind)
        if self.intensity == "ignored":
            views = recoloured(views, kind)
        of_views = [text for text in self.settings if text.strip().startswith("views.")]
        return override(replace(recipe, views=views), of_views)

    def expected(self, recipe: Recipe, views: Views, n_channels: int) -> Recipe:
        """The recipe of a run like this that has ``views`` already, chosen when it began.

        Where a person asked for something else it differs from that run's recipe.
        """
        if self.says_nothing:
            return recipe
        kinds: dict[int, tuple[ChannelKind, ...]] = {1: ("grey",), 3: ("rgb", "channels")}
        possible = [
            self.applied(recipe, views, kind) for kind in kinds.get(n_channels, ("channels",))
        ]
        return next((one for one in possible if one.views == views), possible[0])
