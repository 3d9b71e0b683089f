"""The command that writes a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    LABELS,
    Channels,
    CheckpointPath,
    Composite,
    Corrections,
    Data,
    Device,
    Force,
    NoCorrections,
    OpenOptions,
    Place,
    Quiet,
)
from shoal.cli.outputs import check_outputs, replacing
from shoal.images.remote.location import location


def report(
    data: Data,
    checkpoint: CheckpointPath,
    out: Annotated[
        list[Path],
        typer.Argument(metavar="REPORT", help="The report to write: a .pdf, an .html, or both."),
    ],
    before: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An earlier checkpoint, to compare with --after.",
                     show_default=False),
    ] = None,
    after: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The improved checkpoint.", show_default="CHECKPOINT"),
    ] = None,
    images: Annotated[
        Place | None,
        typer.Option(metavar="FILE", help="Labelled images to measure on.", show_default=False,
                     parser=location),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help=LABELS, show_default=False)
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(help="Images to reconstruct, by their places in DATA, from 0.",
                     show_default="1,2,3,6,7,9"),
    ] = None,
    lang: Annotated[str, typer.Option(help="en or zh-TW.")] = "en",
    channels: Channels = None,
    composite: Composite = None,
    corrections: Corrections = None,
    no_corrections: NoCorrections = False,
    force: Force = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write a report on a checkpoint, as PDF or as a page.

    DATA is what CHECKPOINT learned from. The report says what was found, how sure that
    is, how training went, and with --before what was improved.
    """
    from shoal.cli import inference, opening
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import asked_or_learned, open_as_learned, open_pile
    from shoal.errors import DataError
    from shoal.images.files import free
    from shoal.models import checkpoint as checkpoints
    from shoal.progress import Reporter
    from shoal.reports import assembly
    from shoal.reports.inputs import parse_shown
    from shoal.scoring.evaluation import load_labels
    from shoal.scoring.worth_asking import known_of

    reporter = Reporter(quiet=quiet)
    honouring = Honouring(checkpoint, corrections, no_corrections, reporter)
    inputs = [data, checkpoint, before, after, images, labels, *honouring.files]
    assembly.check_report(out)
    shown = None if show is None else parse_shown(show)
    if labels is not None and images is None:
        raise DataError("--labels needs --images, the images that they are of.")
    if after is not None and before is None:
        raise DataError("--after needs --before, the checkpoint to compare it with.")
    if before is not None and after is None:
        after = checkpoint
    replaced = check_outputs(out, [path for path in inputs if path is not None], force=force)
    learned = checkpoints.load(checkpoint)
    if learned.n_dimensions:
        source = open_pile(data, checkpoint, report=reporter)
    else:
        options = OpenOptions(channels=channels, composite=composite)
        source = open_as_learned(data, learned, options)
    labelled = None
    if images is not None:
        options = asked_or_learned(OpenOptions(composite=composite), learned, images)
        labelled = opening.open_images(
            images, options, image_shape=source.shape, pixel_range=learned.pixel_range,
            fit=learned.fit,
        )  # fmt: skip
    known = None
    if labels is not None and labelled is not None:
        known = load_labels(labels, len(labelled), labelled.ids)
    corrected = None
    if honouring.path is not None:
        corrected = honouring.load(learned)
    assembly.report(
        *out, train=source, before=before, after=after, best=checkpoint, images=labelled,
        labels=known, show=shown, language=lang, corrections=corrected, force=force,
        device=inference.ready(device),
        track=reporter,
    )  # fmt: skip
    reporter.say(*replacing(replaced))
    reporter.say(f"written: {', '.join(map(str, out))}")
    table = free(Path("prediction.csv"))
    say_next(reporter, known_of(len(source), learned), ["predict", data, checkpoint, table])
