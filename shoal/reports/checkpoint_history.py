"""The section about the checkpoints kept while training: plots, conclusion, numbers."""

from __future__ import annotations

import os
from collections.abc import Callable

from shoal.errors import CheckpointError
from shoal.reports import figures, progression
from shoal.reports.document import Block, Bullets, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import ReportInputs
from shoal.reports.measurements import Point
from shoal.reports.observations import conclusion, observations
from shoal.reports.wording import Wording


def section(
    inputs: ReportInputs, wording: Wording, spare: Callable[[], float] | None = None
) -> list[Block]:
    """The checkpoint history of `ReportInputs.latest`, measured.

    Args:
        inputs: what the report is about.
        wording: the language.
        spare: see `assembly.report`.
    """
    trained = inputs.latest
    try:
        points = progression.progression(inputs, trained, None if spare is None else spare())
    except CheckpointError as error:  # a report that needs the history has called `check` before
        # Names without their folder: the report may be passed on.
        reason = str(error).replace(f"{trained.history.folder.parent}{os.sep}", "")
        return [Heading(wording("Checkpoints")), Paragraph(reason)]
    kept = len(trained.history.files()) or len(points)
    if len(points) < progression.FEWEST_SHOWN:
        return left_out(wording)
    n_labels = None if inputs.labels is None else len(inputs.labels)
    blocks: list[Block] = [
        Heading(wording("Checkpoints")),
        Paragraph(conclusion(points, wording)),
        Paragraph(_what_was_measured(inputs, trained.name, len(points), wording)),
    ]
    if kept != len(points):
        blocks.append(Paragraph(_in_part(kept, len(points), wording)))
    blocks += [
        Picture(figures.progression(points, wording=wording), _caption(n_labels, wording)),
        table(points, wording),
        Heading(wording("The numbers in detail"), 2),
        Bullets(observations(points, n_labels, wording)),
    ]
    if n_labels is None:
        blocks.append(Paragraph(wording("No labels were given: the accuracy is left out.")))
    return blocks


def left_out(wording: Wording) -> list[Block]:
    """The section of a report that did not measure the history."""
    reason = wording(
        "To save time, too few checkpoints along the way were measured to be shown; 'shoal report' "
        "measures all of them."
    )
    return [Heading(wording("Checkpoints")), Paragraph(reason)]


def table(points: list[Point], wording: Wording) -> Table:
    """Every number of every checkpoint."""
    labelled = points[0].accuracy is not None
    header = [wording("epoch"), wording("step"), "MSE"]
    header += [wording("accuracy")] if labelled else []
    header += [wording(name) for name in points[0].label_free]
    rows = [
        (
            f"{point.epoch:.1f}",
            f"{point.step:,}",
            f"{point.mse:.5f}",
            *([f"{point.accuracy:.3f}"] if labelled else []),
            *(f"{value:.3f}" for value in point.label_free.values()),
        )
        for point in points
    ]
    return Table(tuple(header), tuple(rows))


def _what_was_measured(inputs: ReportInputs, name: str, count: int, wording: Wording) -> str:
    return wording(
        "The {count} checkpoints kept while {name} was trained. The MSE is of all {n:,} "
        "{n:image|images}. "
        "Each checkpoint was clustered anew with {clustered:,} of the images; its label-free "
        "scores are of {scored:,} (see 'shoal evaluate --no-labels').",
        count=count, name=name, n=len(inputs.train),
        clustered=min(progression.CLUSTERED, len(inputs.train)),
        scored=min(progression.SCORED, len(inputs.train)),
    )  # fmt: skip


def _in_part(kept: int, measured: int, wording: Wording) -> str:
    return wording(
        "The time was enough to measure {measured} of the {kept} checkpoints kept along the way; "
        "'shoal report' measures all.",
        measured=measured, kept=kept,
    )  # fmt: skip


def _caption(n_labels: int | None, wording: Wording) -> str:
    if n_labels is None:
        return wording(
            "Reconstruction MSE and label-free scores of each checkpoint, against the epoch; "
            "above, the step."
        )
    return wording(
        "Reconstruction MSE, accuracy (shaded: its 95 % interval) and label-free scores of each "
        "checkpoint, against the epoch; above, the step."
    )
