"""How many clusters: right where it was planted, honest where there is nothing, and end to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import pipeline
from shoal.clustering.choose_k import weigh_remembered
from shoal.clustering.digest import clustering_digest
from shoal.clustering.evidence import Evidence, NumberOfClusters
from shoal.clustering.n_clusters import _choose, weigh
from shoal.clustering.partitions import overlap
from shoal.clustering.prediction_strength import divide, prediction_strength
from shoal.errors import DataError
from shoal.export.clustering_digest import clustering_of
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.plots import groups as plots
from shoal.search.summaries import of_n_clusters


def blobs(sizes: Sequence[int], *, distance: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    centres = np.eye(len(sizes), 12) * distance
    kinds = np.repeat(np.arange(len(sizes)), sizes)
    return (centres[kinds] + generator.normal(size=(len(kinds), 12))).astype(np.float32), kinds


@pytest.mark.parametrize("sizes", [(150, 150), (60, 120, 180), (80,) * 7])
def test_planted_groups_are_counted(sizes: Sequence[int]) -> None:
    z, kinds = blobs(sizes, distance=9)
    found = weigh(z, high=10)
    assert (found.n_clusters, found.clear) == (len(sizes), True)
    assert found.leading[0] == len(sizes)
    assert overlap(found.groups[len(sizes)], kinds) > 0.99
    assert [each.n_clusters for each in found.evidence] == list(range(2, 11))
    best = {
        name: max(found.evidence, key=lambda each: getattr(each, name)).n_clusters
        for name in ("strength", "stability", "silhouette")
    }
    assert set(best.values()) == {len(sizes)}


def test_one_cloud_is_not_clearly_anything() -> None:
    z = np.random.default_rng(0).normal(size=(600, 12)).astype(np.float32)
    found = weigh(z, high=8)
    assert not found.clear
    assert "no number is clear" in found.reason


def test_of_pure_noise_few_clusters_are_taken_and_it_is_said_that_nothing_stands_out() -> None:
    """All numbers are as good as chance there: the largest of them, 20, used to be taken."""
    noise = np.random.default_rng(1).normal(size=(400, 16)).astype(np.float32)
    found = weigh(noise)
    assert found.n_clusters == 2
    assert "nothing stands out" in found.reason


def test_of_groups_within_groups_the_finer_are_chosen_and_the_tie_is_told() -> None:
    generator = np.random.default_rng(0)
    far, near = np.repeat([[40.0], [-40.0]], 3, axis=0), np.eye(6, 8) * 12
    centres = np.repeat(np.concatenate([far, near], axis=1), 60, axis=0)
    z = (centres + generator.normal(size=centres.shape)).astype(np.float32)
    found = weigh(z, high=9)
    strength = {each.n_clusters: each.strength for each in found.evidence}
    assert found.n_clusters == 6
    assert strength[6] > 0.95


def test_what_is_as_good_is_not_hidden_and_the_picture_has_the_words_of_the_table() -> None:
    strengths = ((2, 0.95), (3, 0.92), (4, 0.5))
    evidence = tuple(Evidence(k, strength, 0.01, 0.9, 0.5, 0.1) for k, strength in strengths)
    choice, tied, clear, leading, reason = _choose(evidence)
    assert (choice, tied, clear) == (2, (3,), False)
    rows, groups = np.arange(12), {k: np.arange(12) % k for k in (2, 3, 4)}
    result = NumberOfClusters(choice, clear, reason, leading, evidence, rows, groups, tied)
    header, *lines = of_n_clusters(result).splitlines()
    assert [line.split()[0] for line in lines if line.endswith("  < as good")] == ["3"]
    figure = plots.n_clusters(ArraySource(np.zeros((12, 8, 8, 3), np.uint8)), result)
    assert figure.get_suptitle() == "how many clusters? 2; 3 would do as well"
    drawn = [ax.get_title() for ax in figure.axes]
    drawn += [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    for word in header.split()[1:]:
        assert any(text.startswith(word) for text in drawn), word


def test_the_same_seed_gives_the_same_answer_and_a_large_pile_is_sampled() -> None:
    z, _ = blobs((1200, 2000), distance=9)
    first, second = (weigh(z, high=3, seed=5, rows=np.arange(3200) + 7) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert first.rows.tolist() == second.rows.tolist()
    assert len(first.rows) == 3000
    assert first.rows.min() >= 7
    assert first.n_clusters == 2


def test_prediction_strength_is_what_its_definition_says() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 4, 60)
    predicted = np.where(generator.random(60) < 0.8, groups, generator.integers(0, 4, 60))
    chance = np.mean([a == b for a, b in permutations(predicted.tolist(), 2)])
    slow = []
    for each in range(4):
        members = np.flatnonzero(groups == each)
        pairs = [predicted[a] == predicted[b] for a in members for b in members if a != b]
        slow.append(np.mean(pairs))
    expected = (min(slow) - chance) / (1 - chance)
    assert expected > 0.1
    assert prediction_strength(groups, predicted) == pytest.approx(expected)
    by_lot = generator.permutation(predicted)
    assert prediction_strength(groups, by_lot) == pytest.approx(0.0, abs=0.1)
    assert prediction_strength(groups, (groups + 1) % 4) == 1.0


@pytest.mark.parametrize(
    ("low", "high", "n", "message"),
    [
        (1, 5, 100, "low must be from 2 to 100, got 1"),
        (5, 4, 100, "high must be from 5 to 100, got 4"),
        (2, 101, 100, "high must be from 2 to 100, got 101"),
        (2, 5, 19, "needs at least 20 images, got 19"),
        (6, 9, 59, "choosing among 6 clusters or more needs at least 60 images, got 59"),
    ],
)
def test_impossible_ranges_are_refused(low: int, high: int, n: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        weigh(np.zeros((n, 3), dtype=np.float32), low=low, high=high)


def test_copies_of_one_image_have_no_groups() -> None:
    found = weigh(np.ones((60, 3), dtype=np.float32), high=4)
    assert not found.clear
    assert all(each.strength < 0.6 for each in found.evidence)


def test_the_command_draws_and_prints(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    picture = tmp_path / "new" / "n.png"
    result = run_cli("clusters", images_file, checkpoint_file, "--picture", picture)
    assert result.code == 0, result.err
    assert "2 clusters are found again in other images" in result.out
    assert Image.open(picture).size[0] > 1000
    as_json = run_cli(
        "clusters", images_file, checkpoint_file, "--picture", tmp_path / "b.png", "--json"
    )
    assert as_json.code == 0
    told = json.loads(as_json.out)
    assert (told["n_clusters"], told["n_images"], len(told["evidence"])) == (2, 40, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["n.png", "--from", "1"], "--from must be from 2 to 100, got 1"),
        (["n.txt"], "must end in .png, .pdf or .svg"),
        (["n.png", "--from", "5"], "needs at least 50 images, got 40"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    options: list[str],
    message: str,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    result = run_cli(
        "clusters", images_file, checkpoint_file, "--picture", tmp_path / options[0], *options[1:]
    )
    assert result.code == 2
    assert message in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_auto_divides_into_what_was_chosen(
    images_file: Path,
    kinds: np.ndarray,
    fast: Sequence[str],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pth"
    train = ["train", images_file, path, "-k", "auto", *fast, "--set", "clusterer=spectral"]
    result = run_cli(*train, "--set", "name=tried")
    assert result.code == 0, result.err
    assert "clusters are found again" in result.err
    finished = checkpoints.load(path)
    chosen = finished.recipe.n_clusters
    assert finished.facts.chosen.reason.startswith(f"{chosen} clusters are found again")
    assert set(finished.facts.chosen.strengths) == {2, 3, 4}
    out = tmp_path / "p.csv"
    assert run_cli("predict", images_file, path, out).code == 0
    labels = np.loadtxt(out, delimiter=",", skiprows=1, dtype=int)[:, 1]
    assert len(np.unique(labels)) == chosen
    table = tmp_path / "q.parquet"
    again = run_cli(
        "predict", images_file, path, tmp_path / "q.csv", "-k", "auto", "--table", table
    )  # fmt: skip
    assert again.code == 0
    assert clustering_of(table, "") == clustering_digest(finished)  # names for it can be told
    assert (tmp_path / "q.csv").read_bytes() == out.read_bytes()
    resumed = run_cli(*train, "--set", "name=tried", "--resume")
    assert (resumed.code, "nothing to resume" in resumed.err) == (0, True)


@pytest.mark.parametrize("noise", ["off", "0.1"])
def test_every_command_tells_one_strength_of_a_number(
    noise: str, images_file: Path, fast: Sequence[str], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.pth"
    run_cli("train", images_file, path, "-k", "auto", "--noise", noise, *fast, "--seed", 3)
    chosen = checkpoints.load(path).facts.chosen
    assert chosen is not None
    shown = ["clusters", images_file, path, "--json", "--picture"]
    for more, numbers in ([], chosen.strengths), (["--to", 3], [2, 3]):
        told = json.loads(run_cli(*shown, tmp_path / f"n{len(more)}.png", *more).out)
        found = {each["n_clusters"]: each["strength"] for each in told["evidence"]}
        assert found == {k: round(chosen.strengths[k], 4) for k in numbers}
        assert told["n_images"] == 40
    weighed = weigh_remembered(checkpoints.load(path)).evidence
    assert {each.n_clusters: round(each.strength, 6) for each in weighed} == chosen.strengths


def test_a_number_has_the_same_clusters_whichever_others_are_weighed() -> None:
    z = np.random.default_rng(0).normal(size=(750, 4)).astype(np.float32)
    z[:24] += 50  # so few are taken for strays where only few clusters are looked for
    among_few, among_many, alone = (
        divide(z, numbers, 0, largest=largest)[0][3]
        for numbers, largest in (([2, 3], 20), (range(2, 21), None), ([2, 3], None))
    )
    np.testing.assert_array_equal(among_few, among_many)
    assert overlap(among_few, alone) < 1.0


def test_auto_replaces_another_number_and_refuses_two(
    images: np.ndarray,
    images_file: Path,
    fast: Sequence[str],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pth"
    given = ["train", images_file, path, *fast, "--quiet", "--set", "clusterer=spectral"]
    refused = run_cli(*given, "-k", "auto", "--set", "n_clusters=3")
    assert refused.code == 2
    assert "-k and --set n_clusters=… cannot both be given" in refused.err
    assert run_cli(*given, "-k", "9").code == 0
    nine = checkpoints.load(path)
    settled, _ = pipeline.cluster(ArraySource(images), nine, auto_k=True)
    assert checkpoints.load(path).recipe.n_clusters == 9  # until it is saved
    checkpoints.save(settled, path, force=True)
    assert nine.recipe.n_clusters == 9
    assert settled.recipe.n_clusters == weigh_remembered(nine).n_clusters < 9
    written = checkpoints.load(path)
    assert (written.recipe, written.facts.chosen) == (settled.recipe, settled.facts.chosen)
    assert written.facts.chosen is not None
    assert nine.facts.chosen is None
    assert written.weights_digest() == nine.weights_digest()
    table = pipeline.predict(ArraySource(images), written)
    assert len(np.unique(table.labels)) == written.recipe.n_clusters


def test_auto_needs_images_enough_before_it_trains(
    images: np.ndarray, fast: Sequence[str], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "few.npy", images[:19])
    result = run_cli("train", tmp_path / "few.npy", tmp_path / "c.pth", "-k", "auto", *fast)
    assert result.code == 2
    assert "needs at least 20 images, got 19" in result.err
    assert not (tmp_path / "c.pth").exists()
    assert run_cli("train", tmp_path / "few.npy", tmp_path / "c.pth", "-k", "many").code == 2
