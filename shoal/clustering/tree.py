"""A tree of a pile: many fine groups, merged upward two by two, to be cut wherever a person likes.

Who disagrees with the machine's two groups looks at twenty, and takes those that make sense.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.clustering.diffusion import by_size
from shoal.errors import DataError, OutputError
from shoal.images.csv_files import write_rows
from shoal.images.files import atomic_path
from shoal.protocols import IntArray

_EXPECTED = "a tree as 'shoal tree' writes it"


@dataclass(frozen=True)
class Tree:
    """A hierarchy over n images: leaves 0 to L - 1, merges L to 2L - 2, the last one the root.

    Leaves are numbered in the order of the picture, so that every node's leaves are neighbours
    there.
    """

    ids: Sequence[str]
    """Names of the images, in the order of the pile."""
    leaf: IntArray
    """int64 (n,): the leaf of each image."""
    merges: tuple[tuple[int, int], ...]
    """The two nodes that each merge joins, L - 1 of them: the first makes node L."""
    heights: tuple[float, ...]
    """Of each merge, never lower than the one before: how different the two are; leaves are at 0.
    Ward's distance over √n."""
    typical: tuple[tuple[int, ...], ...]
    """For each leaf the rows of its most typical images, the most typical first."""

    @property
    def n_leaves(self) -> int:
        """L."""
        return len(self.merges) + 1

    def leaves_below(self, node: int) -> list[int]:
        """The leaves of a node, a leaf's own being itself, in their order."""
        if node < self.n_leaves:
            return [node]
        left, right = self.merges[node - self.n_leaves]
        return sorted(self.leaves_below(left) + self.leaves_below(right))

    def sizes(self) -> IntArray:
        """Images below each node, int64 (2L - 1,)."""
        sizes = np.bincount(self.leaf, minlength=2 * self.n_leaves - 1)
        for node, (left, right) in enumerate(self.merges, start=self.n_leaves):
            sizes[node] = sizes[left] + sizes[right]
        return sizes

    def nodes_at(self, n_clusters: int) -> list[int]:
        """The nodes that are left when the last ``n_clusters`` - 1 merges are undone.

        Raises:
            DataError: fewer than 1, or more than there are leaves.
        """
        if not 1 <= n_clusters <= self.n_leaves:
            there = "1 leaf" if self.n_leaves == 1 else f"{self.n_leaves} leaves"
            raise DataError(
                f"-k must be from 1 to the number of the tree's leaves, got {n_clusters}; it has "
                f"{there}. 'shoal tree … --leaves' grows more, where that many images differ."
            )
        n_nodes = 2 * self.n_leaves - n_clusters
        joined = {child for pair in self.merges[: n_nodes - self.n_leaves] for child in pair}
        return [node for node in range(n_nodes) if node not in joined]

    def labels_at(self, nodes: Sequence[int]) -> tuple[IntArray, dict[int, int | None]]:
        """Divide the images among nodes, none of which lies below another.

        Args:
            nodes: at least one. Images below none of them become one further group.

        Returns:
            int64 (n,), the largest group first; and the node of each group by its number, the
            further group's being ``None``.

        Raises:
            DataError: a node that is not in the tree, twice, or below another.
        """
        owner: dict[int, int] = {}
        for node in nodes:
            if not 0 <= node < 2 * self.n_leaves - 1:
                raise DataError(
                    f"nodes of the tree are expected, 0 to {2 * self.n_leaves - 2}, and {node} "
                    "came; see the tree's picture."
                )
            for leaf in self.leaves_below(node):
                if leaf in owner:
                    raise DataError(
                        f"nodes that do not overlap are expected, and {owner[leaf]} and {node} "
                        f"have leaf {leaf} in common; leave one of them out."
                    )
                owner[leaf] = node
        chosen = np.array([owner.get(leaf, -1) for leaf in range(self.n_leaves)])[self.leaf]
        labels = by_size(chosen)
        named = {int(label): int(chosen[labels == label][0]) for label in np.unique(labels)}
        return labels, {label: None if node < 0 else node for label, node in named.items()}

    def to_json(self) -> dict[str, Any]:
        """The tree as JSON values, a node a row: what `load_tree` reads."""
        sizes, n_leaves = self.sizes().tolist(), self.n_leaves
        parents = {c: node for node, pair in enumerate(self.merges, n_leaves) for c in pair}
        rows = [np.flatnonzero(self.leaf == leaf).tolist() for leaf in range(n_leaves)]
        leaves = [
            {
                "node": leaf, "parent": parents.get(leaf), "height": 0.0, "size": sizes[leaf],
                "typical": [self.ids[row] for row in self.typical[leaf]],
                "rows": rows[leaf], "ids": [self.ids[row] for row in rows[leaf]],
            }
            for leaf in range(n_leaves)
        ]  # fmt: skip
        merges = [
            {
                "node": node, "parent": parents.get(node), "height": self.heights[place],
                "size": sizes[node], "children": list(self.merges[place]),
            }
            for place, node in enumerate(range(n_leaves, 2 * n_leaves - 1))
        ]  # fmt: skip
        return {"shoal_tree": 1, "n_images": len(self.ids), "nodes": leaves + merges}

    def save(self, path: str | Path) -> None:
        """Write the tree as a JSON file, atomically.

        Raises:
            OutputError: the file cannot be written.
        """
        with atomic_path(Path(path)) as temporary:
            temporary.write_text(json.dumps(self.to_json()) + "\n", encoding="ascii")

    def write_prediction(self, labels: IntArray, path: str | Path) -> None:
        """Write ``id,label`` rows in the order of the pile, as ``shoal predict`` does; atomically.

        Raises:
            OutputError: the file cannot be written.
        """
        write_rows(path, ["id", "label"], zip(self.ids, labels.tolist(), strict=True))


def load_tree(path: str | Path) -> Tree:
    """Read a tree that `Tree.save` wrote.

    Raises:
        DataError: missing, damaged, or not a tree.
    """
    path = Path(path)
    try:
        return _from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{path}: permission denied; make it readable.") from None
    except IsADirectoryError:
        raise DataError(
            f"{path}: {_EXPECTED} is expected, and this is a folder; name a file."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise DataError(
            f"{path}: {_EXPECTED} is expected, and this file is none or is damaged; grow it again."
        ) from error


def _from_json(values: dict[str, Any]) -> Tree:
    nodes, n_images = values["nodes"], values["n_images"]
    if values["shoal_tree"] != 1 or [node["node"] for node in nodes] != list(range(len(nodes))):
        raise ValueError("another format, or nodes out of order")
    leaves = [node for node in nodes if "rows" in node]
    merges = tuple(
        (int(left), int(right)) for left, right in (n["children"] for n in nodes[len(leaves) :])
    )
    rows = [row for leaf in leaves for row in leaf["rows"]]
    ids = [str(name) for leaf in leaves for name in leaf["ids"]]
    children = sorted(child for pair in merges for child in pair)
    if (
        sorted(rows) != list(range(n_images))
        or len(ids) != n_images
        or len(nodes) != 2 * len(leaves) - 1
        or children != list(range(len(nodes) - 1))
        or any(max(pair) >= node for node, pair in enumerate(merges, start=len(leaves)))
    ):
        raise ValueError("not every image in one leaf, or not every node below one other")
    placed = dict(zip(rows, ids, strict=True))
    row_of = {name: row for row, name in placed.items()}
    number = np.repeat(np.arange(len(leaves)), [len(leaf["rows"]) for leaf in leaves])
    leaf_of = np.empty(n_images, dtype=np.int64)
    leaf_of[rows] = number
    return Tree(
        [placed[row] for row in range(n_images)],
        leaf_of,
        merges,
        tuple(float(node["height"]) for node in nodes[len(leaves) :]),
        tuple(tuple(row_of[name] for name in leaf["typical"]) for leaf in leaves),
    )


def check_suffix(path: Path) -> None:
    """Fail if ``path`` does not name a .json file: a picture may be meant.

    Raises:
        OutputError: another suffix.
    """
    if path.suffix.lower() != ".json":
        raise OutputError(
            f"cannot write {path}: a tree is expected as .json, its picture after it; give both in "
            "this order."
        )


def chosen_nodes(tree: Tree, n_clusters: int | None, at: str | None) -> list[int]:
    """The nodes that ``-k`` or ``--at`` asks for.

    Raises:
        DataError: both or neither came, or not what is expected.
    """
    if (n_clusters is None) == (at is None):
        came = "neither" if at is None else "both"
        raise DataError(
            f"either -k or --at is expected, and {came} came; give -k for a number of groups, or "
            "--at for nodes of the tree."
        )
    return parse_nodes(at) if at is not None else tree.nodes_at(n_clusters or 0)


def parse_nodes(text: str) -> list[int]:
    """Nodes as ``--at`` has them, such as ``57,12,3``.

    Raises:
        DataError: something else.

    >>> parse_nodes("57, 12,3")
    [57, 12, 3]
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(
            f"--at is expected as nodes of the tree, such as 57,12,3, and {text!r} came; see the "
            "tree's picture."
        ) from None
