"""Commands that give clusters names and take the images away: name, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    ArrayName,
    Channels,
    Composite,
    Corrections,
    Data,
    Every,
    Force,
    NoCache,
    NoCorrections,
    OpenOptions,
    Pages,
    PredictionPath,
    Quiet,
    Size,
)
from shoal.cli.outputs import check_outputs


def name(
    prediction: PredictionPath,
    names: Annotated[
        Path | None,
        typer.Argument(
            metavar="NAMES", help="A CSV with the columns cluster and name.", show_default=False
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The CSV to write, in which you fill in the names.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The checkpoint that made the prediction; needed if NAMES is for other images.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Give the clusters of a prediction names.

    They become its column name. Two clusters of one name are merged. --template FILE writes a file
    to fill in; NAMES is that file.
    """
    from shoal.cli.next_step import command, say_next
    from shoal.cli.reviewed import handing_over
    from shoal.cli.run_identity import data_of_run
    from shoal.errors import DataError
    from shoal.export.naming import name_clusters, write_template
    from shoal.images.files import free
    from shoal.images.output_checks import check_distinct, check_writable
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known
    from shoal.search import summaries

    report = Reporter(quiet=quiet)
    if (names is None) == (template is None):
        raise DataError("name needs either NAMES, or --template to write a file for them.")
    if prediction.is_dir():
        raise DataError(
            f"{prediction} is a folder; name the prediction in it, such as "
            f"{prediction / 'prediction.csv'}."
        )
    if names is not None and not names.exists():
        raise DataError(
            f"{names}: no such file. NAMES is a CSV with the columns cluster and name; "
            f"'shoal name {prediction} --template names.csv' writes one to fill in."
        )
    if template is not None:
        check_outputs([template], [prediction], force=force, named_by={"--template": template})
        write_template(prediction, template, force=force)
        report.say(f"written to {template}; fill in its column name")
        say_next(report, Known(), ["name", prediction, template])
        return
    assert names is not None
    check_distinct([prediction], [names])
    check_writable(prediction)
    given = name_clusters(prediction, names, checkpoint=checkpoint, force=force)
    if not given.known_for:
        report.say(f"{names} does not say for which result its names are; taken for {prediction}")
    report.say(summaries.of_names(given.names, prediction))
    data = data_of_run(prediction.parent)
    if data is not None:
        say_next(report, Known(), handing_over(data, prediction))
        return
    line = command("export", "DATA", prediction, free(prediction.with_name("sorted")))
    report.say(f"next, with your images in place of DATA: {line}")


def export(
    data: Data,
    prediction: PredictionPath,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The new folder, or file, to write.", show_default=False
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            help="folders, csv, parquet, json (as COCO has it), fiftyone, hugging-face or "
            "label-studio.",
        ),
    ] = "folders",
    by: Annotated[
        str, typer.Option(help="For folders: copy, hardlink or symlink the files of DATA.")
    ] = "copy",
    trust: Annotated[
        str | None,
        typer.Option(
            help="label or name: the column that counts where the two contradict each other.",
            show_default=False,
        ),
    ] = None,
    corrections: Corrections = None,
    no_corrections: NoCorrections = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
    ] = False,
    size: Size = None,
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    every: Every = None,
    pages: Pages = "auto",
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Write sorted folders, CSV, Parquet or COCO.

    DATA is only read, and nothing is replaced. PREDICTION stays as it is: corrections count in what
    is written.
    """
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import say_next, unless_done
    from shoal.cli.opening_as_learned import open_pile
    from shoal.export import export as exporting
    from shoal.export.missing import is_of_other_rows
    from shoal.export.prediction import load_prediction
    from shoal.images.vectors.source import has_pictures, noun_held
    from shoal.models.checkpoint import load
    from shoal.models.provenance import typed
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known, known_of
    from shoal.search import summaries

    exporting.check_export(data, out, kind, by)
    report = Reporter(quiet=quiet)
    checkpoint = prediction.with_name("checkpoint.pth")
    honouring = Honouring(checkpoint, corrections, no_corrections, report)
    loaded = load_prediction(prediction, trust=trust)
    made_by = checkpoint if checkpoint.is_file() else None
    run = None if made_by is None else load(made_by)
    options = OpenOptions(array, channels, composite, every, pages, cache=not no_cache)
    source = open_pile(data, made_by, options, size=size, report=report, only_shown=True)
    loaded = honouring.of_file(loaded, source)
    noun = noun_held(source)
    if dry_run:
        print(exporting.plan_export(source, loaded, out, kind=kind, by=by, noun=noun))
        report.say(f"next: {typed(without='--dry-run')}")
        return
    if kind == "parquet" and not loaded.has_embedding:
        report.say(
            f"{prediction} holds no embedding, so that confidence, x, y and neighbors are left "
            "out; the table.parquet of 'shoal run' or 'shoal predict --table' has it"
        )
    if run is not None and is_of_other_rows(source, run, prediction):
        said = f"{prediction} was made of other {noun}s than {data}: its numbers are of their rows"
        print(f"warning: {said}, so groups may go to the wrong {noun}s", file=sys.stderr)
    missing = exporting.export_prediction(source, loaded, out, kind=kind, by=by, track=report)
    with_images = kind in ("folders", "parquet") and has_pictures(source)
    how = source.originals.describe() if with_images else "their ids and groups"
    n_images = len(loaded.ids) - len(missing)
    report.say(summaries.of_export(n_images, len(source) - n_images, how, out, noun))
    if missing:
        said = exporting.describe_missing(missing, loaded, source, noun=noun)
        print(f"warning: {said}", file=sys.stderr)  # with --quiet, too
    known = Known(len(source)) if run is None else known_of(len(source), run)
    say_next(
        report, known,
        None if made_by is None else unless_done("outliers", data, made_by),
        unless_done("duplicates", data),
    )  # fmt: skip
