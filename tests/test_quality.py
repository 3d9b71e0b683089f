"""Scores of a clustering without labels: ranges, best and chance cases, names, slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.clustering.partitions import agreement
from shoal.scoring import quality

CLUSTERED = [quality.neighbour_purity, quality.silhouette, quality.normalised_cut]


def blobs(n: int = 300, k: int = 3, apart: float = 50.0) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 (n, 5) in ``k`` Gaussian groups, and the group of each."""
    groups = np.arange(n) % k
    centres = apart * np.eye(5)[:k]
    noise = np.random.default_rng(0).normal(size=(n, 5))
    return (centres[groups] + noise).astype(np.float32), groups


def by_lot(n: int = 300, k: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, k, n)


def test_perfect_on_separated_blobs() -> None:
    z, groups = blobs()
    assert agreement(groups, (groups + 1) % 3) == 1.0
    assert quality.neighbour_purity(z, groups) == 1.0
    assert quality.silhouette(z, groups) > 0.9
    assert quality.normalised_cut(z, groups) == 0.0
    assert quality.neighbour_overlap(z, z) == 1.0
    assert quality.recognition(z, z) == 1.0


def test_near_chance_on_clusters_by_lot() -> None:
    z, groups = blobs(900)
    lot = by_lot(900)
    assert agreement(groups, lot) == pytest.approx(0.0, abs=0.02)
    assert quality.neighbour_purity(z, lot) == pytest.approx(0.0, abs=0.03)
    assert quality.silhouette(z, lot) == pytest.approx(0.0, abs=0.05)
    assert quality.normalised_cut(z, lot) == pytest.approx(2 / 3, abs=0.03)
    other = np.random.default_rng(2).normal(size=(900, 5)).astype(np.float32)
    assert quality.neighbour_overlap(z, other) == pytest.approx(20 / 899, abs=0.01)
    assert quality.recognition(z, other) == pytest.approx(20 / 900, abs=0.02)


def test_chance_is_that_of_unequal_clusters_too() -> None:
    z, _ = blobs(900)
    lot = (by_lot(900, 10) == 0).astype(np.int64)  # nine in ten are together by chance alone
    assert quality.neighbour_purity(z, lot) == pytest.approx(0.0, abs=0.05)


def test_one_cluster_explains_nothing() -> None:
    z, groups = blobs()
    one = np.zeros(len(z), dtype=np.int64)
    assert agreement(one, one) == 0.0
    assert agreement(one, groups) == 0.0
    assert quality.neighbour_purity(z, one) == 0.0
    assert quality.silhouette(z, one) == 0.0
    assert quality.normalised_cut(z, one) == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(25, 80))
def test_ranges_and_names(seed: int, k: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(n, 3)).astype(np.float32)
    labels = generator.integers(0, k, n)
    names = generator.permutation(10)[:k] + 5
    for score in CLUSTERED:
        value = score(z, labels)
        assert -1.0 <= value <= 1.0
        assert value == pytest.approx(score(z, names[labels]))
        assert value == score(z, labels)
    other = generator.integers(0, k, n)
    assert -0.5 <= agreement(labels, other) <= 1.0
    assert agreement(labels, other) == pytest.approx(agreement(names[labels], other))
    za = generator.normal(size=(n, 3)).astype(np.float32)
    assert 0.0 <= quality.neighbour_overlap(z, za) <= 1.0
    assert quality.neighbour_overlap(z, za) == pytest.approx(quality.neighbour_overlap(za, z))
    assert 0.0 <= quality.recognition(z, za) <= 1.0


def test_against_slow_references() -> None:
    generator = np.random.default_rng(0)
    n, k = 60, 5
    za, zb = generator.normal(size=(2, n, 4)).astype(np.float32)
    labels = generator.integers(0, 3, n)

    def neighbours(z: np.ndarray) -> list[set[int]]:
        distances = np.linalg.norm(z[:, None] - z[None], axis=2)
        return [set(np.argsort(row)[1 : k + 1].tolist()) for row in distances]

    a, b = neighbours(za), neighbours(zb)
    shared = np.mean([len(x & y) / k for x, y in zip(a, b, strict=True)])
    assert quality.neighbour_overlap(za, zb, n_neighbors=k) == pytest.approx(shared)
    together = np.mean([labels[j] == labels[i] for i, near in enumerate(a) for j in near])
    chance = sum(float(np.mean(labels == c)) ** 2 for c in range(3))
    assert quality.neighbour_purity(za, labels, n_neighbors=k) == pytest.approx(
        (together - chance) / (1 - chance)
    )
    weight = np.array([[(j in a[i]) / 2 + (i in a[j]) / 2 for j in range(n)] for i in range(n)])
    cuts = [weight[labels == c][:, labels != c].sum() / weight[labels == c].sum() for c in range(3)]
    assert quality.normalised_cut(za, labels, n_neighbors=k) == pytest.approx(np.mean(cuts))


def test_recognition_and_the_cut_of_two_clusters_against_slow_references() -> None:
    generator = np.random.default_rng(0)
    za, noise = generator.normal(size=(2, 95, 4)).astype(np.float32)
    zb = za + 0.7 * noise
    apart = np.linalg.norm(za[:, None] - zb[None], axis=2)
    rank = (apart < np.diagonal(apart)[:, None]).sum(axis=1)
    assert quality.recognition(za, zb) == pytest.approx(np.mean(rank < 9))  # a tenth, at most 20
    assert quality.recognition(za[:5], zb[:5]) == pytest.approx(
        np.mean(apart[:5, :5].argmin(axis=1) == np.arange(5))
    )
    labels = (za[:, 0] > 0).astype(np.int64)
    distances = np.linalg.norm(za[:, None] - za[None], axis=2)
    near = np.argsort(distances, axis=1)[:, 1:6]
    weight = np.zeros((95, 95))
    np.add.at(weight, (np.repeat(np.arange(95), 5), near.ravel()), 0.5)
    weight = weight + weight.T
    cuts = [weight[labels == c][:, labels != c].sum() / weight[labels == c].sum() for c in (0, 1)]
    assert quality.normalised_cut(za, labels, n_neighbors=5) == pytest.approx(np.mean(cuts))


def test_twenty_neighbours_are_asked_unless_told() -> None:
    z, _ = blobs(300)
    lot = by_lot()
    other = z + np.random.default_rng(3).normal(size=z.shape).astype(np.float32)
    for score, second in ((quality.neighbour_purity, lot), (quality.neighbour_overlap, other),
                          (quality.normalised_cut, lot)):  # fmt: skip
        found = [score(z, second, n_neighbors=k) for k in (19, 20, 21)]
        assert score(z, second) == found[1]
        assert len(set(found)) == 3


def test_the_silhouette_of_many_is_that_of_a_sample_and_of_single_images_none() -> None:
    z, groups = blobs(300, apart=3.0)
    whole, some = quality.silhouette(z, groups), quality.silhouette(z, groups, most=150)
    assert some == pytest.approx(whole, abs=0.05)
    assert some != whole
    assert quality.silhouette(z, groups, most=150, seed=1) not in (some, whole)
    assert quality.silhouette(z[:5], np.arange(5)) == 0.0


def test_copies_of_one_image_are_their_own_neighbours() -> None:
    z = np.zeros((100, 3), dtype=np.float32)
    z[50:] = 9.0
    assert quality.neighbour_purity(z, np.arange(100) // 50, n_neighbors=5) == 1.0
    assert np.isfinite(quality.neighbour_overlap(z, z))


def test_any_copy_of_a_picture_counts_as_recognised() -> None:
    generator = np.random.default_rng(0)
    picture = np.arange(800) % 2
    first, second = (
        (picture[:, None] * 9 + generator.normal(size=(800, 4))).astype(np.float32)
        for _ in range(2)
    )
    alone = quality.recognition(first, second)
    assert alone < 0.1
    assert quality.recognition(first, second, identity=np.arange(800)) == alone
    assert quality.recognition(first, second, identity=picture) == 1.0
    assert quality.recognition(first, 9 - second, identity=picture) == 0.0
