"""`Recipe`: everything that decides a run, as one frozen value."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.recipes import parts
from shoal.recipes.augmentation import OLDER_NAMES, Views
from shoal.recipes.noise import parse as parse_noise
from shoal.recipes.parts import Part

OPTIMIZERS = ("adam", "adamw", "muon")
SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", "fp32", "bf16")
EMBEDDINGS = ("encoder", "projection", "joint", "pixels", "joint_pixels")
NO_ENCODER = Part("none")
"""The encoder of a recipe that clusters vectors from elsewhere, and learns nothing from pixels."""
_MOST_CLUSTERS = 1_000_000
OF_VECTORS = ("name", "reducers", "clusterer", "n_clusters", "noise", "seed")
"""The fields of such a recipe that mean something."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, from images to clusters. `check` says whether it is valid."""

    name: str
    """The name of the recipe in reports."""
    encoder: Part
    """The autoencoder."""
    views: Views
    """The augmentations."""
    objectives: tuple[Part, ...]
    """The losses. Their sum is minimised, each times its weight."""
    epochs: float
    """How often training sees every image, > 0."""
    batch_size: int
    """Images in a step, at most. Small piles take fewer, so that an epoch has 10 steps or more."""
    optimizer: str
    """adam, adamw or muon."""
    learning_rate: float
    """The highest learning rate of the run, > 0."""
    weight_decay: float
    """Weight decay, ≥ 0: added to the gradient (adam); or decoupled, and not applied to biases and
    norms (adamw and muon)."""
    schedule: str
    """constant; or cosine, which falls to 0 at the last step."""
    warmup_steps: int
    """Steps of linear rise to the learning rate, at most a tenth of the run."""
    embedding: str
    """What is clustered. encoder: the encoder's output. projection: the output of the projection
    head behind it, if there is one. joint: both, each scaled to unit length. pixels: the principal
    components of the pixels, which take no learning. joint_pixels: joint and pixels, side by side
    and equally spread."""
    reducers: tuple[Part, ...]
    """Reductions of the embedding, applied one after another."""
    clusterer: Part
    """Finds the clusters in the reduced embedding."""
    embedding_resolution: float = 1.0
    """Side at which images are embedded, as a multiple of their own, 1 to 4. Random crops show
    things larger than whole images do, and a larger image shows them so again (Touvron et al.
    2019, arXiv:1906.06423). Above 1 the embedding is the mean of two test-time views, weighted by
    their pixels: one so large, one as large as the image is. The second is flipped in a joint
    embedding if ``views.horizontal_flip`` taught that this changes nothing. An encoder that takes
    images of one size only sees them as they are."""
    n_clusters: int = 2
    """How many clusters."""
    noise: str = "off"
    """off; a share of the images, such as 0.1, that belong nowhere and get a group of their own; or
    auto: those that lie far beyond the rest, see `clustering.noise`."""
    precision: str = "auto"
    """fp32, bf16 (mixed), or auto: bf16 where the processor is fast at it."""
    checkpoints: int = 12
    """How many checkpoints are kept along the way, 1 to 1000."""
    seed: int = 0
    """The seed of everything random, 0 or more."""

    def check(self) -> None:
        """Raise `RecipeError` if a field has a wrong type or a value out of range."""
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), FIELD_TYPES[field.name]
            if not (parts.fits(value, kind) or value == ()):
                raise RecipeError(f"{field.name} must be {parts.type_name(kind)}, got {value!r}.")
        parts.check_choice("optimizer", self.optimizer, OPTIMIZERS)
        parts.check_choice("schedule", self.schedule, SCHEDULES)
        parts.check_choice("precision", self.precision, PRECISIONS)
        parts.check_choice("embedding", self.embedding, EMBEDDINGS)
        above_zero = {"epochs": 1_000_000, "learning_rate": 10}
        for name, high in above_zero.items():
            check_interval(name, getattr(self, name), 0, high, RecipeError, open_low=True)
        limits = {
            "batch_size": (2, 1_000_000), "weight_decay": (0, 10), "warmup_steps": (0, 10**9),
            "checkpoints": (1, 1000), "seed": (0, 2**63 - 1),
            "embedding_resolution": (1, 4),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            check_interval(name, getattr(self, name), low, high, RecipeError)
        if not 1 <= self.n_clusters <= _MOST_CLUSTERS:
            raise _n_clusters_beyond(self.n_clusters)
        parse_noise(self.noise)
        self.views.check()
        if not self.has_encoder and self.objectives:
            raise RecipeError(
                f"objectives must be empty without an encoder, got {self.objectives[0]}."
            )
        if self.has_encoder and not self.objectives:
            raise RecipeError("objectives must name at least one objective, got none.")
        names = [part.name for part in self.objectives]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise RecipeError(
                f"objectives must name each objective once, got {twice} twice; raise its weight "
                "instead."
            )
        for family, chosen in self.parts():
            parts.check(family, chosen)
            if family in ("reducers", "clusterers"):  # built after training: too late for an error
                parts.build(family, chosen)

    @property
    def has_encoder(self) -> bool:
        """Whether it learns from pixels; if not, it clusters vectors from elsewhere."""
        return self.encoder.name != NO_ENCODER.name

    @property
    def kind(self) -> str:
        """What it clusters: images, or vectors from elsewhere."""
        return "images" if self.has_encoder else "vectors"

    def parts(self) -> list[tuple[str, Part]]:
        """Return every part with its family."""
        return [
            *([("encoders", self.encoder)] if self.has_encoder else []),
            *(("objectives", part) for part in self.objectives),
            *(("reducers", part) for part in self.reducers),
            ("clusterers", self.clusterer),
        ]

    def describe(self) -> dict[str, Any]:
        """Return every field as text or a number: views field by field, parts as calls.

        Of a recipe without an encoder only what is not about training.
        """
        flat: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            if not self.has_encoder and field.name not in OF_VECTORS:
                continue
            value = getattr(self, field.name)
            if isinstance(value, Views):
                flat |= {f"views.{name}": item for name, item in dataclasses.asdict(value).items()}
            elif isinstance(value, Part):
                flat[field.name] = str(value)
            elif isinstance(value, tuple):
                flat[field.name] = " + ".join(str(part) for part in value) or "none"
            else:
                flat[field.name] = value
        return flat

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values, parts and views spelled out."""
        return _plain(dataclasses.asdict(self))

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """Read what `to_dict` returned, and check it. Names of older checkpoints are understood.

        Raises:
            RecipeError: missing or unknown fields, or values out of range.

        >>> from shoal.recipes.named import BEST
        >>> Recipe.from_dict(BEST.to_dict()) == BEST
        True
        """
        try:
            fields = dict(values)
            fields["views"] = Views(
                **{OLDER_NAMES.get(name, name): value for name, value in fields["views"].items()}
            )
            for name in ("encoder", "clusterer"):
                fields[name] = _part(fields[name])
            for name in ("objectives", "reducers"):
                fields[name] = tuple(_part(value) for value in fields[name])
            recipe = Recipe(**fields)
        except KeyError as error:
            raise RecipeError(f"the recipe lacks {error}.") from error
        except (AttributeError, TypeError) as error:
            raise RecipeError(f"this version of shoal cannot read the recipe: {error}.") from error
        recipe.check()
        return recipe


FIELD_TYPES: dict[str, Any] = typing.get_type_hints(Recipe)


def differences(a: Recipe, b: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, each with both values as text or numbers.

    >>> from dataclasses import replace
    >>> from shoal.recipes.named import BEST
    >>> differences(BEST, replace(BEST, epochs=1))
    {'epochs': (38, 1)}
    """
    left, right = a.describe(), b.describe()
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


def _part(value: dict[str, Any]) -> Part:
    options = {
        name: tuple(option) if isinstance(option, list) else option
        for name, option in value["options"].items()
    }
    return Part(value["name"], options)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def check_trainable(recipe: Recipe) -> None:
    """Raise unless a run with this recipe would divide its images.

    Raises:
        RecipeError: the recipe asks for a single cluster. A finished checkpoint may be asked for
            one; a run may not.
    """
    if not recipe.has_encoder:
        raise RecipeError(
            f"recipe {recipe.name} has no encoder to train; 'shoal cluster' uses it for vectors."
        )
    if recipe.n_clusters == 1:
        raise _n_clusters_beyond(1)


def _n_clusters_beyond(n_clusters: int) -> RecipeError:
    """The same sentence for 0, 1 and a million more: a single cluster divides nothing."""
    return RecipeError(f"n_clusters must be from 2 to {_MOST_CLUSTERS:,}, got {n_clusters}.")


def check_for_vectors(recipe: Recipe, own: Recipe, *, single: bool = False) -> None:
    """Raise unless a recipe differs from one for vectors only in what vectors have.

    Args:
        recipe: the recipe.
        own: the one for vectors.
        single: whether a single cluster may be asked for.

    Raises:
        RecipeError: it asks for an encoder, for something of training, or for a single cluster.
    """
    for field in dataclasses.fields(Recipe):
        if field.name in OF_VECTORS or getattr(recipe, field.name) == getattr(own, field.name):
            continue
        raise RecipeError(
            f"{field.name} is about training, and vectors from elsewhere are not trained on; leave "
            "it out."
        )
    if recipe.n_clusters == 1 and not single:
        raise _n_clusters_beyond(1)
