"""Training: one plain loop, a generator of checkpoints."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import Any

import torch

from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.protocols import ImageSource, IntArray, Workers
from shoal.recipes.recipe import Recipe
from shoal.training.start import start_run
from shoal.training.thread_choice import ThreadChoice
from shoal.training.time_limit import TimeLimit
from shoal.training.workers import ALONE

_HISTORY_ROWS = 100


def train(
    source: ImageSource,
    recipe: Recipe,
    *,
    device: str = "cpu",
    resume: Checkpoint | None = None,
    origin: Origin | None = None,
    notes: Mapping[str, Any] | None = None,
    limit: TimeLimit | None = None,
    groups: IntArray | None = None,
    workers: Workers = ALONE,
) -> Generator[Checkpoint]:
    """Train an encoder on ``source`` and yield the state after each step.

    The same seed, machine, number of threads and of workers give the same bits, interrupted or
    not. With a limit the clock decides the length and, beside another busy program, the number of
    threads.

    Args:
        source: at least 2 images.
        recipe: decides everything else about the run.
        device: cpu or cuda.
        resume: the last state of an interrupted run of the same recipe on the same images.
        origin: what the checkpoints are to know of the command; the rest is filled in here.
        notes: what the checkpoints' provenance tells people besides.
        limit: how long the command may take. The run becomes longer or shorter on the way, and
            its checkpoints hold what was decided. None: as many steps as the recipe says.
        groups: int64 (n,), the group of each image that a person decided, else -1. Images of one
            group are pulled together, see `sup_con`. None: nothing was said.
        workers: the processes that train together. Each calls this with the same arguments; the
            limit is that of worker 0.

    Yields:
        The live state; save it before asking for the next.

    Raises:
        CheckpointError: ``resume`` has another recipe or learned from other images.
        TrainingError: the loss is not finite.
    """
    run = start_run(
        source, recipe, device, resume, groups=groups, origin=origin, notes=notes, workers=workers
    )
    began = time.monotonic() - run.origin.seconds
    timed = workers.of_first(limit is not None)
    by_clock = timed and device == "cpu" and workers.size == 1
    threads = ThreadChoice(torch.get_num_threads() if by_clock else 1)
    step = run.step
    while step < run.total_steps:
        step += 1
        if by_clock:
            run.pace = run.pace.with_threads(step, threads.n, threads.most)
        with threads.step():
            losses = run.take_step(source, step)
        run.recent.append(losses)
        if limit is not None:
            float(sum(losses.values()))  # waits for the device
            limit.saw_step(threads.handicap)
            run.pace = limit.decide(run.pace, step, recipe.checkpoints)
        if timed:
            run.pace = workers.of_first(run.pace)
        if step % max(1, run.pace.first_total // _HISTORY_ROWS) == 0 or step == run.total_steps:
            run.record(step, time.monotonic() - began)
        yield run.checkpoint(step, time.monotonic() - began)
