"""Training under torchrun: worker 0 is the command, and the others share its steps.

Worker 0 reads the options, speaks and writes, as a command that trains alone does. The others wait
for its order, and end when it does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:  # loaded when there are workers: 'shoal --help' has none
    from shoal.distributed.order import Reopen
    from shoal.models.checkpoint import Checkpoint
    from shoal.pipeline import Trainer
    from shoal.protocols import ImageSource, IntArray
    from shoal.recipes.recipe import Recipe

TRAINING = ("train", "run")
"""The commands whose steps workers share."""
_SPEAKING = 20.0
"""Seconds in which worker 0 says what is wrong, and ends."""


@contextlib.contextmanager
def joined(words: Sequence[str]) -> Iterator[bool]:
    """Join the other workers until the block ends, if torchrun began several.

    Args:
        words: of the command line.

    Yields:
        Whether this process is the command itself: worker 0, or the only one.

    Raises:
        DistributedError: the command does not train, or has workers of its own.
    """
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1 and "TORCHELASTIC_RUN_ID" in os.environ
    if not several or not words:
        yield True
        return
    _check_command(words)
    import torch

    from shoal.distributed.order import WAIT, backend
    from shoal.training.workers import process_group

    device = "cuda" if torch.cuda.is_available() and not on_cpu(words) else "cpu"
    if device == "cuda":
        _check_devices(torch.cuda.device_count())
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    with process_group(backend(device), timeout=WAIT) as workers:
        yield workers.rank == 0


def on_cpu(words: Sequence[str]) -> bool:
    """Whether the words of a command line ask for the CPU.

    >>> on_cpu(["train", "photos/", "best.pth", "--device", "cpu"]), on_cpu(["train", "cpu"])
    (True, False)
    """
    asked = [word.partition("=")[2] for word in words if word.startswith("--device=")]
    asked += [after for word, after in pairwise(words) if word == "--device"]
    return asked[-1:] == ["cpu"]


def _let_the_command_speak() -> NoReturn:
    """End after worker 0 has: as soon as one worker ends, torchrun kills the others."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(_SPEAKING)
    raise SystemExit(2)


def _check_devices(n_devices: int) -> None:
    """Fail where workers would have to share a device, which NCCL refuses."""
    from shoal.errors import DistributedError

    size = int(os.environ["LOCAL_WORLD_SIZE"])
    if size <= n_devices:
        return
    if os.environ.get("RANK", "0") != "0":
        _let_the_command_speak()
    raise DistributedError(
        f"torchrun must start at most {n_devices} on this machine, one for each CUDA device, got "
        f"{size}; or give --device cpu."
    )


def _check_command(words: Sequence[str]) -> None:
    """Fail, in a sentence of worker 0 alone, where the workers have no steps to share."""
    from shoal.errors import DistributedError

    message = ""
    if words[0] not in TRAINING:
        message = (
            f"torchrun is for 'shoal train' and 'shoal run', got {words[0]}; type it without "
            "torchrun."
        )
    elif "--ray" in words:
        message = "--ray begins workers of its own; give --ray or torchrun, not both."
    if message and os.environ.get("RANK", "0") != "0":
        _let_the_command_speak()
    if message:
        raise DistributedError(message)


def n_workers() -> int:
    """How many processes share the training."""
    import torch.distributed as dist

    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def trainer(reopen: Reopen) -> Trainer | None:
    """What trains with all workers that `joined`; None if this process is the only one.

    Args:
        reopen: opens the pile again, in another process.
    """
    if n_workers() == 1:
        return None
    from shoal.distributed.order import Order, is_lost, open_alike
    from shoal.errors import LostError
    from shoal.images.remote import given_up
    from shoal.training.loop import train
    from shoal.training.workers import ProcessGroup

    def steps(
        source: ImageSource, recipe: Recipe, *, device: str, resume: Checkpoint | None,
        groups: IntArray | None, **more: Any,
    ) -> Generator[Checkpoint]:  # fmt: skip
        workers = ProcessGroup.here()
        order = Order(
            reopen, source.digest(), recipe, resume, groups, given_up.missing_in(source)
        )  # fmt: skip
        try:
            workers.of_first((order, device))
            open_alike(order, workers, source)
            yield from train(
                source, recipe, device=device, resume=resume, groups=groups, workers=workers,
                **more,
            )  # fmt: skip
        except RuntimeError as error:
            if not is_lost(error):
                raise
            raise LostError("a worker of torchrun has ended") from error

    return steps


def follow() -> None:
    """Share the steps of worker 0, quietly.

    Raises:
        ShoalError: what went wrong in this worker alone.
        SystemExit: what went wrong is said by worker 0.
    """
    from shoal.distributed.order import Order, is_lost, open_alike
    from shoal.errors import DataError, RecipeError, TrainingError
    from shoal.training.allocator import keep_large_buffers
    from shoal.training.loop import train
    from shoal.training.workers import ProcessGroup

    for number in (signal.SIGINT, signal.SIGTERM):  # worker 0 lets the step in progress end
        signal.signal(number, signal.SIG_IGN)
    workers = ProcessGroup.here()
    ordered: tuple[Order, str] | None = None
    try:
        ordered = workers.of_first(ordered)
        assert ordered is not None
        order, device = ordered
        try:
            source = open_alike(order, workers)
        except DataError:
            _let_the_command_speak()
        keep_large_buffers()
        for _ in train(
            source, order.recipe, device=device, resume=order.resume, groups=order.groups,
            workers=workers,
        ):  # fmt: skip
            pass
    except (RecipeError, TrainingError):
        _let_the_command_speak()
    except RuntimeError as error:  # worker 0 has ended, for whatever reason
        if not is_lost(error):
            raise
