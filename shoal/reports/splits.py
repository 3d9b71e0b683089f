"""Other ways to divide the pile, each with pictures of typical members of its clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.clustering.partitions import largest
from shoal.embedding.neighbours import most_typical
from shoal.embedding.table import ImageTable
from shoal.models.facts import Split
from shoal.plots.colours import colour
from shoal.protocols import IntArray
from shoal.reports.document import Block, Gallery, Heading, Paragraph, Table
from shoal.reports.inputs import ReportInputs
from shoal.reports.photos import Wanted, photo_rows
from shoal.reports.wording import Wording

_MEMBERS = 8
_MOST_CLUSTERS = 6
"""Clusters drawn of each split, the largest."""


def section(inputs: ReportInputs, table: ImageTable, wording: Wording) -> list[Block]:
    """Every split with its numbers and members; empty if there is one split alone.

    Args:
        inputs: whose `ReportInputs.main` is described.
        table: the clusters of all images learned from, by the first split.
        wording: the language.
    """
    known = inputs.main.trained.checkpoint.facts.splits
    if len(known) < 2:
        return []
    within = np.flatnonzero(~table.nowhere)  # what belongs nowhere was set aside before
    labels_of = [labels[within] for labels in _labels_of_splits(inputs, table)]
    return [
        Heading(wording("Other ways to divide the pile")),
        Paragraph(
            wording("Split 1 is the one chosen. Is another one what you meant? 'shoal predict … "
                    "--split N' uses the N-th, 'shoal splits' compares them.")
        ),
        _numbers(known, labels_of, wording),
        Gallery(
            photo_rows(inputs.train, _members(labels_of, table, within, wording)),
            wording("The {n} most typical members of each cluster of each split: those nearest to "
                    "the middle of the cluster.", n=_MEMBERS)
            + _left_out(labels_of, wording),
        ),
    ]  # fmt: skip


def _labels_of_splits(inputs: ReportInputs, table: ImageTable) -> list[IntArray]:
    """The cluster of each image under each split, int64 (n,), the chosen split first."""
    clustering = clustering_of(inputs.main.trained.checkpoint)
    others = range(1, clustering.n_candidates)
    return [table.labels, *(clustering.predict(table.embedding, split) for split in others)]


def _numbers(known: Sequence[Split], labels_of: list[IntArray], wording: Wording) -> Table:
    pixels = known[0].pixel_share is not None
    header = ("split", "images in each", "separation", *(["pixels explain"] if pixels else []))
    rows = []
    for number, (split, labels) in enumerate(zip(known, labels_of, strict=False), start=1):
        sizes = np.bincount(labels).tolist()
        text = " + ".join(f"{size:,}" for size in sizes[:4]) + (" + …" if len(sizes) > 4 else "")
        share = [f"{split.pixel_share:.3f}"] if split.pixel_share is not None else []
        rows.append((str(number), text, f"{split.separation:.3f}", *share))
    return Table(tuple(wording(text) for text in header), tuple(rows))


def _members(
    labels_of: list[IntArray], table: ImageTable, within: IntArray, wording: Wording
) -> list[Wanted]:
    """For each split of the images ``within`` a row of photos for each of its largest clusters."""
    wanted = []
    for number, labels in enumerate(labels_of, start=1):
        sizes = np.bincount(labels)
        for cluster in largest(sizes, _MOST_CLUSTERS):
            name = wording("split {n}, cluster {c}: {size:,} {size:image|images}",
                           n=number, c=cluster, size=int(sizes[cluster]))  # fmt: skip
            members = most_typical(table.embedding, within[labels == cluster])[:_MEMBERS]
            wanted.append((name, colour(cluster, len(sizes)), members))
    return wanted


def _left_out(labels_of: list[IntArray], wording: Wording) -> str:
    most = max(len(np.unique(labels)) for labels in labels_of)
    if most <= _MOST_CLUSTERS:
        return ""
    return " " + wording("Of each split the {n} largest clusters are shown.", n=_MOST_CLUSTERS)
