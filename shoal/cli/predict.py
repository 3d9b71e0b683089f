"""The command that assigns images to the clusters of a checkpoint."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import (
    ArrayName,
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
    Quiet,
    Ray,
    Workers,
    check_ray,
)
from shoal.cli.outputs import (
    check_outputs,
    check_suffix,
    kept_aside,
    listed_in,
    replacing,
)
from shoal.errors import OutputError
from shoal.models.provenance import name_alone

if TYPE_CHECKING:
    from shoal.models.checkpoint import Checkpoint  # it brings PyTorch


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

    The CSV has the columns id and label; with corrections, name and result, too. Of a single
    picture as DATA the cluster and the confidence are printed. New images that look like nothing
    the checkpoint was trained on are counted, and the table has a column familiarity. What cannot
    be read is listed beside it: beside found.csv in found.skipped.csv.
    """
    import numpy as np

    from shoal.cli import inference
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import load_finished, open_with
    from shoal.cli.reviewed import handing_over
    from shoal.clustering.choose_k import AUTO
    from shoal.clustering.digest import CLUSTERING, clustering_metadata
    from shoal.corrections.division import Division
    from shoal.export import summaries
    from shoal.images.files import free
    from shoal.images.open import write_skipped
    from shoal.progress import Reporter
    from shoal.scoring import label_free
    from shoal.scoring.way import check_way
    from shoal.scoring.worth_asking import known_of

    check_ray(ray, workers, device)
    report = Reporter(quiet=quiet)
    honouring = Honouring(checkpoint, corrections, no_corrections, report)
    inputs = [data, checkpoint, *honouring.files]
    if not backup:  # the assignment's scripts write to whatever name they are given
        check_suffix(prediction, [".csv"], "a prediction")
    skipped = prediction.with_name(f"{prediction.stem}.skipped.csv")

    def check_asked() -> Checkpoint:
        if table is not None and table.suffix.lower() != ".parquet":
            raise OutputError(f"the file of --table must end in .parquet, got {table}.")
        loaded = load_finished(checkpoint, data)
        if clusters != AUTO:
            check_way(loaded, clusters, 1 if split is None else split)
        return loaded

    replaced = check_outputs(
        [prediction, table, skipped], inputs, force=force or backup, kept=backup,
        first=check_asked, named_by={"--table": table},
    )  # fmt: skip
    loaded = check_asked()
    options = OpenOptions(array, channels, composite, every, pages, cache=not no_cache)
    source, _ = open_with(checkpoint, data, report, options, known=loaded)
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
            inference.warn_of(source, result, loaded, report, clusters=division.n_clusters)
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
    summary = summaries.prediction_summary(result, loaded.recipe.kind[:-1])
    report.say(f"{summary}; written to {prediction}" + (f" and {table}" if table else ""))
    names = free(prediction.with_name("names.csv"))
    learned = known_of(len(result), loaded, indistinct=inference.are_indistinct(result))
    if not own:
        one_group = len(np.unique(result.labels)) < 2
        learned = replace(learned, single=False, one_group=one_group)
    if len(result) == 1:  # its cluster is told; there is nothing to name
        learned = replace(learned, one_group=True)
    if known is not None and result.names is not None and all(result.names):
        say_next(report, learned, handing_over(data, prediction))
    else:
        say_next(report, learned, ["name", prediction, "--template", names])
