"""Which shards of a pile in a store hold the images of a task, so that a worker opens these alone.

A machine that has the decoded pile, as that of the command, opens it whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shoal.images.remote import listing
from shoal.images.remote.location import is_remote
from shoal.protocols import ImageSource


@dataclass(frozen=True)
class Piece:
    """A shard, and the images of the pile that are in it."""

    shard: listing.Shard
    first: int
    stop: int


def pieces_of(data: Path, source: ImageSource) -> list[Piece]:
    """The shards of a pile in their order; none of a pile that is not one of several in a store.

    Args:
        data: where it lies.
        source: the pile, as the command opened it.

    Raises:
        DataError: the store does not list them any more.
    """
    if not is_remote(data) or not _is_of_shards(data):
        return []
    shards = listing.shards_of(data)
    if len(shards) < 2:
        return []
    number_of = _by_rows(shards) if shards[0].n_images is not None else _by_names(shards)
    rows = range(len(source))
    firsts = [
        bisect_left(rows, number, key=lambda row: number_of(source.ids[row]))
        for number in range(len(shards))
    ]
    borders = [*firsts, len(source)]
    return [
        Piece(shard, borders[number], borders[number + 1])
        for number, shard in enumerate(shards)
        if borders[number] < borders[number + 1]
    ]


def pieces_with(pieces: Sequence[Piece], start: int, stop: int) -> tuple[Piece, ...]:
    """Those that hold the images from ``start`` to before ``stop``."""
    begin = bisect_left(pieces, start + 1, key=lambda piece: piece.stop)
    end = bisect_left(pieces, stop, key=lambda piece: piece.first)
    return tuple(pieces[begin:end])


def _is_of_shards(data: Path) -> bool:
    return data.name.partition(":")[0].lower().endswith((".parquet", ".tar", ".zip", ".tar.gz"))


def _by_rows(shards: Sequence[listing.Shard]) -> Callable[[str], int]:
    """The shard of a row, by its number in the whole pile."""
    ends = [shard.first + (shard.n_images or 0) for shard in shards]
    return lambda name: bisect_left(ends, int(name) + 1)


def _by_names(shards: Sequence[listing.Shard]) -> Callable[[str], int]:
    """The shard of an image, by the beginning of its id."""
    numbers = {shard.name: number for number, shard in enumerate(shards)}

    def number_of(name: str) -> int:
        end = name.find("/")
        while end >= 0:
            if name[:end] in numbers:
                return numbers[name[:end]]
            end = name.find("/", end + 1)
        return len(shards)

    return number_of
