"""The actions of the page: each is checked, becomes an entry, and is written to the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corrections import say
from shoal.corrections.division import division_of
from shoal.corrections.entry import Entry
from shoal.corrections.groups import Groups
from shoal.errors import DataError
from shoal.protocols import IntArray
from shoal.review.answers import TOKEN, token

if TYPE_CHECKING:
    from shoal.review.session import Session

_MOST_PARTS = 100
_LONGEST_NOTE = 2000


def prepared(said: Any, session: Session) -> Callable[[], str]:
    """Check an action, and compute what it needs, of the groups as they are now.

    Args:
        said: the JSON of the action, as anybody may have sent it.
        session: the review.

    Returns:
        What writes it to the journal, at once, as long as nothing else was said, and returns what
        was done as a sentence; empty where there is nothing to write. Before that nothing changes.

    Raises:
        DataError: it makes no sense.
    """
    if not isinstance(said, dict) or not isinstance(said.get("op"), str):
        raise DataError("an action must be a JSON object with an op.")
    asked = Asked(said, session)
    op = asked.said["op"]
    if op in _HISTORY:
        return lambda: _HISTORY[op](asked)
    if op in _PERHAPS:
        return _PERHAPS[op](asked)
    if op not in _ENTRIES:
        raise DataError(f"there is no action {op[:40]!r}.")
    return asked.appended(_ENTRIES[op](asked))


class Asked:
    """The fields of an action, each checked when it is read."""

    def __init__(self, said: Mapping[str, Any], session: Session) -> None:
        self.said, self.session, self.groups = said, session, session.groups

    @property
    def about(self) -> dict[str, Any]:
        """What the entry remembers of the action: its token, so that it is done once."""
        named = token(self.said)
        return {TOKEN: named} if named else {}

    def appended(self, entry: Entry) -> Callable[[], str]:
        """What writes an entry to the journal, or only says that all is so already."""
        if _is_so(self.groups, entry):
            return lambda: f"{entry.says.removesuffix('.')}: that is so already. Nothing changed."
        entry = replace(entry, about={**entry.about, **self.about})
        return lambda: self.session.journal.append(entry).says

    def whole(self, name: str, value: Any = None) -> int:
        """A field that is a whole number.

        Raises:
            DataError: it is missing or something else.
        """
        value = self.said.get(name) if value is None else value
        if type(value) is not int or abs(value) >= 2**53:
            raise DataError(f"{name} must be a whole number, got {str(value)[:40]!r}.")
        return value

    def text(self, name: str, most: int = 1000) -> str:
        """A field that is a text; empty where it is missing.

        Raises:
            DataError: it is something else, or too long.
        """
        value = self.said.get(name)
        value = "" if value is None else value
        if not isinstance(value, str):
            raise DataError(f"{name} must be a text.")
        if len(value) > most:
            raise DataError(f"{name} must have at most {most:,} characters, got {len(value):,}.")
        return value.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text

    def row(self, name: str = "row") -> int:
        """A field that is a row of the pile.

        Raises:
            DataError: there is no such image.
        """
        row = self.whole(name)
        if not 0 <= row < len(self.groups.ids):
            raise DataError(f"there is no image {row}; there are {len(self.groups.ids):,}.")
        return row

    def rows(self) -> IntArray:
        """The field ``rows``, int64 (m,), each row once.

        Raises:
            DataError: it is no list of rows of the pile, or empty.
        """
        value = self.said.get("rows")
        if not isinstance(value, list) or not all(type(row) is int for row in value):
            raise DataError("rows must be a list of whole numbers.")
        n = len(self.groups.ids)
        wrong = next((row for row in value if not 0 <= row < n), None)
        if wrong is not None:
            raise DataError(f"there is no image {wrong}; there are {n:,}.")
        if not value:
            raise DataError("no images are selected.")
        return np.array(list(dict.fromkeys(value)), dtype=np.int64)


def _is_so(groups: Groups, entry: Entry) -> bool:
    """Whether an entry would change nothing: no image, no name, no pair and no note."""
    if entry.whole is not None or entry.note is not None or entry.apart:
        return False
    if any(groups.names.get(group, "") != name for group, name in entry.names.items()):
        return False
    for group, ids in entry.moves.items():
        rows = groups.pile.rows(ids)
        if not (groups.decided[rows] | (not entry.decides)).all():
            return False
        if (groups.group[rows] != group).any():
            return False
    return True


def _divide(asked: Asked) -> Callable[[], str]:
    """Take another division; the one that is corrected already stays as it is, with all numbers."""
    division = asked.session.divisions.get(asked.whole("index"))
    if division.choice == division_of(asked.session.journal.history):
        return lambda: f"{division.title}: this is the division that you have. Nothing changed."
    entry = say.divide(asked.groups, division.labels, division.title, division.about)
    return asked.appended(entry)


def _name(asked: Asked) -> Entry:
    return say.name(asked.groups, asked.whole("group"), asked.text("name"))


def _merge(asked: Asked) -> Entry:
    merged = asked.said.get("groups")
    if not isinstance(merged, list):
        raise DataError("groups must be a list of groups.")
    return say.merge(
        asked.groups, [asked.whole("group", group) for group in merged], asked.text("name") or None
    )


def _split(asked: Asked) -> Entry:
    group = asked.whole("group")
    n_parts = None if asked.said.get("parts") is None else asked.whole("parts")
    if n_parts is not None and not 2 <= n_parts <= _MOST_PARTS:
        raise DataError(f"parts must be from 2 to {_MOST_PARTS}, got {n_parts}.")
    return say.split(asked.groups, group, asked.session.parts(group, n_parts))


def _move(asked: Asked) -> Entry:
    return say.move(asked.groups, asked.rows(), asked.whole("to"))


def _new(asked: Asked) -> Entry:
    return say.new(asked.groups, asked.rows(), asked.text("name"))


def _dissolve(asked: Asked) -> Entry:
    group = asked.whole("group")
    return say.dissolve(asked.groups, group, asked.session.dissolved(group))


def _confirm(asked: Asked) -> Entry:
    if "rows" in asked.said:
        return say.confirm(asked.groups, asked.rows())
    return say.confirm(asked.groups, asked.groups.members(asked.whole("group")))


def _apart(asked: Asked) -> Entry:
    return say.apart(asked.groups, asked.rows())


def _nowhere(asked: Asked) -> Entry:
    return say.nowhere(asked.groups, asked.rows())


def _note(asked: Asked) -> Entry:
    text = asked.text("text", _LONGEST_NOTE)
    if "group" in asked.said:
        return say.note(asked.groups, text, group=asked.whole("group"))
    return say.note(asked.groups, text, row=asked.row())


def _learn(asked: Asked) -> Entry:
    return say.learn(asked.groups, asked.session.learned())


def _answer(asked: Asked) -> Callable[[], str]:
    answered = asked.session.asking.answer(
        asked.groups, asked.said.get("question"), asked.said, asked.text("name")
    )
    write = None if answered.entry is None else asked.appended(answered.entry)

    def written() -> str:
        says = "" if write is None else write()
        answered.heard()
        return says

    return written


_ENTRIES: dict[str, Callable[[Asked], Entry]] = {
    "name": _name, "merge": _merge, "split": _split, "move": _move,
    "new": _new, "dissolve": _dissolve, "confirm": _confirm, "apart": _apart,
    "nowhere": _nowhere, "note": _note, "learn": _learn,
}  # fmt: skip
_PERHAPS: dict[str, Callable[[Asked], Callable[[], str]]] = {"answer": _answer, "divide": _divide}
"""Actions after which there may be nothing to write."""


def _undo(asked: Asked) -> str:
    return f"Undid: {asked.session.journal.undo(asked.about).says}"


def _redo(asked: Asked) -> str:
    return f"Did again: {asked.session.journal.redo(asked.about).says}"


def _undo_to(asked: Asked) -> str:
    """Undo, or do again, until entry ``entry`` is the last one that counts."""
    journal, n = asked.session.journal, asked.whole("entry")
    history = journal.history
    undone = [entry.n for entry in history.undone]
    if n in undone:
        while n not in [entry.n for entry in journal.history.done]:
            journal.redo(asked.about)
    else:
        if n != history.began.n and n not in [entry.n for entry in history.done]:
            raise DataError(f"entry {n} cannot be gone back to.")
        while journal.history.done and journal.history.done[-1].n > n:
            journal.undo(asked.about)
    went = next(entry for entry in journal.history.entries if entry.n == n)
    return f"Went back to: {went.says}"


_HISTORY: dict[str, Callable[[Asked], str]] = {"undo": _undo, "redo": _redo, "undo_to": _undo_to}
