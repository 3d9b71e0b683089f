"""The answers to the last actions: an action whose answer was lost is sent again, and done once."""

from __future__ import annotations

from typing import Any

_KEPT = 64
_LONGEST = 100
"""Characters of a token; what is longer is cut."""


class Answers:
    """Answers by the tokens of their actions.

    >>> answers = Answers()
    >>> answers.keep({"op": "undo", "act": "a"}, "Undid: …")
    >>> answers.to({"op": "undo", "act": "a"}), answers.to({"op": "undo", "act": "b"})
    ('Undid: …', None)
    """

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}

    def to(self, action: Any) -> Any:
        """The answer that an action had; None if it is new, or has no token."""
        return self._answers.get(_token(action))

    def keep(self, action: Any, answer: Any) -> None:
        """Remember the answer to an action, and forget the oldest of many."""
        token = _token(action)
        if token:
            self._answers[token] = answer
        if len(self._answers) > _KEPT:
            del self._answers[next(iter(self._answers))]


def _token(action: Any) -> str:
    token = action.get("act") if isinstance(action, dict) else None
    return token[:_LONGEST] if isinstance(token, str) else ""
