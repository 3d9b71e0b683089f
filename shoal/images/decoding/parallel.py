"""Decoding on all cores, in order, holding a bounded number of images at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial
from typing import TypeVar

from shoal.images.decoding import processes
from shoal.images.decoding.form import Chunk, Encoded, Form, Member, Unreadable
from shoal.images.decoding.image import decode_chunk
from shoal.images.decoding.processes import CrashedError, Pool

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


def decode_in_chunks(
    contents: Iterable[Encoded], form: Form, n: int, *, isolated: bool = False
) -> Iterator[Chunk]:
    """Decode ``n`` images in their order; the last chunk may hold a surprise.

    Args:
        contents: the images.
        form: what to bring them to.
        n: how many there are.
        isolated: whether libraries decode them that may crash: then processes of their own do it.

    Raises:
        DataError: a process was killed, as happens when the memory is used up.
    """
    cores = n_cores()
    per_chunk = max(1, min(_CHUNK_IMAGES, n // (8 * cores)))
    many = n >= MANY and cores > 1
    with processes.pool(cores) if many or isolated else nullcontext() as pool:
        decode = partial(_decode, pool, form)
        with closing(in_order(decode, _chunks(contents, per_chunk))) as decoded:
            yield from decoded


def _decode(pool: Pool | None, form: Form, chunk: list[Encoded]) -> Chunk:
    if pool is None:
        return decode_chunk(chunk, form)
    try:
        return pool.call(decode_chunk, chunk, form)
    except CrashedError:
        sound = [_unless_it_crashes(pool, form, content) for content in chunk]
    try:
        return pool.call(decode_chunk, sound, form)
    except CrashedError as error:  # each by itself is sound, and all of them are not
        return decode_chunk([Unreadable(error.reason)] * len(chunk), form)


def _unless_it_crashes(pool: Pool, form: Form, content: Encoded) -> Encoded:
    try:
        pool.call(decode_chunk, [content], form)
    except CrashedError as error:
        return Unreadable(error.reason)
    return content


def in_order_or_isolation(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    crashed: Callable[[str], Result],
    *,
    isolated: bool,
) -> Generator[Result]:
    """`in_isolation` where libraries that may crash see the items, and else `in_order`."""
    return in_isolation(function, items, crashed) if isolated else in_order(function, items)


def in_isolation(
    function: Callable[[Item], Result], items: Iterable[Item], crashed: Callable[[str], Result]
) -> Generator[Result]:
    """Results of a function for each item, in order, by processes of their own.

    Args:
        function: it and its results can be pickled.
        items: can be pickled.
        crashed: the result for an item with which the process crashes, by the reason.
    """

    def call(item: Item) -> Result:
        if pool is None:
            return function(item)
        try:
            return pool.call(function, item)
        except CrashedError as error:
            return crashed(error.reason)

    with processes.pool(n_cores()) as pool, closing(in_order(call, items)) as results:
        yield from results


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


def _n_bytes(content: Encoded) -> int:
    if isinstance(content, Member):
        # The images of a file share what it holds, so that a chunk of them holds it once.
        return 0 if content.member else _n_bytes(content.content)
    return len(content) if isinstance(content, bytes) else 0


def _chunks(contents: Iterable[Encoded], per_chunk: int) -> Iterator[list[Encoded]]:
    chunk: list[Encoded] = []
    held = 0
    for content in contents:
        chunk.append(content)
        held += _n_bytes(content)
        if len(chunk) == per_chunk or held >= _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
