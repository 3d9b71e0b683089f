"""Piles with hardly anything to tell apart: copies, one odd image, as many images as clusters."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shoal
from shoal.clustering.build_tree import merge_upward
from shoal.clustering.n_clusters import weigh
from shoal.embedding.neighbours import but_itself, distinct_points, nearest_others
from shoal.images.array import ArraySource
from shoal.recipes import parts
from shoal.recipes.parts import Part
from shoal.reports.clusters import borders
from shoal.scoring.quality import neighbour_purity

REDUCERS = [None, *parts.names("reducers")]
CLUSTERERS = parts.names("clusterers")


def piles(k: int) -> dict[str, np.ndarray]:
    """Points float32 (n, 5) by what is wrong with them."""
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(2, 5))
    many = np.tile(one, (40, 1))
    odd, two, half = many.copy(), many.copy(), many.copy()
    odd[7], two[::2] = other, other
    half[20:] = generator.normal(size=(20, 5))
    return {
        name: x.astype(np.float32)
        for name, x in {
            "equal": many, "black": many * 0, "odd": odd, "two": two, "half": half,
            "n = k": generator.normal(size=(max(2, k), 5)),
            "n = k + 1": generator.normal(size=(k + 1, 5)),
            "rounding": many + 1e-9 * generator.normal(size=many.shape),
            "few in many copies": np.repeat(generator.normal(size=(8, 5)), 10, axis=0),
            "one number": generator.normal(size=(30, 1)),
        }.items()
    }  # fmt: skip


@pytest.mark.parametrize("clusterer", CLUSTERERS)
@pytest.mark.parametrize("reducer", REDUCERS)
def test_every_reducer_with_every_clusterer(reducer: str | None, clusterer: str) -> None:
    for k in (1, 2, 5) if reducer is None else (3,):
        for name, x in piles(k).items():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                z = x
                if reducer is not None:
                    options = {"n_iter": 5} if reducer == "tsne" else {}
                    z = parts.build("reducers", Part(reducer, options), random_state=0)
                    z = z.fit_transform(x)
                built = parts.build("clusterers", Part(clusterer), n_clusters=k, random_state=0)
                membership = built.fit(z).predict_proba(z)
            assert membership.shape == (len(x), k), (name, k)
            assert np.allclose(membership.sum(axis=1), 1.0, atol=1e-5), (name, k)
            labels = membership.argmax(axis=1)
            sizes = sorted(np.bincount(labels[labels >= 0]).tolist())
            if name in ("equal", "black", "rounding") or k == 1:
                assert len(set(labels.tolist())) == 1, (name, k)
            if name == "odd" and k > 1:
                assert [size for size in sizes if size] == [1, 39], k
            if name == "two" and k > 1:
                assert [size for size in sizes if size] == [20, 20], k
            state = built.get_arrays()
            again = parts.build("clusterers", Part(clusterer), n_clusters=k, random_state=0)
            assert np.array_equal(again.set_arrays(state).predict_proba(z), membership)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30), st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_nearest_others_are_never_the_point_itself(places: list[int], k: int) -> None:
    x = np.array(places, dtype=np.float32)[:, None]
    k = min(k, len(x) - 1)
    distances, found = nearest_others(x, k)
    assert found.shape == (len(x), k)
    assert not (found == np.arange(len(x))[:, None]).any()
    slow = np.abs(x - x.T)
    np.fill_diagonal(slow, np.inf)
    assert np.allclose(distances, np.sort(slow, axis=1)[:, :k], atol=1e-5)
    first, place = distinct_points(x, most=4)
    assert len(first) == len(set(places))
    assert np.array_equal(x[first][place], x)
    assert not but_itself(found, found[:, 0])[:, 0].any()


def test_points_nearer_than_a_thousandth_of_the_largest_are_one() -> None:
    def places(*points: float) -> list[int]:
        found = distinct_points(np.array(points, dtype=np.float32)[:, None], most=3)
        assert found is not None
        return found[1].tolist()

    assert places(1000.0, 0.0, 0.5, 999.5) == [0, 1, 1, 0]
    assert places(1000.0, 0.0, 2.0) == [0, 1, 2]
    assert places(0.0, 5e-7, 1e-5) == [0, 0, 1]  # below that is rounding
    assert distinct_points(np.arange(90, dtype=np.float32)[:, None], most=3) is None
    late = np.zeros((90, 1), dtype=np.float32)
    late[80:, 0] = np.arange(10)  # not among those looked at first
    assert distinct_points(late, most=3) is None
    assert distinct_points(late, most=10) is not None


def test_copies_among_neighbours_are_counted_rightly() -> None:
    # Thirty copies, and none beside them: an image's own entry must not count as a neighbour, nor
    # push one out.
    z = np.repeat(np.array([[0.0], [9.0]], dtype=np.float32), 30, axis=0)
    labels = np.arange(60) // 30
    assert neighbour_purity(z, labels, n_neighbors=5) == 1.0
    shares, _, touch = borders(z, labels, n_neighbors=5)
    assert np.array_equal(shares, np.eye(2))
    assert not touch.any()
    mixed = np.arange(30) % 2  # copies of one image in two clusters touch each other
    shares, _, _ = borders(np.zeros((30, 1), dtype=np.float32), mixed, n_neighbors=29)
    assert np.allclose(shares, [[14 / 29, 15 / 29], [15 / 29, 14 / 29]])


@pytest.mark.parametrize("n_odd", [0, 1, 3])
def test_the_number_of_clusters_and_the_tree_of_copies(n_odd: int) -> None:
    z = np.tile(np.float32([1, 2, 3]), (200, 1))
    z[:n_odd] += np.arange(1, n_odd + 1, dtype=np.float32)[:, None]
    found = weigh(z)
    assert found.n_clusters == max(2, n_odd + 1)
    assert found.clear == (n_odd > 0)
    assert ("nothing to tell apart" in found.reason) == (n_odd == 0)
    grown = merge_upward(z, [str(i) for i in range(200)], 10)
    assert grown.n_leaves == n_odd + 1
    assert sorted(grown.sizes()[: n_odd + 1].tolist()) == [1] * n_odd + [200 - n_odd]


@pytest.mark.parametrize(("pile", "k"), [("black", "auto"), ("odd", "3")])
def test_the_commands(pile: str, k: str, run_cli: Callable[..., Any], tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images = np.zeros((40, 8, 8, 3), dtype=np.uint8)
    if pile == "odd":
        images[7] = generator.integers(0, 256, (8, 8, 3))
    data, out = tmp_path / "pile.npy", tmp_path / "found"
    np.save(data, images)
    checkpoint = out / "checkpoint.pth"
    small = ("--epochs", "1", "--device", "cpu", "--set", "encoder.widths=(4,8)")
    run = ("run", data, out, "-k", k, *small, "--set", "checkpoints=1")
    commands = (
        run,
        ("predict", data, checkpoint, tmp_path / "p.csv", "-k", "auto"),
        ("splits", data, checkpoint, "--picture", tmp_path / "s.png"),
        ("clusters", data, checkpoint, "--picture", tmp_path / "c.png"),
        ("tree", data, checkpoint, tmp_path / "t.json"),
        ("outliers", data, checkpoint, "--csv", tmp_path / "o.csv",
         "--picture", tmp_path / "o.png"),
        ("similar", data, checkpoint, "7", "--csv", tmp_path / "a.csv",
         "--picture", tmp_path / "a.png"),
        ("pairs", data, checkpoint, tmp_path / "q.csv"),
        ("duplicates", data, "--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png"),
    )  # fmt: skip
    said = {}
    for command in commands:
        result = run_cli(*command)
        assert result.code == 0, (command[0], result.err)
        assert "Traceback" not in result.err, (command[0], result.err)
        assert "Warning" not in result.err, (command[0], result.err)
        said[command[0]] = result.out + result.err
    with (out / "prediction.csv").open() as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    if pile == "black":
        assert set(labels) == {"0"}
        assert "nothing to tell apart" in said["run"]
        assert "nothing to tell apart" in said["clusters"]
        result = run_cli("cut", tmp_path / "t.json", tmp_path / "cut.csv", "-k", "2")
        assert result.code == 2
        assert "as the tree has 1 leaf" in result.err
    if pile == "odd":
        assert labels[7] == "1"
        assert labels.count("0") == 39
        assert "the images form fewer groups" in said["run"]


def test_clusters_of_one_picture_each_are_sure(fast: tuple[str, ...], tmp_path: Path) -> None:
    """In a pile of copies neighbours are chance; the clusters are right all the same."""
    changes = [word for word in fast if "=" in word]
    pictures = np.zeros((2, 8, 8, 3), np.uint8)
    pictures[1, ::2] = 250
    source = ArraySource(pictures.repeat(150, axis=0))
    recipe = shoal.override(shoal.BEST, [*changes, "epochs=1"])
    _, table = shoal.fit(source, tmp_path / "c.pth", recipe)
    assert np.bincount(table.labels).tolist() == [150, 150]
    assert table.confidence.min() > 0.95
