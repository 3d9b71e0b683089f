"""What was found: each cluster, how sure it is, its border, warnings, and mistakes if labelled."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.embedding.neighbours import nearest_others
from shoal.embedding.table import ImageTable
from shoal.images.sampling import sample_rows
from shoal.plots.figures import colour
from shoal.plots.strips import strips
from shoal.protocols import FloatArray, IntArray
from shoal.reports import figures
from shoal.reports.document import Block, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import Measured, Subject
from shoal.reports.wording import Wording
from shoal.scoring import evaluation

_MOST_CLUSTERS = 20
_COLUMNS = 12
_SEARCHED = 10_000
_NEIGHBOURS = 20


def section(subject: Subject, table: ImageTable, wording: Wording) -> list[Block]:
    """Everything about the clusters of the images learned from.

    Args:
        subject: whose `Subject.main` is described.
        table: the clusters of all images learned from.
        wording: the language.
    """
    checkpoint = subject.main.trained.checkpoint
    sizes = np.bincount(table.labels, minlength=int(table.labels.max()) + 1)
    blocks: list[Block] = [
        Heading(wording("What was found")),
        Paragraph(
            wording("{n:,} {n:image|images} in {k} {k:cluster|clusters}, mean confidence "
                    "{confidence:.3f}, by {name}.",
                    n=len(table.labels), k=int((sizes > 0).sum()),
                    confidence=table.confidence.mean(), name=subject.main.trained.name)
        ),
    ]  # fmt: skip
    if table.xy is not None:
        caption = wording(
            "Every image a dot, coloured by its cluster: t-SNE of the embedding in which the "
            "clusters were found, with perplexity 30."
        )
        drawn = figures.embeddings([("", table.xy)], table.labels, "cluster", wording=wording)
        blocks += [
            Heading(wording("The map"), 2, without_scripts=True),
            Picture(drawn, caption, without_scripts=True),
        ]
    blocks += _clusters(subject, table, sizes, wording)
    blocks += _confidence(subject, table, wording)
    blocks += _splits(checkpoint.provenance.get("splits", []), sizes, wording)
    blocks += _labelled(subject, subject.main, wording)
    return blocks


def borders(
    z: FloatArray, labels: IntArray, *, n_neighbors: int = _NEIGHBOURS
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Where each cluster touches the next.

    Args:
        z: float32 (n, d).
        labels: int64 (n,) in [0, k).
        n_neighbors: of each image; fewer in a tiny pile.

    Returns:
        Shares float (k, k) of the neighbours of row's images that are in the column's cluster; for
        each cluster the other one that it touches most, int64 (k,), itself if there is none; and
        for each image the share of its neighbours that are in that one, float (n,).

    >>> z = np.array([[0.0], [1.2], [2], [3.5]], dtype=np.float32)
    >>> shares, following, touch = borders(z, np.array([0, 0, 1, 1]), n_neighbors=1)
    >>> following.tolist()
    [1, 0]
    """
    n_clusters = int(labels.max()) + 1
    k = max(1, min(n_neighbors, len(z) - 1))
    # A single image has none.
    found = labels[nearest_others(z, k)[1]] if len(z) > 1 else labels[:, None][:, :0]
    counts = np.stack([(found == cluster).sum(axis=1) for cluster in range(n_clusters)], axis=1)
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


def _clusters(
    subject: Subject, table: ImageTable, sizes: IntArray, wording: Wording
) -> list[Block]:
    rows = sample_rows(len(table.labels), _SEARCHED)
    z, labels, confidence = table.embedding[rows], table.labels[rows], table.confidence[rows]
    shares, following, touch = borders(z, labels)
    shown = [int(c) for c in np.argsort(-sizes, kind="stable")[:_MOST_CLUSTERS] if sizes[c]]
    listed, members = [], []
    for cluster in sorted(shown):
        own = np.flatnonzero(labels == cluster)
        if not len(own):
            continue
        middle = np.median(z[own], axis=0)
        typical = own[np.argsort(np.linalg.norm(z[own] - middle, axis=1), kind="stable")]
        unsure = own[np.argsort(confidence[own], kind="stable")]
        border = own[np.argsort(-touch[own], kind="stable")]
        border = border[touch[border] > 0]
        after = int(following[cluster])
        for name, picked in (
            (wording("{c} typical", c=cluster), typical),
            (wording("{c} unsure", c=cluster), unsure),
            (wording("{c} next to {d}", c=cluster, d=after), border),
        ):
            if len(picked):
                images = subject.train.read(rows[picked[:_COLUMNS]])
                members.append((name, images, colour(cluster, len(sizes))))
        listed.append(
            (str(cluster), f"{sizes[cluster]:,}", f"{sizes[cluster] / sizes.sum():.1%}",
             f"{table.confidence[table.labels == cluster].mean():.3f}",
             str(after) if after != cluster else "–", f"{shares[cluster, after]:.1%}"
             if after != cluster else "–")
        )  # fmt: skip
    header = ("cluster", "images", "share", "mean confidence", "next cluster", "neighbours there")
    hidden = int((sizes > 0).sum()) - len(shown)
    blocks: list[Block] = [
        Heading(wording("The clusters"), 2),
        Table(tuple(wording(text) for text in header), tuple(listed)),
    ]
    if hidden:
        blocks.append(
            Paragraph(wording("{n} smaller {n:cluster is|clusters are} not shown.", n=hidden))
        )
    caption = wording(
        "Of each cluster its most typical members (nearest to its median), those it is least sure "
        "of, and those with most of their {k} nearest neighbours in the cluster next to it.",
        k=_NEIGHBOURS,
    )
    # A page holds some 24 strips: more clusters go on in another picture.
    for start in range(0, len(members), 24):
        figure = strips(members[start : start + 24], columns=_COLUMNS)
        blocks.append(Picture(figure, caption if start == 0 else wording("Continued.")))
    return blocks


def _confidence(subject: Subject, table: ImageTable, wording: Wording) -> list[Block]:
    tenths = np.quantile(table.confidence, (0.1, 0.5))
    return [
        Heading(wording("How sure"), 2),
        Picture(
            figures.confidences(table.confidence, table.labels, wording=wording),
            wording("Confidence of {n:,} {n:image|images}: a tenth is below {tenth:.3f}, half "
                    "below "
                    "{half:.3f}.", n=len(table.labels), tenth=tenths[0], half=tenths[1]),
        ),
    ]  # fmt: skip


def _splits(found: list[dict[str, Any]], chosen: IntArray, wording: Wording) -> list[Block]:
    if len(found) < 2:
        return []
    rows = []
    for number, split in enumerate(found, start=1):
        # Of the one that was chosen as everywhere else in the report: a prediction may differ in
        # an image or two from what was counted in training.
        sizes = chosen.tolist() if number == 1 else split["sizes"]
        text = " + ".join(f"{size:,}" for size in sizes[:4]) + (" + …" if len(sizes) > 4 else "")
        rows.append(
            (str(number), text, f"{split['separation']:.3f}", f"{split['pixel_share']:.3f}")
        )
    header = ("split", "images in each", "separation", "pixels explain")
    return [
        Heading(wording("Other ways to divide the pile"), 2),
        Paragraph(wording("The first is the one chosen; 'shoal splits' draws members of each, and "
                          "'shoal predict … --split N' uses the N-th.")),
        Table(tuple(wording(text) for text in header), tuple(rows)),
    ]  # fmt: skip


def _labelled(subject: Subject, main: Measured, wording: Wording) -> list[Block]:
    labels, table, images = subject.labels, main.table, subject.images
    if labels is None or table is None or images is None:
        return [Paragraph(wording("No labels were given: the confusion matrix and the mistakes are "
                                  "left out."))]  # fmt: skip
    names = np.unique(labels)
    n_clusters = main.trained.checkpoint.recipe.n_clusters
    counts = np.zeros((len(names), n_clusters), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(names, labels), table.labels), 1)
    wrong = np.flatnonzero(evaluation.match(table.labels, labels) != labels)
    blocks: list[Block] = [
        Heading(wording("Clusters and labels"), 2),
        Picture(
            figures.confusion(counts, [str(name) for name in names], wording=wording),
            wording("{n:,} labelled {n:image|images} by label and cluster; dark is a large share "
                    "of the label.", n=len(labels)),
        ),
    ]  # fmt: skip
    if not len(wrong):
        return [*blocks, Paragraph(wording("There are no mistakes."))]
    worst = wrong[np.argsort(-table.confidence[wrong], kind="stable")][: 4 * _COLUMNS]
    drawn = [
        (wording("{label} in {c}", label=label, c=cluster), images.read(rows),
         colour(int(cluster), n_clusters))
        for label in names for cluster in range(n_clusters)
        if len(rows := worst[(labels[worst] == label) & (table.labels[worst] == cluster)])
    ]  # fmt: skip
    caption = wording(
        "The worst of {n:,} {n:mistake|mistakes}: labelled images in the wrong cluster of which "
        "it is most "
        "sure, by label and cluster.",
        n=len(wrong),
    )
    return [*blocks, Picture(strips(drawn, columns=_COLUMNS), caption)]
