"""The answers to the last actions: an action whose answer was lost is sent again, and done once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shoal.corrections.entry import Entry
from shoal.review.said import as_json

TOKEN = "act"
"""The field of an action that no other action has, and of the facts of the entry it made."""
_KEPT = 64
_LONGEST = 100
"""Characters of a token; what is longer is cut."""


class Answers:
    """Answers by the tokens of their actions.

    Args:
        entries: of the journal: what an earlier server did is not done twice, either.

    >>> answers = Answers()
    >>> answers.keep({"op": "undo", "act": "a"}, "Undid: …")
    >>> answers.to({"op": "undo", "act": "a"}), answers.to({"op": "undo", "act": "b"})
    ('Undid: …', None)
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._answers: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        for entry in entries:
            if isinstance(named := entry.about.get(TOKEN), str):
                self._before[named] = {"entry": as_json(entry, undone=False), "says": entry.says}

    def to(self, action: Any) -> Any:
        """The answer that an action had; None if it is new, or has no token."""
        named = token(action)
        return self._answers.get(named) or self._before.get(named)

    def keep(self, action: Any, answer: Any) -> None:
        """Remember the answer to an action, and forget the oldest of many."""
        named = token(action)
        if named:
            self._answers[named] = answer
        if len(self._answers) > _KEPT:
            del self._answers[next(iter(self._answers))]


def token(action: Any) -> str:
    """The token of an action; empty where it has none."""
    named = action.get(TOKEN) if isinstance(action, dict) else None
    return named[:_LONGEST] if isinstance(named, str) else ""
