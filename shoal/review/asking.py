"""The questions that the page asks, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.corrections import say
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.groups import Groups
from shoal.embedding.neighbours import most_typical, nearest
from shoal.errors import DataError
from shoal.protocols import FloatArray, IntArray
from shoal.review import learning
from shoal.review.view import View

_STRIP = 12
_OPEN = 64
"""Questions that can still be answered: two tabs may ask."""


@dataclass(frozen=True)
class Question:
    """A part of a group, and where it may belong."""

    images: IntArray
    rows: IntArray
    group: int
    candidates: tuple[tuple[int, float], ...]
    says: str


class Asking:
    """Which questions were asked, and what to ask next.

    Args:
        z: float32 (n, d), the reduced embedding.
    """

    def __init__(self, z: FloatArray) -> None:
        self.z = z
        self._open: dict[int, Question] = {}
        self._asked: set[bytes] = set()
        self._next = 1

    def next(self, view: View) -> dict[str, Any]:
        """The best question, as the page wants it, and how many there are."""
        questions = self._questions(view)
        if not questions:
            return {"question": None, "left": 0}
        best = questions[0]
        number = next(
            (
                n
                for n, q in self._open.items()
                if np.array_equal(q.images, best.images) and q.group == best.group
            ),
            None,
        )
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
                    {"group": group, "share": round(share, 4)} for group, share in best.candidates
                ],
                "says": best.says,
            },
            "left": len(questions),
        }  # fmt: skip

    def answer(self, groups: Groups, number: Any, said: Mapping[str, Any]) -> Entry | None:
        """The entry that an answer makes; None where nothing was said.

        Raises:
            DataError: there is no such question, or no such answer.
        """
        question = self._open.get(number) if type(number) is int else None
        if question is None:
            raise DataError("this question is no longer open; here is another.")
        to, rows = said.get("to"), question.images
        entry: Entry | None = None
        if to == "new":
            entry = say.new(groups, rows)
        elif to == "confirm":
            entry = say.confirm(groups, rows)
        elif to == "nowhere":
            entry = say.nowhere(groups, rows)
        elif type(to) is int:
            entry = say.move(groups, rows, to, word="answer")
        elif to not in ("skip", "mixed"):
            raise DataError("an answer must be a group, new, confirm, skip, mixed or nowhere.")
        self._asked.add(rows.tobytes())
        return entry

    def _questions(self, view: View) -> list[Question]:
        groups = view.groups
        questions = []
        ids = [group for group in view.ids if group != NOWHERE]
        centres = np.stack([np.median(self.z[view.members(g)], axis=0) for g in ids])
        for group in ids[:12]:
            rows = view.members(group)
            rows = rows[~groups.decided[rows]]
            if len(rows) < 2:
                continue
            labels = learning.parts(self.z[rows], learning.default_parts(len(rows)))
            for part in range(int(labels.max()) + 1):
                images = rows[labels == part]
                if not len(images) or images.tobytes() in self._asked:
                    continue
                middle = np.median(self.z[images], axis=0, keepdims=True)
                far, near = nearest(centres, middle.astype(np.float32), min(3, len(ids)))
                likely = dict.fromkeys([ids[place] for place in near[0]])
                if group not in likely:
                    likely.popitem()
                    likely[group] = None
                closeness = 1 / (1e-6 + far[0][: len(likely)])
                shares = (closeness / closeness.sum()).tolist()
                questions.append(Question(
                    images, most_typical(self.z, images)[:_STRIP], group,
                    tuple(zip(likely, shares, strict=True)), "",
                ))  # fmt: skip
        return questions
