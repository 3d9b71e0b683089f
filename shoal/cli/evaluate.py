"""Commands on a finished checkpoint: predict, splits, evaluate, info."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import (
    CORRECTED,
    LABELS,
    ArrayName,
    AsJson,
    Channels,
    CheckpointPath,
    Clusters,
    Composite,
    Corrections,
    Data,
    Device,
    Every,
    Force,
    NoCache,
    NoCorrections,
    OpenOptions,
    Pages,
    Picture,
    Quiet,
    Ray,
    Workers,
    check_ray,
)
from shoal.cli.outputs import (
    check_outputs,
    check_skipped,
    check_suffix,
    kept_aside,
    listed_in,
    replacing,
)
from shoal.errors import DataError, OutputError
from shoal.models.provenance import name_alone

if TYPE_CHECKING:
    from shoal.embedding.table import ImageTable


def predict(
    data: Data,
    checkpoint: CheckpointPath,
    prediction: Annotated[
        Path,
        typer.Argument(metavar="PREDICTION", help="The CSV to write.", show_default=False),
    ],
    clusters: Clusters = None,
    split: Annotated[
        int | None,
        typer.Option(
            help="Which way to divide the pile; 'shoal splits' lists them.",
            show_default="1, or the one that was corrected",
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The table to write: .parquet, with confidence, familiarity and embedding.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    backup: Annotated[
        bool,
        typer.Option("--backup", help="Replace, and keep what was there, as prediction.1.csv."),
    ] = False,
    corrections: Corrections = None,
    no_corrections: NoCorrections = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    every: Every = None,
    pages: Pages = "auto",
    no_cache: NoCache = False,
    ray: Ray = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Assign each image to a cluster, new images too.

    The CSV has the columns id and label; with corrections, name and result, too. New images that
    look like nothing the checkpoint was trained on are counted, and the table has a column
    familiarity. What cannot be read is listed in skipped.csv beside the CSV.
    """
    from shoal.cli import inference, opening
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import free, say_next
    from shoal.clustering.clustering import check_finished
    from shoal.clustering.digest import CLUSTERING, clustering_metadata
    from shoal.corrections.division import Division
    from shoal.export import summaries
    from shoal.images.open import write_skipped
    from shoal.images.output_checks import check_distinct
    from shoal.progress import Reporter
    from shoal.scoring import label_free

    check_ray(ray, workers)
    report = Reporter(quiet=quiet)
    honouring = Honouring(checkpoint, corrections, no_corrections, report)
    inputs = [data, checkpoint, *honouring.files]
    if not backup:  # the assignment's scripts write to whatever name they are given
        check_suffix(prediction, [".csv"], "a prediction")
    skipped = prediction.with_name("skipped.csv")
    check_distinct([prediction, table, skipped], inputs)
    check_skipped(skipped)
    replaced = check_outputs([prediction, table], inputs, force=force or backup, kept=backup)
    if table is not None and table.suffix.lower() != ".parquet":
        raise OutputError(f"the file of --table must end in .parquet, got {table}.")
    options = OpenOptions(array, channels, composite, every, pages, cache=not no_cache)
    source, loaded = opening.open_with(checkpoint, data, report, options)
    check_finished(loaded)
    known = honouring.load(loaded)
    division = honouring.division(known, clusters, split, loaded)
    # Of another number of clusters, or another split, nothing was measured.
    own = division.of(loaded) == Division()
    place = Path(name_alone(str(checkpoint)))  # the table may be passed on
    metadata = label_free.verdict_on(loaded, path=place).metadata() if own else {}
    metadata |= clustering_metadata(loaded, n_clusters=division.n_clusters, split=division.split)
    with contextlib.ExitStack() as parts:
        if ray is None:
            result = inference.predict(
                source, loaded, report, clusters=division.n_clusters, split=division.split,
                device=device,
            )  # fmt: skip
            to_parquet = result.to_parquet
        else:
            from shoal.cli import sharded

            order = sharded.order_for(data, source, (checkpoint, loaded), options)
            in_parts = parts.enter_context(sharded.predicted(
                source, order, loaded, division, prediction, report, ray=ray, workers=workers,
                device=device, force=force,
            ))  # fmt: skip
            result = in_parts.table if known is None else in_parts.whole()
            to_parquet = in_parts.to_parquet
            inference.warn_of(result, loaded, report, clusters=division.n_clusters)
        if known is not None:
            honoured = honouring.honour(result, known, loaded, source, division)
            result = honoured.table
            to_parquet = result.to_parquet
            metadata[CLUSTERING] = honoured.digest.encode()
        with kept_aside(replaced if backup else []) as kept:
            result.to_csv(prediction, force=force or backup)
            if table is not None:
                to_parquet(table, metadata, force=force or backup)
    write_skipped(source, skipped)
    report.say(*listed_in(source, skipped))
    report.say(*(f"the earlier {old} is kept as {copy}" for old, copy in kept))
    report.say(*replacing(replaced if not backup else ()))
    report.say(f"{summaries.prediction_summary(result)}; written to {prediction}")
    names = free(prediction.with_name("names.csv"))
    say_next(report, "name", prediction, "--template", names)


def splits(
    data: Data,
    checkpoint: CheckpointPath,
    picture: Picture = Path("splits.png"),
    as_json: AsJson = False,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """List and draw the ways to divide the pile."""
    from shoal.cli import inference, opening
    from shoal.cli.next_step import free, free_picture, say_next
    from shoal.export import summaries
    from shoal.images.output_checks import check_picture
    from shoal.plots import figures
    from shoal.progress import Reporter

    replaced = check_outputs([picture], [data, checkpoint], force=force)
    check_picture(picture)
    report = Reporter(quiet=quiet or as_json)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = opening.open_with(checkpoint, data, report, options)
    compared = inference.splits(source, loaded, report, device=device)
    figures.write(
        figures.splits(source, [split.table for split in compared], track=report), picture
    )
    if as_json:
        print(json.dumps([split.to_json() for split in compared], indent=2))
        return
    if not quiet:
        print(summaries.splits_table(compared))
    report.say(*replacing(replaced))
    report.say(f"members of each: {picture}")
    if len(compared) > 1:
        out = free(Path("split-2.csv"))
        say_next(report, "predict", data, checkpoint, out, "--split", 2)
    else:
        say_next(report, "clusters", data, checkpoint, *free_picture("n_clusters"))


def evaluate(
    data: Data,
    checkpoint: CheckpointPath,
    labels: Annotated[
        Path | None,
        typer.Argument(metavar="LABELS", help=LABELS, show_default=False),
    ] = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Measure what can be measured without labels.")
    ] = False,
    corrections: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=CORRECTED,
            show_default="the result as it is",
        ),
    ] = None,
    as_json: AsJson = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
) -> None:
    """Measure a checkpoint, with labels or without.

    With LABELS: accuracy, NMI, ARI and reconstruction error; with --corrections, of the groups that
    a person made of the result. With --no-labels: how consistent the clusters are.
    """
    from shoal.cli import inference, opening
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import free_outputs, free_picture, say_next
    from shoal.export import summaries
    from shoal.progress import Reporter

    inference.check_labels_or_none(labels, no_labels)
    if labels is None and corrections is not None:
        raise DataError("corrections need labels to be measured with; give LABELS.")
    report = Reporter(quiet=as_json)
    honouring = Honouring(checkpoint, corrections, corrections is None, report)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = opening.open_with(checkpoint, data, report, options)
    if labels is None:
        judged = inference.judge(source, loaded, report, device=device)
        more = {"combined": judged.combined, "clusters_found_here": not loaded.finished}
        facts = asdict(judged) | more
        print(json.dumps(facts, indent=2) if as_json else summaries.label_free_text(judged))
        if loaded.finished:
            say_next(report, "splits", data, checkpoint, *free_picture("splits"))
        else:
            say_next(report, "info", checkpoint)
        return
    known = honouring.load(loaded)
    division = honouring.division(known, None, None, loaded)

    def corrected(table: ImageTable) -> ImageTable:
        if known is None:
            return table
        return honouring.honour(table, known, loaded, source, division).table

    measured = inference.evaluate(
        source, loaded, labels, device=device, division=division, corrected=corrected
    )
    print(json.dumps(measured, indent=2) if as_json else summaries.evaluation_text(measured))
    say_next(report, "outliers", data, checkpoint, *free_outputs("outliers"))


def info(checkpoint: CheckpointPath, as_json: AsJson = False) -> None:
    """Show what a checkpoint is, and how far to trust its clusters.

    Recipe, epoch, time, data, versions, history, warnings.
    """
    from shoal.cli.next_step import say_next
    from shoal.export import summaries
    from shoal.export.load_corrections import corrections_of
    from shoal.models import checkpoint as checkpoints
    from shoal.progress import Reporter
    from shoal.scoring import label_free

    loaded = checkpoints.load(checkpoint)
    corrections = corrections_of(checkpoint, loaded)
    if as_json:
        facts = summaries.checkpoint_facts(loaded, checkpoint)
        if corrections is not None:
            facts["corrections"] = summaries.corrections_facts(corrections)
        print(json.dumps(facts, indent=2))
    else:
        print(summaries.checkpoint_text(loaded, checkpoint))
        if corrections is not None:
            print(summaries.corrections_text(corrections))
        if loaded.finished:  # last, so that the verdict is what a person sees
            print(label_free.verdict_on(loaded, path=checkpoint))
        elif checkpoint.parent.name:
            final = checkpoint.parent.with_suffix("")
            if final.is_file():
                say_next(Reporter(), "info", final)
