"""Results in words: what a command prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.tree import Tree
from shoal.images.csv_files import printable
from shoal.plural import counted
from shoal.protocols import IntArray
from shoal.search.copy_groups import Duplicates
from shoal.search.outliers import NOTABLE, Outliers
from shoal.search.pairs import Pairs
from shoal.search.similar import Similar

LOOK_FIRST = (
    "Look before you delete: near copies are much alike, not the same, and may be different things."
)


def of_pairs(pairs: Pairs, *, space: str, metric: str, at_random: bool) -> str:
    """How many pairs are the same, by which threshold, and how often the clusters agree."""
    threshold = pairs.threshold
    vectors = {"clusters": "cluster memberships", "embedding": "the reduced embedding"}[space]
    origin = "learned without labels" if threshold.learned else "given"
    drawn = " drawn at random" if at_random else ""
    by_corrections = pairs.n_by_hand + pairs.n_by_groups
    rest = f" of the {len(pairs.same) - by_corrections:,} that similarity decides"
    agreement = f"the clusters agree on {pairs.agreement:.1%}{rest if by_corrections else ''}"
    measure = "cosine similarity" if metric == "cosine" else "similarity, 1 / (1 + distance),"
    lines = [
        f"{measure} of {vectors}; images are the same at {threshold.value:.4f} or above",
        f"threshold {origin}; it agrees with the clusters on {threshold.agreement:.1%} of "
        "random pairs of training images",
        f"{counted(len(pairs.same), 'pair')}{drawn}: {pairs.same.mean():.1%} are the same"
        + (f"; {agreement}" if by_corrections < len(pairs.same) else ""),
    ]
    if by_corrections:
        lines.append(
            f"{counted(pairs.n_by_hand, 'pair')} by images that you decided, "
            f"{pairs.n_by_groups:,} by the corrected groups, which may be a guess"
        )
    return "\n".join(lines)


def of_similar(similar: Similar) -> str:
    """For each query a line with the most similar images, and their similarity or distance."""
    called = "" if similar.distance is None else ", with distances"
    lines = []
    for query, rows, values in similar.answers:
        if query in similar.lost:
            continue
        names = similar.names
        images = [
            f"{printable(similar.ids[row])} ({similar.in_words(value)}"
            + (f", {printable(names[row])})" if names is not None else ")")
            for row, value in zip(rows, values, strict=True)
        ]
        lines.append(f"{printable(query.name)}{called}: {', '.join(images)}")
    return "\n".join(lines)


def of_duplicates(duplicates: Duplicates) -> str:
    """How many copies there are, in how many groups, by which distance, and which to keep."""
    n_copies, n_images = duplicates.n_copies, len(duplicates.ids)
    sentences = (
        duplicates.sought,
        duplicates.doubt,
        _again(duplicates.n_again),
        _unread(duplicates.n_unread),
    )
    more = "".join(f"\n{said}" for said in sentences if said)
    if not duplicates.groups:
        return (
            f"no copies among {counted(n_images, 'image')}, up to a distance of "
            f"{duplicates.threshold:.2g}{more}"
        )
    n_exact = sum(int(group.exact.sum()) for group in duplicates.groups)
    are = "is a copy" if n_copies == 1 else "are copies"
    kept = duplicates.kept_because
    if any(group.also_kept.any() for group in duplicates.groups):
        kept += ", and one of near copies that are exact copies of one another"
    if n_exact < n_copies:
        more = f"\n{LOOK_FIRST}{more}"
    return (
        f"{n_copies:,} of {counted(n_images, 'image')} {are}, {n_exact:,} exact and "
        f"{n_copies - n_exact:,} near (up to a distance of {duplicates.threshold:.2g}), in "
        f"{counted(len(duplicates.groups), 'group')}; to keep: {kept}{more}"
    )


def _unread(n: int) -> str:
    """A warning of ``n`` images whose files could not be read again; empty of none."""
    if not n:
        return ""
    them, they = ("it", "it counts") if n == 1 else ("them", "they count")
    return (
        f"warning: {counted(n, 'image')} could not be read again to compare {them} at full size; "
        f"{they} as near"
    )


def _again(n: int) -> str:
    """A line on ``n`` names of files that have another name in the pile; empty of none."""
    if not n:
        return ""
    lead, no_copy = ("leads", "it is no copy") if n == 1 else ("lead", "they are no copies")
    return (
        f"{counted(n, 'name')} {lead} to a file that is in the pile anyway, by a link or another "
        f"path; {no_copy}"
    )


def of_outliers(outliers: Outliers, n: int = 5, *, noun: str = "images") -> str:
    """The first ``n`` outliers with their reasons, a line each; ``noun`` says what they are."""
    if outliers.all_the_same:
        alike = "each is as far from the rest as any other"
        return f"none of {len(outliers.ids):,} {noun} is unusual: {alike}"
    lines = [
        f"  {rank}. {printable(outliers.ids[row])}: {'; '.join(reasons)}"
        for rank, (row, reasons) in enumerate(
            zip(outliers.rows[:n], outliers.reasons[:n], strict=True), start=1
        )
    ]
    title = f"the most unusual of {len(outliers.ids):,} {noun}"
    if not len(outliers.rows) or outliers.score[0] < NOTABLE:
        title = f"none of {len(outliers.ids):,} {noun} is unusual; the first by rank"
    return "\n".join([f"{title}:", *lines])


def of_export(n_images: int, n_left_out: int, how: str, out: Path, noun: str = "image") -> str:
    """A summary of what `export_prediction` wrote; ``noun`` is what was exported."""
    text = f"{counted(n_images, noun)}, {how}, written to {printable(str(out))}"
    if n_left_out:
        text += f"; {n_left_out:,} that the prediction does not mention are left out"
    return text


def of_names(names: dict[int, str], path: Path) -> str:
    """The new names of the clusters of a prediction."""
    listed = ", ".join(f"{cluster}: {printable(name)}" for cluster, name in names.items())
    n_merged = len(names) - len(set(names.values()))
    return f"{listed}; written to {printable(str(path))}" + (
        f"; {n_merged:,} merged with another of the same name" if n_merged else ""
    )


def of_n_clusters(result: NumberOfClusters) -> str:
    """A line of evidence for each number of clusters, then the choice with its reason."""
    titles = ("clusters", "strength", "stability", "silhouette", "eigengap")
    lines = ["  ".join(titles)]
    for evidence in result.evidence:
        values = (evidence.strength, evidence.stability, evidence.silhouette, evidence.eigengap)
        cells = [f"{v:>{len(t)}.3f}" for t, v in zip(titles[1:], values, strict=True)]
        mark = "  <" if evidence.n_clusters == result.n_clusters else ""
        mark = "  < as good" if evidence.n_clusters in result.tied else mark
        lines.append("  ".join([f"{evidence.n_clusters:>8}", *cells]) + mark)
    sample = f"computed from {counted(len(result.rows), 'image')}"
    if len(result.evidence) < 2:  # nothing to compare
        return "\n".join([*lines, result.reason, sample])
    silhouette = max(result.evidence, key=lambda evidence: evidence.silhouette).n_clusters
    eigengap = max(result.evidence, key=lambda evidence: evidence.eigengap).n_clusters
    others = f"the silhouette is greatest at {silhouette}, the eigengap at {eigengap}"
    return "\n".join([*lines, result.reason, f"{sample}; {others}"])


def of_tree(tree: Tree, n: int = 4) -> str:
    """The size of a tree, and its clusters when it is cut into 2 to ``n``."""
    leaves = counted(tree.n_leaves, "leaf", "leaves")
    if tree.n_leaves < 2:
        same = "as all of them are the same"
        return f"{counted(len(tree.ids), 'image')} in {leaves}: there is nothing to cut, {same}"
    lines = [f"{counted(len(tree.ids), 'image')} in {leaves}; cut into"]
    sizes = tree.sizes()
    for k in range(2, min(n, tree.n_leaves) + 1):
        nodes = sorted(tree.nodes_at(k), key=lambda node: -sizes[node])
        lines.append(f"  {k}: " + ", ".join(f"node {node} ({sizes[node]:,})" for node in nodes))
    return "\n".join(lines)


def of_cut(labels: IntArray, nodes: dict[int, int | None]) -> str:
    """The node and the size of each cluster that a tree was cut into."""
    sizes = np.bincount(labels)
    listed = ", ".join(
        f"{label}: {sizes[label]:,} " + ("(the rest)" if node is None else f"(node {node})")
        for label, node in nodes.items()
    )
    return f"{len(labels):,} in {counted(len(nodes), 'cluster')}: {listed}"
