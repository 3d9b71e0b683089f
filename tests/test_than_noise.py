"""Groups of vectors are compared with those of noise: any clusterer divides anything."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn import datasets

from shoal import pipeline
from shoal.images.vectors.source import VectorSource
from shoal.models.checkpoint import Checkpoint
from shoal.recipes.named import VECTORS
from shoal.scoring import label_free
from shoal.scoring.assignment import calibration_of
from shoal.scoring.than_noise import beyond_noise, noise_purity

RANDOM = np.random.default_rng(0)


def clustered(x: np.ndarray, k: int | None) -> tuple[VectorSource, Checkpoint, np.ndarray]:
    """The vectors, their checkpoint with ``k`` clusters or a chosen number, and the confidences."""
    source = VectorSource(x.astype(np.float32))
    recipe = replace(VECTORS, n_clusters=k or 2)
    found, table = pipeline.cluster_vectors(source, recipe, auto_k=k is None, auto_metric=True)
    return source, found, table.confidence


@pytest.mark.parametrize("k", [None, 2, 3])
@pytest.mark.parametrize(
    "noise",
    [
        RANDOM.normal(size=(400, 16)),
        RANDOM.normal(size=(400, 2)),
        RANDOM.random((300, 2)),
        RANDOM.normal(size=(200, 1)),
        RANDOM.normal(size=(60, 8)),
    ],
    ids=["normal-16", "normal-2", "even-2", "normal-1", "few"],
)
def test_groups_of_noise_are_not_trusted_and_nothing_reassures(
    noise: np.ndarray, k: int | None
) -> None:
    source, found, confidence = clustered(noise, k)
    verdict = label_free.verdict_on(found)
    assert verdict.trust == "no", verdict
    assert len(verdict.reasons) == 1
    said = ("Random numbers that spread as the vectors do form groups", "pieces of one thing")
    assert any(each in str(verdict) for each in said)
    assert confidence == pytest.approx(1.0 / found.recipe.n_clusters, rel=1e-3)
    others = found.recipe.n_clusters + 1  # the number of clusters is another, noise it remains
    again = pipeline.predict(source, found, n_clusters=others)
    assert again.confidence.mean() < 1.0 / others + 0.5 * (1.0 - 1.0 / others)


@pytest.mark.parametrize(("different", "times", "k"), [(25, 20, 10), (40, 12, 5)])
def test_copies_of_noise_are_no_proof(different: int, times: int, k: int) -> None:
    copied = np.repeat(np.random.default_rng(1).normal(size=(different, 16)), times, axis=0)
    source, found, confidence = clustered(copied, k)
    verdict = label_free.verdict_on(found)
    assert verdict.trust == "no"
    n_copies = different * (times - 1)
    assert f"{n_copies:,} of the {len(copied):,} vectors that were compared are the same" in str(
        verdict
    )
    assert confidence == pytest.approx(1.0 / k, rel=1e-3)
    again = pipeline.predict(source, found, n_clusters=k - 1)
    assert again.confidence.mean() < 0.3


def test_several_groups_that_are_clear_in_every_way_are_a_yes() -> None:
    kinds = np.repeat(np.arange(6), 50)
    x = np.random.default_rng(0).normal(size=(len(kinds), 8)) + 8 * np.eye(6, 8)[kinds]
    for k in (6, 5):
        verdict = label_free.verdict_on(clustered(x, k)[1])
        assert (verdict.trust == "yes") == (k == 6), verdict


def test_copies_are_told_and_say_nothing_against_clear_groups() -> None:
    clear = unequal(200, 200)
    for n_copies, said in ((60, "60 of the 460 vectors"), (10, "")):
        _, found, _ = clustered(np.concatenate([clear, clear[:n_copies]]), 2)
        verdict = label_free.verdict_on(found)
        assert verdict.trust == "yes", verdict
        assert ("each counts once" in str(verdict)) == bool(said)
        assert said in str(verdict)


def test_of_a_few_vectors_and_their_copies_no_accuracy_is_told() -> None:
    x = np.repeat(np.random.default_rng(0).normal(size=(3, 8)), 50, axis=0)
    for k in (3, 5):
        verdict = label_free.verdict_on(clustered(x, k)[1])
        assert str(verdict.reasons[0]).startswith("No more vectors differ than there are")
        assert "only 3 of the 150 vectors" in str(verdict)
        assert "right group" not in str(verdict)


def test_of_few_different_vectors_nothing_is_said() -> None:
    kinds = np.repeat(np.arange(3), 4)
    x = np.random.default_rng(0).normal(size=(12, 8)) + 20 * np.eye(3, 8)[kinds]
    for some in (x, np.repeat(x, 30, axis=0)):
        _, found, confidence = clustered(some, 3)
        verdict = label_free.verdict_on(found)
        assert verdict.trust == "not known"
        assert "of fewer than 20 different vectors nothing tells" in str(verdict)
        assert confidence == pytest.approx(1 / 3, rel=1e-3)


def path() -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(size=(600, 8)), axis=0)


def spiral() -> np.ndarray:
    random = np.random.default_rng(0)
    t = np.sqrt(random.random(600)) * 4 * np.pi
    return np.stack([t * np.cos(t), t * np.sin(t)], axis=1) + 0.2 * random.normal(size=(600, 2))


@pytest.mark.parametrize("x", [path(), spiral()], ids=["walk", "spiral"])
def test_pieces_of_one_thing_are_no_groups(x: np.ndarray) -> None:
    _, found, confidence = clustered(x, 4)
    verdict = label_free.verdict_on(found)
    assert verdict.trust == "no", verdict
    assert "The groups are pieces of one thing that hangs together" in str(verdict)
    assert confidence == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("sizes", [(500, 60, 20), (300, 60, 15), (380, 20)])
def test_small_groups_are_not_held_against_clear_ones(sizes: tuple[int, ...]) -> None:
    _, found, _ = clustered(unequal(*sizes), len(sizes))
    calibration = calibration_of(found)
    assert calibration is not None
    assert calibration.estimate.expected_accuracy > 0.75
    assert calibration.estimate.high > 0.98
    assert label_free.verdict_on(found).trust != "no"


def test_two_rings_are_told_apart_as_the_number_of_clusters_has_it() -> None:
    x, rings = datasets.make_circles(500, noise=0.04, factor=0.45, random_state=0)
    for k in (2, None):
        source, found, _ = clustered(x, k)
        labels = pipeline.predict(source, found).labels
        assert found.recipe.n_clusters == 2
        assert abs((labels == rings).mean() - 0.5) > 0.49
        assert label_free.verdict_on(found).trust != "no"


def unequal(*sizes: int) -> np.ndarray:
    kinds = np.repeat(np.arange(len(sizes)), sizes)
    noise = np.random.default_rng(0).normal(size=(len(kinds), 8))
    return noise + 7 * np.eye(len(sizes), 8)[kinds]


@pytest.mark.parametrize(
    ("x", "k"),
    [
        (unequal(300, 60, 15), 3),
        (unequal(380, 20), 2),
        (datasets.load_iris().data, 3),
        (datasets.load_digits().data[::3], 10),
        (datasets.make_moons(400, noise=0.06, random_state=0)[0], 2),
        (datasets.make_blobs(300, centers=5, cluster_std=[0.5, 1, 1.2, 0.7, 1.0],
                             random_state=1)[0], 5),
    ],
    ids=["unequal", "very unequal", "iris", "digits", "moons", "blobs"],
)  # fmt: skip
def test_real_groups_are_clearer_than_those_of_noise(x: np.ndarray, k: int) -> None:
    _, found, _ = clustered(x, k)
    calibration = calibration_of(found)
    assert calibration is not None
    assert calibration.signals.beyond_noise > 0.3
    verdict = label_free.verdict_on(found)
    assert verdict.trust != "no", verdict
    assert "trainings" not in str(verdict)  # which were counted of images


def test_clear_groups_are_believed_after_a_wrong_number_was_given() -> None:
    """What is advised after it, to try another number of the same checkpoint, may be right."""
    x = unequal(100, 100, 100)
    source, found, wrong = clustered(x, 8)
    assert wrong.mean() < 0.3
    again = pipeline.predict(source, found, n_clusters=3)
    assert np.bincount(again.labels).tolist() == [100, 100, 100]
    assert again.confidence.mean() == pytest.approx(clustered(x, 3)[2].mean(), abs=0.05)
    assert pipeline.predict(source, found, n_clusters=5).confidence.mean() < 0.3


def test_the_score_is_none_for_groups_by_chance_and_one_for_groups_far_apart() -> None:
    kinds = np.repeat([0, 1], 100)
    x = (RANDOM.normal(size=(200, 4)) + 20 * kinds[:, None]).astype(np.float32)
    recipe = replace(VECTORS, reducers=(), n_clusters=2)
    purity = noise_purity(x, recipe)
    assert 0.3 < purity < 1.0
    assert beyond_noise(x, kinds, 2, purity) == pytest.approx(1.0)
    assert beyond_noise(x, RANDOM.permutation(kinds), 2, purity) < 0.0
    assert math.isnan(noise_purity(x[:19], recipe))
    assert math.isnan(noise_purity(x, replace(recipe, n_clusters=101)))
    assert noise_purity(np.ones((40, 4), np.float32), recipe) <= 0.0  # nothing is divided
