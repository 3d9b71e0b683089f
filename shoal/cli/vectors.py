"""The command cluster: vectors that another program made."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shoal.cli.options import (
    ArrayName,
    Clusters,
    Force,
    MetricOfVectors,
    NoCache,
    Noise,
    OpenOptions,
    OutDir,
    Place,
    Quiet,
    Ray,
    Seed,
    Settings,
    Vectors,
    Workers,
    check_ray,
)
from shoal.images.remote.location import location


def cluster(
    vectors: Vectors,
    folder: OutDir,
    clusters: Clusters = None,
    images: Annotated[
        Place | None,
        typer.Option(metavar="DATA", show_default=False, parser=location,
                     help="The images of these vectors, to be shown: by their ids, or row by row."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="the only one",
                     help="Which column of a .parquet file holds the vectors."),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", show_default="id, if there is one",
                     help="Which column of a .parquet file holds the ids."),
    ] = None,
    array: ArrayName = None,
    metric: MetricOfVectors = None,
    noise: Noise = None,
    seed: Seed = None,
    settings: Settings = None,
    force: Force = False,
    ray: Ray = None,
    workers: Workers = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Cluster vectors that another program made.

    FOLDER then holds what 'shoal run' writes for images, and its checkpoint.pth assigns other
    vectors of the same program. Every command that takes DATA and CHECKPOINT takes VECTORS there.
    """
    import numpy as np

    from shoal import large, pipeline
    from shoal.cli import inference, opening
    from shoal.cli.large_vectors import cluster_in_blocks, how_compared
    from shoal.cli.next_step import TRIED, say_next, similar_to
    from shoal.cli.opening_vectors import open_vectors
    from shoal.cli.outputs import listed_in
    from shoal.cli.request import Request
    from shoal.cli.reviewed import review_of
    from shoal.cli.run_folder import already, corrections_kept, open_run
    from shoal.errors import DataError
    from shoal.export.record import read_record
    from shoal.export.summaries import nothing_set_aside
    from shoal.images.checks import check_n_clusters
    from shoal.images.open import write_skipped
    from shoal.images.shards import check_there
    from shoal.images.vectors.open import count_rows, holds_vectors, known_columns
    from shoal.images.vectors.open import open_vectors as usable_vectors
    from shoal.models import checkpoint as checkpoints
    from shoal.models.facts import Origin
    from shoal.models.provenance import command_line
    from shoal.plural import counted
    from shoal.progress import Reporter
    from shoal.recipes.named import VECTORS
    from shoal.reports.assembly import hand_over
    from shoal.scoring.worth_asking import known_of
    from shoal.training.allocator import keep_large_buffers

    check_ray(ray, workers)
    # What was interrupted is begun again: it takes seconds. What another program wrote there stays.
    resume = not force and read_record(folder) is not None
    request = Request(
        VECTORS, seed=seed, clusters=clusters, settings=tuple(settings or ()), resume=resume,
        device="cpu", force=force, metric=metric, pictures=images, noise=noise,
    )  # fmt: skip
    recipe = request.resolve()
    for path in filter(None, (vectors, images)):
        check_there(path)
    if images is not None and holds_vectors(images):
        raise DataError(f"images must be pictures of the vectors, but {images} holds vectors.")
    given: dict[str, Any] = {"array": array, "column": column, "id_column": id_column}
    if not request.auto and 1 < count_rows(vectors, **given) < recipe.n_clusters:
        # Refused before the folder is looked at, by the rows that can be used.
        check_n_clusters(recipe.n_clusters, len(usable_vectors(vectors, **given)), "vectors")
    report = Reporter(quiet=quiet)
    with open_run(folder, vectors, request) as opened:
        shown = None if images is None else opening.open_images(
            images, OpenOptions(cache=not no_cache), report=report, only_shown=True
        )  # fmt: skip
        source = open_vectors(vectors, images=shown, at_least=2, report=report, **given)
        if not request.auto:
            check_n_clusters(recipe.n_clusters, len(source), "vectors")
        blockwise = large.is_large(source, recipe, auto_k=request.auto)
        if blockwise:
            large.check(source, recipe)
        run = opened.of(source, request, report)
        if run.done:
            report.say(*already(run))
            return
        keep_large_buffers()
        report.say(
            f"{counted(len(source), 'vector')} of {counted(source.n_dimensions, 'number')}, "
            f"seed {recipe.seed}"
        )
        named = known_columns(vectors, column or "", "")["column"] or ""
        origin = Origin(command=command_line(), column=named, id_column=id_column or "")
        if blockwise:
            finished = cluster_in_blocks(
                source, recipe, run, report, auto_k=request.auto,
                auto_metric=request.auto_metric, origin=origin, ray=ray, workers=workers,
                column=column,
            )  # fmt: skip
            first = np.arange(min(TRIED, len(source)))
            say_next(
                report, known_of(len(source), finished),
                similar_to(first, source, finished, vectors, run.checkpoint),
            )  # fmt: skip
            return
        if ray is not None:
            report.say("that many fit into memory: they are clustered here, without Ray")
        finished, table = pipeline.cluster_vectors(
            source, recipe, auto_k=request.auto, auto_metric=request.auto_metric, origin=origin,
            track=report,
        )  # fmt: skip
        report.say(*how_compared(finished))
        if finished.facts.chosen is not None:
            report.say(finished.facts.chosen.reason)
        report.say(*nothing_set_aside(finished))
        checkpoints.save(finished, run.checkpoint, force=True)
        with run.results(table.ids, table.labels, report):
            write_skipped(source, folder / "skipped.csv")
            report.say(*listed_in(source, folder / "skipped.csv"))
            hand_over(source, finished, table, folder, report, device="cpu")
        report.say(*corrections_kept(run.checkpoint))
        inference.say_verdict(finished, report)
        say_next(report, known_of(len(source), finished), review_of(folder, vectors))
