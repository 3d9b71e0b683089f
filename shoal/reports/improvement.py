"""What was improved: accuracy before and after, what each change gave, and the embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.stats import binomtest

from shoal.embedding.table import ImageTable
from shoal.plots import layout
from shoal.protocols import FloatArray, IntArray
from shoal.recipes.recipe import Recipe
from shoal.reports import contributions, figures
from shoal.reports.document import Block, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import Measured, ReportInputs
from shoal.reports.wording import Wording
from shoal.scoring import evaluation


def section(inputs: ReportInputs, wording: Wording) -> list[Block]:
    """The comparison of before, after and best; of a single checkpoint, how good it is.

    Empty for a single checkpoint without labels: there is nothing to compare.
    """
    chain = _chain(inputs)
    if len(chain) < 2:
        return [] if inputs.labels is None else _alone(inputs, wording)
    blocks: list[Block] = [Heading(wording("What was improved"))]
    if inputs.labels is not None:
        blocks.append(Paragraph(_conclusion(chain, inputs.labels, wording)))
    blocks.append(comparison(inputs, wording))
    if inputs.labels is None:
        blocks.append(Paragraph(wording("No labels were given: the accuracy is left out.")))
    else:
        tests = [_paired(*pair, inputs.labels, wording) for pair in pairwise(chain)]
        named = wording("Clusters bear the names that fit the labels best.")
        blocks.append(Paragraph(" ".join([*tests, named])))
        blocks += _maps(chain, inputs.labels, wording)
    return blocks + contributions.section(chain, wording)


def comparison(inputs: ReportInputs, wording: Wording) -> Table:
    """The numbers of each checkpoint side by side."""
    measured = inputs.measured
    rows: list[tuple[str, ...]] = []
    if inputs.labels is not None:
        n = len(inputs.labels)
        scores = [checkpoint.scores for checkpoint in measured if checkpoint.scores is not None]
        intervals = [evaluation.accuracy_interval(score.accuracy, n) for score in scores]
        rows = [
            (wording("accuracy of {n:,} labelled {n:image|images}", n=n),
             *(f"{score.accuracy:.3f}" for score in scores)),
            (wording("its 95 % interval"), *(f"{low:.3f} – {high:.3f}" for low, high in intervals)),
            ("NMI", *(f"{score.nmi:.3f}" for score in scores)),
            ("ARI", *(f"{score.ari:.3f}" for score in scores)),
        ]  # fmt: skip
    seconds = [m.trained.checkpoint.origin.seconds or None for m in measured]
    rows += [
        (wording("reconstruction MSE of {n:,} {n:image|images}", n=len(inputs.train)),
         *(f"{checkpoint.mse:.4f}" for checkpoint in measured)),
        (wording("training time"), *(_duration(time, wording) for time in seconds)),
    ]  # fmt: skip
    names = [checkpoint.trained.name for checkpoint in measured]
    return Table((wording("measure"), *names), tuple(rows))


def _chain(inputs: ReportInputs) -> list[Measured]:
    """Before, after and best, each once: every one is compared with the one before it."""
    given = [inputs.before, inputs.after, inputs.best]
    measured = [inputs.of(trained) for trained in given if trained is not None]
    return list({m.trained.path.resolve(): m for m in measured}.values())


def _alone(inputs: ReportInputs, wording: Wording) -> list[Block]:
    return [Heading(wording("How good it is")), comparison(inputs, wording)]


def _accuracy(measured: Measured) -> float:
    assert measured.scores is not None  # there are labels
    return measured.scores.accuracy


def _conclusion(chain: Sequence[Measured], labels: IntArray, wording: Wording) -> str:
    first, last = chain[0], chain[-1]
    return wording(
        "From {a} to {b} the accuracy on {n:,} labelled images goes from {before:.3f} to "
        "{after:.3f} ({gain:+.3f}); neither training nor clustering saw a label.",
        a=first.trained.name, b=last.trained.name, n=len(labels), before=_accuracy(first),
        after=_accuracy(last), gain=_accuracy(last) - _accuracy(first),
    )  # fmt: skip


def _paired(before: Measured, after: Measured, labels: IntArray, wording: Wording) -> str:
    """McNemar's exact test (1947, doi:10.1007/BF02295996) of the two on the same images."""
    assert before.table is not None
    assert after.table is not None
    right = [
        evaluation.match(table.labels, labels) == labels for table in (before.table, after.table)
    ]
    gained = int((~right[0] & right[1]).sum())
    lost = int((right[0] & ~right[1]).sum())
    chance = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return wording(
        "Of the {n:,} labelled images {after} gets {gained:,} right that {before} got wrong, and "
        "{lost:,} wrong that it got right (McNemar's exact test: p = {p}).",
        n=len(labels), after=after.trained.name, before=before.trained.name, gained=gained,
        lost=lost, p=f"{chance:.1e}" if chance < 0.001 else f"{chance:.3f}",
    )  # fmt: skip


def _maps(chain: Sequence[Measured], labels: IntArray, wording: Wording) -> list[Block]:
    """The labelled images in the embedding of every checkpoint, coloured by label."""
    maps: list[tuple[str, FloatArray]] = []
    origins = []
    for measured in chain:
        assert measured.table is not None
        xy, origin = _map(measured.table, measured.trained.checkpoint.recipe, wording)
        maps.append((measured.trained.name, xy))
        origins.append(f"{measured.trained.name}: {origin}")
    caption = wording(
        "The {n:,} labelled images in the embedding, coloured by label. {how}. All maps are "
        "centred and scaled alike, so that 99 % of the images lie within.",
        n=len(labels), how="; ".join(origins),
    )  # fmt: skip
    return [
        Heading(wording("The embedding of the labelled images"), 2),
        Picture(figures.embeddings(maps, labels, wording=wording), caption),
    ]


def _map(table: ImageTable, recipe: Recipe, wording: Wording) -> tuple[FloatArray, str]:
    """Places float32 (n, 2) of the images, and where they come from in words."""
    embedding = {
        "joint": "encoder + projection",
        "joint_pixels": "encoder + projection + pixels",
    }.get(recipe.embedding, recipe.embedding)
    reduced = " → ".join([embedding, *(str(part) for part in recipe.reducers)])
    z = table.embedding
    if z.shape[1] > 2:
        origin = wording("{reduced} ({d} numbers), laid out by t-SNE with perplexity 30",
                         reduced=reduced, d=z.shape[1])  # fmt: skip
        return layout.lay_out(z), origin
    flat = z if z.shape[1] == 2 else np.c_[z, np.zeros(len(z), dtype=np.float32)]
    return flat, wording("{reduced}, as it is", reduced=reduced)


def _duration(seconds: float | None, wording: Wording) -> str:
    if seconds is None:
        return wording("not recorded")
    if seconds < 59.5:
        return wording("{seconds:.0f} s", seconds=max(1.0, seconds))
    return wording("{minutes:.1f} min", minutes=seconds / 60)
