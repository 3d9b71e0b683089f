"""How vectors from elsewhere are compared: as they are, or by their directions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from shoal import VectorClusterer, VectorSource, find_similar, pipeline
from shoal.cli import inference
from shoal.cli.run_identity import completed
from shoal.clustering.choose_metric import choose_metric, metric_for
from shoal.errors import RecipeError
from shoal.models import checkpoint as checkpoints
from shoal.models.facts import ChosenMetric, ClusterFacts
from shoal.progress import Reporter
from shoal.recipes.named import VECTORS
from shoal.reports.wording import Wording

Run = Callable[..., Any]


def features(d: int, n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Three blobs on one side of the origin, at different distances in the same direction."""
    labels = np.arange(n) % 3
    middle = np.outer(10.0 * (labels + 1), np.ones(d) / np.sqrt(d))
    noise = np.random.default_rng(0).normal(size=(n, d))
    return (middle + noise).astype(np.float32), labels


def embeddings(d: int = 32, n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Three directions; the lengths are noise."""
    generator, labels = np.random.default_rng(0), np.arange(n) % 3
    vectors = np.eye(3, d)[labels] + 0.1 * generator.normal(size=(n, d))
    return (vectors * generator.lognormal(0, 0.8, size=(n, 1))).astype(np.float32), labels


@pytest.mark.parametrize("d", [1, 2, 10])
def test_features_are_compared_as_they_are(d: int) -> None:
    vectors, labels = features(d)
    found = VectorClusterer(3).fit(vectors)
    assert found.metric_ == "euclidean"
    assert adjusted_rand_score(labels, found.labels_) == 1.0
    by_direction = VectorClusterer(3, metric="cosine").fit(vectors)
    assert by_direction.metric_ == "cosine"
    assert adjusted_rand_score(labels, by_direction.labels_) < 0.5


@pytest.mark.parametrize("offset", [400.0, 1e5])
def test_lengths_alike_because_all_lie_far_away_are_no_embeddings(offset: float) -> None:
    vectors, labels = features(3)
    found = VectorClusterer(3).fit(vectors + np.float32(offset))
    assert found.metric_ == "euclidean"
    assert adjusted_rand_score(labels, found.labels_) == 1.0


def test_of_two_numbers_a_wrong_number_of_clusters_does_not_speak_for_directions() -> None:
    middle = np.float32([[8, 2], [18, 4.5], [-6, 7], [-2, -9]])[np.arange(160) % 4]
    x = (middle + np.random.default_rng(0).normal(size=(160, 2))).astype(np.float32)
    chosen = choose_metric(x, replace(VECTORS, n_clusters=3))  # two lie in one direction
    assert chosen.metric == "euclidean", chosen


def test_vectors_of_one_direction_are_one_group() -> None:
    vectors = np.full((90, 8), 7e5, np.float32)
    vectors[:, 1:] = 1e-3 * np.random.default_rng(0).normal(size=(90, 7))
    found = VectorClusterer(3, metric="cosine").fit(vectors)  # in single precision all are one
    assert len(np.unique(found.labels_)) <= 3


def test_embeddings_are_compared_by_their_directions() -> None:
    vectors, labels = embeddings()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for x in (vectors, unit):
        found = VectorClusterer(3).fit(x)
        assert found.metric_ == "cosine"
        assert adjusted_rand_score(labels, found.labels_) == 1.0


def test_the_number_of_clusters_is_chosen_by_the_metric_that_was_chosen() -> None:
    found = VectorClusterer("auto").fit(features(2)[0])
    assert (found.n_clusters_, found.metric_) == (3, "euclidean")
    same = VectorClusterer("auto", metric="cosine").fit(features(1)[0])
    reason = same.checkpoint_.facts.chosen.reason  # type: ignore[union-attr]
    assert "all 90 vectors are the same" in reason
    assert "encoder" not in reason


def test_a_checkpoint_says_which_and_an_older_one_predicts_as_before(tmp_path: Path) -> None:
    vectors, _ = features(2)
    source = VectorSource(vectors)
    finished, table = pipeline.cluster_vectors(
        source, replace(VECTORS, n_clusters=3), auto_metric=True
    )
    checkpoints.save(finished, tmp_path / "new.pth")
    new = checkpoints.load(tmp_path / "new.pth")
    assert new.facts.metric == finished.facts.metric
    assert new.metric == "euclidean"
    np.testing.assert_array_equal(pipeline.predict(source, new).labels, table.labels)
    assert VectorClusterer.load(tmp_path / "new.pth").metric == "euclidean"
    # An older one has its reducers, and nothing else that tells.
    before, table = pipeline.cluster_vectors(source, replace(VECTORS, n_clusters=3))
    about = before.facts.to_json()
    assert about.pop("metric") == {"metric": "cosine", "reason": "", "strengths": {}}
    old = replace(before, facts=ClusterFacts.from_json(about))
    np.testing.assert_array_equal(pipeline.predict(source, old).labels, table.labels)
    assert old.metric == "cosine"


def test_similar_vectors_are_sought_by_the_same_metric() -> None:
    vectors = np.float32([[1], [2], [3], [30], [31], [33], [34], [50]])
    recipe = replace(VECTORS, n_clusters=2)
    source = VectorSource(vectors)
    checkpoint, _ = pipeline.cluster_vectors(source, recipe, auto_metric=True)
    assert find_similar(source, checkpoint, ["3"], n=2).indices.tolist() == [[4, 5]]


def test_the_command_gives_its_evidence_and_can_be_overruled(run_cli: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", features(2)[0])
    out = tmp_path / "out"
    command = ("cluster", tmp_path / "v.npy", out, "-k", 3)
    said = run_cli(*command).err
    assert "lengths too (euclidean); clusters of whole vectors are found again" in said
    assert "--metric cosine overrules it" in said
    assert "metric         euclidean" in run_cli("info", out / "checkpoint.pth").out
    assert "holds the results of this run already" in run_cli(*command).err
    assert "(it has --metric auto)" in run_cli(*command, "--metric", "euclidean").err
    facts = json.loads(run_cli("info", out / "checkpoint.pth", "--json").out)["facts"]
    assert facts["metric"]["metric"] == "euclidean"
    for words, sentence in (
        (("--metric", "manhattan"), "--metric must be one of auto, cosine, euclidean"),
        (("--metric", "auto", "--set", "reducers=pca"), "--metric and --set reducers=… cannot"),
    ):
        wrong = run_cli("cluster", tmp_path / "v.npy", tmp_path / "new", *words)
        assert (wrong.code, wrong.err.count("\n")) == (2, 1), wrong.err
        assert sentence in wrong.err
    with pytest.raises(RecipeError, match="metric and the setting"):
        VectorClusterer(metric="cosine", settings=["reducers=pca"]).fit(features(2)[0])


def test_the_record_of_an_older_run_is_of_the_same_run() -> None:
    known = {"reducers": [], "n_clusters": 3}
    assert completed(known, known | {"metric": "auto"}) == known | {"metric": "auto"}


def test_vectors_of_few_numbers_are_copies_only_where_they_are_nearly_the_same(
    run_cli: Run, tmp_path: Path
) -> None:
    """Their directions from the mean are a few, or on a circle: most would be copies."""
    for d in (1, 2):
        vectors = features(d)[0]
        vectors[7] = vectors[3]
        np.save(tmp_path / "v.npy", vectors)
        words = ("--csv", tmp_path / f"{d}.csv", "--picture", tmp_path / f"{d}.png")
        assert run_cli("duplicates", tmp_path / "v.npy", *words).code == 0
        found = (tmp_path / f"{d}.csv").read_text().splitlines()[1:]
        assert {line.split(",")[1] for line in found} >= {"3", "7"}
        assert len(found) <= 8


def test_with_cosine_the_length_of_a_vector_is_nothing_that_could_be_unlike() -> None:
    vectors = embeddings(n=600)[0]
    found = VectorClusterer(3, metric="cosine").fit(vectors)

    def familiarity(x: np.ndarray) -> np.ndarray:
        table = pipeline.predict(VectorSource(x), found.checkpoint_, familiarity=True)
        assert table.familiarity is not None
        assert (table.confidence[table.familiarity == 0] < 0.34).all()
        return table.familiarity

    own = familiarity(vectors)
    assert (own > 0.01).mean() > 0.95
    np.testing.assert_allclose(familiarity(1024 * vectors), own)
    lengthless = np.where(np.arange(600)[:, None] == 7, np.float32(0), vectors)
    assert np.flatnonzero(familiarity(lengthless) == 0).tolist() == [7]
    warned = VectorClusterer(3, metric="cosine").fit(lengthless).checkpoint_.facts.warnings
    assert "1 of 600 vectors has length 0 and so no direction" in warned[0]
    # As they are, vectors three times as long are others.
    features_of = VectorClusterer(3, metric="euclidean").fit(features(4, 600)[0])
    far = pipeline.predict(
        VectorSource(30 * features(4, 600)[0]), features_of.checkpoint_, familiarity=True
    )
    assert (far.familiarity == 0).all()  # type: ignore[union-attr]


def test_info_and_the_report_say_the_metric_and_why_in_both_languages(
    run_cli: Run, tmp_path: Path
) -> None:
    np.save(tmp_path / "v.npy", features(2)[0])
    out = tmp_path / "out"
    for metric, told, chinese in (
        ("auto", "clusters of whole vectors are found again in others", "按原值分的群"),
        ("cosine", "(cosine); it was asked for", "比較的是向量的方向（cosine）；這是您指定的。"),
    ):
        words = ("cluster", tmp_path / "v.npy", out, "-k", 3, "--metric", metric, "--force")
        assert run_cli(*words).code == 0
        assert told in run_cli("info", out / "checkpoint.pth").out
        assert told in (out / "report.html").read_text()
        report = (tmp_path / "v.npy", out / "checkpoint.pth", tmp_path / f"{metric}.html")
        assert run_cli("report", *report, "--lang", "zh-TW").code == 0
        assert chinese in report[2].read_text()


def test_every_reason_for_a_metric_is_translated() -> None:
    wording, recipe = Wording("zh-TW"), replace(VECTORS, n_clusters=3)
    unit = embeddings()[0] / np.linalg.norm(embeddings()[0], axis=1, keepdims=True)
    wide = np.random.default_rng(0).normal(size=(90, 200)).astype(np.float32)
    piles = [
        features(1)[0], unit, features(4)[0], features(4)[0][:20], wide, wide[:20],
        features(4)[0] * np.float32([100, 1, 1, 1]), embeddings(8)[0],
    ]  # fmt: skip
    chosen = [metric_for(VectorSource(x), recipe, auto=True, auto_k=False)[1] for x in piles]
    piles.append(np.ones((30, 3), np.float32))
    far = VectorSource(1e9 + features(4)[0].astype(float))
    chosen += [metric_for(far, recipe, auto=True, auto_k=False)[1], ChosenMetric("cosine")]
    said = {clause for each in chosen for clause in each.clauses}
    assert len(said) > 12
    for clause in said:
        translated = wording.warning(clause)
        assert re.fullmatch("[^a-z]*(（cosine）|（euclidean）)?", translated), (clause, translated)


def test_vectors_that_differ_by_next_to_nothing_are_refused_or_compared_by_directions(
    run_cli: Run, tmp_path: Path
) -> None:
    """As they are, all would be copies of one, and of one group."""
    np.save(tmp_path / "v.npy", 1e-8 * embeddings()[0])
    out = tmp_path / "out"
    refused = run_cli("cluster", tmp_path / "v.npy", out, "-k", 3)
    assert (refused.code, refused.err.count("shoal:")) == (2, 1), refused.err
    assert "such as 1e8, or give --metric cosine." in refused.err
    assert not out.exists()
    found = VectorClusterer(3, metric="cosine").fit(1e-8 * embeddings()[0])
    assert adjusted_rand_score(embeddings()[1], found.labels_) == 1.0
    assert VectorClusterer(2).fit(np.ones((30, 3))).labels_.max() == 0


def test_a_vector_of_zeros_is_as_unlike_any_among_those_clustered_as_it_is_among_new_ones(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever its confidence is told, it is that of chance; and wherever it is met, it is said."""
    monkeypatch.chdir(tmp_path)
    vectors = embeddings(n=300)[0]
    vectors[[7, 8, 9]] = 0
    np.save("v.npy", vectors)
    assert run_cli("cluster", "v.npy", "out", "-k", 3, "--metric", "cosine").code == 0
    checkpoint = "out/checkpoint.pth"
    table = pd.read_parquet("out/table.parquet")["confidence"]
    assert np.flatnonzero(table < 0.35).tolist() == [7, 8, 9]
    predicted = run_cli("predict", "v.npy", checkpoint, "p.csv", "--table", "p.parquet")
    np.testing.assert_allclose(pd.read_parquet("p.parquet")["confidence"], table)
    odd = run_cli("outliers", "v.npy", checkpoint, "-n", 4)
    first = pd.read_csv("outliers.csv")
    assert first["id"].tolist()[:3] == [7, 8, 9]
    assert set(first["reasons"][:3]) == {"has length 0, and so no direction to compare"}
    assert (first["confidence"][:3] < 0.35).all()
    assert "length 0" not in first["reasons"][3]
    like = run_cli("similar", "v.npy", checkpoint, "8", "6", "-n", 2)
    assert like.out.startswith("6: ")  # nothing is like the other, not even another one of length 0
    assert set(pd.read_csv("similar.csv")["query"]) == {6}
    for said, n in ((predicted, "3 of 300 vectors have"), (odd, "3 of 300 vectors have"),
                    (like, "vector 8 has")):  # fmt: skip
        assert said.code == 0, said.err
        assert f"{n} length 0 and so no direction" in said.err
    loaded = checkpoints.load(checkpoint)
    told = pipeline.predict(VectorSource(vectors), loaded)
    warned: list[str] = []
    monkeypatch.setattr(Reporter, "warn", lambda self, *lines: warned.extend(lines))
    inference.warn_of(VectorSource(vectors), told, loaded, Reporter())  # as --ray does
    assert "3 of 300 vectors have length 0" in warned[0]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    others = ("--csv", "s.csv", "--picture", "s.png")
    assert "length 0" not in run_cli("similar", "v.npy", checkpoint, "6", *others).err
