"""A way on from a damaged journal: what can be read counts, and the damaged file is kept whole.

What may count after a line that is lost? An entry holds the ids of its images and of the groups
they go to, and no id of a group is used twice. So what was said after a lost line is as true
without it: these images belong in that group. What the lost line put there besides is missing, and
that is said. Four things need care:

- An undo names the entry that it undoes. Where that is not the last one, lost lines undid those
  after it; where it is lost itself, nothing is to be undone. A redo is alike.
- Two groups never have one name. Where an entry gives a name that another group has, a lost line
  had taken it from that one.
- An entry about images that the lines before it do not hold is left out. They came with a lost
  line, which also said where all the others are.
- A lost line may have undone what was said last before it. That counts, and the person is told.

The first line says which images there are, and the group of each. Without it ids of groups mean
nothing, unless these are known from elsewhere: from an entry that carried all of them over to
another result; else from the table that was reviewed, if no other line is lost and the piece of the
first line agrees with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from shoal.corrections.entry import REDO, UNDO, Entry, Whole
from shoal.corrections.history import History, replay
from shoal.corrections.journal import open_alone
from shoal.corrections.journal_file import FORMAT, VERSION, line_of, read_journal
from shoal.corrections.legible import Legible, is_start, may_undo, read_damaged, said
from shoal.errors import DataError
from shoal.images.files import atomic_path, free
from shoal.plural import counted

Begin: TypeAlias = "Callable[[bytes], Entry | None]"
"""Gives the first entry of a journal, of the piece of it that is left; None if nothing tells."""


@dataclass(frozen=True)
class Mended:
    """What came of a damaged journal."""

    kept: Path
    """The damaged file."""
    history: History | None
    """What the journal comes to now; None where nothing shows which images its lines are about."""
    notes: tuple[str, ...]
    """What is lost, or that nothing is, and what else was wrong with the file, in sentences."""


def mend(path: str | Path, begin: Begin) -> Mended | None:
    """Keep a damaged journal aside, and write all that can be read of it as a journal.

    Args:
        path: the journal.
        begin: what else may tell its first entry.

    Returns:
        What came of it; None if the journal is whole.

    Raises:
        DataError: there is none, it is no journal, or a newer version of shoal wrote it.
        OutputError: it cannot be written, or another process has it open.
    """
    path = Path(path)
    if _is_whole(path):
        return None
    file = open_alone(path)
    try:
        content = path.read_bytes()
        found = read_damaged(path, content)
        start, known = _start(found, begin)
        if start is None:
            history, notes = None, [*_lost(found, {}), *found.faults]
        else:
            history, last, left_out = _replay(start, found)
            counts = {number: entry for number, entry in last.items() if entry in history.done}
            lost = [*_lost(found, counts), *known, *left_out]
            notes = [*lost, *found.faults] if lost else [*found.faults, "nothing is lost"]
        kept = free(path.with_name(f"{path.name}.damaged"))
        with atomic_path(kept) as temporary:
            temporary.write_bytes(content)
        if history is None:
            path.unlink()
        else:
            with atomic_path(path) as temporary:
                temporary.write_bytes(b"".join(map(line_of, history.entries)))
    finally:
        os.close(file)
    return Mended(kept, history, tuple(notes))


def _is_whole(path: Path) -> bool:
    try:
        return not read_journal(path).torn
    except DataError:
        if path.is_file():
            return False
        raise  # as it says that there is none


def _start(found: Legible, begin: Begin) -> tuple[Entry | None, list[str]]:
    """The first entry of what a journal comes to, and what shows it where its own line is lost.

    None where nothing shows it.
    """
    if 1 in found.entries:
        return found.entries[1], []
    for entry in found.entries.values():
        if entry.op == "carry" and entry.whole is not None:
            whole = Whole(entry.whole.ids, entry.whole.groups, next_group=entry.whole.next_group)
            says = f"Began with {counted(len(whole.ids), 'image')}."
            about = {"format": FORMAT, "version": VERSION}
            first = Entry("start", says, whole=whole, about=about, n=1, time=entry.time)
            if is_start(first):
                return first, [f"line {entry.n} shows the images and their groups from there on"]
    start = begin(found.pieces.get(1, b"")) if found.lost == [range(1, 2)] else None
    if start is None:
        return None, []
    return replace(start, n=1), ["the table that was reviewed shows what line 1 said"]


def _replay(start: Entry, found: Legible) -> tuple[History, dict[int, Entry], list[str]]:
    """What the entries come to.

    Returns:
        The history; the entry that the next one would undo, by the number of that next one; and the
        lines that do not fit and are left out, in sentences.
    """
    history, numbers = replay([start]), {1: 1}
    lost = found.lost[0].start if found.lost else len(found.entries)
    # Without the first line only the words count of what was said before all was carried over.
    carries = (entry.n for entry in found.entries.values() if entry.op == "carry")
    carried = next(carries, 0) if lost == 1 else 0
    last: dict[int, Entry] = {}
    left_out = []
    for entry in found.entries.values():
        if entry.n == 1:
            continue
        try:
            if entry.op in (UNDO, REDO):
                history = _back_or_on(history, entry, numbers.get(entry.of or 0))
            else:
                now = replace(entry, n=len(history.entries) + 1)
                if entry.n < carried:
                    now = _words(now, history)
                if lost < entry.n:
                    now = replace(now, names=_taken(history, entry) | dict(entry.names))
                history = history.then(now)
                numbers[entry.n] = now.n
        except DataError as error:
            why = str(error).rstrip(".")
            left_out.append(f"line {entry.n} is left out: {why}; it says: {entry.says}")
        if history.done:
            last[entry.n + 1] = history.done[-1]
    return history, last, left_out


def _back_or_on(history: History, entry: Entry, of: int | None) -> History:
    """With an undo or redo, after those on the way to it, which are lost."""
    did = entry.says.partition(":")[0]
    while True:
        stack = history.done if entry.op == UNDO else history.undone
        if all(other.n != of for other in stack):
            return history
        last = stack[-1]
        step = replace(entry, n=len(history.entries) + 1, of=last.n, says=f"{did}: {last.says}")
        history = history.then(step)


def _words(entry: Entry, history: History) -> Entry:
    """Without what an entry says of the groups of images, and of images that are not there."""
    there = history.groups.pile.row_of
    apart = tuple(pair for pair in entry.apart if all(name in there for name in pair))
    return replace(entry, moves={}, decides=False, apart=apart)


def _taken(history: History, entry: Entry) -> dict[int, str]:
    """The groups whose name an entry gives to others, without it."""
    given = {name for name in entry.names.values() if name}
    return {group: "" for group, name in history.groups.names.items() if name in given}


def _lost(found: Legible, last: Mapping[int, Entry]) -> list[str]:
    """What is lost, in sentences; ``last`` is what a lost line would undo, see `_replay`."""
    if not (found.entries or found.pieces):
        return ["the file is empty: all that it held is lost"]
    notes = []
    for lost in found.lost:
        first = lost.start
        pieces = [piece for number, piece in found.pieces.items() if number in lost]
        one = len(lost) == 1
        if pieces:
            what = "line" if one else "lines"
            how = "cannot be read" if len(pieces) == len(lost) else "are missing or cannot be read"
        else:
            what = "entry" if one else "entries"
            how = "is missing" if one else "are missing"
        which = f"{first}" if one else f"{first} to {lost[-1]}"
        parts = [f"{what} {which} {how}"]
        parts += [f"what is left says: {says.rstrip('.')}" for says in map(said, pieces) if says]
        if first in last and (len(pieces) < len(lost) or any(map(may_undo, pieces))):
            parts.append(f"it may have undone this, which counts: {last[first].says}")
        notes.append("; ".join(parts))
    notes += [f"a second line {entry.n} is left out: {entry.says}" for entry in found.doubles]
    return notes
