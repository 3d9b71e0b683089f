"""A tree of a pile: many small clusters, merged two by two, that a person can cut anywhere.

If the two clusters that were found are not the ones you want, look at twenty, and pick those that
make sense.
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
from shoal.images.output_checks import check_free
from shoal.protocols import IntArray


@dataclass(frozen=True)
class Tree:
    """A hierarchy over n images: leaves 0 to L - 1, merges L to 2L - 2; the last is the root.

    Leaves are numbered in the order of the picture. The leaves of every node have successive
    numbers.
    """

    ids: Sequence[str]
    """The names of the images, in the order of the pile."""
    leaf: IntArray
    """int64 (n,): the leaf of each image."""
    merges: tuple[tuple[int, int], ...]
    """The two nodes that each merge joins, L - 1 of them: the first makes node L."""
    heights: tuple[float, ...]
    """The height of each merge, how different its two nodes are: Ward's distance over √n.

    It is never lower than that of the merge before; leaves have height 0."""
    typical: tuple[tuple[int, ...], ...]
    """For each leaf the rows of its most typical images, the most typical first."""

    @property
    def n_leaves(self) -> int:
        """L."""
        return len(self.merges) + 1

    def leaves_below(self, node: int) -> list[int]:
        """The leaves of a node, in order; those of a leaf are the leaf itself."""
        if node < self.n_leaves:
            return [node]
        left, right = self.merges[node - self.n_leaves]
        return sorted(self.leaves_below(left) + self.leaves_below(right))

    def sizes(self) -> IntArray:
        """The number of images of each node, int64 (2L - 1,)."""
        sizes = np.bincount(self.leaf, minlength=2 * self.n_leaves - 1)
        for node, (left, right) in enumerate(self.merges, start=self.n_leaves):
            sizes[node] = sizes[left] + sizes[right]
        return sizes

    def nodes_at(self, n_clusters: int) -> list[int]:
        """The nodes that remain when the last ``n_clusters`` - 1 merges are undone.

        Raises:
            DataError: fewer than 2, or more than there are leaves.
        """
        if self.n_leaves < 2:
            raise DataError("there is nothing to cut, as the tree has 1 leaf.")
        if not 2 <= n_clusters <= self.n_leaves:
            raise DataError(
                f"n_clusters must be from 2 to {self.n_leaves}, as the tree has {self.n_leaves} "
                f"leaves, got {n_clusters}."
            )
        n_nodes = 2 * self.n_leaves - n_clusters
        joined = {child for pair in self.merges[: n_nodes - self.n_leaves] for child in pair}
        return [node for node in range(n_nodes) if node not in joined]

    def labels_at(self, nodes: Sequence[int]) -> tuple[IntArray, dict[int, int | None]]:
        """Divide the images among nodes, each a cluster.

        Args:
            nodes: at least one, none of them below another. The images of no node become a
                further cluster.

        Returns:
            int64 (n,), the largest cluster first; and the node of each cluster, ``None`` for the
            further one.

        Raises:
            DataError: a node that is not in the tree, twice, or below another.
        """
        owner: dict[int, int] = {}
        for node in nodes:
            if not 0 <= node < 2 * self.n_leaves - 1:
                raise DataError(
                    f"nodes must be from 0 to {2 * self.n_leaves - 2}, got {node}; their numbers "
                    "are in the tree's picture."
                )
            for leaf in self.leaves_below(node):
                if leaf in owner:
                    raise DataError(
                        f"nodes must not overlap, but {owner[leaf]} and {node} have leaf {leaf} in "
                        "common; leave one of them out."
                    )
                owner[leaf] = node
        chosen = np.array([owner.get(leaf, -1) for leaf in range(self.n_leaves)])[self.leaf]
        labels = by_size(chosen)
        node_of = {int(label): int(chosen[labels == label][0]) for label in np.unique(labels)}
        return labels, {label: None if node < 0 else node for label, node in node_of.items()}

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

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the tree as a JSON file, atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        with atomic_path(Path(path)) as temporary:
            temporary.write_text(json.dumps(self.to_json()) + "\n", encoding="ascii")

    def write_prediction(self, labels: IntArray, path: str | Path, *, force: bool = False) -> None:
        """Write ``id,label`` rows in the order of the pile, as ``shoal predict`` does; atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
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
        raise DataError(f"{path} is a folder; name the .json file of a tree.") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise DataError(
            f"{path} is not the file of a tree, or it is damaged; write it again with 'shoal tree'."
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
    """Fail if ``path`` does not name a .json file.

    Raises:
        OutputError: another suffix.
    """
    if path.suffix.lower() != ".json":
        raise OutputError(f"cannot write {path}: the file of a tree must end in .json.")


def chosen_nodes(tree: Tree, n_clusters: int | None, at: str | None) -> list[int]:
    """The nodes for a number of clusters, or those listed in ``at``; see `parse_nodes`.

    Raises:
        DataError: both or neither is given, or no such nodes.
    """
    if (n_clusters is None) == (at is None):
        number = "neither" if at is None else "both"
        raise DataError(f"cut needs either n_clusters=3 or nodes=57,12, got {number}.")
    return parse_nodes(at) if at is not None else tree.nodes_at(n_clusters or 0)


def parse_nodes(text: str) -> list[int]:
    """Read the numbers of nodes from a text such as ``57,12,3``.

    Raises:
        DataError: another kind of text.

    >>> parse_nodes("57, 12,3")
    [57, 12, 3]
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(f"nodes must be numbers such as 57,12,3, got {text!r}.") from None
