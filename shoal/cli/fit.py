"""Training as the commands do it: begin or go on, keep to the minutes, say what happens."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from shoal import pipeline
from shoal.budget import forecast
from shoal.cli.going_on import RESUME, going_on
from shoal.cli.minutes import foretold, other_efforts, within_minutes
from shoal.cli.request import Request
from shoal.clustering.choose_k import check_enough
from shoal.distributed import torchrun
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError, DistributedError, Interrupted, LostError
from shoal.export.summaries import nothing_set_aside
from shoal.images.channels import channel_kind, guessed_channels, guessed_colours
from shoal.images.checks import check_n_clusters, describe_blank
from shoal.images.files import locked, sweep
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.models.history import CheckpointHistory
from shoal.models.provenance import CHANNELS, MEASURED, command_line, typed
from shoal.plots.reading_time import seconds_to_draw
from shoal.plural import counted, duration, lasted, pixels
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe, differences
from shoal.scoring import group_sizes
from shoal.scoring.try_views import try_views
from shoal.scoring.under_augmentation import survival_of
from shoal.tracking.tensorboard import TensorBoard
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import resolve_device
from shoal.training.start import check_resumable
from shoal.training.suit import suit


def train(
    source: ImageSource, path: Path, request: Request, report: Reporter
) -> tuple[Checkpoint, ImageTable | None]:
    """Train, or go on training, and say what came of it. A new run was rehearsed before.

    Returns:
        The finished checkpoint, and the table of its images; None if it was finished before.

    Raises:
        OutputError: another process trains to ``path``.
    """
    sweep(path.parent)
    sweep(CheckpointHistory(path).folder)
    with locked(CheckpointHistory(path).folder, str(path)):
        return _train(source, path, request, report)


def take_back(path: Path, report: Reporter) -> None:
    """Have the history of a checkpoint that a person put back, see `CheckpointHistory.take_back`.

    Raises:
        OutputError: another process trains to ``path``.
    """
    history = CheckpointHistory(path)
    with locked(history.folder, str(path)):
        aside = history.take_back()
    if aside is not None:
        report.say(f"what the run left that did not end is kept in {aside}")


def _train(
    source: ImageSource, path: Path, request: Request, report: Reporter
) -> tuple[Checkpoint, ImageTable | None]:
    recipe = request.resolve()
    device = resolve_device(request.device)
    check_n_clusters(recipe.n_clusters, len(source))
    if request.auto:
        check_enough(len(source))
    if request.priority:
        report.say(request.priority)
    origin = Origin(command=command_line(), larger_size=getattr(source, "larger_size", None))
    allocator = "system: as asked" if request.low_memory else keep_large_buffers()
    notes: dict[str, Any] = {"allocator": allocator}
    before = _before(path, request, report)
    if before is not None:  # its views were chosen when it began
        recipe = request.views.expected(recipe, before.recipe.views, source.shape[2])
    if before is not None and request.minutes is not None:  # chosen once, when the run began
        recipe = replace(recipe, epochs=before.recipe.epochs)
    if before is not None and before.finished:
        return _finished_before(source, before, recipe, path, request, report, device)
    if before is not None:
        _check_resumable(before, recipe, source, path, request)  # before it begins
    else:
        photographs = recipe.views
        recipe, said = suit(source, recipe, request.views)
        report.say(*guessed_channels(source), *said)
    pictures = seconds_to_draw(source) if request.hands_over else 0.0
    limit, within = None, partial(within_minutes, source, request, before, device, pictures)
    if request.minutes is not None:
        limit, recipe, speed = within(recipe)
        origin = replace(origin, minutes=request.minutes, earlier_seconds=limit.spent_before)
    if before is None:
        try:
            recipe, tried, said = try_views(
                source, recipe, photographs, request.views, device=device, track=report
            )
        except (Interrupted, KeyboardInterrupt) as error:
            raise _stopped(path, recipe) from error
        report.say(*said)
        origin = replace(origin, tried_views=tried)
        if tried and limit is not None:  # which took minutes, and may have changed the views
            limit, recipe, speed = within(recipe)
    if limit is not None:
        report.say(*foretold(limit, recipe, speed, request, before))
        if before is None:
            notes["measured_seconds_per_step"] = round(speed.step, 5)
    height, width, channels = source.shape
    colour = channel_kind(source) != "channels"
    if channels == 3 and not colour:
        notes[CHANNELS] = MEASURED
    length = f", {counted(recipe.epochs, 'epoch')}" if limit is None else ""
    report.say(
        f"{counted(len(source), 'image')} of {pixels(height, width, channels, colour=colour)}"
        f"{guessed_colours(source) if before is None else ''}, recipe {recipe.name}{length} on "
        f"{device}, seed {recipe.seed}"
    )
    few = group_sizes.few_images(len(source), recipe.n_clusters)
    report.warn(*describe_blank(source), *few)  # known before the wait
    if limit is None and request.ray is None:  # who knows how fast a cluster is
        least, most = forecast(
            source, recipe, epochs_before=0.0 if before is None else before.epoch,
            reports=request.hands_over, pictures=pictures, device=device,
            workers=torchrun.n_workers(),
        )  # fmt: skip
        other = other_efforts(source, request) if before is None else ""
        report.say(f"this takes {duration(least, most)} on this machine{other}")
    try:
        finished, table = pipeline.fit(
            source, path, recipe, auto_k=request.auto, device=device, resume=before,
            force=request.force, origin=origin, notes=notes, limit=limit,
            groups=request.groups, keep_better=request.keeps_better, track=report,
            watch=_watch(source, request, before, report), most=request.most_clustered,
            trainer=_trainer(request, report),
        )  # fmt: skip
    except (Interrupted, KeyboardInterrupt) as error:
        raise _stopped(path, recipe) from error
    except LostError as error:
        kept = CheckpointHistory(path).resume_file.exists()
        goes_on = f"; what is done is kept, go on with: {typed('--resume')}"
        raise DistributedError(error.what + (goes_on if kept else "; nothing was done.")) from error
    if finished.facts.chosen is not None:
        report.say(finished.facts.chosen.reason)
    report.say(*nothing_set_aside(finished))
    history = CheckpointHistory(path)
    report.say(
        f"trained in {lasted(finished.origin.seconds)}; checkpoint {path}, "
        f"{len(history.files())} along the way in {history.folder}"
    )
    return finished, table


def _trainer(request: Request, report: Reporter) -> pipeline.Trainer | None:
    """What has several workers take the steps; None: this process takes them."""
    if request.reopen is None:
        return None
    if request.ray is None:
        return torchrun.trainer(request.reopen)
    from shoal.distributed.training import trainer

    return trainer(
        request.reopen, request.workers, address=request.ray, on=request.device, say=report.say
    )


def _watch(
    source: ImageSource, request: Request, before: Checkpoint | None, report: Reporter
) -> TensorBoard | None:
    """What shows the training in TensorBoard, if that is asked for."""
    if request.tensorboard is None:
        return None
    folder = request.tensorboard
    report.say(f"to watch the training: tensorboard --logdir {shlex.quote(str(folder))}")
    return TensorBoard(folder, source, resume=before is not None, force=request.force)


def _finished_before(
    source: ImageSource, before: Checkpoint, recipe: Recipe, path: Path, request: Request,
    report: Reporter, device: str,
) -> tuple[Checkpoint, ImageTable | None]:  # fmt: skip
    """The finished checkpoint that was asked to go on; only its clusters may still be chosen."""
    chosen = before.facts.chosen
    if request.auto and chosen is not None:
        recipe = replace(recipe, n_clusters=before.recipe.n_clusters)
    recipe = request.as_kept(recipe, before.recipe)
    check_resumable(before, recipe, source.digest(), request.groups)
    if not request.auto or chosen is not None:
        report.say(f"{path} is finished; nothing to resume")
        return before, None
    some = pipeline.sample_of(source, request.most_clustered, before.recipe.seed)
    finished, table = pipeline.cluster(some, before, auto_k=True, device=device, track=report)
    score = survival_of(some, finished, device=device).consistency
    facts = replace(finished.facts, consistency={finished.step: score})
    finished = replace(finished, facts=facts)
    checkpoints.save(finished, path, force=True)
    assert facts.chosen is not None  # as it was asked for
    report.say(facts.chosen.reason)
    return finished, table


def _before(path: Path, request: Request, report: Reporter) -> Checkpoint | None:
    """What to go on from: the state of an unfinished run, a finished checkpoint, or nothing."""
    history = CheckpointHistory(path)
    if not request.resume:
        if history.resume_file.exists():
            report.say(
                f"an unfinished run is in {history.folder}; it is kept in {history.previous}"
            )
        elif path.is_file():
            report.say(f"the earlier {path} is kept in {history.previous}")
        return None
    before = history.unfinished()
    if before is None:
        if path.exists():
            return checkpoints.load(path)
        report.say("nothing to resume; starting from the beginning")
        return None
    report.say(f"going on at epoch {before.epoch:.1f} of {before.recipe.epochs:g}")
    began = (before.origin.workers, before.origin.threads)
    now = (torchrun.n_workers(), torch.get_num_threads())
    if request.ray is not None:  # each of its workers has one thread, or a GPU
        now = (request.workers or began[0], began[1] if began[0] > 1 else 1)
    if began != now:
        report.say(
            f"the run began with {_processors(*began)} and goes on with {_processors(*now)}: its "
            "last bits will differ from an uninterrupted run's"
        )
    return before


def _processors(workers: int, threads: int) -> str:
    """
    >>> _processors(1, 2), _processors(2, 1)
    ('2 threads', '2 workers of 1 thread')
    """
    each = counted(threads, "thread")
    return each if workers == 1 else f"{workers} workers of {each}"


def _check_resumable(
    before: Checkpoint, recipe: Recipe, source: ImageSource, path: Path, request: Request
) -> None:
    """Raise `CheckpointError`, with the command of the run, unless ``before`` is of this run."""
    try:
        check_resumable(before, recipe, source.digest(), request.groups)
    except CheckpointError as error:
        again = going_on(before.origin.command, path.parent)
        if again == typed(RESUME):  # of the same words: the images are others
            raise
        what = str(error).partition(";")[0]
        raise CheckpointError(f"{what}; go on with: {again}") from error


def _stopped(path: Path, recipe: Recipe) -> Interrupted:
    state = CheckpointHistory(path).unfinished()
    # Before the first step an older run's state may still be there: it is not this one's.
    if state is None or differences(state.recipe, recipe):
        return Interrupted("stopped before the first checkpoint; nothing was kept.")
    return Interrupted(
        f"stopped at epoch {state.epoch:.1f} of {state.recipe.epochs:g} (step {state.step:,} of "
        f"{state.total_steps:,}); go on with: {typed('--resume')}"
    )
