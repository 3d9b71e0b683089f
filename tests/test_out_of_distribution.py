"""What looks like nothing an encoder was trained on: the measures, and the word of the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import shoal
from shoal import pipeline
from shoal.embedding.out_of_distribution import (
    UNFAMILIAR,
    familiarity,
    fit_reference,
    mahalanobis,
    share_beyond,
)
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.protocols import Array
from shoal.scoring.warnings import unfamiliar


def test_share_beyond_counts() -> None:
    generator = np.random.default_rng(0)
    known, values = generator.normal(size=50).round(1), generator.normal(size=30).round(1)
    expected = [(1 + sum(k >= v for k in known)) / 51 for v in values]
    assert share_beyond(values, known) == pytest.approx(expected)


def test_mahalanobis_is_the_likelihood_of_probabilistic_components() -> None:
    """scikit-learn's PCA computes the same by inverting the whole covariance."""
    from sklearn.decomposition import PCA

    generator = np.random.default_rng(1)
    z = (generator.normal(size=(400, 6)) @ generator.normal(size=(6, 20))).astype(np.float32)
    z += generator.normal(size=z.shape).astype(np.float32)
    found = PCA(5).fit(z)
    model = {
        "mean": found.mean_,
        "components": found.components_,
        "variances": found.explained_variance_,
        "noise": np.array([found.noise_variance_]),
    }
    log_likelihood = found.score_samples(z)
    distance = mahalanobis(z, model) * z.shape[1]
    assert np.ptp(log_likelihood + distance / 2) == pytest.approx(0.0, abs=0.02)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Array, Path]:
    """Soft blobs, bright on dark, and a checkpoint that learned from them."""
    from shoal.recipes.named import BEST
    from shoal.recipes.settings import override

    path = tmp_path_factory.mktemp("out_of_distribution") / "c.pth"
    images = blobs(900, seed=0)
    small = ["encoder.widths=(8,16)", "checkpoints=1", "batch_size=64", "warmup_steps=5"]
    recipe = override(replace(BEST, epochs=4), small)
    shoal.fit(ArraySource(images), path, recipe)
    return images, path


def blobs(n: int, seed: int) -> Array:
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :16]
    places = generator.uniform(4, 12, (2, n, 1, 1))
    light = np.exp(-((y - places[0]) ** 2 + (x - places[1]) ** 2) / 12)
    tint = generator.uniform(0.5, 1.0, (n, 1, 1, 3))
    grain = generator.normal(0, 4, (n, 16, 16, 3))
    return np.clip(40 + 200 * light[..., None] * tint + grain, 0, 255).astype(np.uint8)


def test_more_of_the_same_is_familiar_and_other_pictures_are_not(
    trained: tuple[Array, Path],
) -> None:
    checkpoint = checkpoints.load(trained[1])

    def told(images: Array) -> Array:
        table = pipeline.predict(ArraySource(images), checkpoint, familiarity=True)
        assert table.familiarity is not None
        assert table.familiarity.dtype == np.float32
        assert ((table.familiarity >= 0) & (table.familiarity <= 1)).all()
        return table.familiarity

    same = told(blobs(1000, seed=1))
    for share in (0.02, 0.1, 0.3):  # no more than a share p of them has one of p or less
        assert np.mean(same <= share) < 1.6 * share
    noise = np.random.default_rng(2).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    stripes = np.repeat((np.arange(16) % 2 * 255)[None, :, None], 16, axis=0)
    assert (told(noise) < UNFAMILIAR).all()
    assert (told(np.repeat(stripes[None], 3, axis=3).astype(np.uint8)) < UNFAMILIAR).all()
    assert pipeline.predict(ArraySource(noise), checkpoint).familiarity is None


def test_familiarity_does_not_depend_on_the_rest(trained: tuple[Array, Path]) -> None:
    checkpoint = checkpoints.load(trained[1])
    images = blobs(40, seed=3)
    source, half = ArraySource(images), ArraySource(images[::2])

    def told(images: ArraySource) -> Array:
        distances = mahalanobis(shoal.embed(images, checkpoint), checkpoint.familiar)
        return familiarity(images, checkpoint, distances)

    assert told(half) == pytest.approx(told(source)[::2])


def test_a_pile_too_small_is_remembered_as_nothing(trained: tuple[Array, Path]) -> None:
    source, checkpoint = ArraySource(trained[0][:3]), checkpoints.load(trained[1])
    z = shoal.embed(source, checkpoint)
    assert fit_reference(source, checkpoint, z, np.arange(3)) == {}
    again = pipeline.predict(source, replace(checkpoint, familiar={}), familiarity=True)
    assert again.familiarity is None


def test_of_images_far_beyond_all_that_were_learned_nothing_is_sure(
    trained: tuple[Array, Path],
) -> None:
    checkpoint = checkpoints.load(trained[1])
    same, blank = blobs(500, seed=7), np.zeros((3, 16, 16, 3), np.uint8)
    blank[1:] = [[[[255]]], [[[128]]]]
    images = ArraySource(np.concatenate([same, blank]))
    told = pipeline.predict(images, checkpoint, familiarity=True)
    plain = pipeline.predict(images, checkpoint)
    k = checkpoint.recipe.n_clusters
    assert (told.labels == plain.labels).all()
    assert (told.confidence[:500] == plain.confidence[:500]).all()
    assert told.confidence[500:] == pytest.approx(1 / k, abs=1e-3)
    assert "3 of 503 images are unlike any" in unfamiliar(told)[0]
    proba = shoal.ImageClusterer.load(trained[1]).predict_proba(images.images)
    assert proba.argmax(axis=1).tolist() == plain.labels.tolist()
    assert proba[500:] == pytest.approx(1 / k, abs=1e-3)
    assert proba.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("strange", "alarming"), [(0, False), (2, False), (3, True)])
def test_no_more_strangers_than_by_chance_are_no_alarm(
    trained: tuple[Array, Path], strange: int, alarming: bool
) -> None:
    checkpoint = checkpoints.load(trained[1])
    table = pipeline.predict(ArraySource(blobs(100, seed=6)), checkpoint)
    told = unfamiliar(replace(table, familiarity=np.where(np.arange(100) < strange, 0.001, 0.5)))
    assert ("mean little" in "".join(told)) == bool(told) == alarming


def test_predict_says_what_it_does_not_know(
    trained: tuple[Array, Path], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    images, path = trained
    np.save(tmp_path / "old.npy", images)
    pile = blobs(50, seed=4)
    pile[[7, 30]] = np.random.default_rng(5).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "new.npy", pile)
    out, table = tmp_path / "p.csv", tmp_path / "t.parquet"
    told = run_cli("predict", tmp_path / "new.npy", path, out, "--table", table)
    assert (
        "2 of 50 images are unlike any of the images the encoder was trained on (ids 7, 30)"
        in told.err
    )
    confidence = np.array(pq.read_table(table).to_pydict()["confidence"])
    assert confidence[[7, 30]].max() < confidence.min() * 1.01
    found = pq.read_table(table).to_pydict()["familiarity"]
    assert {7, 30} <= set(np.flatnonzero(np.array(found) < UNFAMILIAR))
    assert out.read_text().splitlines()[0] == "id,label"
    exported = tmp_path / "e.parquet"
    assert run_cli("export", tmp_path / "new.npy", table, exported, "--as", "parquet").code == 0
    assert pq.read_table(exported).to_pydict()["familiarity"] == found
    told = run_cli("predict", tmp_path / "old.npy", path, out, "--table", table, "--force")
    assert told.code == 0, told.err
    assert "nothing" not in told.err  # those it learned from are not asked
    assert "familiarity" not in pq.read_table(table).column_names
