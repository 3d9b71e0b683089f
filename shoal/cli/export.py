"""Commands that give clusters names and take the images away: name, export."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import ArrayName, Data, Force, NoCache, Quiet, Size
from shoal.cli.outputs import check_outputs

PredictionPath = Annotated[
    Path,
    typer.Argument(help="A prediction.csv, or a table.parquet, which knows more.",
                   show_default=False),
]  # fmt: skip


def name(
    prediction: PredictionPath,
    names: Annotated[
        Path, typer.Argument(help="A CSV with the columns cluster and name.", show_default=False)
    ],
    template: Annotated[
        bool, typer.Option("--template", help="Write NAMES, to fill in the names.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The checkpoint that made the prediction, for names given to other images of it.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Give the clusters of a prediction names, as its column name; one name twice merges."""
    from shoal.export.naming import name_clusters, write_template
    from shoal.images.files import check_distinct, check_writable
    from shoal.progress import Reporter
    from shoal.search import answers

    report = Reporter(quiet=quiet)
    if template:
        check_outputs([names], [prediction], force=force)
        write_template(prediction, names)
        told = shlex.join(["shoal", "name", str(prediction), str(names)])
        report.say(f"written to {names}; fill in its column name, then give them with '{told}'")
        return
    check_distinct([prediction], [names])
    check_writable(prediction)
    given = name_clusters(prediction, names, checkpoint=checkpoint, force=force)
    if not given.known_for:
        report.say(f"{names} does not say for which result its names are; taken for {prediction}")
    report.say(answers.named(given.names, prediction))


def export(
    data: Data,
    prediction: PredictionPath,
    out: Annotated[
        Path,
        typer.Argument(help="A new folder, or a new file.", show_default=False),
    ],
    kind: Annotated[
        str, typer.Option("--as", help="folders, csv, parquet, or json (as COCO has it).")
    ] = "folders",
    by: Annotated[
        str, typer.Option(help="For folders: copy, hardlink or symlink the files of DATA.")
    ] = "copy",
    trust: Annotated[
        str | None,
        typer.Option(
            help="Which counts where label and name contradict: label or name.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
    ] = False,
    size: Size = None,
    array: ArrayName = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Write images and clusters for other programs; DATA is only read, nothing is replaced."""
    from shoal.cli import opening
    from shoal.export import export as exporting
    from shoal.export.prediction import load_prediction
    from shoal.progress import Reporter
    from shoal.search import answers

    exporting.check_export(data, out, kind, by)
    report = Reporter(quiet=quiet)
    loaded = load_prediction(prediction, trust=trust)
    source = opening.open_images(data, size=size, array=array, cache=not no_cache, report=report)
    if dry_run:
        print(exporting.plan_export(source, loaded, out, kind=kind, by=by))
        return
    if kind == "parquet" and not loaded.has_embedding:
        report.say(
            f"{prediction} holds no embedding, so that confidence, x, y and neighbors are left "
            "out; the table.parquet of 'shoal run' or 'shoal predict --table' has it"
        )
    missing = exporting.export_prediction(source, loaded, out, kind=kind, by=by, track=report)
    with_images = kind in ("folders", "parquet")
    how = source.originals.describe() if with_images else "their names alone"
    n_images = len(loaded.ids) - len(missing)
    report.say(answers.exported(n_images, len(source) - n_images, how, out))
    if missing:
        print(exporting.describe_missing(missing, loaded, source), file=sys.stderr)
        raise typer.Exit(1)
