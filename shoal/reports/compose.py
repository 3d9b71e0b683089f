"""What a report says, section by section, as a document."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from shoal import pipeline
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError
from shoal.images.tensors import to_float, to_pixels
from shoal.models.checkpoint import Checkpoint
from shoal.plots import layout
from shoal.protocols import Array
from shoal.reports import clusters, figures, improvement, progression, reproducibility, trust
from shoal.reports.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from shoal.reports.inputs import Subject
from shoal.reports.observations import observations
from shoal.reports.wording import Wording


def compose(
    subject: Subject, wording: Wording, *, history: bool = True,
    spare: Callable[[], float] | None = None, table: ImageTable | None = None,
) -> tuple[Document, ImageTable]:  # fmt: skip
    """The whole report, and the table of all images learned from, with their places on a map.

    Args:
        subject: what it is about, checked.
        wording: the language.
        history: measure the checkpoints along the way.
        spare: see `assembly.report`.
        table: of the images learned from by `Subject.main`, with a map, if it is known already.
    """
    main = subject.main
    if table is None:
        table = pipeline.predict(
            subject.train, main.trained.checkpoint, device=subject.device, track=subject.track
        )
        table = replace(table, xy=layout.lay_out(table.embedding, track=subject.track))
    document = Document(
        title=wording("What belongs together in {n:,} {n:image|images}", n=len(subject.train)),
        subtitle=wording(
            "A report by shoal on {names}; learned without labels from these images alone.",
            names=", ".join(one.name for one in subject.all),
        ),
        language=wording.language,
    )
    document.first += trust.section(subject, trust.verdict_on(subject), wording)
    document.add(*improvement.section(subject, table, wording))
    document.add(*_reconstructions(subject, wording))
    document.add(*_history(subject, wording, spare) if history else _no_history(wording))
    document.add(*clusters.section(subject, table, wording))
    document.add(*reproducibility.section(subject, wording))
    return document, table


def _reconstructions(subject: Subject, wording: Wording) -> list[Block]:
    main, rows = subject.main, np.array(subject.show, dtype=np.int64)
    if not len(rows):
        return []
    images = subject.train.read(rows)
    rebuilt = _rebuild(images, main.trained.checkpoint)
    why = (
        wording("the most accurate of the checkpoints")
        if subject.labels is not None
        else wording("the last of the checkpoints given, as there are no labels to choose by")
    )
    titles = [
        wording("image {i}", i=name) if (name := subject.train.ids[row]).isdecimal() else name
        for row in rows
    ]
    caption = wording(
        "Images above what {name} makes of their code, {why}. MSE: mean squared error of the "
        "pixels in 0 to 1; over all {n:,} {n:image|images} it is {mse:.4f}.",
        name=main.trained.name, why=why, n=len(subject.train), mse=main.mse,
    )  # fmt: skip
    figure = figures.reconstructions(images, rebuilt, titles, wording=wording)
    return [Heading(wording("Reconstructions")), Picture(figure, caption)]


def _history(subject: Subject, wording: Wording, spare: Callable[[], float] | None) -> list[Block]:
    one = subject.latest
    try:
        points = progression.progression(subject, one, None if spare is None else spare())
    except CheckpointError as error:  # whoever cannot do without it has asked `check` before
        # The names alone: the report may be passed on.
        reason = str(error).replace(f"{one.history.folder.parent}{os.sep}", "")
        return [Heading(wording("Checkpoints")), Paragraph(reason)]
    kept = len(one.history.files()) or len(points)
    if len(points) < progression.FEWEST_SHOWN:
        return _no_history(wording)
    n = None if subject.labels is None else len(subject.labels)
    header = [wording("epoch"), wording("step"), "MSE"]
    rows = [[f"{point.epoch:.1f}", f"{point.step:,}", f"{point.mse:.5f}"] for point in points]
    if n is not None:
        header += [wording("accuracy")]
        for row, point in zip(rows, points, strict=True):
            row += [f"{point.accuracy:.3f}"]
    header += [wording(name) for name in points[0].label_free]
    for row, point in zip(rows, points, strict=True):
        row += [f"{point.label_free[name]:.3f}" for name in points[0].label_free]
    told = wording(
        "The {count} checkpoints kept while {name} was trained. The MSE is of all {n:,} "
        "{n:image|images}. "
        "The clusters of each were found anew among {clustered:,} of the images, its label-free "
        "scores are of {scored:,} (see 'shoal evaluate --no-labels').",
        count=len(points), name=one.name, n=len(subject.train),
        clustered=min(progression.CLUSTERED, len(subject.train)),
        scored=min(progression.SCORED, len(subject.train)),
    )  # fmt: skip
    blocks: list[Block] = [
        Heading(wording("Checkpoints")),
        Paragraph(told),
        *([] if kept == len(points) else [Paragraph(_in_part(kept, len(points), wording))]),
        Picture(
            figures.progression(points, wording=wording),
            wording("Reconstruction MSE and label-free scores of each checkpoint, against the "
                    "epoch; above, the step.")
            if n is None else
            wording("Reconstruction MSE, accuracy (shaded: its 95 % interval) and label-free "
                    "scores of each checkpoint, against the epoch; above, the step."),
        ),
        Table(tuple(header), tuple(map(tuple, rows))),
        Heading(wording("What these numbers say"), 2),
        Bullets(observations(points, n, wording)),
    ]  # fmt: skip
    if n is None:
        blocks.append(Paragraph(wording("No labels were given: the accuracy is left out.")))
    return blocks


def _in_part(kept: int, measured: int, wording: Wording) -> str:
    return wording(
        "In the time there was, {measured} of the {kept} checkpoints kept along the way were "
        "measured; 'shoal report' measures all.",
        measured=measured, kept=kept,
    )  # fmt: skip


def _no_history(wording: Wording) -> list[Block]:
    told = wording("The checkpoints along the way were not measured, to save time; 'shoal report' "
                   "does.")  # fmt: skip
    return [Heading(wording("Checkpoints")), Paragraph(told)]


@torch.inference_mode()
def _rebuild(images: Array, checkpoint: Checkpoint) -> Array:
    return to_pixels(checkpoint.build_encoder()(to_float(images, "cpu")).clamp(0.0, 1.0))
