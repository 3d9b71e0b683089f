"""The command that writes a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import Device, Force, Quiet
from shoal.cli.outputs import check_outputs, replacing


def report(
    out: Annotated[
        list[Path], typer.Argument(help="The report: OUT.pdf, OUT.html, or both.")
    ],
    train: Annotated[
        Path, typer.Option(help="The images that the checkpoints learned from.")
    ],
    before: Annotated[
        Path | None, typer.Option(help="A checkpoint to compare with --after.", show_default=False)
    ] = None,
    after: Annotated[
        Path | None, typer.Option(help="The improved checkpoint.", show_default=False)
    ] = None,
    best: Annotated[
        Path | None, typer.Option(help="The best checkpoint, whose history is shown.",
                                  show_default="--after"),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Labelled images to measure on.", show_default=False)
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Their labels: .npy, or .csv with a column label.", show_default=False),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(help="Images to reconstruct, by their place from 0.",
                     show_default="1,2,3,6,7,9"),
    ] = None,
    lang: Annotated[str, typer.Option(help="en or zh-TW.")] = "en",
    force: Force = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Answer from what training left behind: what was improved, how it went, what was found."""
    from shoal.cli import inference, opening
    from shoal.errors import DataError
    from shoal.progress import Reporter
    from shoal.reports import assembly
    from shoal.reports.inputs import parse_shown
    from shoal.scoring.evaluation import load_labels

    inputs = [train, before, after, best, images, labels]
    assembly.check_report(out)
    replaced = check_outputs(out, [path for path in inputs if path is not None], force=force)
    shown = None if show is None else parse_shown(show)
    if labels is not None and images is None:
        raise DataError("--labels came without --images; give both, or neither.")
    source = opening.open_images(train)
    labelled = (
        None
        if images is None
        else (
            opening.open_images(
                images,
                image_shape=source.shape,
                pixel_range=getattr(source, "pixel_range", None),
            )
        )
    )
    known = None if labels is None or labelled is None else load_labels(labels, len(labelled))
    reporter = Reporter(quiet=quiet)
    assembly.report(
        *out, train=source, before=before, after=after, best=best, images=labelled, labels=known,
        show=shown, language=lang, device=inference.ready(device), track=reporter,
    )  # fmt: skip
    reporter.say(*replacing(replaced))
    reporter.say(f"written: {', '.join(map(str, out))}")
