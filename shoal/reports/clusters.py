"""What was found: the clusters, their sizes, members and neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.partitions import largest
from shoal.embedding.neighbours import most_typical, nearest_others
from shoal.embedding.table import NOWHERE_NAME, ImageTable, equally_sure
from shoal.images.pictures import composite_of
from shoal.images.sampling import sample_rows
from shoal.plots.colours import colour
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.reports import figures
from shoal.reports.document import Block, Gallery, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import ReportInputs
from shoal.reports.photos import Wanted, photo_rows
from shoal.reports.wording import Wording

_MOST_CLUSTERS = 20
_MEMBERS = 8
_SEARCHED = 10_000
_NEIGHBOURS = 20
_OFF, _OFF_MIXED = 0.15, 0.31
"""How far the mean confidence of a group was off its true share, see benchmarks/group_trust.py: in
312 groups of 30 piles, and in 95 of five piles in which easy and hard kinds are mixed."""


def section(
    inputs: ReportInputs, table: ImageTable, wording: Wording, conflicts: Sequence[str] = ()
) -> list[Block]:
    """The clusters of the images learned from, with members of each.

    Args:
        inputs: whose `ReportInputs.main` is described.
        table: the clusters of all images learned from.
        wording: the language.
        conflicts: where the corrections by a person and the clusters disagree, as sentences.
    """
    n_clusters, n_apart = len(np.unique(table.labels[~table.nowhere])), int(table.nowhere.sum())
    blocks: list[Block] = [
        Heading(wording("What was found")),
        Paragraph(
            wording("{n:,} {n:image|images} in {k} {k:cluster|clusters}, mean confidence "
                    "{confidence:.3f}. The file {file} assigns others to them.",
                    n=len(table.labels), k=n_clusters, confidence=table.confidence.mean(),
                    file=inputs.main.trained.path.name)
        ),
    ]  # fmt: skip
    if n_apart:
        blocks.append(
            Paragraph(wording("{n:,} of the images {n:belongs|belong} nowhere.", n=n_apart))
        )
    blocks += [Paragraph(sentence) for sentence in _channels_shown(inputs.train, wording)]
    if inputs.honoured is not None:
        told = inputs.honoured.groups
        blocks.append(
            Paragraph(
                wording("{n:,} {n:correction|corrections} by hand {n:is|are} in these groups; "
                        "they decide {decided:,} of {all:,}.",
                        n=len(inputs.honoured), decided=int(told.decided.sum()),
                        all=len(told.ids))
            )
        )  # fmt: skip
    blocks += [Paragraph(conflict) for conflict in conflicts[:_MOST_CLUSTERS]]
    blocks += _clusters(inputs, table, wording)
    if table.xy is not None:
        caption = wording(
            "Every image a dot, coloured by its cluster: t-SNE of the embedding in which the "
            "clusters were found, with perplexity 30."
        )
        drawn = figures.embeddings(
            [("", table.xy)], table.labels, "cluster", apart=table.nowhere, wording=wording
        )
        blocks += [
            Heading(wording("The map"), 2, without_scripts=True),
            Picture(drawn, caption, without_scripts=True),
        ]
    return blocks


def _channels_shown(source: ImageSource, wording: Wording) -> list[str]:
    """What pictures show of images with other channels than grey or colours."""
    composite = composite_of(source)
    if composite is None:
        return []
    first, second, third = (channel + 1 for channel in (composite * 3)[:3])
    if len(composite) == 1:
        return [wording("Pictures show channel {a} as grey.", a=first)]
    if first == third:
        return [
            wording("Pictures show channel {a} as magenta and channel {b} as green.",
                    a=first, b=second)
        ]  # fmt: skip
    return [
        wording("Pictures show channels {a}, {b} and {c} as red, green and blue.",
                a=first, b=second, c=third)
    ]  # fmt: skip


def borders(
    z: FloatArray, labels: IntArray, *, n_neighbors: int = _NEIGHBOURS
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Where each cluster touches the next.

    Args:
        z: float32 (n, d).
        labels: int64 (n,) in [0, k).
        n_neighbors: of each image; fewer in a tiny pile.

    Returns:
        Three arrays. The share of the neighbours of row's images that are in column's cluster,
        float (k, k). For each cluster the other one that it touches most, int64 (k,); itself if it
        touches none. For each image the share of its neighbours in that cluster, float (n,).

    >>> z = np.array([[0.0], [1.2], [2], [3.5]], dtype=np.float32)
    >>> shares, following, touch = borders(z, np.array([0, 0, 1, 1]), n_neighbors=1)
    >>> following.tolist()
    [1, 0]
    """
    n_clusters = int(labels.max()) + 1
    k = max(1, min(n_neighbors, len(z) - 1))
    # A single image has no neighbour.
    near = labels[nearest_others(z, k)[1]] if len(z) > 1 else labels[:, None][:, :0]
    counts = np.stack([(near == cluster).sum(axis=1) for cluster in range(n_clusters)], axis=1)
    shares = np.stack(
        [
            counts[labels == cluster].mean(axis=0) / k if (labels == cluster).any()
            else np.zeros(n_clusters)
            for cluster in range(n_clusters)
        ]
    )  # fmt: skip
    others = shares.copy()
    np.fill_diagonal(others, 0.0)
    following = np.where(others.max(axis=1) > 0, others.argmax(axis=1), np.arange(n_clusters))
    touch = counts[np.arange(len(z)), following[labels]] / k
    return shares, following, np.where(following[labels] == labels, 0.0, touch)


def _clusters(inputs: ReportInputs, table: ImageTable, wording: Wording) -> list[Block]:
    """A table of the clusters, and typical, unsure and bordering members of each."""
    within = np.flatnonzero(~table.nowhere)
    rows = within[sample_rows(len(within), _SEARCHED)]
    z, labels, confidence = table.embedding[rows], table.labels[rows], table.confidence[rows]
    shares, following, touch = borders(z, labels)
    sizes, called = np.bincount(table.labels), table.called()
    shown = largest(np.bincount(table.labels[within]), _MOST_CLUSTERS)
    lines: list[tuple[str, ...]] = []
    wanted: list[Wanted] = []
    same: list[str] = []
    for cluster in shown:
        own = np.flatnonzero(labels == cluster)
        if not len(own):
            continue
        neighbour = int(following[cluster])
        alone = neighbour == cluster
        lines.append(
            (called[cluster], f"{sizes[cluster]:,}", f"{sizes[cluster] / sizes.sum():.1%}",
             f"{table.confidence[table.labels == cluster].mean():.3f}",
             "–" if alone else called[neighbour],
             "–" if alone else f"{shares[cluster, neighbour]:.1%}")
        )  # fmt: skip
        border = own[np.argsort(-touch[own], kind="stable")]
        own_name, next_name = called[cluster], called[neighbour]
        unsure = own[np.argsort(confidence[own], kind="stable")]
        if equally_sure(confidence[own]):
            unsure, same = own[:0], [*same, own_name]
        members = {
            wording("{c} typical", c=own_name): most_typical(z, own),
            wording("{c} unsure", c=own_name): unsure,
            wording("{c} next to {d}", c=own_name, d=next_name): border[touch[border] > 0],
        }
        wanted += [
            (name, colour(cluster, len(sizes)), rows[chosen[:_MEMBERS]])
            for name, chosen in members.items()
        ]
    hidden = len(np.unique(table.labels[within])) - len(lines)
    if table.nowhere.any():
        line, photos = _apart(table, wording)
        lines.append(line)
        wanted.append(photos)
    header = ("cluster", "images", "share", "mean confidence", "next cluster", "neighbours there")
    blocks: list[Block] = [Table(tuple(wording(text) for text in header), tuple(lines))]
    if len(shown) > 1 and not inputs.main.trained.checkpoint.n_dimensions:
        blocks.append(
            Paragraph(
                wording("The mean confidence of one group says less than that of all images: on "
                        "piles whose kinds are known it was off by {off:.2f} on average, and by "
                        "{mixed:.2f} where some kinds are much easier to tell than others.",
                        off=_OFF, mixed=_OFF_MIXED)
            )
        )  # fmt: skip
    if hidden:
        blocks.append(
            Paragraph(wording("{n} smaller {n:cluster is|clusters are} not shown.", n=hidden))
        )
    if same:
        blocks.append(
            Paragraph(
                wording("In {names} all images are equally certain: none can be shown as the "
                        "least.", names=", ".join(same))
            )
        )  # fmt: skip
    caption = wording(
        "Members of each cluster: the most typical (nearest to its median), the least certain, and "
        "those with most of their {k} nearest neighbours in the cluster next to it.",
        k=_NEIGHBOURS,
    )
    return [*blocks, Gallery(photo_rows(inputs.train, wanted), caption)]


def _apart(table: ImageTable, wording: Wording) -> tuple[tuple[str, ...], Wanted]:
    """The line and the photos of images that belong nowhere, which are no cluster."""
    rows, name = np.flatnonzero(table.nowhere), wording(NOWHERE_NAME)
    share, confidence = f"{len(rows) / len(table):.1%}", f"{table.confidence[rows].mean():.3f}"
    some = rows[sample_rows(len(rows), _MEMBERS)]
    own = colour(int(table.labels[rows[0]]), int(table.labels.max()) + 1)
    return (name, f"{len(rows):,}", share, confidence, "–", "–"), (name, own, some)
