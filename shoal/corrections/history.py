"""A journal's entries and what they come to, with undo and redo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shoal.corrections.entry import REDO, UNDO, Entry
from shoal.corrections.groups import Groups, apply, start
from shoal.errors import DataError

_KEPT = 64
"""States to go back to without replaying the journal; older ones are computed anew."""


@dataclass(frozen=True)
class History:
    """A journal's entries and what they come to."""

    groups: Groups
    entries: tuple[Entry, ...]
    """All of the journal, in its order."""
    done: tuple[Entry, ...] = ()
    """The entries that count and can be undone, the last one first to go."""
    undone: tuple[Entry, ...] = ()
    """The entries that can be done again, the last one first to come."""
    earlier: tuple[Groups, ...] = field(default=(), repr=False, compare=False)
    """The groups before each of the last entries of ``done``."""
    first: Groups | None = field(default=None, repr=False, compare=False)
    """The groups before all of ``done``; None: as ``groups``."""

    @property
    def began(self) -> Entry:
        """The entry that says which result is corrected: the start, or what was carried over last.

        Nothing before it can be undone.
        """
        return next(entry for entry in reversed(self.entries) if entry.op in ("start", "carry"))

    def then(self, entry: Entry) -> History:
        """The history with one entry more.

        Raises:
            DataError: the entry does not fit what is there.
        """
        entries = (*self.entries, entry)
        if entry.op == UNDO:
            return self._undo(entry, entries)
        if entry.op == REDO:
            if not self.undone or self.undone[-1].n != entry.of:
                raise DataError(f"entry {entry.n} does not redo what was undone last.")
            return self._do(self.undone[-1], entries, self.undone[:-1])
        if entry.op == "carry":  # what came before is of another result
            return History(apply(self.groups, entry), entries)
        return self._do(entry, entries, ())

    def _do(self, entry: Entry, entries: tuple[Entry, ...], undone: tuple[Entry, ...]) -> History:
        return History(
            apply(self.groups, entry), entries, (*self.done, entry), undone,
            (*self.earlier, self.groups)[-_KEPT:], self.first or self.groups,
        )  # fmt: skip

    def _undo(self, entry: Entry, entries: tuple[Entry, ...]) -> History:
        if not self.done or self.done[-1].n != entry.of:
            raise DataError(f"entry {entry.n} does not undo what was done last.")
        left = self.done[:-1]
        before = self.earlier[-1] if self.earlier else self._floor(left)
        return replace(
            self, groups=before, entries=entries, done=left,
            undone=(*self.undone, self.done[-1]), earlier=self.earlier[:-1],
        )  # fmt: skip

    def _floor(self, done: Sequence[Entry]) -> Groups:
        """The groups after ``done``, computed from those before all of it."""
        groups = self.first or self.groups
        for entry in done:
            groups = apply(groups, entry)
        return groups


def replay(entries: Sequence[Entry]) -> History:
    """What the entries of a journal come to.

    Args:
        entries: the first one is a ``start``.

    Raises:
        DataError: an entry does not fit those before it.
    """
    if not entries or entries[0].op != "start":
        raise DataError("the corrections do not begin with the images that they are about.")
    history = History(start(entries[0]), tuple(entries[:1]))
    for n_before, entry in enumerate(entries[1:], 1):
        try:
            history = history.then(entry)
        except DataError as error:
            raise DataError(
                f"line {n_before + 1} does not fit the lines before it: {error}"
            ) from error
    return history
