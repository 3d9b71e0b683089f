"""Many small groups merged: clusters whose sizes follow the pile, among the ways to divide it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from shoal.clustering.clusterers import projection_pursuit, spectral
from shoal.clustering.partitions import overlap
from shoal.clustering.small_groups import merge, merged


def uneven(gap: float) -> tuple[np.ndarray, np.ndarray]:
    """A long kind of 300 points, one of 60 and one of 20, so far apart."""
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [300, 60, 20])
    x = generator.normal(size=(len(y), 8))
    x[:300, 2] += generator.uniform(-8, 8, 300)
    x[y == 1, 0] += gap
    x[y == 2, 1] += gap
    return x.astype(np.float32), y


@pytest.mark.parametrize("k", [1, 3, 7])
def test_merging_is_average_linkage(k: int) -> None:
    generator = np.random.default_rng(k)
    ties = generator.random((12, 12))
    ties = ties + ties.T
    np.fill_diagonal(ties, 0)
    tree = linkage(squareform(3 - ties, checks=False), "average")
    expected = cut_tree(tree, k)[:, 0]
    found = merge(ties, np.ones(12), k)
    assert overlap(found, expected) == 1
    copies = np.repeat(np.arange(12), 2)  # each group twice as large, with four times the ties
    again = merge(4 * ties, np.bincount(copies).astype(float), k)
    np.testing.assert_array_equal(again, found)


def test_kinds_of_any_size_are_one_cluster_each() -> None:
    x, y = uneven(30)
    labels = merged(x, 3, 0)
    assert labels is not None
    assert overlap(labels, y) == 1


def test_they_are_among_the_ways_to_divide_a_pile(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = uneven(6)
    thirds = np.arange(len(x)) % 3  # like nothing that is found otherwise
    monkeypatch.setattr(projection_pursuit, "merged", lambda *_: thirds)
    clusterer = projection_pursuit.build(n_clusters=3, max_candidates=20).fit(x)
    first, *others = clusterer.candidate_labels_.astype(np.int64)
    assert overlap(first, thirds) < 0.9
    assert max(overlap(other, thirds) for other in others) == 1


def blobs(sizes: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    centres = 3 * generator.normal(size=(len(sizes), 10))
    y = np.repeat(np.arange(len(sizes)), sizes)
    return (centres[y] + generator.normal(size=(len(y), 10))).astype(np.float32), y


def test_they_come_first_where_most_of_a_pile_is_of_one_kind() -> None:
    x, y = blobs([1400, 200, 150, 60, 40], 1)
    cut = spectral.build(n_clusters=5).fit(x).reference_labels_
    assert np.bincount(cut).max() < 900  # two of the five groups are of the largest kind
    assert overlap(projection_pursuit.build(n_clusters=5).fit(x).reference_labels_, y) > 0.99


def test_they_come_first_where_a_cut_goes_through_a_dense_group() -> None:
    digits = load_digits()
    generator = np.random.default_rng(208)
    sizes = [170, *generator.integers(8, 40, 3)]
    kinds = generator.permutation(10)[: len(sizes)]
    rows = [
        generator.permutation(np.flatnonzero(digits.target == kind))[:size]
        for kind, size in zip(kinds, sizes, strict=True)
    ]
    y = np.repeat(np.arange(len(sizes)), [len(some) for some in rows])
    x = PCA(30, random_state=0).fit_transform(digits.data)[np.concatenate(rows)].astype(np.float32)
    found = projection_pursuit.build(n_clusters=len(sizes)).fit(x).reference_labels_
    cut = spectral.build(n_clusters=len(sizes)).fit(x).reference_labels_
    assert overlap(cut, y) < 0.8
    assert overlap(found, y) > 0.95


def test_they_do_not_come_first_for_little_or_for_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs([200, 200, 200, 4], 0)
    cut = spectral.build(n_clusters=4).fit(x).reference_labels_
    other = np.where(np.arange(len(x)) == 0, 1 - cut[0] % 2, cut)
    for following in (y, other):
        monkeypatch.setattr(projection_pursuit, "merged", lambda *_, made=following: made)
        first = projection_pursuit.build(n_clusters=4).fit(x).reference_labels_
        assert overlap(first, cut) == 1
        assert overlap(following, cut) < 1


def test_few_points_and_many_clusters_have_no_small_groups() -> None:
    x, _ = uneven(6)
    assert merged(x[:40], 3, 0) is None
    assert merged(x, 101, 0) is None
    same = merged(np.ones_like(x), 3, 0)
    assert same is None or len(np.unique(same)) <= 3
