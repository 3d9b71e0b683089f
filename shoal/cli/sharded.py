"""``--ray``: predicting in shards as the commands do it, and what they say of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from shoal.cli.channel_options import parse_within
from shoal.cli.opening_as_learned import asked_or_learned
from shoal.cli.options import OpenOptions
from shoal.cli.outputs import listed_in
from shoal.cli.run_folder import Run
from shoal.corrections.division import Division
from shoal.distributed.engine import connect
from shoal.distributed.opening import Order
from shoal.distributed.parts import Parts, Plan, opened
from shoal.distributed.shards import ShardedTable, do_missing, gathered, seen_of
from shoal.distributed.tasks import compare_shard, predict_shard
from shoal.errors import DistributedError, Interrupted, LostError
from shoal.images.files import digest_of
from shoal.images.open import write_skipped
from shoal.images.remote import given_up
from shoal.images.remote.location import is_remote
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.vectors.source import n_dimensions_of, noun_held
from shoal.large import SHOWN
from shoal.models.checkpoint import Checkpoint
from shoal.models.provenance import typed
from shoal.plural import counted
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.reports.assembly import hand_over
from shoal.search.copies import Seen
from shoal.training.devices import resolve_device


def order_for(
    data: Path, source: ImageSource, checkpoint: tuple[Path, Checkpoint] | None,
    options: OpenOptions, *, size: int | None = None, fit: str | None = None,
) -> Order:  # fmt: skip
    """How workers open what the command opened as ``source``."""
    loaded = None if checkpoint is None else checkpoint[1]
    asked = asked_or_learned(options, loaded, data)
    within = parse_within(asked.every, asked.pages)
    return Order(
        _absolute(data), None if checkpoint is None else str(_absolute(checkpoint[0])),
        vectors=n_dimensions_of(source) > 0, array=asked.array, channels=asked.channels,
        every=within.every, pages=within.pages, size=size, cache=asked.cache,
        without=given_up.missing_in(source), **({"fit": fit} | _learned_of(source, data)),
    )  # fmt: skip


def _learned_of(source: ImageSource, data: Path) -> dict[str, Any]:
    """What was learned from a whole pile in a store, of which a worker opens a part."""
    if not is_remote(data) or n_dimensions_of(source):
        return {}
    return {
        "image_shape": source.shape, "pixel_range": getattr(source, "pixel_range", None),
        "fit": getattr(source, "fit", None),
    }  # fmt: skip


@contextlib.contextmanager
def predicted(
    source: ImageSource, order: Order, checkpoint: Checkpoint, division: Division, out: Path,
    report: Reporter, *, ray: str, workers: int | None, device: str, force: bool = False,
) -> Iterator[ShardedTable]:  # fmt: skip
    """Assign the images in shards; the parts stay until the block has written the output ``out``.

    Args:
        source: the pile.
        order: how workers open it.
        checkpoint: a finished one.
        division: how the pile is divided.
        out: the output; the parts lie in ``OUT.parts``.
        report: shows progress.
        ray: the address.
        workers: how many; None: a core or GPU each.
        device: auto, cpu or cuda.
        force: whether parts of another plan may be removed.

    Raises:
        Interrupted: on Ctrl-C; the parts that are done stay.
    """
    pile = source.digest()
    plan = Plan(
        "predict", pile, len(source), digest_of(Path(order.checkpoint or "")),
        division.n_clusters, division.split, familiarity=pile != checkpoint.origin.digest,
    )  # fmt: skip
    with opened(out, plan, force=force) as parts:
        in_shards(
            source, order, parts, report, work=predict_shard, what="embedding in shards", ray=ray,
            workers=workers, device=device,
        )  # fmt: skip
        yield gathered(source, parts, division.n_clusters or checkpoint.recipe.n_clusters)


def finish_run(
    source: ImageSource, order: Order, finished: Checkpoint, run: Run, report: Reporter, *,
    ray: str, workers: int | None, device: str, spare: Callable[[], float], n_clustered: int,
) -> None:  # fmt: skip
    """Assign all images of a pile of which a sample was clustered, and write the run's results.

    The report, the map and the pictures show a smaller sample. In memory are the names of the
    images, 16 bytes for each, and what the sample takes.
    """
    out = run.folder / "prediction.csv"
    report.say(
        f"the clusters were found in {n_clustered:,} images drawn at random, all "
        f"{len(source):,} are assigned in shards; the report, the map and the pictures show "
        f"{min(SHOWN, len(source)):,} of them, drawn at random"
    )
    with predicted(
        source, order, finished, Division(), out, report, ray=ray, workers=workers, device=device,
        force=True,
    ) as whole:  # fmt: skip
        rows = sample_rows(len(source), SHOWN, finished.recipe.seed)
        sample = whole.sample(rows)
        with run.results(source.ids, whole.labels, report):
            skipped = run.folder / "skipped.csv"
            write_skipped(source, skipped)
            report.say(*listed_in(source, skipped))
            hand_over(
                Subset(source, rows), finished, sample, run.folder, report,
                device=resolve_device(device), spare=spare, whole=whole,
            )  # fmt: skip


@contextlib.contextmanager
def seen(
    source: ImageSource, order: Order, out: Path, report: Reporter, *, ray: str,
    workers: int | None, device: str, force: bool = False,
) -> Iterator[Seen | None]:  # fmt: skip
    """Look at the images in shards for the search for copies; see `predicted`.

    Nothing is looked at where vectors decide.
    """
    if n_dimensions_of(source):
        report.say("vectors are compared without --ray")
        yield None
        return
    checkpoint = "" if order.checkpoint is None else digest_of(Path(order.checkpoint))
    plan = Plan("duplicates", source.digest(), len(source), checkpoint)
    with opened(out, plan, force=force) as parts:
        in_shards(
            source, order, parts, report, work=compare_shard, what="reading in shards", ray=ray,
            workers=workers, device=device,
        )  # fmt: skip
        yield seen_of(source, parts)


def in_shards(
    source: ImageSource, order: Order, parts: Parts, report: Reporter, *,
    work: Callable[[Order, Parts, Any], float | None], what: str, ray: str, workers: int | None,
    device: str,
) -> None:  # fmt: skip
    """Let workers write the parts that are missing, and say who does what.

    Raises:
        DistributedError: see `connect` and `do_missing`.
        Interrupted: on Ctrl-C.
    """
    missing, n_shards = len(parts.missing()), parts.plan.n_shards
    noun = noun_held(source)
    if missing < n_shards:
        report.say(f"{n_shards - missing:,} of {counted(n_shards, 'part')} are in {parts.folder}")
    if not missing:
        return
    try:
        with connect(ray, workers, device=device, say=report.say) as engine:
            report.say(
                f"{counted(len(source), noun)} in {counted(n_shards, 'shard')}, "
                f"{counted(engine.workers, 'worker')} of {engine.where}"
            )
            peak = do_missing(source, order, parts, engine, work=work, what=what, track=report)
    except (KeyboardInterrupt, LostError) as error:
        kept = f"{n_shards - len(parts.missing()):,} of {counted(n_shards, 'part')}"
        goes_on = f"{kept} are kept in {parts.folder}; go on with: {typed()}"
        if isinstance(error, LostError):
            raise DistributedError(f"{error.what}; {goes_on}") from error
        raise Interrupted(f"stopped; {goes_on}") from None
    if peak is not None:
        report.say(f"a worker took at most {peak:.2f} GB of memory")


def _absolute(path: Path) -> Path:
    """A path as a process with another current folder finds it; one in a store stays as it is."""
    return path if is_remote(path) else Path(os.path.abspath(path))
