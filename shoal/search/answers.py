"""What the questions were answered with, for a reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shoal.clustering.n_clusters import NumberOfClusters
from shoal.clustering.tree import Tree
from shoal.images.csv_files import printable
from shoal.plural import counted
from shoal.protocols import IntArray
from shoal.search.duplicates import Duplicates
from shoal.search.outliers import Outliers
from shoal.search.pairs import Pairs
from shoal.search.similar import Similar


def pairs(found: Pairs, *, space: str, metric: str, at_random: bool) -> str:
    """How many pairs are the same, by which threshold, and how that agrees with the clusters."""
    threshold = found.threshold
    origin = (
        f"learned without labels: of all thresholds it says most often of random pairs of training "
        f"images what the checkpoint's clusters say ({threshold.agreement:.1%} of them)"
        if threshold.learned
        else f"given; of random pairs of training images it says what the checkpoint's clusters "
        f"say for {threshold.agreement:.1%}"
    )
    what = {"clusters": "memberships of the clusters", "embedding": "the reduced embedding"}[space]
    drawn = " drawn at random" if at_random else ""
    return "\n".join(
        [
            f"{metric} similarity of {what}; the same at {threshold.value:.4f} or above",
            f"threshold {origin}",
            f"{len(found.same):,} pairs{drawn}: {found.same.mean():.1%} the same; "
            f"{found.agreement:.1%} agree with the clusters",
        ]
    )


def similar(found: Similar) -> str:
    """A line for each image asked about: the most similar, with their similarity."""
    lines = []
    for query, rows, alike in zip(found.queries, found.indices, found.similarity, strict=True):
        named = [
            f"{printable(found.ids[row])} ({value:.2f})"
            for row, value in zip(rows, alike, strict=True)
        ]
        lines.append(f"{printable(query)}: {', '.join(named)}")
    return "\n".join(lines)


def duplicates(found: Duplicates) -> str:
    """How many copies in how many groups, by which distance, and which to keep."""
    exact = sum(int(group.exact.sum()) for group in found.groups)
    if not found.groups:
        return f"no copies among {len(found.ids):,} images, up to a distance of {found.threshold:g}"
    return (
        f"{found.n_extra:,} of {len(found.ids):,} images "
        f"{'is a copy' if found.n_extra == 1 else 'are copies'}, {exact:,} exact and "
        f"{found.n_extra - exact:,} near (up to a distance of {found.threshold:.2g}), in "
        f"{len(found.groups):,} group{'s' if len(found.groups) > 1 else ''}; to keep: "
        f"{found.kept_because}"
    )


def outliers(found: Outliers, shown: int = 5) -> str:
    """The oddest images with their reasons, a line each."""
    lines = [
        f"  {rank}. {printable(found.ids[row])}: {'; '.join(reasons)}"
        for rank, (row, reasons) in enumerate(
            zip(found.rows[:shown], found.reasons[:shown], strict=True), start=1
        )
    ]
    return "\n".join([f"the oddest of {len(found.ids):,} images:", *lines])


def exported(n_images: int, n_left_out: int, how: str, out: Path) -> str:
    """What `export_prediction` wrote."""
    text = f"{counted(n_images, 'image')}, {how}, written to {printable(str(out))}"
    if n_left_out:
        text += f"; {n_left_out:,} that the prediction does not mention are left out"
    return text


def named(names: dict[int, str], path: Path) -> str:
    """What the clusters of a prediction are called now."""
    given = ", ".join(f"{cluster}: {printable(name)}" for cluster, name in names.items())
    merged = len(names) - len(set(names.values()))
    return f"{given}; written to {printable(str(path))}" + (
        f"; {merged:,} merged with another of the same name" if merged else ""
    )


def n_clusters(found: NumberOfClusters) -> str:
    """A line for each number of clusters, and then the choice with its reason."""
    titles = ("clusters", "strength", "stability", "silhouette", "eigengap")
    lines = ["  ".join(titles)]
    for each in found.evidence:
        values = (each.strength, each.stability, each.silhouette, each.eigengap)
        cells = [f"{v:>{len(t)}.3f}" for t, v in zip(titles[1:], values, strict=True)]
        mark = "  <" if each.n_clusters == found.n_clusters else ""
        lines.append("  ".join([f"{each.n_clusters:>8}", *cells]) + mark)
    looked_at = f"looked at {counted(len(found.rows), 'image')}"
    if len(found.evidence) < 2:  # nothing to compare
        return "\n".join([*lines, found.reason, looked_at])
    others = {
        "silhouette": max(found.evidence, key=lambda each: each.silhouette).n_clusters,
        "eigengap": max(found.evidence, key=lambda each: each.eigengap).n_clusters,
    }
    told = ", ".join(f"the {name} is greatest at {number}" for name, number in others.items())
    return "\n".join([*lines, found.reason, f"{looked_at}; {told}"])


def tree(grown: Tree, shown: int = 4) -> str:
    """How large the tree is, and where it first divides."""
    leaves = counted(grown.n_leaves, "leaf", "leaves")
    lines = [f"{counted(len(grown.ids), 'image')} in {leaves}; cut into"]
    sizes = grown.sizes()
    for k in range(2, min(shown, grown.n_leaves) + 1):
        nodes = sorted(grown.nodes_at(k), key=lambda node: -sizes[node])
        lines.append(f"  {k}: " + ", ".join(f"node {node} ({sizes[node]:,})" for node in nodes))
    return "\n".join(lines)


def cut(labels: IntArray, nodes: dict[int, int | None]) -> str:
    """Which node each group is, and how many images it has."""
    sizes = np.bincount(labels)
    listed = ", ".join(
        f"{label}: {sizes[label]:,} " + ("(the rest)" if node is None else f"(node {node})")
        for label, node in nodes.items()
    )
    return f"{counted(len(labels), 'image')} in {counted(len(nodes), 'group')}: {listed}"
