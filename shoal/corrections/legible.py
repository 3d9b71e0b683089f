"""What can be read of a damaged journal: its whole lines, and the pieces of others."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
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
    faults: tuple[str, ...]
    """What is wrong with the file but takes no entry from it, in sentences."""

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
    at: list[tuple[int, int]] = []  # the number of each piece, and its line of the file
    doubles: list[Entry] = []
    twice: list[int] = []
    late: list[int] = []
    several: list[int] = []
    last = place = highest = 0
    lines = content.removesuffix(b"\n").split(b"\n")
    for line_number, line in enumerate(lines, 1):
        parts = _parts(line)
        if sum(entry is not None for entry, _ in parts) > 1:
            several.append(line_number)
        for entry, piece in parts:
            place += 1
            if entry is None or (entry.n < 2 and not _begins(path, entry)):
                number = _NUMBER.match(piece)
                last = int(number[1]) if number else last + 1
                pieces.setdefault(last, piece)
                at.append((last, line_number))
                continue
            last = entry.n
            if last < highest and last not in entries:
                late.append(last)
            highest = max(highest, last)
            other = entries.setdefault(last, entry)
            if last == place:  # which is where it belongs
                entries[last] = entry
            if other != entry:
                doubles.append(entry if entries[last] == other else other)
            elif other is not entry:
                twice.append(last)
    if not (entries or begins(content)):
        raise foreign(path)
    faults = _faults(
        ("line {} of the file is blank", "lines {} of the file are blank",
         [number for number, line in enumerate(lines, 1) if content and not line.strip()]),
        ("line {} of the file holds no whole entry", "lines {} of the file hold no whole entry",
         [line_number for number, line_number in at if number in entries]),
        ("line {} of the file holds several entries", "lines {} of the file hold several entries",
         several),
        ("entry {} stands behind a later one", "entries {} stand behind later ones", late),
        ("entry {} is there more than once", "entries {} are there more than once", twice),
    )  # fmt: skip
    return Legible(dict(sorted(entries.items())), pieces, tuple(doubles), faults)


def _parts(line: bytes) -> list[tuple[Entry | None, bytes]]:
    """The entries in a line, in their order, and what is left of others.

    Two entries share a line where the end of the first line is lost.
    """
    if not line.strip():
        return []
    whole = entry_in(line)
    if whole is not None:
        return [(whole, line)]
    parts: list[tuple[Entry | None, bytes]] = []
    start = 0
    begin = [*(match.start() for match in _INSIDE.finditer(line)), len(line)]
    while rest := line[start:].lstrip():
        start = len(line) - len(rest)
        try:  # as Latin-1 each byte is a character, so that the end is a place in the line
            length = json.JSONDecoder().raw_decode(rest.decode("latin-1"))[1]
            entry = entry_in(rest[:length])
        except (ValueError, RecursionError):
            entry = None
        if entry is None:
            length = next(place for place in begin if place > start) - start
        parts.append((entry, rest[:length]))
        start += length
    return parts


def _faults(*found: tuple[str, str, Sequence[int]]) -> tuple[str, ...]:
    """A sentence about the numbers of each kind of fault, for one of them and for several."""
    return tuple(
        (one if len(set(numbers)) == 1 else several).format(_numbered(numbers))
        for one, several, numbers in found
        if numbers
    )


def _numbered(numbers: Sequence[int]) -> str:
    """Numbers as a person lists them.

    >>> _numbered([3, 1, 2, 7]), _numbered([4]), _numbered([5, 4])
    ('1 to 3 and 7', '4', '4 and 5')
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    names = [
        name
        for run in runs
        for name in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))
    ]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
