"""The questions that the page asks, and what an answer means."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from shoal.corrections import say
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.groups import Groups
from shoal.corrections.parts import balanced, parts_of_groups
from shoal.corrections.questions import Question, divided, finer, questions
from shoal.corrections.spread import Spread
from shoal.errors import DataError
from shoal.protocols import FloatArray, IntArray

_OPEN = 64
"""Questions that can still be answered: two tabs may ask."""
_FINER = 8
"""Rounds of ever smaller parts, at most."""


class Asking:
    """Which questions were asked, and what to ask next.

    Args:
        z: float32 (n, d), the reduced embedding.
    """

    def __init__(self, z: FloatArray) -> None:
        self.z, self.x = z, balanced(z)
        self._open: dict[int, Question] = {}
        self._skipped: set[int] = set()
        self._part: IntArray = np.zeros(0, dtype=np.int64)
        self._divided: frozenset[int] = frozenset()
        self._next = 1
        self._lock = threading.Lock()

    def next(self, groups: Groups, learned: Spread) -> dict[str, Any]:
        """The best question, as the page wants it, and how many there are.

        Args:
            groups: as they are.
            learned: what learning makes of them.
        """
        with self._lock:
            return self._asked_next(groups, learned)

    def _asked_next(self, groups: Groups, learned: Spread) -> dict[str, Any]:
        found = self._questions(groups, learned)
        if not found:
            return {"question": None, "left": 0}
        best = found[0]
        number = next(
            (n for n, asked in self._open.items() if np.array_equal(asked.images, best.images)
             and asked.candidates == best.candidates), None,
        )  # fmt: skip
        if number is None:
            number, self._next = self._next, self._next + 1
            self._open[number] = best
            while len(self._open) > _OPEN:
                del self._open[min(self._open)]
        return {
            "question": {
                "id": number, "rows": best.rows.tolist(), "size": len(best.images),
                "images": best.images.tolist(), "group": best.group,
                "candidates": [
                    {"group": group, "share": round(share, 4)}
                    for group, share in zip(best.candidates, best.shares, strict=True)
                ],
                "says": best.reason,
            },
            "left": len(found),
        }  # fmt: skip

    def answer(self, groups: Groups, number: Any, said: Mapping[str, Any]) -> Entry | None:
        """The entry that an answer makes; None where nothing was said.

        The person decides the images that were shown. Learning moves those that are like them.

        Raises:
            DataError: there is no such question, or no such answer.
        """
        question = self._open.get(number) if type(number) is int else None
        if question is None:
            raise DataError("this question is no longer open; here is another.")
        to, rows = said.get("to"), question.rows
        if to == "new":
            return say.new(groups, rows)
        if to == "confirm":
            return say.confirm(groups, rows)
        if to == "nowhere":
            return say.nowhere(groups, rows)
        if type(to) is int:
            return say.move(groups, rows, to, word="answer")
        if to not in ("skip", "mixed"):
            raise DataError("an answer must be a group, new, confirm, skip, mixed or nowhere.")
        with self._lock:
            before = self._part
            if to == "mixed":
                self._part = divided(self.x, before, groups.decided, question.part)
            if self._part is before or np.array_equal(self._part, before):
                self._skipped.add(question.part)
        return None

    def _questions(self, groups: Groups, learned: Spread) -> list[Question]:
        """The questions about the parts that are left, or else about smaller ones."""
        now = frozenset(groups.sizes) - {NOWHERE}
        if not self._divided & now:  # the first question, or the pile was divided anew
            self._part, self._divided = parts_of_groups(self.z, groups.group), now
            self._skipped.clear()
        for _ in range(_FINER):
            found = questions(
                self.x, groups.group, groups.decided, self._part, learned, self._skipped, most=1000
            )
            smaller = self._part if found else finer(self.x, self._part, groups.decided)
            if found or np.array_equal(smaller, self._part):
                return found
            self._part = smaller
            self._skipped.clear()
        return []
