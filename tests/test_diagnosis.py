"""Each warning is given for a pile made for it, and for no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from shoal.embedding.reduce import examined_rows
from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.recipes.named import BASELINE, BEST
from shoal.recipes.recipe import Recipe
from shoal.scoring import appearance, group_sizes, warnings

N = 600


def checkpoint_of(recipe: Recipe, losses: Any = (), spreads: Any = (), **notes: Any) -> Checkpoint:
    """A checkpoint with this history, all that the functions look at."""
    rows: list[dict[str, float]] = [{"loss": loss} for loss in losses]
    rows += [{"loss": 1.0, "spread": spread} for spread in spreads]
    return Checkpoint(
        recipe=recipe, image_shape=(8, 8, 3), n_images=N, step=len(rows), total_steps=len(rows),
        epoch=1.0, encoder_state={}, objective_states=[], optimizer_states=None, history=rows,
        origin=Origin(**notes),
    )  # fmt: skip


def pile(brightness: np.ndarray, generator: np.random.Generator) -> ArraySource:
    """Noise images of the brightness given, in [0, 1]."""
    level = 40 + 150 * brightness[:, None, None, None]
    made = level + generator.normal(0, 20, (len(brightness), 8, 8, 3))
    return ArraySource(np.clip(made, 0, 255).astype(np.uint8))


def explained(source: ArraySource, labels: np.ndarray) -> list[str]:
    features, alike = appearance.describe(source, examined_rows(len(source)))
    assert not alike
    return appearance.warn_of_simple_features(features, labels[examined_rows(len(source))])


# --- collapse -----------------------------------------------------------------------------------


def test_collapse_is_seen_at_any_distance_from_zero() -> None:
    z = np.random.default_rng(0).normal(size=(N, 16)).astype(np.float32)
    assert warnings.collapse(z, 10) == []
    assert warnings.collapse(z * 1e-6, 10) == []  # the scale means nothing
    assert warnings.collapse(z + 3, 10) == []  # codes behind a ReLU do not centre on 0
    for collapsed in (z * 1e-3 + 1, np.ones_like(z), np.zeros_like(z)):
        (warning,) = warnings.collapse(collapsed, 10)
        assert "collapsed (their spread is 0.00" in warning


def test_three_clusters_on_a_line_are_slices() -> None:
    generator = np.random.default_rng(0)
    line = generator.normal(size=(N, 1)) * generator.normal(size=(1, 16))
    z = (line + generator.normal(0, 0.05, (N, 16))).astype(np.float32)
    (warning,) = warnings.collapse(z, 3)
    assert "1.0 effective dimensions" in warning
    assert warnings.collapse(z, 2) == []  # two tight groups lie on a line by right
    corners = np.eye(16)[np.arange(N) % 3] + generator.normal(0, 0.05, (N, 16))
    assert warnings.collapse(corners.astype(np.float32), 3) == []


@pytest.mark.parametrize("n", [10, 200])
def test_effective_dimensions_by_the_covariance(n: int) -> None:
    z = np.random.default_rng(1).normal(size=(n, 40)).astype(np.float32) * np.arange(40)
    eigenvalues = np.linalg.eigvalsh(np.cov(z.T.astype(np.float64)))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert warnings.effective_dimensions(z) == pytest.approx(expected, rel=1e-5)
    assert warnings.effective_dimensions(np.ones((5, 3), np.float32)) == 0.0


def test_collapse_while_training_lasts_and_does_not_count_at_the_start() -> None:
    sound, gone = [0.6] * 10, [0.01] * 3
    warning = warnings.collapse_while_training(checkpoint_of(BEST, spreads=sound + gone))
    assert "spread is 0.010" in warning[0]
    for spreads in (sound, gone[:2], [*sound, *gone[:2]], [*gone, *sound]):
        assert warnings.collapse_while_training(checkpoint_of(BEST, spreads=spreads)) == []
    early = replace(checkpoint_of(BEST, spreads=gone), total_steps=100)
    assert warnings.collapse_while_training(early) == []
    # Checkpoints of before the spread was recorded.
    assert warnings.collapse_while_training(checkpoint_of(BEST, losses=[1.0] * 9)) == []


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "fragments"),
    [
        ((5000, 3500), []),
        ((8000, 500), []),
        ((8200, 300), ["1 of 2 clusters is tiny (1 with 300; an even share is 4,250)"]),
        ((8499, 1), ["1 with 1;"]),
        ((10, 0), ["1 of 2 clusters is empty"]),
        ((100, 1), ["1 of 2 clusters is tiny"]),
        ((1,), []),
        ((200,) * 50, []),
        ((215,) * 47 + (19, 5, 0), ["2 of 50 clusters are tiny (47 with 19, 48 with 5", "1 of 50"]),
        (
            (400,) * 25 + (1,) * 25,
            ["(25 with 1, 26 with 1, 27 with 1, 28 with 1, 29 with 1 and 20"],
        ),
    ],
)
def test_tiny_and_empty_clusters(sizes: tuple[int, ...], fragments: list[str]) -> None:
    found = group_sizes.tiny_clusters(sizes)
    assert len(found) == len(fragments)
    for warning, fragment in zip(found, fragments, strict=True):
        assert fragment in warning


@pytest.mark.parametrize(
    ("n_images", "k", "fragment"),
    [(300, 2, None), (299, 2, "299 images are few: "), (8500, 50, None), (1797, 10, None),
     (999, 50, "999 images are few for 50 clusters"), (2, 2, "add images.")],
)  # fmt: skip
def test_few_images(n_images: int, k: int, fragment: str | None) -> None:
    found = group_sizes.few_images(n_images, k)
    assert len(found) == (fragment is not None)
    if fragment is not None:
        assert fragment in found[0]


# --- appearance ---------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 6])
def test_a_split_of_brightness_is_told(k: int) -> None:
    generator = np.random.default_rng(k)
    brightness = generator.random(N)
    labels = np.minimum((brightness * k).astype(np.int64), k - 1)
    (warning,) = explained(pile(brightness, generator), labels)
    assert warning.startswith("brightness alone tells")
    assert f"{1 / k:.0%} by chance" in warning
    assert warning.endswith("train with --intensity ignored.")
    # A rare cluster counts as much as a common one: one kind guessed always is no explanation.
    uneven = np.where(generator.random(N) < 0.05, 1, 0)
    assert explained(pile(brightness, generator), uneven) == []


def test_an_uneven_split_of_brightness_is_told() -> None:
    generator = np.random.default_rng(0)
    labels = (np.arange(N) % 12 == 0).astype(np.int64)
    source = pile(np.where(labels == 1, 0.9, 0.2) + generator.normal(0, 0.05, N), generator)
    assert explained(source, labels)[0].startswith("brightness alone tells")


def test_a_band_in_the_middle_of_the_brightness_is_told() -> None:
    generator = np.random.default_rng(0)
    brightness = generator.random(N)
    labels = (np.abs(brightness - 0.5) < 0.2).astype(np.int64)
    assert explained(pile(brightness, generator), labels)[0].startswith("brightness alone tells")


def test_contrast_and_colour_are_told_by_name() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(N) % 2
    noise = generator.normal(0, 1, (N, 8, 8, 3))
    contrast = 120 + noise * np.where(labels == 1, 40, 5)[:, None, None, None]
    source = ArraySource(np.clip(contrast, 0, 255).astype(np.uint8))
    assert explained(source, labels)[0].startswith("brightness and contrast alone tell ")
    tint = np.where(labels[:, None] == 1, (60, 0, 0), (0, 30, 6))[:, None, None, :]
    source = ArraySource(np.clip(90 + tint + noise * 20, 0, 255).astype(np.uint8))
    assert explained(source, labels)[0].startswith("mean colour alone tells")
    features, _ = appearance.describe(source, np.arange(N))
    (told,) = appearance.warn_of_simple_features(features, labels, measured=True)
    assert told.startswith("the mean of the channels alone tells")


@pytest.mark.parametrize(
    ("measured", "asked", "end"),
    [
        (True, "", "train with --intensity varies."),
        (True, "varies", "train with --intensity ignored."),
        (False, "", "train with --intensity ignored."),
        (True, "ignored", "have nothing to do with what the images show."),
        (False, "ignored", "have nothing to do with what the images show."),
    ],
)
def test_nobody_is_told_to_do_what_the_run_has_done(measured: bool, asked: str, end: str) -> None:
    features = {"brightness": np.arange(N, dtype=np.float32)[:, None]}
    labels = (np.arange(N) < N / 2).astype(np.int64)
    (told,) = appearance.warn_of_simple_features(features, labels, measured=measured, asked=asked)
    assert told.endswith(end)


def test_what_images_show_well_is_not_put_down_to_their_colour() -> None:
    generator = np.random.default_rng(0)
    labels = (np.arange(N) < N / 2).astype(np.int64)
    source, rows = pile(labels * 0.8, generator), np.arange(N)
    z, sizes = generator.normal(size=(N, 8)).astype(np.float32), np.bincount(labels)
    recipe = replace(BEST, n_clusters=2)
    for shown, told in ((0.97, False), (0.2, True), (float("nan"), True)):
        found = warnings.diagnose(
            source, checkpoint_of(recipe), z, labels, rows, sizes, rows, shown
        )
        assert any("tells the clusters apart" in each for each in found) == told


def test_digits_are_not_explained_by_appearance() -> None:
    digits = load_digits()
    source = ArraySource(np.rint(digits.images * (255 / 16)).astype(np.uint8))
    assert explained(source, digits.target.astype(np.int64)) == []
    z = digits.data.astype(np.float32)
    sizes = np.bincount(digits.target)
    rows = examined_rows(len(source))
    recipe = replace(BEST, n_clusters=10)
    found = warnings.diagnose(
        source, checkpoint_of(recipe), z, digits.target.astype(np.int64), rows, sizes, rows
    )
    assert found == []


def test_too_few_images_a_cluster_to_say() -> None:
    generator = np.random.default_rng(0)
    brightness = generator.random(60)
    one_cluster, many = np.zeros(60, np.int64), np.arange(60) // 6
    for labels in (one_cluster, many):
        assert explained(pile(brightness, generator), labels) == []


def test_images_all_the_same() -> None:
    source = ArraySource(np.full((N, 8, 8, 3), 90, dtype=np.uint8))
    rows, z = examined_rows(N), np.zeros((N, 4), np.float32)
    labels = np.zeros(N, np.int64)
    (warning,) = warnings.diagnose(
        source, checkpoint_of(BEST), z, labels, rows, np.array([N, 0]), rows
    )
    assert "are the same as shoal sees them" in warning


def test_the_sample_of_a_large_pile() -> None:
    rows = examined_rows(100_000)
    assert len(rows) == len(set(rows.tolist())) == 3000
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, examined_rows(100_000))
    np.testing.assert_array_equal(examined_rows(7), np.arange(7))


# --- time ---------------------------------------------------------------------------------------


def losses(kind: str, noise: float) -> list[float]:
    t = np.linspace(0, 1, 100)
    curve = {
        "steady": 1 - 0.5 * t,
        "slow": np.exp(-t / 1.5),
        "done": np.exp(-t / 0.15),
        "flat": np.ones(100),
        "rising": 1 + 0.3 * t,
    }[kind]
    return (curve + np.random.default_rng(0).normal(0, noise, 100)).tolist()


@pytest.mark.parametrize(
    ("kind", "noise", "warns"),
    [
        ("steady", 0.0, True), ("steady", 0.01, True), ("slow", 0.005, True),
        ("steady", 0.5, False),  # the noise hides whether it still falls
        ("done", 0.0, False), ("done", 0.01, False), ("flat", 0.05, False), ("flat", 0.0, False),
        ("rising", 0.01, False),
    ],
)  # fmt: skip
def test_a_loss_still_falling_at_a_constant_rate(kind: str, noise: float, warns: bool) -> None:
    found = warnings.still_improving(checkpoint_of(BASELINE, losses(kind, noise)))
    assert len(found) == warns
    # On a cosine the loss cannot say.
    assert warnings.still_improving(checkpoint_of(BEST, losses(kind, noise))) == []


def test_flat_noise_is_seldom_taken_for_a_fall() -> None:
    generator = np.random.default_rng(0)
    falls = [warnings.late_fall(generator.normal(1, 0.1, 100).tolist()) for _ in range(300)]
    assert np.mean(np.array(falls) > 0) < 0.02
    assert warnings.late_fall([5.0, 4.0, 3.0]) == 0.0


def test_minutes_that_hold_few_of_the_recipes_epochs() -> None:
    short, enough = (replace(BEST, epochs=BEST.epochs * part) for part in (0.25, 0.75))
    (warning,) = warnings.still_improving(checkpoint_of(short, minutes=2))
    assert f"{short.epochs:g} of the recipe's {BEST.epochs:g} epochs (25%)" in warning
    assert warnings.still_improving(checkpoint_of(enough, minutes=9)) == []
    assert warnings.still_improving(checkpoint_of(short)) == []  # asked for in epochs: meant
    assert warnings.still_improving(checkpoint_of(replace(short, name="mine"), minutes=2)) == []


# --- through the commands -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def dark_and_bright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("dark") / "dark.npy"
    np.save(path, pile(np.arange(320) % 2 * 0.8 + generator.normal(0, 0.05, 320), generator).images)
    return path


def test_train_warns_at_its_end_and_info_repeats_it(
    dark_and_bright: Path, fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.pth"
    result = run_cli("train", dark_and_bright, path, *fast)
    assert result.code == 0, result.err
    lines = result.err.splitlines()
    verdict = next(i for i, line in enumerate(lines) if line.startswith("Can these groups be tru"))
    assert lines[verdict - 2].startswith("trained in")
    (last,) = (line.strip() for line in lines[verdict:] if "warning: " in line)
    assert last.startswith("warning: brightness alone tells the clusters apart (")
    assert result.err.count("warning: ") == 1
    warnings = json.loads(run_cli("info", path, "--json").out)["facts"]["warnings"]
    assert [f"warning: {warning}" for warning in warnings] == [last]
    assert f"  {last}" in run_cli("info", path).out.splitlines()
    said = run_cli("train", dark_and_bright, tmp_path / "m.pth", *fast, "--intensity", "matters")
    assert said.code == 0, said.err
    assert "brightness alone tells" not in said.err  # which is what was asked for
    quiet = run_cli("train", dark_and_bright, tmp_path / "quiet.pth", "--quiet", *fast)
    assert quiet.err == ""
    about = json.loads(run_cli("info", tmp_path / "quiet.pth", "--json").out)
    assert about["facts"]["warnings"] == warnings


def test_a_small_pile_is_told_before_the_wait_and_in_the_verdict(
    images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    lines = run_cli("train", images_file, tmp_path / "c.pth", *fast).err.splitlines()
    assert lines[0].startswith("40 images of")
    assert "in colour (a guess by how the channels go together; else --colours no)" in lines[0]
    assert lines[1].startswith("warning: 40 images are few: ")
    assert [line for line in lines if "images are few" in line] == [lines[1], f"  {lines[1]}"]


def test_collapse_is_told_while_it_trains(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    """A learning rate this high kills the ReLUs: every code becomes the same."""
    generator = np.random.default_rng(0)
    np.save(tmp_path / "noise.npy", generator.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8))
    result = run_cli(
        "train", tmp_path / "noise.npy", tmp_path / "c.pth", "--recipe", "baseline",
        "--epochs", "4", "--set", "learning_rate=10", "--set", "reducers=pca(n_components=4)",
    )  # fmt: skip
    assert result.code == 0, result.err
    lines = result.err.splitlines()
    (early,) = (i for i, line in enumerate(lines) if "clusters would mean nothing" in line)
    (late,) = (i for i, line in enumerate(lines) if "so the clusters mean nothing" in line)
    (trained,) = (i for i, line in enumerate(lines) if line.startswith("trained in"))
    assert early < trained < late
    assert lines[early].startswith("warning: the embeddings have collapsed (their spread is 0.0")
    words = ["predict", tmp_path / "noise.npy", tmp_path / "c.pth", tmp_path / "p.csv"]
    told = run_cli(*words)
    known = "warning: this checkpoint was trained with the warning: the embeddings have collapsed"
    assert known in told.err
    assert "next:" not in told.err
    checkpoint = checkpoints.load(tmp_path / "c.pth")  # as one of before there were such facts
    facts = replace(checkpoint.facts, warnings=())
    checkpoints.save(replace(checkpoint, facts=facts), tmp_path / "c.pth", force=True)
    assert known in run_cli(*words, "--force").err


def test_one_embedding_of_different_images_is_told() -> None:
    checkpoint = checkpoint_of(BEST)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    ids, labels = list("abcde"), np.zeros(5, np.int64)

    def told(images: np.ndarray, z: np.ndarray) -> list[str]:
        table = ImageTable(ids, labels, z.astype(np.float32), np.ones(5, np.float32))
        return warnings.tells_nothing(ArraySource(images), table, checkpoint)

    alike = 1 + 1e-7 * np.arange(10).reshape(5, 2)  # but for rounding
    (warning,) = told(images, alike)
    assert "different images one embedding, so their clusters mean nothing" in warning
    assert told(images, alike + np.eye(5, 2)) == []
    assert told(images, np.zeros((5, 0))) == []  # of parts, whose embedding is not in memory
    assert told(images[:1].repeat(5, 0), alike) == []  # copies


def test_predict_warns_of_tiny_clusters_found_anew(
    dark_and_bright: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    """The images are of one kind for this checkpoint, so five clusters of its 40 are not."""
    result = run_cli("predict", dark_and_bright, checkpoint_file, tmp_path / "p.csv", "-k", "5")
    assert result.code == 0, result.err
    assert "of 5 clusters" in result.err
    same = run_cli("predict", dark_and_bright, checkpoint_file, tmp_path / "p.csv")
    assert "warning" not in same.err
