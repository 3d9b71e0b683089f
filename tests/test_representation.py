"""Does learning help on this pile? The pixels stand beside what was learned, or in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shoal import load, pipeline
from shoal.clustering.choose_k import weigh_remembered
from shoal.embedding.embed import embed
from shoal.embedding.pixel_components import as_spread_as, flat_pixels
from shoal.images.array import ArraySource
from shoal.images.pile_evidence import find_symmetry
from shoal.recipes.augmentation import Views
from shoal.recipes.named import BEST
from shoal.recipes.parts import Part
from shoal.scoring.accuracy import estimate
from shoal.scoring.appearance import light_and_colours
from shoal.scoring.assignment import calibration_of
from shoal.scoring.representation import choose
from shoal.scoring.signals import Signals
from shoal.scoring.structure import describe_structure, predictability
from shoal.training.choose_views import choose_views
from shoal.training.loop import train

TINY = replace(
    BEST, encoder=Part("vgg", {"widths": (8, 16)}), epochs=0.5, checkpoints=1, n_clusters=2,
    reducers=(Part("pca", {"n_components": 8}),), batch_size=64, views=replace(Views(), n_views=2),
)  # fmt: skip


def bars(n: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Two kinds, lying and standing bars, whose light differs far more than they do."""
    generator = np.random.default_rng(0)
    kinds = np.arange(n) % 2
    images = np.empty((n, 12, 12, 1), dtype=np.uint8)
    wave = 40 * np.sign(np.sin(np.arange(12) * 1.6))
    for row, kind in enumerate(kinds):
        pattern = np.tile(np.roll(wave, generator.integers(6)), (12, 1))
        light = generator.integers(60, 190) + generator.normal(0, 4, (12, 12))
        images[row, ..., 0] = np.clip((pattern.T if kind else pattern) + light, 0, 255)
    return images, kinds


def test_structure_tells_kinds_and_not_the_light() -> None:
    images, kinds = bars()
    structure = describe_structure(ArraySource(images), np.arange(len(images)))
    assert structure is not None
    light = (images.mean(axis=(1, 2, 3)) > np.median(images)).astype(np.int64)
    assert predictability(structure, kinds) > 0.7
    assert predictability(structure, light) < 0.1


def test_light_and_colours_are_described_without_what_is_shown() -> None:
    images, kinds = bars()
    light = (images.mean(axis=(1, 2, 3)) > np.median(images)).astype(np.int64)
    for pile in (images, np.repeat(images, 3, axis=3), images.astype(np.uint16) * 256):
        described = light_and_colours(ArraySource(pile), np.arange(len(images)))
        assert predictability(described, light) > 0.5
        assert predictability(described, kinds) < 0.1
    same = light_and_colours(ArraySource(np.full_like(images, 7)), np.arange(len(images)))
    assert np.isfinite(same).all()


def test_less_is_expected_of_groups_that_what_images_show_does_not_tell() -> None:
    sizes = np.full(10, 50)
    stable = Signals(0.9, 1.0, 0.95, 0.9, 0.9, 1.0, 1.0)  # of colours an encoder is sure
    known = [estimate(replace(stable, shown=shown), sizes) for shown in (-0.01, 0.0, 0.2, 0.9)]
    expected = [each.expected_accuracy for each in known]
    assert expected[0] == expected[1] < 0.4 < expected[2] < expected[3]
    assert expected[3] > 0.8
    assert all(each.high - each.low <= 0.4 for each in known)
    unknown = estimate(stable, sizes)  # of vectors, and in files of an older shoal
    assert expected[2] < unknown.expected_accuracy


def test_what_light_alone_tells_may_be_right_or_wrong() -> None:
    sizes = np.full(10, 50)
    by_what_is_shown = Signals(0.9, 1.0, 0.95, 0.9, 0.9, 1.0, 1.0, shown=0.2)
    kept = estimate(by_what_is_shown, sizes)  # a person said that light counts
    by_light = estimate(replace(by_what_is_shown, light=0.95), sizes)
    assert by_light.expected_accuracy < kept.expected_accuracy - 0.1
    assert by_light.low < kept.low
    assert by_light.high == kept.high
    assert by_light.low == 0.1
    nearly = replace(by_what_is_shown, shown=0.45)
    hardly = estimate(replace(nearly, light=0.99), sizes)
    assert hardly.low == 0.1
    assert hardly.expected_accuracy < estimate(nearly, sizes).expected_accuracy - 0.2
    both = replace(by_what_is_shown, shown=0.8)
    assert estimate(replace(both, light=0.95), sizes) == estimate(both, sizes)


def test_what_was_learned_is_kept_unless_another_is_clearly_better() -> None:
    assert choose({"learned": 0.40, "pixels": 0.42, "joined": 0.41}) == "learned"
    assert choose({"learned": 0.40, "pixels": 0.44, "joined": 0.50}) == "joined"


@pytest.mark.parametrize("kind", ["pixels", "joint_pixels"])
def test_an_embedding_with_pixels_predicts_the_same_from_a_file(tmp_path: Path, kind: str) -> None:
    source = ArraySource(bars()[0])
    recipe = replace(TINY, embedding=kind)
    path = tmp_path / "c.pth"
    made, table = pipeline.fit(source, path, recipe)
    read = load(path)
    np.testing.assert_array_equal(read.pixels["components"], made.pixels["components"])
    np.testing.assert_array_equal(pipeline.predict(source, read).labels, table.labels)
    known = calibration_of(read)
    assert known is not None
    # Of pixels it says nothing that was learned: mild views would make any clusters seem right.
    assert np.isnan(known.signals.neighbour_overlap) == (kind == "pixels")
    assert np.isfinite([known.signals.recognition, known.estimate.expected_accuracy]).all()
    learned = embed(source, replace(made, recipe=replace(recipe, embedding="joint")))
    both = embed(source, made)
    if kind == "joint_pixels":
        np.testing.assert_allclose(both[:, : learned.shape[1]], learned, atol=1e-6)
        beside = both[:, learned.shape[1] :]
        assert as_spread_as(beside, learned) == pytest.approx(1.0, abs=1e-3)  # equally spread


def test_what_was_learned_is_embedded_once_where_it_stands_beside_the_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, calls = ArraySource(bars()[0]), []

    def counted(*given: Any, **options: Any) -> np.ndarray:
        calls.append(len(given[0]))
        return embed(*given, **options)

    *_, trained = train(source, TINY)
    monkeypatch.setattr("shoal.scoring.representation.choose", lambda scores: "joined")
    monkeypatch.setattr("shoal.embedding.reduce.embed", counted)
    made, table = pipeline.cluster(source, trained, keep_better=True)
    assert made.recipe.embedding == "joint_pixels"
    assert calls == [len(source)]
    np.testing.assert_array_equal(pipeline.predict(source, made).embedding, table.embedding)
    # Strengths by what was learned are other ones, and so it is said which they are.
    chosen = pipeline.cluster(source, trained, auto_k=True, keep_better=True)[0]
    assert chosen.facts.chosen is not None
    assert "by what was learned alone; the groups were then" in chosen.facts.chosen.reason
    assert "weighed with the pixels" in weigh_remembered(chosen).reason


def test_pixels_of_images_without_an_up_do_not_change_when_they_are_turned() -> None:
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for turned in (x.rot90(1, (2, 3)), x.flip(2), x.transpose(2, 3)):
        torch.testing.assert_close(flat_pixels(turned, True), flat_pixels(x, True))
        assert not torch.allclose(flat_pixels(turned, False), flat_pixels(x, False))


def test_a_pile_of_which_learning_learned_nothing_goes_by_pixels_and_says_so(
    tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    generator = np.random.default_rng(1)
    kinds = np.arange(240) % 2  # a disc, small or large, always in the middle
    at = np.hypot(*np.meshgrid(np.arange(12) - 5.5, np.arange(12) - 5.5))
    images = 200 * (at < np.where(kinds == 1, 5.0, 2.5)[:, None, None])
    noise = generator.normal(20, 6, images.shape)
    np.save(tmp_path / "p.npy", np.clip(images + noise, 0, 255).astype(np.uint8))
    words = ["train", tmp_path / "p.npy", tmp_path / "c.pth", "--epochs", "0.1", "--device", "cpu",
             "--set", "encoder.widths=(8,16)", "--set", "checkpoints=1"]  # fmt: skip
    first = run_cli(*words, "--set", "learning_rate=1e-9")
    assert first.code == 0
    made = load(tmp_path / "c.pth")
    found = made.facts.representation
    assert found is not None
    assert set(found.scores) == {"learned", "pixels", "joined"}
    assert found.scores[found.choice] >= max(found.scores.values()) - 0.03
    assert "PCA of the pixels and k-means" in first.out + first.err
    again = run_cli(*words, "--set", "learning_rate=1e-9")
    assert "finished checkpoint of this run already" in again.out + again.err
    assert found.choice in run_cli("info", tmp_path / "c.pth").out
    run_cli(*words, "--recipe", "best", "--force")
    named = load(tmp_path / "c.pth")
    assert named.recipe.embedding == "joint"  # a recipe that is named is taken as it is
    assert named.facts.representation is not None
    assert not named.facts.representation.scores


def test_an_up_is_seen() -> None:
    generator = np.random.default_rng(2)
    noise = generator.integers(0, 120, (300, 12, 12, 1))
    tiles = ArraySource(noise.astype(np.uint8))
    sky = ArraySource((noise + np.linspace(130, 0, 12)[:, None, None]).astype(np.uint8))
    views = BEST.views
    chosen, said = choose_views(tiles, views, "grey", orientation=True, intensity=True)
    assert chosen == views  # turning these was worse
    assert "no up" in said[0]
    chosen, _ = choose_views(tiles, views, "channels", orientation=True, intensity=False)
    assert chosen == replace(views, free_orientation=True)
    chosen, said = choose_views(sky, views, "grey", orientation=True, intensity=True)
    assert chosen == views
    assert "an up is seen" in said[0]
    assert choose_views(tiles, views, "grey", orientation=False, intensity=False) == (views, [])
    symmetry = find_symmetry(sky)
    assert symmetry is not None
    assert symmetry.upside_down > 0.9 > 0.6 > symmetry.flipped
    assert find_symmetry(ArraySource(np.zeros((20, 12, 12, 1), np.uint8))) is None


def test_channels_that_are_no_colours_keep_their_intensity() -> None:
    source = ArraySource(np.random.default_rng(0).integers(0, 256, (30, 8, 8, 5), dtype=np.uint8))
    views, said = choose_views(source, BEST.views, "channels", orientation=False, intensity=True)
    assert (views.brightness, views.hue, views.channel_gain, views.min_crop) == (0, 0, 0, 0.6)
    assert "measurements" in said[0]
