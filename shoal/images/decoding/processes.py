"""Processes that decode: where one crashes within a library, the others go on.

What decodes HEIC, raw files, videos and the like is written in C. A damaged file may bring it down,
and then only the process that it runs in, and that file is left out of the pile.
"""

from __future__ import annotations

import json
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from shoal.errors import DataError
from shoal.images.decoding.time_limit import SLOW, was_slow

Result = TypeVar("Result")
CRASHED = "damaged: the library that decodes it crashed"
_ENDED = frozenset(-int(getattr(signal, name, 0)) for name in ("SIGKILL", "SIGTERM", "SIGINT"))
"""How a process ends that the system or a person ends; any other end is a crash."""
_held = threading.local()


class CrashedError(Exception):
    """A process crashed while it decoded, or took too long."""

    def __init__(self, reason: str = CRASHED) -> None:
        super().__init__(reason)
        self.reason = reason


class Worker:
    """A process that computes one function after the other.

    Not of ``multiprocessing``: its processes run the user's script once more unless it is guarded,
    and joblib's, when their master is killed, wait for ever. This one ends with its standard input.
    """

    _CODE = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        "from shoal.images.decoding.worker import main; main()"
    )

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        # -P: the current folder may be the pile, and a numpy.py in it is not to be run.
        command = [sys.executable, "-P", "-c", self._CODE, json.dumps(sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What a function returns there. It and its arguments can be pickled.

        Raises:
            CrashedError: the process crashed, or took too long for an image, see `time_limit`.
                Another one has taken its place.
            DataError: the process was killed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((function, arguments), self._process.stdin, protocol=5)
            self._process.stdin.flush()
            result: Result = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._process.stdout.close()
            returncode = self._process.wait()
            if returncode in _ENDED:
                raise DataError(
                    "a process that decodes images was killed, perhaps because the memory is used "
                    "up; close other programs and run the command again."
                ) from error
            self.close()
            self._start()
            raise CrashedError(SLOW if was_slow(returncode) else CRASHED) from error
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it holds nothing that could be lost
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was to be told is not told
                    pipe.close()
        self._process.wait()


class Pool:
    """Several workers; a call waits for one that is idle."""

    def __init__(self, n: int) -> None:
        self._workers: list[Worker] = []
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        try:
            for _ in range(n):
                self._workers.append(Worker())
        except OSError:  # none can be started here
            self.close()
            raise
        for worker in self._workers:
            self._idle.put(worker)

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See `Worker.call`."""
        worker = self._idle.get()
        try:
            return worker.call(function, *arguments)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()


@contextmanager
def shared() -> Iterator[None]:
    """A block at whose end the processes end that were started in it, by this thread."""
    if getattr(_held, "pools", None) is not None:
        yield
        return
    pools: list[Pool] = []
    _held.pools = pools
    try:
        yield
    finally:
        _held.pools = None
        for started in pools:
            started.close()


@contextmanager
def pool(n: int) -> Iterator[Pool | None]:
    """The pool of this thread, with ``n`` processes if it is new; None where none can be started.

    It ends with this block, or with the `shared` block around it.
    """
    with shared():
        if not _held.pools:
            try:
                _held.pools.append(Pool(n))
            except OSError:
                yield None
                return
        yield _held.pools[0]
