"""Training as the commands do it: begin or go on, keep to the minutes, say what happens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from shoal import pipeline
from shoal.budget import Speed, measure
from shoal.choose_k import check_enough, is_settled, settle
from shoal.cli.request import Request, rehearse
from shoal.errors import Interrupted
from shoal.images.checks import check_n_clusters
from shoal.images.files import locked, sweep
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.models.provenance import command_line, typed
from shoal.plural import counted, lasted
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe, differences
from shoal.scoring import warnings
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import resolve_device
from shoal.training.start import check_resumable
from shoal.training.time_limit import MEASURED_SHARE, TimeLimit


def train(source: ImageSource, path: Path, request: Request, report: Reporter) -> Checkpoint:
    """Train, or go on training, and say what came of it.

    Raises:
        OutputError: another process trains to ``path``.
    """
    sweep(path.parent)
    sweep(CheckpointHistory(path).folder)
    if not request.resume:
        rehearse(source, request)
    with locked(CheckpointHistory(path).folder, str(path)):
        return _train(source, path, request, report)


def _train(source: ImageSource, path: Path, request: Request, report: Reporter) -> Checkpoint:
    recipe = request.resolve()
    device = resolve_device(request.device)
    check_n_clusters(recipe.n_clusters, len(source))
    if request.auto:
        check_enough(len(source))
    notes = _notes(source, request)
    before = _before(path, request, report)
    if before is not None and request.minutes is not None:  # chosen once, when the run began
        recipe = replace(recipe, epochs=before.recipe.epochs)
    if before is not None and before.finished:
        return _finished_before(source, before, recipe, path, request, report, device)
    limit = None
    if request.minutes is not None:
        limit, recipe, more = _within(source, recipe, request, before, report, device)
        notes |= more
    height, width, channels = source.shape
    report.say(
        f"{counted(len(source), 'image')} of {height} × {width} × {channels}, "
        f"recipe {recipe.name}, {counted(recipe.epochs, 'epoch')} on {device}, seed {recipe.seed}"
    )
    report.warn(*warnings.few_images(len(source), recipe.n_clusters))  # known before the wait
    try:
        finished = pipeline.fit(
            source, path, recipe, device=device, resume=before, notes=notes, limit=limit,
            track=report,
        )  # fmt: skip
    except (Interrupted, KeyboardInterrupt) as error:
        raise _stopped(path, recipe) from error
    if request.auto:
        finished = _settled(source, finished, path, report, device)
    history = CheckpointHistory(path)
    report.say(
        f"trained in {lasted(finished.provenance['seconds'])}; checkpoint {path}, "
        f"{len(history.files())} along the way in {history.folder}"
    )
    return finished


def _notes(source: ImageSource, request: Request) -> dict[str, Any]:
    """What the checkpoint is to say of how it was made."""
    allocator = "system: as asked" if request.low_memory else keep_large_buffers()
    notes = {"command": command_line(), "allocator": allocator}
    larger = _larger_size(source)
    return notes if larger is None else notes | {"larger_size": larger}


def _finished_before(
    source: ImageSource, before: Checkpoint, recipe: Recipe, path: Path, request: Request,
    report: Reporter, device: str,
) -> Checkpoint:  # fmt: skip
    """The finished checkpoint that was asked to go on; only its clusters may still be chosen."""
    if request.auto and is_settled(before):
        recipe = replace(recipe, n_clusters=before.recipe.n_clusters)
    check_resumable(before, recipe, source.digest())
    if request.auto and not is_settled(before):
        return _settled(source, before, path, report, device)
    report.say(f"{path} is finished; nothing to resume")
    return before


def _within(
    source: ImageSource, recipe: Recipe, request: Request, before: Checkpoint | None,
    report: Reporter, device: str,
) -> tuple[TimeLimit, Recipe, dict[str, Any]]:  # fmt: skip
    """The time limit of --minutes, the recipe with as many epochs as fit, and notes of both."""
    limit, speed = _limit(source, recipe, request, before, device)
    notes: dict[str, Any] = {"earlier_seconds": limit.spent_before}
    if before is None:
        epochs = speed.epochs(source, recipe, limit.left() - limit.reserved())
        recipe = replace(recipe, epochs=epochs)
        notes |= {"minutes": request.minutes, "measured_seconds_per_step": round(speed.step, 5)}
        report.say(
            f"{request.minutes:g} minutes are enough for about {epochs:g} epochs at "
            f"{speed.step:.3f} s a step; measured all the time, and made to fit"
        )
    if limit.left() - limit.reserved() < 10 * speed.step:
        report.say(
            f"{request.minutes:g} minutes are too short for this pile: a few steps are made, "
            "and the rest takes as long as it takes"
        )
    return limit, recipe, notes


def _limit(
    source: ImageSource, recipe: Recipe, request: Request, before: Checkpoint | None, device: str
) -> tuple[TimeLimit, Speed]:
    """The minutes asked for, with what follows training, by the speed of a few seconds."""
    assert request.minutes is not None
    began = time.monotonic() if request.began is None else request.began
    speed = measure(source, recipe, most=request.minutes * 3, device=device)
    after, writing = speed.embedding(source), 0.0
    fixed = speed.clustering(source, recipe.n_clusters)
    if request.hands_over:
        writing = speed.embedding_again(source)
        after += writing
        fixed += speed.drawing(source) + request.minutes * 60 * MEASURED_SHARE
    pace = None if before is None else before.pace
    limit = TimeLimit(
        request.minutes * 60, began=began, spent_before=0.0 if pace is None else pace.seconds,
        after=after, fixed=fixed, step=speed.step, writing=writing,
    )  # fmt: skip
    return limit, speed


def seconds_for_history(finished: Checkpoint, request: Request) -> Callable[[], float]:
    """What measuring the checkpoints along the way may take in a run, asked when it begins.

    Of a run with a time limit that is what is left but for a little for the page; of another a
    tenth of the training time, or 10 seconds if that is more.
    """

    def left() -> float:
        if request.minutes is None or request.began is None:
            return max(10.0, MEASURED_SHARE * float(finished.provenance["seconds"]))
        spent = time.monotonic() - request.began + finished.provenance.get("earlier_seconds", 0.0)
        page = 4.0 + 2e-4 * finished.n_images
        return request.minutes * 60 - spent - page

    return left


def _settled(
    source: ImageSource, finished: Checkpoint, path: Path, report: Reporter, device: str
) -> Checkpoint:
    finished = settle(source, finished, device=device, track=report)
    checkpoints.save(finished, path)
    report.say(finished.provenance["n_clusters"])
    return finished


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
    threads, now = before.provenance.get("threads"), torch.get_num_threads()
    if threads != now:
        report.say(
            f"the run began with {threads} threads and goes on with {now}: its last bits will "
            "differ from an uninterrupted run's"
        )
    return before


def _larger_size(source: ImageSource) -> int | None:
    """Pixels a side that would show more of a pile, if it was shrunk; see its ``notes``."""
    offered = re.search(r"--size (\d+) shows more", " ".join(getattr(source, "notes", ())))
    return None if offered is None else int(offered.group(1))


def _stopped(path: Path, recipe: Recipe) -> Interrupted:
    state = CheckpointHistory(path).unfinished()
    # Before the first step an older run's state may still be there: it is not this one's.
    if state is None or differences(state.recipe, recipe):
        return Interrupted("stopped before the first checkpoint; nothing was kept.")
    return Interrupted(
        f"stopped at epoch {state.epoch:.1f} of {state.recipe.epochs:g} (step {state.step:,} of "
        f"{state.total_steps:,}); go on with: {typed('--resume')}"
    )
