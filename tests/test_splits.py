"""The ways to divide a pile: finding them, ordering them, using another."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from shoal.clustering import splits
from shoal.clustering.clusterers import kmeans, projection_pursuit
from shoal.clustering.clusterers.projection_pursuit import least_kurtosis, two_means
from shoal.clustering.clustering import Clustering
from shoal.clustering.partitions import distinct, overlap, r_squared
from shoal.embedding.linear_algebra import unit_rows, whitening
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.models.facts import Split

N = 1200


def two_ways(
    seed: int = 0, share: tuple[float, float] = (0.5, 0.5), clear: tuple[float, float] = (4.0, 3.6)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 20) that fall into two groups in each of two ways, independent of one another."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(N, 20)).astype(np.float32)
    a, b = (generator.random(N) < s for s in share)
    rotation = np.linalg.qr(generator.normal(size=(20, 20)))[0].astype(np.float32)
    x[:, 0] += clear[0] * a
    x[:, 1] += clear[1] * b
    return x @ rotation, a.astype(np.int64), b.astype(np.int64)


# --- partitions -----------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
)
def test_overlap_is_the_best_of_all_namings(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, dtype=np.int64).T
    best = max(np.mean(np.array(names)[a] == b) for names in itertools.permutations(range(4)))
    assert overlap(a, b) == pytest.approx(best)
    assert overlap(b, a) == pytest.approx(best)


@pytest.mark.parametrize("k", [2, 5])
def test_explained_is_the_r_squared_of_linear_regression(k: int) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 6)).astype(np.float32) * np.arange(1, 7)
    labels = (np.digitize(x[:, 0] + generator.normal(size=300), [-1, 0, 0.5, 1]) % k).astype(int)
    mean, white = whitening(x.astype(np.float32), 6)
    z = (x - mean) @ white
    np.testing.assert_allclose(np.cov(z.T, bias=True), np.eye(6), atol=1e-4)
    shares = [LinearRegression().fit(x, labels == g).score(x, labels == g) for g in range(k)]
    assert r_squared(z, labels) == pytest.approx(np.mean(shares), abs=1e-5)
    assert r_squared(z, np.zeros(300, dtype=int)) == 0.0


def test_whitening_leaves_out_directions_without_variance() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    x = np.concatenate([x, x[:, :1]], axis=1)  # rank 3
    assert whitening(x, 10)[1].shape == (4, 3)
    assert whitening(np.ones((9, 4), dtype=np.float32), 3)[1].shape == (4, 0)


def test_whitening_is_blind_to_the_scale() -> None:
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    x *= np.array([1.0, 3e-2, 3e-3, 1e-4], dtype=np.float32)  # the last has 1e-8 of the variance
    for scale in (1.0, 1e-2, 1e3):
        mean, white = whitening(scale * x, 10)
        assert white.shape == (4, 3)
        z = (scale * x - mean) @ white
        np.testing.assert_allclose(np.cov(z.T, bias=True), np.eye(3), atol=1e-2)
        assert np.abs(white).argmax(axis=0).tolist() == [0, 1, 2]  # the widest first
    assert whitening(x, 2)[1].shape == (4, 2)


def test_unit_rows_have_unit_length_whatever_they_had() -> None:
    x = np.array([[3.0, 4.0], [0.03, 0.04], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(unit_rows(x), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]], rtol=1e-6)


def test_distinct_drops_copies_whatever_their_names() -> None:
    a = np.repeat([0, 1], 10)
    almost = a.copy()
    almost[0] = 1
    other = np.tile([0, 1], 10)
    assert distinct([a, 1 - a, almost, other], [0, 1, 2, 3], most=5) == [0, 3]
    assert distinct([a, 1 - a, almost, other], [3, 2, 1, 0], most=1) == [3]


# --- projection pursuit ---------------------------------------------------------------------------


def test_two_equal_points_have_the_least_kurtosis() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(2000, 8)).astype(np.float32)
    x[:, 3] = np.where(np.arange(2000) % 2, 1.0, -1.0)
    mean, white = whitening(x, 8)
    z = ((x - mean) @ white).astype(np.float32)
    found = least_kurtosis(z, generator.normal(size=(20, 8)).astype(np.float32), 200)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)
    kurtosis = ((z @ found.T) ** 4).mean(axis=0)
    assert kurtosis.min() == pytest.approx(1.0, abs=0.02)
    assert np.mean(kurtosis < 1.05) > 0.8  # from nearly every start


def test_two_means_is_lloyds_fixed_point() -> None:
    x, a, _ = two_ways()
    side = two_means(x, a == 1)
    means = np.stack([x[~side].mean(0), x[side].mean(0)])
    nearest = ((x[:, None] - means) ** 2).sum(2).argmin(1)
    np.testing.assert_array_equal(nearest == 1, side)


def test_both_ways_to_divide_are_found_and_come_first() -> None:
    x, a, b = two_ways()
    clusterer = projection_pursuit.build().fit(x)
    labels = clusterer.candidate_labels_.astype(np.int64)
    assert overlap(labels[0], a) > 0.95
    assert overlap(labels[1], b) > 0.94
    assert (np.diff(clusterer.separation_) <= 0).all()
    for one, other in itertools.combinations(labels, 2):
        assert overlap(one, other) < 0.9
    # What is predicted is the candidate, whether told from the memory or by the linear rule.
    assert overlap(clusterer.predict(x), labels[0]) > 0.99
    assert overlap(clusterer.predict(x, candidate=1), labels[1]) > 0.99


def test_an_uneven_way_is_found_by_the_cuts() -> None:
    x, a, _ = two_ways(share=(0.08, 0.5), clear=(9.0, 0.0))
    labels = projection_pursuit.build().fit(x).candidate_labels_.astype(np.int64)
    assert overlap(labels[0], a) > 0.97


def test_new_points_follow_the_rule_and_its_confidence_is_a_posterior() -> None:
    x, truth, _ = two_ways(clear=(3.0, 0.0))
    clusterer = projection_pursuit.build().fit(x[: N // 2])
    membership = clusterer.predict_proba(x[N // 2 :])
    right = membership.argmax(1) == truth[N // 2 :]
    right = right if right.mean() > 0.5 else ~right
    assert right.mean() > 0.88  # at most 0.933 is possible: Φ(1.5)
    sure = membership.max(1) > 0.95
    assert right[sure].mean() > right[~sure].mean()
    assert abs(membership.max(1).mean() - right.mean()) < 0.06


def test_more_clusters_have_alternatives_that_differ() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(600, 10)).astype(np.float32)
    x[:, :2] += 6.0 * generator.integers(0, 2, (600, 2))
    clusterer = projection_pursuit.build(n_clusters=4).fit(x)
    labels = clusterer.candidate_labels_.astype(np.int64)
    for one, other in itertools.combinations(labels, 2):
        assert overlap(one, other) < 0.9
    assert overlap(clusterer.predict(x), labels[0]) > 0.95


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("kind", ["points", "copies"])
def test_tiny_piles(n: int, kind: str) -> None:
    x = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    clusterer = projection_pursuit.build().fit(x if kind == "points" else np.ones_like(x))
    membership = clusterer.predict_proba(x)
    assert membership.shape == (n, 2)
    np.testing.assert_allclose(membership.sum(1), 1.0, rtol=1e-5)


# --- the choice -----------------------------------------------------------------------------------


def shown(brightness: np.ndarray) -> ArraySource:
    """Images that are bright or dark as told, and noise otherwise."""
    generator = np.random.default_rng(1)
    noise = generator.integers(0, 60, (len(brightness), 8, 8, 3))
    return ArraySource((noise + 120 * brightness[:, None, None, None]).astype(np.uint8))


@pytest.mark.parametrize("told_by_brightness", [0, 1])
def test_of_two_clear_ways_the_one_that_pixels_do_not_tell(told_by_brightness: int) -> None:
    x, *ways = two_ways(clear=(4.0, 4.0))
    clusterer = projection_pursuit.build().fit(x)
    pile = shown(ways[told_by_brightness])
    clustering, found = splits.choose(pile, Clustering(clusterer), x)
    assert overlap(clustering.predict(x), ways[1 - told_by_brightness]) > 0.95
    assert found[0].pixel_share < 0.2
    # The boring one is still there, and knows what it is.
    boring = max(found, key=lambda split: split.pixel_share)
    assert boring.pixel_share > 0.8
    assert boring.separation > 0.7
    clear = [split for split in found if split.separation >= boring.separation - 0.01]
    assert list(found[: len(clear)]) == clear


def test_a_way_that_hardly_stands_out_does_not_win_for_being_unlike_the_pixels() -> None:
    x, a, _ = two_ways(clear=(6.0, 0.0))
    clusterer = projection_pursuit.build().fit(x)
    clustering, _ = splits.choose(shown(a), Clustering(clusterer), x)
    assert overlap(clustering.predict(x), a) > 0.98


@pytest.mark.parametrize(
    ("right", "other"), [((0.805, 0.500), (0.809, 0.661)), ((0.851, 0.510), (0.841, 0.396))]
)
def test_neither_separation_nor_pixels_decide_alone(
    right: tuple[float, float], other: tuple[float, float]
) -> None:
    """Both happened in benchmarks/splits.py, on two piles."""
    found = [Split((1, 1), *other), Split((1, 1), *right)]
    assert splits.ranking(found) == [1, 0]


def test_a_clustering_is_never_changed() -> None:
    x, _, _ = two_ways()
    clustering = Clustering(projection_pursuit.build().fit(x))
    before = {name: value.copy() for name, value in clustering.get_arrays().items()}
    candidates = clustering.candidates(x)
    assert len(candidates) == clustering.n_candidates > 2
    order = [2, *(c for c in range(clustering.n_candidates) if c != 2)]
    for other in (clustering.choose(2), clustering.reordered(order)):
        for place, candidate in enumerate(order):
            np.testing.assert_array_equal(other.predict(x, place), candidates[candidate])
            np.testing.assert_array_equal(
                other.predict_proba(x, place), clustering.predict_proba(x, candidate)
            )
        # Read back from a file, it is the same again, numbered by size.
        again = projection_pursuit.build().set_arrays(other.get_arrays())
        np.testing.assert_array_equal(Clustering(again).predict(x), candidates[2])
    for name, value in clustering.get_arrays().items():
        np.testing.assert_array_equal(value, before[name])
    for labels in candidates:
        sizes = np.bincount(labels)
        assert sizes[0] >= sizes[1]


@pytest.mark.parametrize("split", [0, -1, 99])
def test_a_split_that_is_not_there(split: int) -> None:
    x, _, _ = two_ways()
    clustering = Clustering(projection_pursuit.build().fit(x))
    with pytest.raises(DataError, match=f"split must be from 1 to .*, got {split}"):
        clustering.choose(split - 1)
    with pytest.raises(DataError, match="from 1 to 1"):
        Clustering(kmeans.build().fit(x)).choose(1)


def test_the_same_seed_finds_the_same() -> None:
    x, _, _ = two_ways()
    one, two = (projection_pursuit.build(random_state=3).fit(x).get_arrays() for _ in range(2))
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name])


# --- the commands ---------------------------------------------------------------------------------


def test_splits_lists_what_predict_uses(
    run_cli: Callable[..., Any], images_file: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "splits.png"
    result = run_cli("splits", images_file, checkpoint_file, "--picture", picture, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert found
    for number, one in enumerate(found, start=1):
        prediction = tmp_path / f"{number}.csv"
        command = ("predict", images_file, checkpoint_file, prediction, "--split", str(number))
        assert run_cli(*command, "--quiet").code == 0
        labels = np.loadtxt(prediction, delimiter=",", skiprows=1, dtype=int)[:, 1]
        assert np.bincount(labels, minlength=2).tolist() == one["sizes"]
        assert one["agreement"][number - 1] == 1.0
        for share in ("separation", "pixel_share", "stability", "view_agreement"):
            assert 0.0 <= one[share] <= 1.0
    text = run_cli("splits", images_file, checkpoint_file, "--picture", picture, "--force")
    assert text.code == 0
    assert ("look at the picture" if len(found) > 1 else "finds one only") in text.out
    again = run_cli(
        "splits", images_file, checkpoint_file, "--picture", picture, "--json", "--force"
    )
    assert again.out == result.out
    beyond = str(len(found) + 1)
    refused = run_cli(
        "predict", images_file, checkpoint_file, tmp_path / "x.csv", "--split", beyond
    )
    assert refused.code == 2
    assert f"from 1 to {len(found)}" in refused.err
    assert not (tmp_path / "x.csv").exists()
