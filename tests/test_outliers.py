"""Odd images: planted ones come first, with the reasons they were planted for."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal import pipeline
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.tensors import to_float
from shoal.models import checkpoint as checkpoints
from shoal.plots import single_images
from shoal.search.outliers import NOTABLE, _near_tie, deviations, find_outliers
from shoal.search.summaries import of_outliers


@pytest.fixture(scope="module")
def pile(images: np.ndarray) -> np.ndarray:
    """160 ordinary images, then a black, a white, a blank and a garish one; (164, 8, 8, 3)."""
    generator = np.random.default_rng(1)
    more = np.concatenate([images] * 4).astype(int) + generator.integers(-9, 10, (160, 8, 8, 3))
    more[:, :2, :3] = more[:, :2, :3] // 2  # something dark in a corner: none is flat or white
    garish = np.zeros((1, 8, 8, 3), int)
    garish[:, ::2, ::2, 1], garish[:, 1::2, :, 2] = 255, 255
    odd = [np.full((1, 8, 8, 3), level) for level in (0, 255, 128)]
    return np.clip(np.concatenate([more, *odd, garish]), 0, 255).astype(np.uint8)


def test_planted_outliers_come_first_with_their_reasons(
    pile: np.ndarray, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", pile)
    csv_path, picture = tmp_path / "new" / "o.csv", tmp_path / "new" / "o.png"
    result = run_cli(
        "outliers", tmp_path / "x.npy", checkpoint_file, "-n", "8", "--csv", csv_path, "--picture",
        picture,
    )  # fmt: skip
    assert result.code == 0, result.err
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "rank", "id", "score", "reasons", "distance", "reconstruction", "contrast", "brightness",
        "confidence",
    ]  # fmt: skip
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 9)]
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    reasons = {row["id"]: row["reasons"] for row in rows}
    assert {row["id"] for row in rows[:4]} == {"160", "161", "162", "163"}
    assert "very dark (brightness 0, usually" in reasons["160"]
    assert "very bright (brightness 1, usually" in reasons["161"]
    assert "nearly uniform (contrast 0, usually" in reasons["162"]
    assert "poorly rebuilt" in reasons["163"]
    assert all(reasons.values())
    assert "1. " in result.err
    with Image.open(picture) as drawn:
        assert len(drawn.convert("RGB").getcolors(10**7) or []) > 10


def test_what_is_measured(pile: np.ndarray, checkpoint_file: Path) -> None:
    checkpoint = checkpoints.load(checkpoint_file)
    source = ArraySource(pile)
    found = find_outliers(source, checkpoint, n=10**6)
    assert sorted(found.rows.tolist()) == list(range(164))
    z = reduce(source, checkpoint).astype(float)
    apart = np.linalg.norm(z[:, None] - z[None], axis=2)
    assert found.values["distance"] == pytest.approx(np.sort(apart, axis=1)[:, 5], abs=2e-4)
    encoder = checkpoint.build_encoder()
    slow = [
        ((encoder(x) - x) ** 2).mean().item()
        for x in (to_float(image[None], "cpu") for image in pile[::20])
    ]
    assert found.values["reconstruction"][::20] == pytest.approx(slow, rel=1e-4)
    grey = pile @ np.array([0.299, 0.587, 0.114]) / 255
    assert found.values["contrast"] == pytest.approx(grey.std(axis=(1, 2)), abs=1e-5)
    assert found.values["brightness"] == pytest.approx(grey.mean(axis=(1, 2)), abs=1e-5)
    table = pipeline.predict(source, checkpoint)
    assert found.values["confidence"] == pytest.approx(table.confidence)
    said = [reason for reasons in found.reasons for reason in reasons]
    assert not any(reason.startswith("between two clusters") for reason in said)  # all are sure


@pytest.mark.parametrize(
    ("membership", "reason"),
    [
        ([0.52, 0.48], ["between two clusters (52% of one, 48% of another)"]),
        ([0.3, 0.1, 0.28, 0.32], ["between two clusters (32% of one, 30% of another)"]),
        ([0.6, 0.4], []),
        ([1.0], []),
    ],
)
def test_an_image_between_two_clusters_is_told(membership: list[float], reason: list[str]) -> None:
    assert _near_tie(np.array(membership)) == reason


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
@settings(deadline=None, max_examples=100)
def test_deviations_keeps_the_order_and_is_finite(values: list[float]) -> None:
    x = np.array(values)
    far = deviations(x)
    assert np.isfinite(far).all()
    assert (np.abs(far) <= 100).all()
    order = np.argsort(x, kind="stable")
    assert (np.diff(far[order]) >= 0).all()


def test_deviations_is_in_deviations_of_a_normal_distribution() -> None:
    x = np.random.default_rng(0).normal(50, 7, 20_000)
    assert deviations(x) == pytest.approx((x - 50) / 7, abs=0.15)


@pytest.mark.parametrize("n", [7, 12, 20])
def test_the_one_outlier_of_a_few_does_not_hide_itself(n: int) -> None:
    found = [deviations(np.append(usual, 9.0))[-1] for usual in _draws(n - 1)]
    false = [deviations(usual).max() for usual in _draws(n)]
    assert np.mean(np.array(found) >= NOTABLE) > 0.8
    assert np.mean(np.array(false) >= NOTABLE) < 0.15


def _draws(n: int) -> np.ndarray:
    """300 draws of n numbers from a normal distribution."""
    return np.random.default_rng(n).normal(size=(300, n))


def test_a_pile_of_one_image_many_times_has_no_reasons_to_crash(checkpoint_file: Path) -> None:
    checkpoint = checkpoints.load(checkpoint_file)
    found = find_outliers(ArraySource(np.full((12, 8, 8, 3), 7, np.uint8)), checkpoint, n=3)
    assert len(found.rows) == 3
    assert np.isfinite(found.score).all()
    assert all(reasons[0].startswith("no more than chance (") for reasons in found.reasons)
    assert of_outliers(found).startswith("none of 12 images is unusual")
    with pytest.raises(DataError, match="at least 2 images"):
        find_outliers(ArraySource(np.zeros((1, 8, 8, 3), np.uint8)), checkpoint)


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ("CKPT -n 0", "must be at least 1, got 0"),
        ("ALONG", "kept along the way"),
        ("CKPT --picture o.txt", ".png, .pdf or .svg"),
        ("CKPT --csv CKPT", "is an input of this command"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    options: str,
    fragment: str,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    history = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())[0]
    given = {"CKPT": checkpoint_file, "ALONG": history}
    result = run_cli("outliers", images_file, *(given.get(word, word) for word in options.split()))
    assert result.code == 2, result
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert fragment in result.err
    assert list(tmp_path.iterdir()) == []


def test_the_picture_has_the_words_of_the_table(images: np.ndarray, checkpoint_file: Path) -> None:
    source = ArraySource(images)
    found = find_outliers(source, checkpoints.load(checkpoint_file), n=3)
    drawn = [text.get_text() for text in single_images.outliers(source, found).axes[0].texts]
    assert len(drawn) == 3
    for place, (caption, reasons) in enumerate(zip(drawn, found.reasons, strict=True), start=1):
        rank, _, words = caption.partition(": ")
        assert (int(rank), reasons[0].startswith(words)) == (place, True)
