"""The entries of a journal as the page shows them: what was said, and whether it counts."""

from __future__ import annotations

from typing import Any

from shoal.corrections.entry import Entry
from shoal.corrections.history import History


def all_of(history: History) -> list[dict[str, Any]]:
    """All entries as JSON values, in their order."""
    undone = {entry.n for entry in history.undone}
    undone |= _forgotten(history)
    return [as_json(entry, undone=entry.n in undone) for entry in history.entries]


def as_json(entry: Entry, *, undone: bool) -> dict[str, Any]:
    """An entry as JSON values; ``undone`` says whether it does not count."""
    return {
        "n": entry.n, "time": entry.time, "op": entry.op, "says": entry.says,
        "to": list(entry.moves), "undone": undone,
    }  # fmt: skip


def _forgotten(history: History) -> set[int]:
    """The entries that were undone and can no longer be done again: others were said since."""
    began, counts = history.began.n, {entry.n for entry in history.done}
    return {
        entry.n for entry in history.entries
        if entry.n > began and entry.op not in ("undo", "redo") and entry.n not in counts
    }  # fmt: skip


def conflicts(entries: tuple[Entry, ...]) -> list[str]:
    """Where the person and the result that was carried over to last contradict each other."""
    carried = [entry for entry in entries if entry.op == "carry"]
    return [str(text) for text in carried[-1].about.get("conflicts", ())] if carried else []
