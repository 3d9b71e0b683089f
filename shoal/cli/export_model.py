"""The command that takes a checkpoint to where shoal is not: export-model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import ArrayName, CheckpointPath, Force, NoCache, OpenOptions, Quiet


def export_model(
    checkpoint: CheckpointPath,
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="The file to write: .onnx, or .pt2 for torch.export.load.",
            show_default=False,
        ),
    ],
    split: Annotated[
        int, typer.Option(help="Which way to divide the pile; 'shoal splits' lists them.")
    ] = 1,
    numbers: Annotated[
        str | None,
        typer.Option(
            help="Pixels it will be given: 8-bit, integers or floats.",
            show_default="what the checkpoint learned from",
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="NAMES",
            help="Names of clusters for its metadata: what 'shoal name' read or wrote.",
            show_default="the table beside the checkpoint",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Images to compare it with 'shoal predict' on.",
            show_default="64 random ones",
        ),
    ] = None,
    opset: Annotated[
        int | None,
        typer.Option(help="For .onnx: the version of the operations.", show_default="18"),
    ] = None,
    array: ArrayName = None,
    no_cache: NoCache = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write a checkpoint as ONNX, to run without shoal.

    Images in; embedding, cluster and confidence out. Range and resizing are in the model. It is
    written once it gives the numbers of 'shoal predict' in onnxruntime, or in PyTorch for .pt2.
    """
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import check_learned, open_with
    from shoal.cli.outputs import check_outputs, replacing
    from shoal.export.load_corrections import corrections_beside
    from shoal.models import checkpoint as checkpoints
    from shoal.portable import export_model as exporting
    from shoal.portable.about import names_for
    from shoal.portable.model import check_takes_images
    from shoal.progress import Reporter
    from shoal.scoring.way import check_way
    from shoal.scoring.worth_asking import Known

    report = Reporter(quiet=quiet)
    inputs = [path for path in (checkpoint, names, check) if path is not None]
    source, loaded = None, checkpoints.load(checkpoint)
    check_takes_images(loaded)
    check_learned(loaded, checkpoint)
    check_way(loaded, split=split)
    replaced = check_outputs([model], inputs, force=force)
    exporting.check_target(model, opset, force=force)
    if check is not None:
        options = OpenOptions(array, cache=not no_cache)
        source, _ = open_with(checkpoint, check, report, options, known=loaded)
    named, where = names_for(loaded, checkpoint, names, split)
    agreement = exporting.export_model(
        loaded, model, split=split, numbers=numbers, names=named, check=source, opset=opset,
        force=force,
    )  # fmt: skip
    report.say(*replacing(replaced))
    report.say(*([f"names of clusters from {where}"] if where is not None else []))
    corrections, _ = corrections_beside(checkpoint)
    if corrections is not None:
        report.say(
            f"the corrections in {corrections.path} are not in the model: it gives the "
            "clusters as they were found; 'shoal predict' honours them"
        )
    on = "random images" if check is None else str(check)
    report.say(f"compared with predict on {on}: {agreement}")
    report.say(f"written to {model} ({model.stat().st_size / 1e6:.1f} MB)")
    say_next(report, Known(), ["info", checkpoint])
