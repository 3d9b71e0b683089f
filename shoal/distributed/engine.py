"""Ray, started on this machine or joined on a cluster: quietly, and ended with the command."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shoal.distributed.address import AUTO, LOCAL, check_address
from shoal.distributed.environment import (
    check_auto,
    check_installed,
    importable,
    quietly,
    restored,
    version_mismatch,
)
from shoal.distributed.folders import temporary
from shoal.distributed.machines import check_machines
from shoal.distributed.watch import Muster, Say, Watch
from shoal.errors import DistributedError, LostError, ShoalError
from shoal.images.decoding.parallel import n_cores

ATTEMPTS = 4
"""How often a task is begun whose process dies, before the command ends."""
_QUEUED = 2
"""Tasks handed to Ray for each worker: one that it does, and one that waits for it."""
_OBJECT_STORE = 80 * 2**20
"""Bytes of a local Ray's object store, the least it takes: no image travels through it."""


@dataclass(frozen=True)
class Engine:
    """A Ray that answers. `connect` makes one."""

    address: str
    """Where it is; ``local`` for one that began with the command and ends with it."""
    workers: int
    """How many tasks it does at a time."""
    device: str
    """cpu or cuda: what each worker computes on."""
    watch: Watch | None = None
    """Looks whether it has ended."""

    @property
    def where(self) -> str:
        """For messages."""
        return _where(self.address)

    def wait(self, results: list[Any]) -> list[Any]:
        """Those of Ray's ``results`` that are there, at least one.

        Raises:
            LostError: the Ray has ended.
        """
        import ray

        while True:
            if self.watch is not None:
                self.watch.check()
            done, _ = ray.wait(results, num_returns=1, timeout=1.0)
            if done:
                return list(done)

    def do(
        self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """Call ``function(*task)`` for each of ``tasks`` in another process; in any order.

        A worker computes on one thread, so that its results do not depend on how many workers there
        are. A task whose process dies is begun again, `ATTEMPTS` times at most.

        Args:
            function: of a module that the workers can import.
            tasks: what it is called with; the last of each says in words what it is of. They are
                taken as workers become free.

        Yields:
            Each task with what came of it, as soon as it is done.

        Raises:
            DistributedError: a task's process died each time.
            ShoalError: what the function raised.
        """
        import ray

        remote = ray.remote(function).options(
            num_cpus=1, num_gpus=int(self.device == "cuda"), max_retries=0
        )
        waiting, running = iter(tasks), dict[Any, tuple[Any, ...]]()
        begun: dict[tuple[Any, ...], int] = {}
        try:
            while True:
                while len(running) < _QUEUED * self.workers:
                    task = next(waiting, None)
                    if task is None:
                        break
                    running[remote.remote(*task)] = task
                if not running:
                    return
                done = self.wait(list(running))
                task = running.pop(done[0])
                try:
                    result = ray.get(done[0])
                except _deaths() as error:
                    begun[task] = begun.get(task, 1) + 1
                    if begun[task] > ATTEMPTS:
                        raise _died(task, error) from error
                    running[remote.remote(*task)] = task
                    continue
                except ray.exceptions.RayTaskError as error:
                    raise self.cause(error) from error
                except ray.exceptions.RayError as error:
                    raise self.ended() from error
                yield task, result
        finally:
            if self.watch is None or not self.watch.lost:
                for task_of in running:
                    with contextlib.suppress(Exception):
                        ray.cancel(task_of, force=True)

    def free(self) -> str:
        """How many cores or GPUs nobody uses, for messages."""
        import ray

        kind, unit = _unit(self.device)
        there, free = _there(ray, kind), int(ray.available_resources().get(kind, 0))
        return f"{free} of the {there} {unit} of {self.where}"

    def cause(self, error: Any) -> BaseException:
        """What a task raised: ours as it is; what its machine lacks as a sentence."""
        cause = getattr(error, "cause", None)
        if isinstance(cause, ShoalError | KeyboardInterrupt):
            return cause
        module = cause.name or "" if isinstance(cause, ModuleNotFoundError) else ""
        if module.startswith("shoal") or "failed to import on the worker" in str(cause):
            return DistributedError(
                f"a worker of {self.where} has no shoal, or another one; install the same version "
                "on each machine."
            )
        return error

    def ended(self) -> LostError:
        """The error that the Ray has ended, which is remembered."""
        if self.watch is not None:
            self.watch.lost = True
        return LostError(f"the Ray of {self.where} has ended")


def check_engine(address: str | None, workers: int | None) -> None:
    """Fail before any work where `connect` would.

    Raises:
        DistributedError: see `connect`; or workers are asked for without an address, or more than
            this machine has cores.
    """
    if workers is not None and not isinstance(workers, int):
        raise DistributedError(f"workers must be a whole number, got {workers!r}.")
    if workers is not None and workers < 1:
        raise DistributedError(f"workers must be at least 1, got {workers}.")
    if address is None:
        raise DistributedError("workers is only for --ray; add --ray, or leave it out.")
    check_installed()
    cores = n_cores()
    if address == LOCAL and workers is not None and workers > cores:
        raise _too_many(address, cores, "cores", workers)
    check_address(address)
    if address == AUTO:
        check_auto()


def rehearse(address: str, workers: int | None, *, device: str = "cpu") -> None:
    """Fail before any work where `connect` to a cluster would: join it, and leave it again.

    Raises:
        DistributedError: see `connect`.
    """
    check_engine(address, workers)
    if address != LOCAL:
        with connect(address, workers, device=device):
            pass


@contextlib.contextmanager
def connect(
    address: str, workers: int | None = None, *, device: str = "cpu", say: Say | None = None,
    meanwhile: str = "the others go on",
) -> Iterator[Engine]:  # fmt: skip
    """Join the Ray at ``address``, or start one on this machine, until the block ends.

    Nothing is printed, nothing is written to the project, and Ray's statistics of use are off. The
    environment is as it was when the block begins.

    Args:
        address: ``local``; or ``host:port`` of a cluster that this machine is a part of, or
            ``auto`` for the one that runs here.
        workers: how many tasks to do at a time; None: as many as it has cores, or with
            ``device="cuda"`` GPUs.
        device: what each worker computes on; auto: on GPUs, where there are any.
        say: called with a sentence where a cluster has lost machines, and where they are back.
        meanwhile: what happens until then, for that sentence.

    Raises:
        DistributedError: Ray is not installed, nobody answers, the cluster has another version of
            Ray or Python, or fewer cores than ``workers``; or one of its machines another shoal.
    """
    check_engine(address, workers)
    with contextlib.ExitStack() as ends:
        ends.enter_context(restored())
        ray = importable()
        began: dict[str, Any] = {}
        if address == LOCAL:
            began = {
                "num_cpus": workers or n_cores(),
                "object_store_memory": _OBJECT_STORE,
                "_temp_dir": str(ends.enter_context(temporary())),
                "include_dashboard": False,
            }
        watched: list[Watch] = []
        ends.callback(lambda: watched[0].leave(ray) if watched else ray.shutdown())
        try:
            with restored(), quietly():
                ray.init(address, logging_level="FATAL", log_to_driver=False, **began)
        except Exception as error:  # Ray raises many kinds
            raise version_mismatch(address, error) from error
        if device == "auto":
            device = "cuda" if ray.cluster_resources().get("GPU", 0) >= 1 else "cpu"
        workers = _workers(ray, address, workers, device)
        muster = None
        kind, unit = _unit(device)
        if address != LOCAL:
            check_machines(ray, kind)
        if say is not None and address != LOCAL:
            muster = Muster(
                _where(address), lambda: _there(ray, kind), workers, unit, meanwhile, say
            )
        watched.append(Watch.over(ray, address, _where(address), muster))
        engine = Engine(address, workers, device, watched[0])
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ray's processes end, too
        yield engine


def _where(address: str) -> str:
    return "this machine" if address == LOCAL else f"the cluster at {address}"


def _workers(ray: Any, address: str, asked: int | None, device: str) -> int:
    kind, name = _unit(device)
    there = _there(ray, kind)
    if there < max(1, asked or 1):
        raise _too_many(address, there, name, asked or 1)
    return asked or there


def _unit(device: str) -> tuple[str, str]:
    """What a worker takes one of: Ray's name of it, and ours."""
    return ("GPU", "GPUs") if device == "cuda" else ("CPU", "cores")


def _there(ray: Any, kind: str) -> int:
    return int(ray.cluster_resources().get(kind, 0))


def _too_many(address: str, there: int, name: str, asked: int) -> DistributedError:
    return DistributedError(
        f"workers must be at most {there}, the {name} of {_where(address)}, got {asked}."
    )


def _deaths() -> tuple[type[BaseException], ...]:
    """What Ray raises where a process or a machine ended, and the task may be begun again."""
    from ray import exceptions

    names = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError")
    return tuple(getattr(exceptions, name) for name in names if hasattr(exceptions, name))


def _died(task: tuple[Any, ...], error: BaseException) -> DistributedError:
    of_memory = type(error).__name__ == "OutOfMemoryError"
    why = "took too much memory" if of_memory else "died"
    return DistributedError(
        f"the worker of {task[-1]} {why} {ATTEMPTS} times, each time begun anew; the other parts "
        "are kept."
    )
