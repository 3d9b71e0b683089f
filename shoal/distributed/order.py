"""What the workers of a training run are told, and how they begin: torchrun's as well as Ray's."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import torch.distributed as dist

from shoal import __version__
from shoal.errors import DataError, DistributedError, ShoalError
from shoal.images.array import ArraySource
from shoal.images.remote import given_up
from shoal.images.remote.location import Location
from shoal.models.checkpoint import Checkpoint
from shoal.models.file_content import on_cpu
from shoal.protocols import ImageSource, IntArray, Workers
from shoal.recipes.recipe import Recipe

Reopen = Callable[[], ImageSource]
"""Opens the pile again, in another process: its path and options travel, its images do not."""

WAIT = timedelta(days=7)
"""How long a worker waits for another, as opening a pile may take hours. That another is gone is
noticed at once."""


@dataclass(frozen=True)
class Order:
    """A training run, as `shoal.training.loop.train` takes it."""

    reopen: Reopen
    digest: str
    """Of the images that `reopen` must open."""
    recipe: Recipe
    resume: Checkpoint | None
    groups: IntArray | None
    without: frozenset[Location] = frozenset()
    """The files of a store that the command did without, and the workers do."""
    version: str = __version__
    """Of the shoal of the command."""


def check_machine(machine: str, there: str, of_command: str) -> None:
    """Fail where the shoal of a machine is another one than that of the command.

    Raises:
        DistributedError: it is.
    """
    if there != of_command:
        raise DistributedError(
            f"a worker on {machine} has shoal {there}, and the command is of {of_command}; install "
            "the same version on each machine."
        )


def check_version(of_command: str) -> None:
    """`check_machine` for the worker that calls it."""
    check_machine(platform.node(), __version__, of_command)


def backend(device: str) -> str:
    """What ``torch.distributed`` exchanges tensors by; whatever is no tensor goes by gloo."""
    return "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"


def open_alike(order: Order, workers: Workers, source: ImageSource | None = None) -> ImageSource:
    """Open the images of ``order`` in every worker.

    The first worker of a machine opens them first, and sees whether they are the same: what it
    decodes and keeps, the others read, and they take its word.

    Args:
        order: what to open.
        workers: all call this at the same time.
        source: the images, where they are open.

    Raises:
        DataError: what the first worker says that cannot open them, or has other images.
        DistributedError: this worker has another shoal than the command.
    """
    check_version(order.version)
    if workers.rank or source is None:  # another process than the command
        given_up.leave_alone(order.without)
    if workers.size == 1:
        return _opened(order) if source is None else source
    problem = ""
    for turn in (True, False):
        if source is None and turn == (os.environ.get("LOCAL_RANK", "0") == "0"):
            try:
                source = _opened(order, check=turn)
            except ShoalError as error:
                problem = str(error)
        dist.barrier()
    problems = [""] * workers.size
    dist.all_gather_object(problems, problem)
    if any(problems):
        raise DataError(next(filter(None, problems)))
    assert source is not None  # as there was no problem
    if isinstance(source, ArraySource):
        source.take_digest(order.digest)
    return source


def _opened(order: Order, *, check: bool = True) -> ImageSource:
    try:
        source = order.reopen()
    except ShoalError as error:
        raise DataError(cannot_open(error)) from error
    if check and source.digest() != order.digest:
        raise DataError("a worker sees other images than the command; give all the same data.")
    return source


def cannot_open(error: ShoalError) -> str:
    """What a worker says that cannot open the pile: the command could."""
    return f"a worker on {platform.node()} cannot open what the command opened: {error}"


def sendable(checkpoint: Checkpoint) -> Checkpoint:
    """A state of a run that another process may read: on the CPU."""
    return replace(
        checkpoint,
        encoder_state=on_cpu(checkpoint.encoder_state),
        objective_states=on_cpu(checkpoint.objective_states),
        optimizer_states=on_cpu(checkpoint.optimizer_states),
        recent=on_cpu(checkpoint.recent),
    )


def is_lost(error: BaseException) -> bool:
    """Whether an error says that another worker is gone."""
    lost = ("Connection closed", "Connection reset", "Broken pipe", "timed out", "NCCL", "gloo")
    return isinstance(error, RuntimeError) and any(words in str(error) for words in lost)
