"""Clusters against labels: the confusion matrix, and the images most surely put wrong."""

from __future__ import annotations

import numpy as np

from shoal.plots.colours import colour
from shoal.reports import figures
from shoal.reports.document import Block, Gallery, Heading, Paragraph, Picture
from shoal.reports.inputs import ReportInputs
from shoal.reports.photos import photo_rows
from shoal.reports.wording import Wording
from shoal.scoring import evaluation

_MOST = 32
"""Mistakes shown, the most confident."""


def section(inputs: ReportInputs, wording: Wording) -> list[Block]:
    """Clusters and labels of the labelled images by `ReportInputs.main`; empty without labels."""
    labels, images, main = inputs.labels, inputs.images, inputs.main
    table = main.table
    if labels is None or images is None or table is None:
        return []
    names = np.unique(labels)
    n_clusters = main.trained.checkpoint.recipe.n_clusters
    counts = np.zeros((len(names), n_clusters), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(names, labels), table.labels), 1)
    wrong = np.flatnonzero(evaluation.match(table.labels, labels) != labels)
    blocks: list[Block] = [
        Heading(wording("Clusters and labels")),
        Picture(
            figures.confusion(counts, [str(name) for name in names], wording=wording),
            wording("{n:,} labelled {n:image|images} by label and cluster; dark is a large share "
                    "of the label.", n=len(labels)),
        ),
    ]  # fmt: skip
    if not len(wrong):
        return [*blocks, Paragraph(wording("There are no mistakes."))]
    worst = wrong[np.argsort(-table.confidence[wrong], kind="stable")][:_MOST]
    wanted = [
        (wording("{label} in {c}", label=label, c=cluster), colour(cluster, n_clusters),
         worst[(labels[worst] == label) & (table.labels[worst] == cluster)])
        for label in names for cluster in range(n_clusters)
    ]  # fmt: skip
    caption = wording(
        "{shown:,} of {n:,} {n:mistake|mistakes}: the labelled images in the wrong cluster whose "
        "confidence is highest, by label and cluster.",
        n=len(wrong), shown=len(worst),
    )  # fmt: skip
    return [*blocks, Gallery(photo_rows(images, wanted), caption, learned=False)]
