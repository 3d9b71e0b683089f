"""The tree: ultrametric, nested, recovers what was planted, and is read back as it was written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.cluster.hierarchy import linkage

from shoal.clustering.build_tree import merge_upward, ward
from shoal.clustering.partitions import overlap
from shoal.clustering.tree import Tree, load_tree
from shoal.errors import DataError
from shoal.export.prediction import load_prediction
from shoal.images.array import ArraySource
from shoal.plots import groups


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float32 (600, 8), and which of 2 far groups and which of 6 near ones each point is in."""
    generator = np.random.default_rng(0)
    far = np.repeat([[12.0], [-12.0]], 3, axis=0)
    centres = np.concatenate([far, np.eye(6, 7) * 9], axis=1)
    fine = np.repeat(np.arange(6), 100)
    z = centres[fine] + generator.normal(size=(600, 8))
    return z.astype(np.float32), fine // 3, fine


@pytest.fixture(scope="module")
def grown(planted: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tree:
    return merge_upward(planted[0], [f"{row}.png" for row in range(600)], 18)


def test_the_number_of_a_node_is_beside_its_lines(grown: Tree) -> None:
    figure = groups.tree(ArraySource(np.zeros((600, 4, 4, 1), np.uint8)), grown)
    figure.canvas.draw()
    ax = figure.axes[0]
    assert len(ax.texts) == len(grown.merges)
    for line, text in zip(ax.lines, ax.texts, strict=True):
        corners = ax.transData.transform(line.get_xydata())  # type: ignore[arg-type]
        left, middle = corners[:, 0].min(), (corners[1, 1] + corners[2, 1]) / 2
        box = text.get_window_extent()
        assert box.x1 < left  # its own line begins there
        assert box.y0 > middle  # the line that leads on is there


def test_cuts_recover_planted_groups_and_nest(grown: Tree, planted: tuple[np.ndarray, ...]) -> None:
    finer = np.zeros(600, dtype=np.int64)
    for k in range(2, grown.n_leaves + 1):
        labels, nodes = grown.labels_at(grown.nodes_at(k))
        assert len(np.unique(labels)) == len(nodes) == k
        assert (np.diff(np.bincount(labels)) <= 0).all()
        # Every group of k lies within one group of k - 1.
        assert len(np.unique(np.stack([labels, finer]), axis=1).T) == k
        finer = labels
        if k == 6:
            assert overlap(labels, planted[2]) > 0.99


def test_heights_are_ultrametric(grown: Tree) -> None:
    assert list(grown.heights) == sorted(grown.heights)
    parent = {c: n for n, pair in enumerate(grown.merges, grown.n_leaves) for c in pair}

    def apart(a: int, b: int) -> float:
        above = {a}
        while a in parent:
            a = parent[a]
            above.add(a)
        while b not in above:
            b = parent[b]
        return grown.heights[b - grown.n_leaves]

    far = {pair: apart(*pair) for pair in combinations(range(grown.n_leaves), 2)}
    for a, b, c in combinations(range(grown.n_leaves), 3):
        low, middle, high = sorted([far[a, b], far[a, c], far[b, c]])
        assert low <= middle == high


def test_ward_is_scipys_where_sizes_are_equal_and_counts_them_where_not() -> None:
    points = np.random.default_rng(1).normal(size=(25, 4))
    merges, heights = ward(points, np.ones(25, dtype=np.int64))
    scipys = linkage(points, "ward")
    assert [sorted(pair) for pair in merges] == np.sort(scipys[:, :2]).astype(int).tolist()
    assert heights == pytest.approx(scipys[:, 2].tolist())
    copies = np.repeat(points, [1, 3] * 12 + [2], axis=0)  # copies merge first, for free
    sized = ward(points, np.array([1, 3] * 12 + [2]))[1]
    assert sized == pytest.approx(linkage(copies, "ward")[-24:, 2].tolist())


def test_every_node_is_a_run_of_leaves(grown: Tree) -> None:
    for node in range(2 * grown.n_leaves - 1):
        leaves = grown.leaves_below(node)
        assert leaves == list(range(leaves[0], leaves[-1] + 1))
        assert grown.sizes()[node] == np.isin(grown.leaf, leaves).sum()
    for leaf, rows in enumerate(grown.typical):
        assert (grown.leaf[list(rows)] == leaf).all()


def test_the_rest_is_one_further_group(grown: Tree) -> None:
    first, second = grown.nodes_at(5)[:2]
    labels, nodes = grown.labels_at([first, second])
    assert sorted(nodes.values(), key=str) == sorted([first, second, None], key=str)
    for label, node in nodes.items():
        if node is not None:
            assert set(grown.leaf[labels == label]) == set(grown.leaves_below(node))
    assert set(grown.labels_at([0])[1].values()) == {0, None}  # the first node is one, too
    for beyond in (-1, 2 * grown.n_leaves - 1):
        with pytest.raises(DataError, match=f"to {2 * grown.n_leaves - 2}"):
            grown.labels_at([beyond])
    whole, alone = grown.labels_at([2 * grown.n_leaves - 2])
    assert (whole == 0).all()
    assert alone == {0: 2 * grown.n_leaves - 2}


def test_a_large_pile_grows_from_a_sample(
    planted: tuple[np.ndarray, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.clustering.build_tree.MOST_IMAGES", 300)
    sampled = merge_upward(planted[0], [str(row) for row in range(600)], 12)
    assert overlap(sampled.labels_at(sampled.nodes_at(6))[0], planted[2]) > 0.99
    for leaf, rows in enumerate(sampled.typical):
        assert (sampled.leaf[list(rows)] == leaf).all()


def test_it_is_read_back_as_it_was_written(grown: Tree, tmp_path: Path) -> None:
    odd = Tree(
        [os.fsdecode(b"caf\xe9.png"), *grown.ids[1:]],
        grown.leaf, grown.merges, grown.heights, grown.typical,
    )  # fmt: skip
    odd.save(tmp_path / "t.json")
    heights = [node["height"] for node in json.loads((tmp_path / "t.json").read_text())["nodes"]]
    assert heights == [*[0.0] * odd.n_leaves, *odd.heights]
    again = load_tree(tmp_path / "t.json")
    assert again.leaf.tolist() == odd.leaf.tolist()
    for name in ("merges", "heights", "typical"):
        assert getattr(again, name) == getattr(odd, name)
    assert list(again.ids) == list(odd.ids)
    again.write_prediction(again.labels_at(again.nodes_at(3))[0], tmp_path / "p.csv")
    assert list(load_prediction(tmp_path / "p.csv").ids) == list(odd.ids)


def _remove(values: dict[str, Any]) -> None:
    del values["nodes"][3]


def _tangle(values: dict[str, Any]) -> None:
    values["nodes"][-1]["children"] = [0, 0]


def _lack(values: dict[str, Any]) -> None:
    values["n_images"] += 1


def _repeat(values: dict[str, Any]) -> None:
    values["nodes"][0]["rows"][0] = values["nodes"][1]["rows"][0]


@pytest.mark.parametrize(
    "damage", [_remove, _tangle, _lack, _repeat, lambda values: values.clear()]
)
def test_damaged_trees_are_refused(
    damage: Callable[..., None], grown: Tree, tmp_path: Path
) -> None:
    values = grown.to_json()
    damage(values)
    (tmp_path / "t.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match="is not the file of a tree, or it is damaged"):
        load_tree(tmp_path / "t.json")


def test_from_pile_to_named_groups(
    images_file: Path,
    checkpoint_file: Path,
    kinds: np.ndarray,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    out, picture, csv_path = tmp_path / "t.json", tmp_path / "t.png", tmp_path / "p.csv"
    result = run_cli("tree", images_file, checkpoint_file, out)
    assert result.code == 0, result.err
    assert "40 images in 10 leaves" in result.err
    assert Image.open(picture).size[1] > 300
    before = out.read_bytes()
    again = ("tree", images_file, checkpoint_file, out, "--picture", picture, "--quiet", "--force")
    assert run_cli(*again).code == 0
    assert out.read_bytes() == before
    cut = run_cli("cut", out, csv_path, "-k", "2")
    assert cut.code == 0, cut.err
    assert cut.err.startswith("40 in 2 clusters: 0: 20 (node ")
    found = load_prediction(csv_path)
    assert list(found.ids) == [str(row) for row in range(40)]
    assert overlap(found.labels, kinds) == 1.0
    rest = run_cli("cut", out, csv_path, "--at", "0,9", "--force")
    assert rest.code == 0
    assert "(the rest)" in rest.err
    (tmp_path / "names.csv").write_text("cluster,name\n0,most\n1,some\n2,few\n")
    assert run_cli("name", csv_path, tmp_path / "names.csv").code == 0
    assert set(load_prediction(csv_path).names or ()) == {"most", "some", "few"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("tree DATA MODEL t.png", "the file of a tree must end in .json"),
        ("tree DATA MODEL t.json --picture t.txt", "must end in .png, .pdf or .svg"),
        ("tree DATA MODEL t.json --leaves 1", "--leaves must be from 2 to 100, got 1"),
        ("tree DATA MODEL t.json --leaves 41", "such a tree needs at least 41 images, got 40"),
        ("cut TREE p.csv", "needs either -k 3 or --at 57,12, got neither"),
        ("cut TREE p.csv -k 2 --at 3", "needs either -k 3 or --at 57,12, got both"),
        ("cut TREE p.csv -k 0", "-k must be from 2 to 18, as the tree has 18 leaves, got 0"),
        ("cut TREE p.csv -k 1", "-k must be from 2 to 18, as the tree has 18 leaves, got 1"),
        ("cut TREE p.csv -k 19", "as the tree has 18 leaves, got 19"),
        ("cut TREE p.csv --at 34,3", "34 and 3 have leaf 3 in common"),
        ("cut TREE p.csv --at 3,3", "3 and 3 have leaf 3 in common"),
        ("cut TREE p.csv --at 35", "--at must be from 0 to 34, got 35"),
        ("cut TREE p.csv --at 3;4", "--at must be numbers such as 57,12,3, got '3;4'"),
        ("cut MODEL p.csv -k 2", "is not the file of a tree, or it is damaged"),
        ("cut no.json p.csv -k 2", "no such file; check the path"),
        ("cut TREE TREE -k 2", "it is an input of this command; name another file"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    command: str,
    message: str,
    grown: Tree,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    grown.save(tmp_path / "tree.json")
    given = {"DATA": images_file, "MODEL": checkpoint_file, "TREE": "tree.json"}
    before = (tmp_path / "tree.json").read_bytes()
    result = run_cli(*(given.get(word, word) for word in command.split()))
    assert result.code == 2
    assert message in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tree.json"]
    assert (tmp_path / "tree.json").read_bytes() == before
