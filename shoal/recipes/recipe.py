"""Recipes: everything that decides a run, as frozen dataclasses, each a difference from another.

`BASELINE` is the course's own pipeline, `IMPROVED` still an autoencoder alone, `BEST` an
autoencoder that also learns by contrast. Above each stands what `benchmarks/quality.py` measured.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, replace
from typing import Any

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.recipes import parts
from shoal.recipes.augmentation import OLDER_NAMES, Views
from shoal.recipes.parts import Part

OPTIMIZERS = ("adam", "adamw", "muon")
SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", "fp32", "bf16")
EMBEDDINGS = ("encoder", "projection", "joint")


@dataclass(frozen=True)
class Recipe:
    """One way from images to clusters. `check` says whether it can be followed."""

    name: str
    """What reports call it."""
    encoder: Part
    """The autoencoder."""
    views: Views
    """The augmentations."""
    objectives: tuple[Part, ...]
    """What is minimised: the sum, each times its weight."""
    epochs: float
    """How often every image is seen, > 0."""
    batch_size: int
    """Images a step, at most; less for small piles, so that an epoch has 10 steps or more."""
    optimizer: str
    """adam, adamw or muon."""
    learning_rate: float
    """The highest, > 0."""
    weight_decay: float
    """Added to the gradient (adam), or decoupled and not of biases and norms (the others), ≥ 0."""
    schedule: str
    """constant, or cosine: down to 0 at the last step."""
    warmup_steps: int
    """Steps of linear rise to the learning rate, at most a tenth of the run."""
    embedding: str
    """What is clustered: encoder, its output; projection, that of the head behind it, if any; or
    joint, the two of them, each scaled to unit length."""
    reducers: tuple[Part, ...]
    """Reductions of the embedding, one on top of another."""
    clusterer: Part
    """What groups the reduced embedding."""
    embedding_resolution: float = 1.0
    """Side at which images are embedded, as a multiple of their own, 1 to 4. Random crops show
    things larger than whole images do, and a larger image shows them so again (Touvron et al.
    2019, arXiv:1906.06423). Above 1 the embedding is the mean of two test-time views, weighted by
    their pixels: one so large, one as large as the image is. The second is flipped in a joint
    embedding if ``views.horizontal_flip`` taught that this changes nothing. An encoder that takes
    images of one size only sees them as they are."""
    n_clusters: int = 2
    """How many groups."""
    precision: str = "auto"
    """fp32, bf16 (mixed), or auto: bf16 where the processor is fast at it."""
    checkpoints: int = 12
    """How many are kept along the way, 1 to 1000."""
    seed: int = 0
    """Of everything random, 0 or more."""

    def check(self) -> None:
        """Raise `RecipeError` with one sentence if a field is not what it should be."""
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), FIELD_TYPES[field.name]
            if not (parts.fits(value, kind) or value == ()):
                raise RecipeError(
                    f"{field.name} is expected as {parts.type_name(kind)}, and {value!r} came."
                )
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("embedding", self.embedding, EMBEDDINGS)
        above_zero = {"epochs": 1_000_000, "learning_rate": 10}
        for name, high in above_zero.items():
            check_interval(name, getattr(self, name), 0, high, RecipeError, open_low=True)
        limits = {
            "batch_size": (2, 1_000_000), "weight_decay": (0, 10), "warmup_steps": (0, 10**9),
            "n_clusters": (1, 1_000_000), "checkpoints": (1, 1000), "seed": (0, 2**63 - 1),
            "embedding_resolution": (1, 4),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            check_interval(name, getattr(self, name), low, high, RecipeError)
        self.views.check()
        if not self.objectives:
            raise RecipeError("objectives: at least one is expected, and none came.")
        names = [part.name for part in self.objectives]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise RecipeError(
                f"objectives: each is expected once, and {twice} came twice; raise its weight."
            )
        for family, chosen in self.parts():
            parts.check(family, chosen)
            if family in ("reducers", "clusterers"):  # made after training: too late for a range
                parts.build(family, chosen)

    def parts(self) -> list[tuple[str, Part]]:
        """Every part with its family."""
        return [
            ("encoders", self.encoder),
            *(("objectives", part) for part in self.objectives),
            *(("reducers", part) for part in self.reducers),
            ("clusterers", self.clusterer),
        ]

    def describe(self) -> dict[str, Any]:
        """Every field as plain text or a number; views field by field, parts as calls."""
        flat: dict[str, Any] = {}
        for field in dataclasses.fields(self):
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
        """Plain JSON values; parts and views spelled out."""
        return _plain(dataclasses.asdict(self))

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """The inverse of `to_dict`, checked. Fields may have the names of older checkpoints.

        Raises:
            RecipeError: missing or unknown fields, or values out of range.

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
        except (KeyError, TypeError) as error:
            raise RecipeError(f"a whole recipe is expected, and this one lacks {error}.") from error
        recipe.check()
        return recipe


FIELD_TYPES: dict[str, Any] = typing.get_type_hints(Recipe)

# Measured numbers: README, "How good it is", made by benchmarks/quality.py.

# The assignment's own pipeline. Its learning rate of 1e-5 wants 100 epochs, more than half an hour
# on 2 cores without a GPU; 1e-3 gets further in 15. Kernel PCA stands on 512 random landmarks
# (Nyström): the exact one needs 2 GB and all 8,500 codes of 4,096 numbers in the checkpoint.
BASELINE = Recipe(
    name="baseline",
    encoder=Part("convolutional"),
    views=Views(),
    objectives=(Part("reconstruction"),),
    epochs=15,
    batch_size=64,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=1e-5,
    schedule="constant",
    warmup_steps=0,
    embedding="encoder",
    reducers=(Part("kernel_pca", {"n_components": 200, "n_landmarks": 512}), Part("tsne")),
    clusterer=Part("minibatch_kmeans"),
)

# Two means better it: colours disturbed on the way in but not in what is to come out, so that the
# code cannot live on them, and a cut of the neighbour graph instead of t-SNE and k-means. A third,
# an encoder with batch norm and a short code trained by AdamW on a cosine, makes it five times
# faster, not better. README tells what each is worth.
IMPROVED = replace(
    BASELINE,
    name="improved",
    encoder=Part("vgg"),
    views=Views(
        horizontal_flip=True,
        brightness=0.7,
        contrast=0.7,
        saturation=0.7,
        hue=0.175,
        grey_probability=0.5,
    ),
    epochs=12,
    batch_size=256,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=1e-4,
    schedule="cosine",
    warmup_steps=60,
    reducers=(Part("unit_norm"), Part("pca", {"n_components": 64})),
    clusterer=Part("spectral"),
)

# Contrast on top (SimCLR): two views of an image, cropped and recoloured as in that paper's
# appendix A, are to be alike, and two local crops are to match them (multi-crop). The split is
# sought in what encoder and head see together: the most bimodal direction there separates better
# than any cut of the neighbour graph. Muon learns in half the epochs or fewer what AdamW does, and
# with local crops a third fewer do. Images are embedded as the mean of two test-time views, one of
# them half as large again, as the crops showed them (all of it: benchmarks/LOG.md).
BEST = replace(
    IMPROVED,
    name="best",
    views=Views(
        n_views=2,
        min_crop=0.2,
        horizontal_flip=True,
        brightness=0.5,
        contrast=0.5,
        saturation=0.5,
        hue=0.125,
        grey_probability=0.2,
        n_local_crops=2,
    ),
    objectives=(Part("nt_xent"), Part("reconstruction", {"fraction": 0.25})),
    epochs=28,
    batch_size=384,
    optimizer="muon",
    learning_rate=6e-3,
    embedding="joint",
    embedding_resolution=1.5,
    reducers=(Part("pca", {"n_components": 96}),),
    clusterer=Part("projection_pursuit"),
)

# Digits have a right and a left, no colour, and fill their 8 × 8 pixels: mild affine views.
DIGITS = replace(
    BEST,
    name="digits",
    epochs=80,
    views=Views(
        n_views=2, rotation=15, zoom=0.2, shear=0.2, shift=0.125, brightness=0.3, contrast=0.3,
        noise=0.1,
    ),
    embedding="projection",
    embedding_resolution=1.0,
    reducers=IMPROVED.reducers,
    clusterer=IMPROVED.clusterer,
    n_clusters=10,
)  # fmt: skip

RECIPES = {recipe.name: recipe for recipe in (BASELINE, IMPROVED, BEST, DIGITS)}


def named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RecipeError: there is none; the message names the nearest.
    """
    if name not in RECIPES:
        raise RecipeError(f"there is no recipe {name!r}{parts.suggest(name, RECIPES)}")
    return RECIPES[name]


def differences(a: Recipe, b: Recipe) -> dict[str, tuple[Any, Any]]:
    """Fields that differ, each with both values as plain text or numbers, views field by field.

    >>> differences(BEST, replace(BEST, epochs=1))
    {'epochs': (28, 1)}
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


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RecipeError(
            f"{name} is expected among {', '.join(choices)}, and {value!r} came"
            f"{parts.suggest(value, choices)}"
        )


def check_divides(recipe: Recipe) -> None:
    """Raise unless a training run with this recipe would divide its images.

    Raises:
        RecipeError: one cluster. Of a finished checkpoint one may be asked: all images in it.
    """
    if recipe.n_clusters == 1:
        raise RecipeError("n_clusters must be at least 2 to train, got 1; one holds every image.")
