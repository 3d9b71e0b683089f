"""The command cluster, where vectors or groups are too many for memory."""

from __future__ import annotations

from contextlib import ExitStack

from shoal import large
from shoal.cli import inference
from shoal.cli.outputs import listed_in
from shoal.cli.run_folder import Run, corrections_kept
from shoal.errors import DistributedError, LostError
from shoal.export.large_tables import LargeTable
from shoal.images.open import write_skipped
from shoal.images.vectors.source import VectorSource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.models.provenance import typed
from shoal.progress import Reporter
from shoal.recipes.recipe import Recipe
from shoal.reports.assembly import hand_over


def cluster_in_blocks(
    source: VectorSource, recipe: Recipe, run: Run, report: Reporter, *, auto_k: bool,
    auto_metric: bool, origin: Origin, ray: str | None = None, workers: int | None = None,
    column: str | None = None,
) -> Checkpoint:  # fmt: skip
    """Cluster vectors a block at a time, write the results of the run, and return its checkpoint.

    Args:
        source: the vectors.
        recipe: see `large.cluster`.
        run: the run whose folder the results go to.
        report: shows progress.
        auto_k: choose the number of clusters.
        auto_metric: choose the metric.
        origin: what the checkpoint is to know of the command.
        ray: the address of a Ray whose workers read the vectors; None: they are read here.
        workers: how many of them.
        column: the column of the vectors, where it was named.
    """
    report.say(
        f"{len(source):,} vectors are too many for memory at once: they are read in blocks and "
        "grouped by k-means; the report, the map and the picture show "
        f"{min(large.SHOWN, len(source)):,} of them, drawn at random"
    )
    with ExitStack() as ends:
        reading = None
        if ray is not None:
            from shoal.distributed.engine import connect
            from shoal.distributed.vectors import spread

            engine = ends.enter_context(connect(ray, workers, say=report.say))
            reading = spread(engine, report, column=column)
        try:
            found = large.cluster(
                source, recipe, auto_k=auto_k, auto_metric=auto_metric, origin=origin,
                spread=reading, track=report,
            )  # fmt: skip
        except LostError as error:
            raise DistributedError(f"{error.what}; begin again with: {typed()}") from error
    finished = found.checkpoint
    report.say(*how_compared(finished))
    if finished.facts.chosen is not None:
        report.say(finished.facts.chosen.reason)
    report.say(found.description)
    checkpoints.save(finished, run.checkpoint, force=True)
    whole = LargeTable(source.ids, found.labels, found.confidence)
    with run.results(source.ids, found.labels, report):
        skipped = run.folder / "skipped.csv"
        write_skipped(source, skipped)
        report.say(*listed_in(source, skipped))
        hand_over(
            found.sample, finished, found.table, run.folder, report, device="cpu", whole=whole
        )
    report.say(*corrections_kept(run.checkpoint))
    inference.say_verdict(finished, report)
    return finished


def how_compared(checkpoint: Checkpoint) -> list[str]:
    """What to say of the metric of vectors, where it was chosen."""
    metric = checkpoint.facts.metric
    if metric is None or not metric.reason:
        return []
    overruled = f"; --metric {metric.other} overrules it" if metric.may_be_overruled else ""
    return [metric.explained + overruled]
