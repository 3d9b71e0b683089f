"""What was improved: before and after, each change, and how the embedding looks."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from itertools import cycle, pairwise

import numpy as np
from scipy.stats import binomtest

from shoal.embedding.table import ImageTable
from shoal.plots import layout
from shoal.protocols import FloatArray, IntArray
from shoal.recipes.recipe import Recipe, differences
from shoal.reports import figures, trust
from shoal.reports.document import Block, Bullets, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import Measured, Subject
from shoal.reports.wording import Wording
from shoal.scoring import evaluation


def section(subject: Subject, table: ImageTable, wording: Wording) -> list[Block]:
    """Accuracy before and after, the changes with what each gave, and the two embeddings.

    Where the best checkpoint is another than the one after, it is the next step. ``table`` is of
    all images learned from, by `Subject.main`.
    """
    alone = subject.before is None or subject.after is None
    title = wording("How good it is") if alone else wording("What was improved")
    blocks: list[Block] = [
        Heading(title),
        trust.numbers(subject, table, wording),
        _comparison(subject, wording),
    ]
    if subject.labels is None:
        blocks.append(
            Paragraph(wording("No labels were given: accuracy, NMI and ARI are left out, and so "
                              "are the maps coloured by label."))
        )  # fmt: skip
    if subject.before is None or subject.after is None:
        blocks.append(
            Paragraph(wording("One checkpoint was given, and none before it: there is nothing to "
                              "compare it with."))
        )  # fmt: skip
        return blocks
    ends = [subject.before, subject.after, *([] if subject.best is None else [subject.best])]
    chain = [subject.of(one) for one in ends]
    steps = [(a, b) for a, b in pairwise(chain) if a is not b]
    if subject.labels is not None:
        blocks.append(
            Paragraph(" ".join(
                [*(_paired(*step, subject.labels, wording) for step in steps),
                 wording("Clusters bear the names that fit the labels best.")]
            ))
        )  # fmt: skip
        blocks += _maps((chain[0], chain[1]), subject.labels, wording)
    letters = cycle(string.ascii_uppercase)
    for step in steps:
        blocks += _changes(*step, letters, wording)
    return blocks


def _comparison(subject: Subject, wording: Wording) -> Table:
    header = [wording("measure"), *(one.trained.name for one in subject.measured)]
    rows: list[tuple[str, ...]] = []
    if subject.labels is not None:
        n = len(subject.labels)
        scores = [one.scores for one in subject.measured if one.scores is not None]
        intervals = [evaluation.accuracy_interval(one.accuracy, n) for one in scores]
        rows = [
            (wording("accuracy of {n:,} labelled {n:image|images}", n=n),
             *(f"{one.accuracy:.3f}" for one in scores)),
            (wording("its 95 % interval"), *(f"{low:.3f} – {high:.3f}" for low, high in intervals)),
            ("NMI", *(f"{one.nmi:.3f}" for one in scores)),
            ("ARI", *(f"{one.ari:.3f}" for one in scores)),
        ]  # fmt: skip
    checkpoints = [one.trained.checkpoint for one in subject.measured]
    rows += [
        (wording("reconstruction MSE of {n:,} {n:image|images}", n=len(subject.train)),
         *(f"{one.mse:.4f}" for one in subject.measured)),
        (wording("training time"), *(_minutes(c.provenance.get("seconds"), wording)
                                     for c in checkpoints)),
    ]  # fmt: skip
    return Table(tuple(header), tuple(rows))


def _paired(before: Measured, after: Measured, labels: IntArray, wording: Wording) -> str:
    """McNemar's exact test (1947, doi:10.1007/BF02295996) of the two on the same images."""
    assert before.table is not None
    assert after.table is not None
    right = [evaluation.match(one.table.labels, labels) == labels
             for one in (before, after) if one.table is not None]  # fmt: skip
    gained = int((~right[0] & right[1]).sum())
    lost = int((right[0] & ~right[1]).sum())
    chance = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    shown = f"{chance:.1e}" if chance < 0.001 else f"{chance:.3f}"
    return wording(
        "Of the {n:,} labelled images {after} gets {gained:,} right that {before} got wrong, and "
        "{lost:,} wrong that it got right (McNemar's exact test: p = {p}).",
        n=len(labels), after=after.trained.name, before=before.trained.name, gained=gained,
        lost=lost, p=shown,
    )  # fmt: skip


def _maps(pair: Sequence[Measured], labels: IntArray, wording: Wording) -> list[Block]:
    maps: list[tuple[str, FloatArray]] = []
    told = []
    for one in pair:
        assert one.table is not None
        xy, how = _map(one.table, one.trained.checkpoint.recipe, wording)
        maps.append((one.trained.name, xy))
        told.append(f"{one.trained.name}: {how}")
    caption = wording(
        "The {n:,} labelled images in the embedding, coloured by label. {told}. Both maps are "
        "centred and scaled alike, so that 99 % of the images lie within.",
        n=len(labels), told="; ".join(told),
    )  # fmt: skip
    return [
        Heading(wording("The embedding of the labelled images"), 2),
        Picture(figures.embeddings(maps, labels, wording=wording), caption),
    ]


def _map(table: ImageTable, recipe: Recipe, wording: Wording) -> tuple[FloatArray, str]:
    reduced = " → ".join([_embedding(recipe), *(str(part) for part in recipe.reducers)])
    if table.embedding.shape[1] == 2:
        return table.embedding, wording("{reduced}, as it is", reduced=reduced)
    if table.embedding.shape[1] < 2:
        flat = np.c_[table.embedding, np.zeros(len(table.embedding), dtype=np.float32)]
        return flat, wording("{reduced}, as it is", reduced=reduced)
    drawn = wording("{reduced} ({d} numbers), laid out by t-SNE with perplexity 30",
                    reduced=reduced, d=table.embedding.shape[1])  # fmt: skip
    return layout.lay_out(table.embedding), drawn


def _embedding(recipe: Recipe) -> str:
    return {"joint": "encoder + projection"}.get(recipe.embedding, recipe.embedding)


def _changes(
    before: Measured, after: Measured, letters: Iterator[str], wording: Wording
) -> list[Block]:
    """Every setting that differs, and what was measured of it, under the next of ``letters``."""
    changed = differences(before.trained.checkpoint.recipe, after.trained.checkpoint.recipe)
    changed.pop("name", None)
    known = after.trained.checkpoint.provenance.get("contributions", [])
    # What was measured between other recipes is not what was changed here.
    measured = [(one, next(letters)) for one in known if set(one["fields"]) <= changed.keys()]
    gains = {
        field: ", ".join(f"{letter}:\u00a0{one['after'] - one['before']:+.3f}"
                         for one, letter in measured if field in one["fields"])
        for field in changed
    }  # fmt: skip
    rows = tuple(
        (field, str(old), str(new), gains[field] or wording("not measured"))
        for field, (old, new) in changed.items()
    )
    told = tuple(
        wording(
            "{letter}, {what}: accuracy {before:.3f} → {after:.3f} ({gain:+.3f}; seeds {seeds}; "
            "{source})",
            letter=letter, what=wording(one["what"]), before=one["before"],
            after=one["after"], gain=one["after"] - one["before"],
            seeds=", ".join(map(str, one["seeds"])), source=one["source"],
        )
        for one, letter in measured
    )  # fmt: skip
    names = before.trained.name, after.trained.name
    blocks: list[Block] = [
        Heading(wording("Every setting that changed from {a} to {b}", a=names[0], b=names[1]), 2),
        Table((wording("setting"), *names, wording("gain in accuracy")), rows),
    ]
    if told:
        blocks += [
            Paragraph(wording("Settings with the same letter were changed together. What each "
                              "change gave by itself, all else equal (means over the seeds):")),
            Bullets(told),
        ]  # fmt: skip
    else:
        blocks.append(Paragraph(wording("What each change gave alone was not measured.")))
    return blocks


def _minutes(seconds: float | None, wording: Wording) -> str:
    if seconds is None:
        return wording("not recorded")
    if seconds < 59.5:
        return wording("{seconds:.0f} s", seconds=max(1.0, seconds))
    return wording("{minutes:.1f} min", minutes=seconds / 60)
