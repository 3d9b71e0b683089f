"""Judging a checkpoint without labels: what is shown, what comes out, and the command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shoal import pipeline
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError
from shoal.images.array import ArraySource
from shoal.images.tensors import to_float
from shoal.models import checkpoint
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ChosenNumber
from shoal.models.history import CheckpointHistory
from shoal.recipes.parts import Part
from shoal.scoring import label_free, late_failure
from shoal.scoring.evaluation_views import EVALUATION_VIEWS
from shoal.scoring.label_free import LabelFreeScores
from shoal.training.augmented_source import AugmentedSource

FIELDS = set(LabelFreeScores.__dataclass_fields__)


def score(**changes: float) -> LabelFreeScores:
    """Scores of a middling clustering, some changed."""
    values: dict[str, Any] = dict.fromkeys(FIELDS, 0.5) | {"n_images": 100, "n_clusters": 3}
    return LabelFreeScores(**(values | changes))


def test_views_are_drawn_from_the_seed_and_change_the_images(images: np.ndarray) -> None:
    source = ArraySource(images)
    everything = np.arange(40)

    def read(seed: int, stream: int) -> np.ndarray:
        shown = AugmentedSource(source, EVALUATION_VIEWS, most=100, seed=seed, stream=stream)
        return shown.read(everything)

    assert read(0, 1).shape == images.shape
    assert read(0, 1).dtype == np.uint8
    assert np.array_equal(read(0, 1), read(0, 1))
    assert not np.array_equal(read(0, 1), images)
    assert not np.array_equal(read(0, 1), read(0, 2))
    assert not np.array_equal(read(0, 1), read(1, 1))
    assert np.array_equal(AugmentedSource(source, None, most=100, seed=0).read(everything), images)


def test_a_large_pile_is_sampled_the_same_for_every_view(images: np.ndarray) -> None:
    source = ArraySource(images, ids=[f"image {i}" for i in range(40)])
    plain, viewed = (
        AugmentedSource(source, views, most=30, seed=0, stream=stream)
        for stream, views in enumerate((None, EVALUATION_VIEWS))
    )
    assert len(plain) == len(viewed) == len(set(plain.ids)) == 30
    assert plain.ids == viewed.ids
    names = [int(name.split()[1]) for name in plain.ids]
    assert np.array_equal(plain.read(np.arange(30)), images[names])
    assert plain.ids != AugmentedSource(source, None, most=30, seed=1).ids


def test_two_clear_kinds_score_well_and_the_same_every_time(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    source, loaded = ArraySource(images), checkpoint.load(checkpoint_file)
    scores = label_free.judge(source, loaded)
    assert scores == label_free.judge(source, loaded)
    assert (scores.n_images, scores.n_clusters) == (40, 2)
    for name in ("view_agreement", "stability", "neighbour_purity"):
        assert 0.8 < getattr(scores, name) <= 1.0, name
    assert 0.6 < scores.silhouette <= 1.0
    assert 0.0 <= scores.normalised_cut < 0.2
    for name in ("neighbour_overlap", "recognition"):  # of so few images, and all but copies
        assert 0.0 < getattr(scores, name) < 1.0, name
    assert scores.combined == pytest.approx((scores.view_agreement * scores.recognition) ** 0.5)
    encoder = loaded.build_encoder()
    with torch.inference_mode():
        x = to_float(images.copy(), "cpu")
        assert scores.mse == pytest.approx(float((encoder(x) - x).square().mean()), rel=1e-4)


@pytest.fixture(scope="module")
def voting(images: np.ndarray, checkpoint_file: Path) -> Checkpoint:
    """The checkpoint clustered by `spectral`, whose clusters are plain labels: easily changed."""
    loaded = checkpoint.load(checkpoint_file)
    recipe = replace(loaded.recipe, clusterer=Part("spectral"))
    return pipeline.cluster(ArraySource(images), replace(loaded, recipe=recipe))[0]


def with_labels(finished: Checkpoint, labels: np.ndarray) -> Checkpoint:
    clusterer = finished.clusterer | {"reference_labels_": labels}
    return replace(finished, clusterer=clusterer, calibration={})  # which was of the other ones


def test_names_of_clusters_do_not_matter(images: np.ndarray, voting: Checkpoint) -> None:
    source, labels = ArraySource(images), voting.clusterer["reference_labels_"]
    renamed = with_labels(voting, 1 - labels)
    assert asdict(label_free.judge(source, renamed)) == pytest.approx(
        asdict(label_free.judge(source, voting))
    )


def test_clusters_by_lot_score_worse(images: np.ndarray, voting: Checkpoint) -> None:
    source = ArraySource(images)
    # Embedded larger, so few images lie so close that a vote of neighbours is of all of them.
    own_size = replace(voting, recipe=replace(voting.recipe, embedding_resolution=1.0))
    found = pipeline.cluster(source, own_size)[0]
    labels = found.clusterer["reference_labels_"]
    lot = with_labels(found, np.random.default_rng(0).permutation(labels))
    good, bad = (label_free.judge(source, finished) for finished in (found, lot))
    assert bad.neighbour_purity < good.neighbour_purity
    assert bad.normalised_cut > good.normalised_cut
    assert bad.combined < good.combined


def test_a_checkpoint_along_the_way_has_nothing_to_judge(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    source = ArraySource(images)
    along = checkpoint.load(CheckpointHistory(checkpoint_file).files()[0])
    with pytest.raises(CheckpointError, match="finished"):
        label_free.judge(source, along)
    assert label_free.judge(source, pipeline.cluster(source, along)[0]).n_images > 0
    assert not along.finished


@pytest.mark.parametrize(
    ("strengths", "may_be_another"),
    [
        ({2: 0.51, 3: 0.42}, True),  # the best of them is a guess
        ({2: 0.84, 3: 0.82}, True),
        ({2: 0.84, 3: 0.42}, False),
        ({2: 0.10, 3: 0.02}, False),
    ],
)
def test_another_number_of_groups_is_proposed_unless_one_alone_is_clear(
    voting: Checkpoint, strengths: dict[int, float], may_be_another: bool
) -> None:
    chosen = ChosenNumber("reason", strengths)
    facts = replace(voting.facts, chosen=chosen, warnings=("an image is blurred.",))
    doubted = label_free.verdict_on(replace(voting, facts=facts))
    assert doubted.trust == "in part"
    assert ("another number of groups" in str(doubted)) == may_be_another


def guarded(source: ArraySource, last: Checkpoint, history: CheckpointHistory) -> Checkpoint:
    table = ImageTable.of_labels(source.ids, np.zeros(len(source), np.int64))
    return late_failure.guard(source, (last, table), history, pipeline.cluster)[0]


def test_the_last_checkpoint_of_a_sound_run_is_kept(
    images: np.ndarray, voting: Checkpoint, checkpoint_file: Path
) -> None:
    kept = guarded(ArraySource(images), voting, CheckpointHistory(checkpoint_file))
    scores = kept.facts.consistency
    assert kept.step == voting.step == list(scores)[-1]
    assert len(scores) == 2
    assert kept.facts.warnings == voting.facts.warnings


def test_of_a_run_that_went_wrong_late_an_earlier_checkpoint_is_kept(
    images: np.ndarray, voting: Checkpoint, checkpoint_file: Path
) -> None:
    source, history = ArraySource(images), CheckpointHistory(checkpoint_file)
    torch.manual_seed(0)
    noise = {
        name: torch.randn_like(weights).abs() if weights.is_floating_point() else weights
        for name, weights in voting.encoder_state.items()
    }
    ruined = pipeline.cluster(source, replace(voting, encoder_state=noise))[0]
    kept = guarded(source, ruined, history)
    scores = kept.facts.consistency
    assert kept.finished
    assert kept.step < ruined.step
    assert scores[kept.step] > scores[ruined.step] + 0.1
    assert "went wrong late" in kept.facts.warnings[-1]
    whole = pipeline.cluster(source, checkpoint.load(history.file(kept.step)))[0]
    for name, array in kept.clusterer.items():
        assert np.array_equal(array, whole.clusterer[name]), name


def test_other_groups_of_an_encoder_that_got_no_worse_are_no_failure(
    images: np.ndarray, voting: Checkpoint, checkpoint_file: Path
) -> None:
    labels = voting.clusterer["reference_labels_"]
    other = with_labels(voting, np.random.default_rng(0).permutation(labels))
    kept = guarded(ArraySource(images), other, CheckpointHistory(checkpoint_file))
    earlier, last = kept.facts.consistency.values()
    assert earlier > last + 0.1
    assert kept.step == voting.step
    assert kept.facts.warnings == voting.facts.warnings


def test_too_few_images_to_tell_and_a_history_of_one(
    images: np.ndarray, voting: Checkpoint, checkpoint_file: Path, tmp_path: Path
) -> None:
    few = ArraySource(images[:19])
    assert guarded(few, voting, CheckpointHistory(checkpoint_file)) is voting
    whole = replace(voting, recipe=replace(voting.recipe, n_clusters=1))
    assert guarded(ArraySource(images), whole, CheckpointHistory(checkpoint_file)) is whole
    alone = guarded(ArraySource(images), voting, CheckpointHistory(tmp_path / "none.pth"))
    assert list(alone.facts.consistency) == [voting.step]


def test_the_verdict_follows_the_score_and_names_its_limits() -> None:
    texts = [
        label_free.verdict(score(view_agreement=v, recognition=v, neighbour_purity=v, stability=v))
        for v in (0.95, 0.5, 0.02)
    ]
    assert len({text.splitlines()[0] for text in texts}) == 3
    assert all("does not tell" in text for text in texts)


# --- the command --------------------------------------------------------------------------------


def test_no_labels_plain_and_json(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any]
) -> None:
    plain = run_cli("evaluate", images_file, checkpoint_file, "--no-labels")
    as_json = run_cli("evaluate", images_file, checkpoint_file, "--no-labels", "--json")
    assert plain.code == as_json.code == 0
    scores = json.loads(as_json.out)
    assert set(scores) == FIELDS | {"combined", "clusters_found_here"}
    assert scores["clusters_found_here"] is False
    shown = dict(re.findall(r"^([\w ]+?) +(-?[\d.]+)   ", plain.out, re.MULTILINE))
    assert float(shown["score"]) == pytest.approx(scores["combined"], abs=1e-4)
    assert float(shown["view agreement"]) == pytest.approx(scores["view_agreement"], abs=1e-4)
    assert float(shown["MSE"]) == pytest.approx(scores["mse"], abs=1e-4)
    assert "does not tell" in plain.out


def test_no_labels_of_a_checkpoint_along_the_way_says_what_it_does(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any]
) -> None:
    along = CheckpointHistory(checkpoint_file).files()[-1]
    result = run_cli("evaluate", images_file, along, "--no-labels")
    assert result.code == 0
    assert "they are found first, among these 40 images" in result.err
    assert result.out.startswith("score")


def test_labels_beside_the_images_are_not_looked_at(
    images: np.ndarray,
    kinds: np.ndarray,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("trainX.npy", images)
    command = ("evaluate", "trainX.npy", checkpoint_file, "--no-labels", "--json")
    without = run_cli(*command)
    for name in ("trainY.npy", "valY.npy", "labels.npy", "y.npy"):
        np.save(name, kinds)
    Path("labels.csv").write_text("id,label\n" + "".join(f"{i},{y}\n" for i, y in enumerate(kinds)))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("labels were asked for")

    for name in ("load_labels", "score", "match", "calibration"):
        monkeypatch.setattr(f"shoal.scoring.evaluation.{name}", refuse)
    assert run_cli(*command) == without
    assert without.code == 0
