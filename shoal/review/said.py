"""What was said as the page shows it: the groups it came to, and the entries of the journal."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from shoal.corrections.carry_words import is_settled
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.history import History
from shoal.review.view import View


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


def conflicts(history: History) -> list[str]:
    """Where the person and the result that was carried over to last contradict each other still."""
    about = history.began.about
    texts, settled = about.get("conflicts", ()), about.get("settled", ())
    return [
        str(text) for text, told in zip_longest(texts, settled)
        if text is not None and not (told and is_settled(told, history.groups))
    ]  # fmt: skip


def state(view: View, history: History) -> dict[str, Any]:
    """The groups, and what can be undone."""
    decided, sure = view.expected
    groups, samples = [], view.samples
    notes = {note.group: note.text for note in view.groups.notes}
    for group in view.ids:
        rows, sample = samples[group]
        place = view.place(group)
        groups.append({
            "id": group, "name": view.groups.names.get(group) or None, "size": len(rows),
            "decided": int(decided[place]), "expected": round(float(sure[place]), 4),
            "sample": sample.tolist(), "nowhere": group == NOWHERE,
            "note": notes.get(group) or None,
        })  # fmt: skip
    return {
        "version": len(history.entries),
        "n_images": len(view.groups.group),
        "groups": groups,
        "n_decided": int(decided.sum()),
        "expected": round(view.sure, 4),
        "estimated": view.estimated,
        "undo": history.done[-1].says if history.done else None,
        "redo": history.undone[-1].says if history.undone else None,
        "divided": any(entry.op != "start" for entry in history.entries),
        "conflicts": conflicts(history),
    }
