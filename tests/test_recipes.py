"""Recipes: checks, settings, and that no field is ignored."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shoal import pipeline
from shoal.errors import RecipeError
from shoal.images.array import ArraySource
from shoal.models import checkpoint
from shoal.models.history import CheckpointHistory
from shoal.models.pace import Pace
from shoal.recipes import parts
from shoal.recipes import recipe as recipes
from shoal.recipes.augmentation import Views
from shoal.recipes.named import BASELINE, BEST, IMPROVED, RECIPES
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import override
from shoal.training.loop import train
from shoal.training.schedule import learning_rate, n_steps

TINY = replace(
    BEST,
    encoder=Part("vgg", {"widths": (4, 8)}),
    objectives=(Part("nt_xent", {"hidden": 8, "dim": 4}), Part("reconstruction")),
    epochs=2,
    precision="fp32",
    clusterer=Part("spectral", {"n_neighbors": 5}),
)
PILE = ArraySource(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))

# For every field another value, and what of the run must change with it.
CHANGES: dict[str, tuple[object, str]] = {
    "name": ("other", "recipe"),
    "encoder": (Part("vgg", {"widths": (4, 16)}), "weights"),
    "views": (replace(BEST.views, horizontal_flip=False), "weights"),
    "objectives": ((Part("nt_xent", {"hidden": 8, "dim": 4}),), "weights"),
    "epochs": (1.5, "weights"),
    "batch_size": (3, "weights"),
    "optimizer": ("adam", "weights"),
    "learning_rate": (1e-4, "weights"),
    "weight_decay": (0.5, "weights"),
    "schedule": ("constant", "weights"),
    "warmup_steps": (0, "weights"),
    "embedding": ("encoder", "clusters"),
    "embedding_resolution": (2.0, "clusters"),
    "reducers": ((Part("pca", {"n_components": 2}),), "clusters"),
    "clusterer": (Part("kmeans"), "clusters"),
    "n_clusters": (3, "clusters"),
    "noise": ("0.2", "clusters"),
    "precision": ("bf16", "weights"),
    "checkpoints": (3, "history"),
    "seed": (1, "weights"),
}


def outcome(recipe: Recipe, folder: Path) -> dict[str, object]:
    path = folder / "c.pth"
    finished = pipeline.fit(PILE, path, recipe)[0]
    # Of the last step: which one is kept depends on its clusters, too.
    weights = checkpoint.load(CheckpointHistory(path).files()[-1]).weights_digest()
    history = sorted(file.name for file in (folder / "c.pth.history").iterdir())
    table = pipeline.predict(PILE, finished)
    clusters = (table.embedding.tolist(), table.labels.tolist(), table.confidence.tolist())
    return {"weights": weights, "history": history, "clusters": clusters, "recipe": finished.recipe}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return outcome(TINY, tmp_path_factory.mktemp("usual"))


def test_every_field_has_a_change_to_test() -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize("name", CHANGES)
def test_no_field_is_ignored(name: str, usual: dict[str, object], tmp_path: Path) -> None:
    value, changed = CHANGES[name]
    assert getattr(TINY, name) != value
    got = outcome(replace(TINY, **{name: value}), tmp_path)
    assert got[changed] != usual[changed]
    if changed == "clusters":
        assert got["weights"] == usual["weights"]  # what comes after training leaves it alone


# For every option of every part, another value than its default that must change the result.
OPTIONS = {
    "encoders": {
        "widths": (4, 6), "decoder_divisor": 1, "width": 3, "blocks": 2, "n_components": 5,
    },
    "objectives": {
        "weight": 0.3, "temperature": 0.9, "hidden": 5, "dim": 3, "fraction": 0.5,
        "momentum": 0.5, "queue_size": 16,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "name", "option"),
    [
        (family, name, option)
        for family in OPTIONS
        for name in parts.names(family)
        for option in parts.schema(family, name)
    ],
)
def test_no_option_of_training_is_ignored(family: str, name: str, option: str) -> None:
    small = {"hidden": 8, "dim": 4, "queue_size": 32, "widths": (4, 20), "width": 2}

    def weights(**changed: object) -> str:
        options = {key: small[key] for key in parts.schema(family, name) if key in small}
        part = Part(name, options | changed)
        if family == "encoders":
            recipe = replace(TINY, encoder=part, epochs=1)
        else:
            # A second objective, so that a weight is more than a learning rate.
            second = Part("reconstruction") if name != "reconstruction" else TINY.objectives[0]
            recipe = replace(TINY, objectives=(part, second), epochs=1)
        *_, last = train(PILE, recipe)
        return last.weights_digest()

    assert weights(**{option: OPTIONS[family][option]}) != weights()


def test_the_recipes_can_be_followed_and_travel_as_json() -> None:
    for recipe in RECIPES.values():
        recipe.check()
        assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_recipes_of_older_checkpoints_open_under_the_new_names() -> None:
    older = BEST.to_dict()
    views = older["views"]
    views["mirror"] = views.pop("horizontal_flip")
    views["n_small"], views["small_side"] = views.pop("n_local_crops"), 0.5
    del views["local_crop_side"]
    opened = Recipe.from_dict(older)
    assert opened == replace(BEST, views=replace(BEST.views, local_crop_side=0.5))
    assert opened.views.horizontal_flip
    assert opened.views.n_local_crops == 2


def test_each_recipe_is_a_difference_from_the_one_before() -> None:
    assert [str(part) for part in BASELINE.objectives] == ["reconstruction"]
    assert [str(part) for part in IMPROVED.objectives] == ["reconstruction"]  # autoencoder alone
    assert {part.name for part in BEST.objectives} == {"nt_xent", "reconstruction"}
    assert len(recipes.differences(BASELINE, IMPROVED)) >= 2
    assert recipes.differences(IMPROVED, BEST)
    assert not recipes.differences(BEST, BEST)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", "did you mean 'epochs'"),
        ("epochs=many", "epochs must be a number"),
        ("epochs=0", r"epochs must be above 0"),
        ("epochs=nan", "epochs must be a number"),
        ("batch_size=2.5", "a whole number"),
        ("batch_size=true", "a whole number"),
        ("views.horizontal_flop=true", "did you mean 'horizontal_flip'"),
        ("views.mirror=true", "did you mean 'horizontal_flip'"),
        ("views.n_small=1", "did you mean 'n_local_crops'"),
        ("views.min_crop=0", "views.min_crop must be above 0"),
        ("views=3", "views has no field"),
        ("clusterer=kmean", "did you mean 'kmeans'"),
        ("clusterer=kmeans(n_int=3)", "did you mean 'n_init'"),
        ("clusterer=kmeans+spectral", "a single part, got 'kmeans"),
        ("clusterer.n_start=3", "did you mean 'n_starts'"),
        ("clusterer.n_starts=0", "n_starts must be from 1 to 10,000"),
        ("objectives.moco.weight=1", "choose from nt_xent, reconstruction"),
        ("objectives=none", "at least one objective, got none"),
        ("objectives=nt_xent(temperature=0)", "temperature must be above 0 and at most 100"),
        ("reducers=pca(", "parts joined by"),
        ("reducers=__import__('os')", "parts joined by"),
        ("encoder=vgg(widths=[])", "a list of whole numbers"),
        ("optimizer=adamm", "did you mean 'adam'"),
        ("epochs", "FIELD=VALUE"),
        ("seed.x=1", "seed has no field 'x'"),
    ],
)
def test_a_wrong_setting_gets_one_clear_sentence(setting: str, message: str) -> None:
    def start() -> None:
        # Options of the encoder and the objectives are checked when they are made.
        next(train(PILE, override(BEST, [setting])))

    with pytest.raises(RecipeError, match=message) as caught:
        start()
    assert "\n" not in str(caught.value)


def test_settings_reach_their_fields() -> None:
    changed = override(
        BEST,
        ["encoder=residual(width=4)", "encoder.blocks=2", "objectives.nt_xent.temperature=0.5",
         "reducers=none", "views.horizontal_flip=false", "learning_rate=2e-3"],
    )  # fmt: skip
    assert changed.encoder == Part("residual", {"width": 4, "blocks": 2})
    assert changed.objectives[0].options["temperature"] == 0.5
    assert changed.reducers == ()
    assert changed.views == replace(BEST.views, horizontal_flip=False)
    assert changed.learning_rate == 2e-3
    assert override(BASELINE, ["views.horizontal_flip=true"]).views.horizontal_flip is True


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = [learning_rate(BEST, step, 1000) for step in range(1, 1001)]
    assert rates[0] == pytest.approx(BEST.learning_rate / 60)
    assert max(rates) == rates[59] == pytest.approx(BEST.learning_rate)
    assert rates[59:] == sorted(rates[59:], reverse=True)
    assert rates[-1] < 1e-4 * BEST.learning_rate
    assert learning_rate(replace(BEST, schedule="constant"), 900, 1000) == BEST.learning_rate


def test_the_cosine_is_the_papers() -> None:
    def cosine(behind: float) -> float:
        return BEST.learning_rate * (1 + math.cos(math.pi * behind)) / 2

    for step in (61, 62, 300, 999, 1000):  # of 940 after the warm-up
        assert learning_rate(BEST, step, 1000) == pytest.approx(cosine((step - 61) / 940))
    # Of a short run a tenth is warm-up.
    rates = [learning_rate(BEST, step, 100) for step in (5, 10, 11, 56)]
    assert rates == pytest.approx([BEST.learning_rate / 2, *2 * [BEST.learning_rate], cosine(0.5)])
    # Of a run that was made longer after half of its 200 steps: 20 were warm-up.
    pace = Pace.of(200).with_total(100, 300)
    for step, behind in ((21, 0.1), (101, 0.5), (201, 0.75)):
        rate = learning_rate(BEST, step, 300, pace)
        assert rate == pytest.approx(cosine((behind - 0.1) / 0.9))


def test_small_piles_still_have_ten_steps_an_epoch() -> None:
    assert n_steps(replace(BEST, epochs=2), 19) == 18  # nine whole batches of two
    for n in (20, 100, 1797, 8500):
        assert n_steps(replace(BEST, epochs=1), n) >= 10
    assert n_steps(replace(BEST, epochs=0.001), 2) == 1


def test_views_are_plain_unless_asked() -> None:
    """No field of the default changes an image, so that a recipe names all that it does."""
    whole = {"n_views": 1, "min_crop": 1.0, "resolution": 1.0}
    share = {
        "colour_probability": 0.8,
        "local_crop_side": 0.625,
    }  # of what is not done unless asked
    nothing = {field.name: 0 for field in dataclasses.fields(Views)}
    assert dataclasses.asdict(BASELINE.views) == nothing | whole | share
