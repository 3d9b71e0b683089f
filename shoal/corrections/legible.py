"""What can be read of a damaged journal: its whole lines, and the pieces of others."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shoal.corrections.entry import UNDO, Entry
from shoal.corrections.history import replay
from shoal.corrections.journal_file import begins, check_beginning, entry_in, foreign
from shoal.errors import DataError

_INSIDE = re.compile(rb'(?!^)\{"n":\d+,"time":"')
"""How an entry begins behind what is left of another, whose end is lost."""
_NUMBER = re.compile(rb'\{"n":(\d{1,15}),')
_OP = re.compile(rb'"op":"(\w+)"')
_SAYS = re.compile(rb'"says":("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class Legible:
    """What can be read of a damaged journal."""

    entries: Mapping[int, Entry]
    """By their number, ascending."""
    pieces: Mapping[int, bytes]
    """What is left of lost lines, by the number that they had."""
    doubles: tuple[Entry, ...]
    """Entries whose number another line has."""

    @property
    def lost(self) -> list[range]:
        """The numbers of the lost lines; of those at the end nobody knows how many there were."""
        end = max([1, *self.entries, *self.pieces]) + 1
        there = [0, *self.entries, end]
        return [range(one + 1, next_one) for one, next_one in pairwise(there) if one + 1 < next_one]


def read_damaged(path: Path, content: bytes) -> Legible:
    """What can be read of what a damaged journal holds.

    Raises:
        DataError: it is no journal, or a newer version of shoal wrote it.
    """
    entries: dict[int, Entry] = {}
    pieces: dict[int, bytes] = {}
    doubles = []
    last = 0
    for place, line in enumerate(filter(None, content.split(b"\n")), 1):
        entry, piece = entry_in(line), b""
        if entry is not None and entry.n < 2 and not _begins(path, entry):
            entry, piece = None, line
        elif entry is None:
            inside = (match.start() for match in _INSIDE.finditer(line))
            ends = [(at, entry_in(line[at:])) for at in inside]
            at, entry = next((end for end in ends if end[1]), (len(line), None))
            piece = line[:at]
        if piece:
            number = _NUMBER.match(piece)
            last = int(number[1]) if number else last + 1
            pieces.setdefault(last, piece)
        if entry is not None:
            last = entry.n
            other = entries.setdefault(last, entry)
            if last == place:  # which is where it belongs
                entries[last] = entry
            if other != entry:
                doubles.append(entry if entries[last] == other else other)
    if not (entries or begins(content)):
        raise foreign(path)
    return Legible(dict(sorted(entries.items())), pieces, tuple(doubles))


def _begins(path: Path, entry: Entry) -> bool:
    """Whether a journal begins with an entry; `DataError` if a newer version of shoal wrote it."""
    try:
        check_beginning(path, entry.about)
    except DataError:
        raise
    except ValueError:
        return False
    return entry.n == 1 and is_start(entry)


def is_start(entry: Entry) -> bool:
    """Whether a journal can begin with an entry."""
    with contextlib.suppress(DataError):
        return bool(replay([entry]).entries)
    return False


def said(piece: bytes) -> str:
    """The sentence in what is left of a line; empty if it is lost, too."""
    found = _SAYS.search(piece)
    try:
        return str(json.loads(found[1])) if found else ""
    except ValueError:
        return ""


def may_undo(piece: bytes) -> bool:
    """Whether what is left of a line does not tell that it was no undo."""
    op = _OP.search(piece)
    return op is None or op[1] == UNDO.encode()
