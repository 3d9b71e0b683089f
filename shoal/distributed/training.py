"""Training on the workers of a Ray, by Ray Train's ``TorchTrainer``.

Worker 0 hands its state over every two seconds or so, see `Sender`; the command keeps what a
training alone keeps. Where a worker or a machine is lost, Ray begins anew with all workers, from
the last state: they end with the bits of the undisturbed run.
"""

from __future__ import annotations

import os
import pickle
import re
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, cast

from shoal.distributed.address import LOCAL
from shoal.distributed.board import Board, News, Start
from shoal.distributed.engine import Engine, connect
from shoal.distributed.folders import temporary
from shoal.distributed.order import WAIT, Order, Reopen, backend, is_lost, open_alike, sendable
from shoal.distributed.watch import Say
from shoal.errors import DistributedError, LostError, ShoalError
from shoal.images.remote import given_up
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import is_kept
from shoal.pipeline import Trainer
from shoal.plural import counted, lasted
from shoal.protocols import ImageSource, IntArray
from shoal.recipes.recipe import Recipe
from shoal.training.allocator import keep_large_buffers
from shoal.training.loop import train
from shoal.training.time_limit import TimeLimit
from shoal.training.workers import ProcessGroup

_EVERY = 2.0
"""Seconds between two states that worker 0 hands over, at least."""
_SHARE = 0.01
"""The share of the time that handing over may take."""
_SILENT = 40.0
"""Seconds for workers to begin, before the command says what it waits for: Ray starts slowly."""
_LEADS = "the process that leads the training has ended"
_SETTINGS = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "1",
    "TORCH_PROCESS_GROUP_SHUTDOWN_TIMEOUT_S": "5",
}
"""What Ray Train reads from the environment: workers stay in their folder, a lost one is noticed
soon, and nothing waits long for its connections to close."""
_OF_THIS_MACHINE = {"RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0"}
"""The same, where no machine can be taken away: a process less that wakes up a hundred times a
second, as each of Ray's does."""
_OF_WORKERS = {"MALLOC_ARENA_MAX": "1"}
"""The environment of each worker. Ray calls what trains in a thread, whose own arena gives large
buffers back to the system again and again; with a single arena `keep_large_buffers` helps it."""


def trainer(
    reopen: Reopen, workers: int | None = None, *, address: str = LOCAL, on: str | None = None,
    say: Say | None = None,
) -> Trainer:  # fmt: skip
    """What trains on a Ray, for `shoal.pipeline.fit`.

    Args:
        reopen: opens the pile again, in another process.
        workers: how many processes train together; None: one a core, or GPU.
        address: see `connect`.
        on: cpu, cuda, or auto: whatever the cluster has, which may be more than the machine of the
            command; None: the device that `shoal.pipeline.fit` was asked for.
        say: called with a sentence where training waits for a machine that was lost.
    """

    def steps(
        source: ImageSource, recipe: Recipe, *, device: str = "cpu",
        resume: Checkpoint | None = None, limit: TimeLimit | None = None,
        groups: IntArray | None = None, **named: Any,
    ) -> Generator[Checkpoint]:  # fmt: skip
        order = Order(
            reopen, source.digest(), recipe, resume, groups, given_up.missing_in(source)
        )  # fmt: skip
        spent, began = 0.0 if limit is None else limit.spent(), time.monotonic()
        with (
            temporary() as folder,
            connect(
                address, workers, device=on or device, say=say, meanwhile="training waits for more"
            ) as engine,
        ):
            told = _Told(order, limit, spent, named)
            yield from _states(engine, str(folder), told, began, say or (lambda sentence: None))

    return steps


@dataclass(frozen=True)
class _Told:
    """The order, and what worker 0 alone needs."""

    order: Order
    limit: TimeLimit | None
    spent: float
    """Seconds of the limit that were spent when the order was given."""
    named: dict[str, Any]
    """``origin`` and ``notes`` of `train`."""

    def limit_after(self, seconds: float) -> TimeLimit | None:
        """The limit by the clock of the process that calls this."""
        if self.limit is None:
            return None
        return replace(self.limit, began=None, spent_before=self.spent + seconds)


def _states(
    engine: Engine, folder: str, told: _Told, began: float, say: Say
) -> Generator[Checkpoint]:
    """The states of a run that ``began`` then, as its workers hand them over."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor: Any = ray.remote(Board).options(num_cpus=0, scheduling_strategy=here)
    board = actor.remote(ray.cloudpickle.dumps(told))  # with functions of a script, too
    # In a process of its own: Ray ends a process, without a word, in which a thread asks it for
    # anything after it was shut down, and nothing public ends a training that waits in a thread.
    fitting: Any = ray.remote(_fit).options(num_cpus=0, scheduling_strategy=here, max_retries=0)
    fit = fitting.remote(board, folder, engine.device, engine.workers, _settings(engine.address))
    alive, said, none_yet = True, False, True
    while alive:
        try:  # asked before, so that nothing comes after the last news
            alive = not ray.wait([fit], timeout=0)[0]
            news = cast(News, ray.get(engine.wait([board.take.remote()])[0]))
        except ray.exceptions.RayError as error:
            raise engine.ended() from error
        if news.waits and not said and time.monotonic() - began > _SILENT:
            said = True
            waits = f"its workers take {engine.workers}, free are {engine.free()}"
            say(f"training has not begun: {waits}")
        for state in news.states:
            if none_yet:  # else nobody knows why a training of seconds took half a minute
                none_yet = False
                workers = f"{counted(engine.workers, 'worker')} of {engine.where}"
                say(f"{workers} began after {lasted(time.monotonic() - began)}")
            yield pickle.loads(state)
        if news.error is not None:
            raise pickle.loads(news.error)
        if news.stuck:
            reason = f": {news.reason}" if news.reason else ""
            raise LostError(f"the workers ended again and again before the next state{reason}")
    try:
        ray.get(fit)
    except ray.exceptions.RayTaskError as error:
        cause = engine.cause(error)
        if isinstance(cause, ShoalError):
            raise cause from error
        if not isinstance(error, ray.exceptions.RayActorError):
            raise DistributedError(f"Ray ended the training: {_last_line(error)}") from error
        raise LostError(_LEADS) from error
    except ray.exceptions.RayError as error:
        raise LostError(_LEADS) from error


def _last_line(error: BaseException) -> str:
    r"""What an error of Ray comes to; the lines before it show where it was raised, in colours.

    >>> _last_line(ValueError("\x1b[36mray::f()\x1b[39m\nValueError: no room\n"))
    'ValueError: no room'
    """
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _settings(address: str) -> dict[str, str]:
    """What Ray Train is to read from the environment; what a person has set goes before."""
    ours = _SETTINGS | (_OF_THIS_MACHINE if address == LOCAL else {})
    given = os.environ.items()
    return ours | {name: to for name, to in given if name in ours or name.startswith("RAY_TRAIN_")}


def _fit(board: Any, folder: str, device: str, workers: int, settings: dict[str, str]) -> None:
    """A ``TorchTrainer`` at work, until Ray is shut down."""
    os.environ.update(settings)
    from ray import train as ray_train
    from ray.train.torch import TorchConfig, TorchTrainer

    on_gpus = device == "cuda"
    resources = {"CPU": 1.0} | ({"GPU": 1.0} if on_gpus else {})
    of_workers: Any = {"worker_runtime_env": {"env_vars": _OF_WORKERS}}  # unknown to its types
    TorchTrainer(
        _share,
        train_loop_config={"board": board, "device": device},
        torch_config=TorchConfig(backend=backend(device), timeout_s=int(WAIT.total_seconds())),
        scaling_config=ray_train.ScalingConfig(
            num_workers=workers, use_gpu=on_gpus, resources_per_worker=resources
        ),
        run_config=ray_train.RunConfig(
            storage_path=folder, failure_config=ray_train.FailureConfig(max_failures=-1),
            **of_workers,
        ),
    ).fit()  # fmt: skip


def _share(config: dict[str, Any]) -> None:
    """What each worker does: its share of the steps."""
    import ray

    board, workers = config["board"], ProcessGroup.here()
    start: Start | None = ray.get(board.begin.remote()) if workers.rank == 0 else None
    try:
        start = workers.of_first(start)
        assert start is not None
        told: _Told = pickle.loads(start.order)
        order = told.order
        resume = order.resume if start.state is None else pickle.loads(start.state)
        source = open_alike(order, workers)
        keep_large_buffers({k: v for k, v in os.environ.items() if k not in _OF_WORKERS})
        limit = told.limit_after(start.seconds) if workers.rank == 0 else None
        sender = Sender(board)
        for checkpoint in train(
            source, order.recipe, device=config["device"], resume=resume, groups=order.groups,
            workers=workers, limit=limit, **told.named,
        ):  # fmt: skip
            if workers.rank == 0:
                sender.saw(checkpoint)
    except ShoalError as error:
        ray.get(board.fail.remote(pickle.dumps(error)))
    except Exception as error:
        if not is_lost(error):
            ray.get(board.lose.remote(f"{type(error).__name__}: {error}"))
        raise


class Sender:
    """Hands states of a run over: those that are kept, the first, and one every two seconds or so.

    So little is lost with a worker: the work of two seconds, or of a hundred times what it takes to
    hand a state over, if that is longer.
    """

    def __init__(self, board: Any) -> None:
        self.board = board
        self.pending: Any = None
        self.next = time.monotonic()

    def saw(self, checkpoint: Checkpoint) -> None:
        """Hand ``checkpoint`` over, if its turn has come."""
        import ray

        last = checkpoint.step >= checkpoint.total_steps
        due = last or checkpoint.step == 1 or is_kept(checkpoint)
        if not due and time.monotonic() < self.next:
            return
        began = time.monotonic()
        if self.pending is not None:
            ray.get(self.pending)
        self.pending = self.board.put.remote(pickle.dumps(sendable(checkpoint)))
        if last:
            ray.get(self.pending)
        now = time.monotonic()
        self.next = now + max(_EVERY, (now - began) / _SHARE)
