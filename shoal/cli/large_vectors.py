"""The command cluster, where vectors or groups are too many for memory."""

from __future__ import annotations

from shoal import large
from shoal.cli import inference
from shoal.cli.outputs import listed_in
from shoal.cli.run_folder import Run, corrections_kept
from shoal.export.large_tables import LargeTable
from shoal.images.open import write_skipped
from shoal.images.vectors.source import VectorSource
from shoal.models import checkpoint as checkpoints
from shoal.models.facts import Origin
from shoal.progress import Reporter
from shoal.recipes.recipe import Recipe
from shoal.reports.assembly import hand_over


def cluster_in_blocks(
    source: VectorSource, recipe: Recipe, run: Run, report: Reporter, *, auto_k: bool,
    origin: Origin,
) -> None:  # fmt: skip
    """Cluster vectors a block at a time, and write the results of the run."""
    report.say(
        f"{len(source):,} vectors are too many for memory at once: they are read in blocks and "
        "grouped by k-means; the report, the map and the picture show "
        f"{min(large.SHOWN, len(source)):,} of them, drawn at random"
    )
    found = large.cluster(source, recipe, auto_k=auto_k, origin=origin, track=report)
    finished = found.checkpoint
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
