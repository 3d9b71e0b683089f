"""The whole report as a document: which sections it has, and in which order.

A report on one checkpoint answers a reader's questions: can the clusters be trusted, what are they,
how else could the pile be divided, how sure is it; how they were made comes last. A report that
compares checkpoints begins with the three questions of the assignment it grew from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shoal import pipeline
from shoal.corrections.predict import predict_corrected
from shoal.embedding.table import ImageTable
from shoal.plots import layout
from shoal.reports import (
    certainty,
    checkpoint_history,
    clusters,
    improvement,
    mistakes,
    reconstructions,
    reproducibility,
    splits,
    trust,
)
from shoal.reports.document import Block, Document, Heading, Paragraph
from shoal.reports.inputs import ReportInputs
from shoal.reports.wording import Wording


def compose(
    inputs: ReportInputs, wording: Wording, *, history: bool = True,
    spare: Callable[[], float] | None = None, table: ImageTable | None = None,
) -> tuple[Document, ImageTable]:  # fmt: skip
    """The document, and the table of all images learned from, with their places on a map.

    Args:
        inputs: what it is about, checked.
        wording: the language.
        history: measure the checkpoints along the way.
        spare: see `assembly.report`.
        table: of the images learned from by `ReportInputs.main`, with a map, if it is known.
    """
    conflicts: tuple[str, ...] = ()
    if table is None:
        main, device, track = inputs.main.trained.checkpoint, inputs.device, inputs.track
        corrections = inputs.honoured
        if corrections is None:
            table = pipeline.predict(inputs.train, main, device=device, track=track)
        else:
            honoured = predict_corrected(
                inputs.train, main, corrections, device=device, track=track
            )
            table, conflicts = honoured.table, honoured.conflicts
        table = replace(table, xy=layout.lay_out(table.embedding, track=inputs.track))
    document = Document(
        title=wording("What belongs together in {n:,} {n:image|images}", n=len(inputs.train)),
        subtitle=wording(
            "A report by shoal on {names}; learned without labels from these images alone.",
            names=", ".join(trained.name for trained in inputs.all),
        ),
        language=wording.language,
    )
    verdict = trust.section(inputs, trust.verdict_on(inputs), wording)
    compared = improvement.section(inputs, wording)
    groups = clusters.section(inputs, table, wording, conflicts)
    groups += splits.section(inputs, table, wording)
    sure = certainty.section(inputs, table, wording) + mistakes.section(inputs, wording)
    rebuilt, kept = _of_training(inputs, wording, history, spare)
    details = reproducibility.section(inputs, wording)
    if inputs.before is not None:  # a comparison: the assignment's three questions first
        document.first += [*compared, *rebuilt, *kept, *verdict]
        document.add(*groups, *sure, *details)
    else:
        document.first += verdict
        document.add(*groups, *sure, *compared, *rebuilt, *kept, *details)
    return document, table


def _of_training(
    inputs: ReportInputs, wording: Wording, history: bool, spare: Callable[[], float] | None
) -> tuple[list[Block], list[Block]]:
    """Reconstructions, and the checkpoint history; of vectors a sentence in their place."""
    if inputs.main.trained.checkpoint.n_dimensions:
        said = wording(
            "These are vectors that another program made: nothing was trained, so there are no "
            "reconstructions, no checkpoints along the way, and nothing is said of pixels."
        )
        metric = inputs.main.trained.checkpoint.chosen_metric
        compared = wording("; ").join(wording.warning(clause) for clause in metric.clauses)
        blocks: list[Block] = [
            Heading(wording("Vectors from elsewhere")), Paragraph(said),
            Paragraph(compared[0].upper() + compared[1:] + wording(".")),
        ]  # fmt: skip
        n_all, n_shown = inputs.main.trained.checkpoint.n_images, len(inputs.train)
        if n_all > n_shown:
            text = wording(
                "There are {n_all:,} vectors. Pictures, lists and numbers of this report are of "
                "{n_shown:,} of them, drawn at random; prediction.csv holds all.",
                n_all=n_all, n_shown=n_shown,
            )  # fmt: skip
            blocks.append(Paragraph(text))
        return [], blocks
    rebuilt = reconstructions.section(inputs, wording)
    if history:
        return rebuilt, checkpoint_history.section(inputs, wording, spare)
    return rebuilt, checkpoint_history.left_out(wording)
