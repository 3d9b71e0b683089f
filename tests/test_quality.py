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


def test_copies_of_one_image_are_their_own_neighbours() -> None:
    z = np.zeros((100, 3), dtype=np.float32)
    z[50:] = 9.0
    assert quality.neighbour_purity(z, np.arange(100) // 50, n_neighbors=5) == 1.0
    assert np.isfinite(quality.neighbour_overlap(z, z))
