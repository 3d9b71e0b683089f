"""Decoding on all cores, in order, holding a bounded number of images at a time."""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from shoal.errors import DataError
from shoal.images.decoding.form import Chunk, Encoded, Form
from shoal.images.decoding.image import decode_chunk

Item = TypeVar("Item")
Result = TypeVar("Result")

MANY = 2048
"""From so many images on, processes pay for their start of about half a second.

Small images spend most of their time in Pillow's Python, which threads cannot do at once: on two
cores two processes decode JPEGs of 32 pixels 1.9 times as fast as one, two threads as fast as one.
"""
_CHUNK_IMAGES = 64
_CHUNK_BYTES = 8 * 2**20
"""A chunk is full at either; encoded images in flight are at most two chunks a core and one."""


class Worker:
    """A process that decodes one chunk after the other.

    Not of ``multiprocessing``: its processes run the user's script once more unless it is guarded,
    and joblib's, when their master is killed, wait for ever. This one ends with its standard input.
    """

    _CODE = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        "from shoal.images.decoding.worker import main; main()"
    )

    def __init__(self) -> None:
        # -P: the current folder may be the pile, and a numpy.py in it is not to be run.
        command = [sys.executable, "-P", "-c", self._CODE, json.dumps(sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def decode(self, contents: list[Encoded], form: Form) -> Chunk:
        """What `decode_chunk` gives.

        Raises:
            DataError: the process is no longer there.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((contents, form), self._process.stdin, protocol=5)
            self._process.stdin.flush()
            chunk: Chunk = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise DataError(
                "a process that decodes images was killed, perhaps because the memory is used up; "
                "close other programs and run the command again."
            ) from error
        return chunk

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it holds nothing that could be lost
        self._process.communicate()


def decode_in_chunks(contents: Iterable[Encoded], form: Form, n: int) -> Iterator[Chunk]:
    """Decode ``n`` images in their order; the last chunk may hold a surprise.

    Raises:
        DataError: a worker process was killed, as happens when the memory is used up.
    """
    cores = n_cores()
    per_chunk = max(1, min(_CHUNK_IMAGES, n // (8 * cores)))
    workers = _workers(cores) if n >= MANY and cores > 1 else []
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def decode(chunk: list[Encoded]) -> Chunk:
        if not workers:
            return decode_chunk(chunk, form)
        worker = idle.get()
        try:
            return worker.decode(chunk, form)
        finally:
            idle.put(worker)

    try:
        with closing(in_order(decode, _chunks(contents, per_chunk))) as decoded:
            yield from decoded
    finally:
        for worker in workers:
            worker.close()


def in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Results of a function for each item, in order, by a thread for each core.

    At most two items a core and one more are held at a time. All threads have ended when the
    iterator is closed.

    >>> list(in_order(str, range(3)))
    ['0', '1', '2']
    """
    cores = n_cores()
    waiting: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(cores)
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def n_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _chunks(contents: Iterable[Encoded], per_chunk: int) -> Iterator[list[Encoded]]:
    chunk: list[Encoded] = []
    held = 0
    for content in contents:
        chunk.append(content)
        held += len(content) if isinstance(content, bytes) else 0
        if len(chunk) == per_chunk or held >= _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _workers(cores: int) -> list[Worker]:
    """As many as there are cores; none where none can be started."""
    workers: list[Worker] = []
    try:
        for _ in range(cores):
            workers.append(Worker())  # noqa: PERF401 - those begun before one fails are to be ended
    except OSError:
        for worker in workers:
            worker.close()
        return []
    return workers
