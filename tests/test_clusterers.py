"""One conformance suite over every clusterer in the folder, and what is special to some."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from shoal.clustering import graph as graphs
from shoal.clustering.clusterers import _base, spectral
from shoal.clustering.clusterers._base import BaseClusterer
from shoal.clustering.clustering import Clustering
from shoal.clustering.threads import _libraries, one_thread
from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.neighbours import nearest
from shoal.recipes import parts
from shoal.recipes.parts import Part
from shoal.scoring import evaluation

ALL = parts.names("clusterers")


def build(name: str, n_clusters: int = 3, **options: object) -> BaseClusterer:
    return parts.build("clusterers", Part(name, options), n_clusters=n_clusters, random_state=0)


def blobs(n: int = 150, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    x, kinds = make_blobs(n, 5, centers=k, cluster_std=0.4, random_state=3)
    return x.astype(np.float32), kinds.astype(np.int64)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("k", [2, 3, 5])
def test_contract(name: str, k: int) -> None:
    x, kinds = blobs(k=k)
    fitted = build(name, k).fit(x)
    membership = fitted.predict_proba(x)
    assert membership.shape == (len(x), k)
    assert membership.dtype == np.float32
    assert np.allclose(membership.sum(axis=1), 1.0, atol=1e-5)
    assert membership.min() >= 0
    assert evaluation.score(fitted.predict(x), kinds).accuracy > 0.98
    # Through arrays, and alone as in company.
    again = build(name, k).set_arrays(fitted.get_arrays())
    assert np.array_equal(again.predict_proba(x[:5]), membership[:5])
    assert np.allclose(again.predict_proba(x[2:3]), membership[2:3], atol=1e-6)
    assert np.array_equal(build(name, k).fit(x).predict_proba(x), membership)
    # Another k among the remembered points needs no images.
    assert build(name, k + 1).fit(again.reference).predict_proba(x).shape == (len(x), k + 1)


def test_all_candidates_look_up_neighbours_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = blobs(k=4)
    fitted = Clustering(build("projection_pursuit", 4).fit(x + np.float32(1.5) * x[::-1]))
    alone = [fitted.predict(x, candidate) for candidate in range(fitted.n_candidates)]
    assert len(alone) > 1
    queries: list[int] = []
    monkeypatch.setattr(
        _base, "nearest", lambda *given: (queries.append(len(given[1])), nearest(*given))[1]
    )
    np.testing.assert_array_equal(fitted.candidates(x), alone)
    assert queries == [len(x)]


@pytest.mark.parametrize("name", ALL)
def test_confidence_is_lower_between_the_groups(name: str) -> None:
    x = np.random.default_rng(0).normal(0, 1, (200, 2)).astype(np.float32)
    x[100:, 0] += 6
    fitted = build(name, 2).fit(x)
    inside = fitted.predict_proba(np.array([[0.0, 0.0], [6.0, 0.0]], dtype=np.float32)).max(axis=1)
    between = fitted.predict_proba(np.array([[3.0, 0.0]], dtype=np.float32)).max()
    assert inside.min() > 0.95
    assert between < inside.min()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("n", "k"), [(2, 2), (2, 1), (4, 4), (5, 2), (9, 3)])
def test_a_handful_of_images(name: str, n: int, k: int) -> None:
    x = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    membership = build(name, k).fit(x).predict_proba(x)
    assert membership.shape == (n, k)
    assert np.isfinite(membership).all()


@pytest.mark.parametrize("name", ALL)
def test_identical_images_do_no_harm(name: str) -> None:
    x = np.ones((12, 3), dtype=np.float32)
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(build(name, 2).fit(x).predict_proba(x)).all()


@pytest.mark.parametrize("name", ALL)
def test_a_large_pile_is_clustered_on_a_sample(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseClusterer, "max_reference", 60)
    x, kinds = blobs(400)
    fitted = build(name).fit(x)
    assert fitted.reference.shape == (60, 5)
    assert evaluation.score(fitted.predict(x), kinds).accuracy > 0.98


def test_spectral_follows_shapes_that_k_means_cannot() -> None:
    x, kinds = make_moons(400, noise=0.05, random_state=0)
    x = x.astype(np.float32)
    cut = evaluation.score(build("spectral", 2, n_neighbors=10).fit(x).predict(x), kinds)
    centres = evaluation.score(build("kmeans", 2).fit(x).predict(x), kinds)
    assert cut.accuracy > 0.99
    assert centres.accuracy < 0.9


def test_a_few_strays_are_not_a_cluster() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    x[150:, 0] += 5
    x[:6] = x[:6] * 0.01 + 100  # their own component: cutting them off costs nothing
    labels = build("spectral", 2, n_neighbors=5).fit(x).predict(x)
    assert min(np.bincount(labels)) > 100


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=30), st.integers(1, 12))
def test_a_walk_forgets_all_but_so_many_dimensions(values: list[float], k: int) -> None:
    eigenvalues = np.array([1.0, *sorted(values, reverse=True)])
    time = spectral.forgetting_time(eigenvalues, k)
    left = float((eigenvalues ** (2 * time)).sum())
    if len(eigenvalues) <= k:
        assert time == 0.0
    elif time == 1000.0:  # nearly as many separate components
        assert left >= k
    else:
        assert left == pytest.approx(k, abs=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_of_kinds_that_overlap_the_walk_forgets_less(seed: int) -> None:
    box = (-5.0, 5.0)
    x, kinds = make_blobs(1200, 10, centers=8, cluster_std=3.0, center_box=box, random_state=seed)
    by_default, long = (
        evaluation.score(build("spectral", 8, **options).fit(x).predict(x), kinds).accuracy
        for options in ({}, {"diffusion_time": 16.0})
    )
    assert by_default > long + 0.05


def test_the_start_is_chosen_by_how_clusters_hang_together() -> None:
    digits = load_digits()
    by_modularity, by_inertia = [], []
    for seed in range(4):  # kinds of 170 images down to 21
        generator = np.random.default_rng(seed)
        rows = [
            generator.permutation(np.flatnonzero(digits.target == kind))[: int(170 * 8 ** (-i / 9))]
            for i, kind in enumerate(generator.permutation(10))
        ]
        x = (digits.data[np.concatenate(rows)] / 16).astype(np.float32)
        kinds = digits.target[np.concatenate(rows)]
        labels = build("spectral", 10).fit(x).reference_labels_
        by_modularity.append(evaluation.score(labels, kinds).accuracy)
        values, vectors = graphs.walk_eigenvectors(graphs.neighbour_graph(x, 20), 30, 0)
        points = unit_rows(vectors * values ** spectral.forgetting_time(values, 10))
        labels = KMeans(10, n_init=60, random_state=0).fit(points).labels_.astype(np.int64)
        by_inertia.append(evaluation.score(labels, kinds).accuracy)
    assert np.mean(by_modularity) > np.mean(by_inertia) + 0.03


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**31))
def test_modularity_is_that_of_a_slow_double_sum(n: int, k: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    dense = np.triu(generator.random((n, n)) * (generator.random((n, n)) < 0.5), 1)
    dense[0, 1] = 1.0
    dense = dense + dense.T
    labels = generator.integers(0, k, n)
    degree, total = dense.sum(axis=1), dense.sum()
    slow = sum(
        (dense[i, j] - degree[i] * degree[j] / total) / total
        for i in range(n)
        for j in range(n)
        if labels[i] == labels[j]
    )
    assert graphs.modularity(scipy.sparse.csr_array(dense), labels) == pytest.approx(slow)


def slow_normalised_cut(graph: np.ndarray, side: np.ndarray) -> float:
    cut = graph[side][:, ~side].sum()
    return cut / graph[side].sum() + cut / graph[~side].sum()


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 12), st.integers(0, 2**31))
def test_sweep_finds_the_threshold_with_the_least_normalised_cut(n: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    graph = np.triu(generator.random((n, n)) + 0.01, 1)
    graph = graph + graph.T
    direction = generator.random(n)
    for smallest in (1, n // 3):
        value, side = graphs.sweep_cut(scipy.sparse.csr_array(graph), direction, smallest)
        thresholds = np.sort(direction)[max(smallest, 1) - 1 : n - max(smallest, 1)]
        every = [slow_normalised_cut(graph, direction > t) for t in thresholds]
        assert slow_normalised_cut(graph, side) == pytest.approx(value)
        assert value == pytest.approx(min(every))


def test_eigenvectors_are_the_walk_s_by_both_solvers() -> None:
    x = np.random.default_rng(0).normal(size=(520, 3)).astype(np.float32)
    graph = graphs.neighbour_graph(x, 8)
    iterative = graphs.walk_eigenvectors(graph, 4, 0)
    dense = graph.toarray() / graph.sum(axis=1)[:, None]
    for value, vector in zip(iterative[0], iterative[1].T, strict=True):
        assert np.allclose(dense @ vector, value * vector, atol=1e-4)
    assert np.allclose(iterative[0][0], 1.0, atol=1e-6)


@pytest.mark.parametrize("name", ["spectral", "projection_pursuit"])
def test_groups_far_apart_are_found_however_many_points_they_have(name: str) -> None:
    """Their graph is in parts, and each has the eigenvalue 1: the solver alone finds some."""
    generator = np.random.default_rng(0)
    centres, labels = 30.0 * np.float32([[0, 0], [1, 1], [0, 1], [3, 0]]), np.arange(900) % 4
    x = (centres[labels] + generator.normal(size=(900, 2))).astype(np.float32)
    found = build(name, 4).fit(x).predict(x)
    assert adjusted_rand_score(labels, found) == 1.0


def test_blocks_on_one_thread_may_overlap_and_all_threads_come_back():
    """As a review's threads do: the second one must not take one thread for what was there."""
    blas, _ = _libraries()
    before = [library["num_threads"] for library in blas.info()]
    entered, leave = threading.Event(), threading.Event()

    def first():
        with one_thread():
            entered.set()
            leave.wait(10)

    with blas.limit(limits=2):
        two = [library["num_threads"] for library in blas.info()]
        thread = threading.Thread(target=first)
        thread.start()
        assert entered.wait(60)
        with one_thread():
            leave.set()
            thread.join()
            assert {library["num_threads"] for library in blas.info()} == {1}
        assert [library["num_threads"] for library in blas.info()] == two
    assert [library["num_threads"] for library in blas.info()] == before
