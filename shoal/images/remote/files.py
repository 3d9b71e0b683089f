"""A file of a store, opened for reading: what is read of it is fetched, and a little ahead."""

from __future__ import annotations

import concurrent.futures
import io
import os
import tempfile
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from typing import IO, Any

from shoal.errors import OutputError
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.disk import check_room, temporary_folder
from shoal.images.files import reason_of
from shoal.images.remote import store
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.location import Location
from shoal.images.remote.parts import LIMIT, SIZE, parts
from shoal.images.remote.store import About

_LONGEST_RUN = 16
"""So many parts are asked for in one question, at most: 4 MB."""
_RUNS_AHEAD = 2
_BUFFER = 2**16
_MOST_AT_ONCE = 32 * 2**20
"""Bytes of whole files that are fetched ahead."""
_reading: list[weakref.ref[_InParts]] = []
"""The file that was read in order last."""
_wholes: OrderedDict[Location, IO[bytes]] = OrderedDict()
MOST_BYTES = 256 * 2**20
_TOO_LARGE = f"larger than {MOST_BYTES // 2**20} MB"


def about(place: Location) -> About:
    """What the store says of a file, asked for once.

    Raises:
        StoreError: it is not there, or the store does not answer.
    """
    if place.about is None:
        told = store.about([place])[0]
        if isinstance(told, StoreError):
            raise told
        place.about = told
    return place.about


def open_file(place: Location) -> IO[Any]:
    """Open a file for reading. See `Location.open`."""
    told = about(place)
    if not told.in_parts or told.size is None:
        return io.BufferedReader(_Whole(_whole(place)), _BUFFER)
    return io.BufferedReader(_InParts(place, told.size), _BUFFER)


class _Placed(io.RawIOBase):
    """A file that is read from a place of its own."""

    _place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place


class _InParts(_Placed):
    """A file that is fetched in parts: more at a time, the longer it is read in order."""

    def __init__(self, place: Location, size: int) -> None:
        self._of = place
        self._size = size
        self._run = 1
        self._last = -1
        self._ahead: deque[tuple[int, int, concurrent.futures.Future[bytes]]] = deque()
        self._gave_up: StoreError | None = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._place >= self._size or not len(view):
            return 0
        number, within = divmod(self._place, SIZE)
        content = self._part(number)[within : within + len(view)]
        view[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self) -> None:
        self._forget()
        super().close()

    def _part(self, number: int) -> bytes:
        """A part, from where it was kept or from the store, and the next are asked for."""
        if self._gave_up is not None:  # else each image of a shard would be waited for anew
            raise self._gave_up
        in_order, self._last = number in (self._last, self._last + 1), number
        kept = parts().get(_name(self._of, number))
        if kept is not None:
            return kept
        while self._ahead and not self._ahead[0][0] <= number < self._ahead[0][1]:
            self._ahead.popleft()[2].cancel()
        if not self._ahead:
            self._run = min(2 * self._run, _LONGEST_RUN) if in_order else 1
            self._ask(number)
        start, end, asked = self._ahead.popleft()
        try:
            if in_order:
                _only_ahead(self)
                self._run = min(2 * self._run, _LONGEST_RUN)
                while len(self._ahead) < _RUNS_AHEAD and self._ask(
                    self._ahead[-1][1] if self._ahead else end
                ):
                    pass
            content = asked.result()
        except BaseException as error:
            self._gave_up = error if isinstance(error, StoreError) else None
            asked.cancel()
            self._forget()
            raise
        for one in range(start, end):
            at = (one - start) * SIZE
            parts().put(_name(self._of, one), content[at : at + SIZE])
        at = (number - start) * SIZE
        return content[at : at + SIZE]

    def _ask(self, start: int) -> bool:
        """Ask for a run of parts, if the file goes on there."""
        n_parts = -(-self._size // SIZE)
        end = min(start + self._run, n_parts)
        if start >= end:
            return False
        asked = store.fetch(self._of, start * SIZE, min(end * SIZE, self._size))
        self._ahead.append((start, end, asked))
        return True

    def _forget(self) -> None:
        while self._ahead:
            self._ahead.pop()[2].cancel()


class _Whole(_Placed):
    """A file that was fetched as a whole; several readers share it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._place
        self._place = self._file.seek(offset, whence if whence == io.SEEK_END else io.SEEK_SET)
        return self._place

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._place)
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def _only_ahead(file: _InParts) -> None:
    """Of other files nothing more is kept ahead: of a thousand shards that would be much."""
    before = _reading[0]() if _reading else None
    if before is not None and before is not file:
        before._forget()
    _reading[:] = [weakref.ref(file)]


def fetch_ends(places: Sequence[Location]) -> None:
    """Fetch the ends of many files at a time: there lie their tables of contents.

    What cannot be fetched is noticed when it is read.
    """
    waiting: deque[tuple[Location, int, concurrent.futures.Future[bytes]]] = deque()

    def keep() -> None:
        place, first, asked = waiting.popleft()
        try:
            content = asked.result()
        except StoreError:
            return
        for start in range(0, len(content), SIZE):
            parts().put(_name(place, first + start // SIZE), content[start : start + SIZE])

    for place in places if len(places) > 1 else ():
        told = place.about
        if told is None or not told.in_parts or not told.size:
            continue
        first = max(0, (told.size - 1) // SIZE - 1)
        waiting.append((place, first, store.fetch(place, first * SIZE, told.size)))
        if len(waiting) >= store.AT_ONCE:
            keep()
    while waiting:
        keep()


def _name(place: Location, number: int) -> tuple[Any, int]:
    """What a part is kept under."""
    return (place.url, None if place.about is None else place.about.stamp), number


def _whole(place: Location) -> IO[bytes]:
    """A file of a server that sends no parts, in a temporary file without a name.

    Those used last are kept, of `parts.LIMIT` bytes together, and this one in any case.

    Raises:
        StoreError: it cannot be read.
        OutputError: there is no room for it.
    """
    if place in _wholes:
        _wholes.move_to_end(place)
        return _wholes[place]
    file = _fetched_whole(place)
    _wholes[place] = file
    while len(_wholes) > 1 and sum(os.fstat(f.fileno()).st_size for f in _wholes.values()) > LIMIT:
        _wholes.popitem(last=False)
    return file


def _fetched_whole(place: Location) -> IO[bytes]:
    folder = temporary_folder()
    size = place.about.size if place.about is not None else None
    check_room(folder, size or 0)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - as long as it is kept
    try:
        store.fetch_whole(place, file)
        file.flush()
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {reason_of(error)}.") from error
    return file


def content_of(place: Location) -> Encoded:
    """A whole file, or why it cannot be read."""
    return next(contents_of([place]))


def contents_of(
    places: Sequence[Location], limits: Sequence[int] | None = None
) -> Iterator[Encoded]:
    """Whole files in order, several fetched at a time; or why one cannot be read.

    ``limits``: how many bytes of each are wanted at most; None: all, up to `MOST_BYTES`.
    """
    waiting: deque[tuple[int, concurrent.futures.Future[bytes] | Unreadable | bytes]] = deque()
    most: Sequence[int | None] = limits or [None] * len(places)
    coming, held = iter(zip(places, most, strict=True)), 0
    try:
        while True:
            while len(waiting) < store.AT_ONCE and (not waiting or held < _MOST_AT_ONCE):
                following = next(coming, None)
                if following is None:
                    break
                place, limit = following
                size = (place.about.size if place.about is not None else None) or 0
                size = min(size, limit or size)
                if place.about is not None and place.about.size == 0:
                    waiting.append((0, b""))
                    continue
                if size > MOST_BYTES:
                    waiting.append((0, Unreadable(_TOO_LARGE)))
                    continue
                waiting.append((size, store.fetch(place, 0, size or None)))
                held += size
            if not waiting:
                return
            size, asked = waiting.popleft()
            if isinstance(asked, Unreadable | bytes):
                yield asked
                continue
            held -= size
            try:
                content: Encoded = asked.result()
            except AwayError:
                raise
            except StoreError as error:
                content = Unreadable(error.reason)
            yield content
    finally:
        for _, asked in waiting:
            if not isinstance(asked, Unreadable | bytes):
                asked.cancel()
