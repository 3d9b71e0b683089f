"""The questions that the page asks, and what an answer means."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.clustering.threads import one_thread
from shoal.corrections import say
from shoal.corrections.doubtful import MOST_CANDIDATES, doubtful, of_each
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import Groups
from shoal.corrections.parts import parts, parts_of_groups
from shoal.corrections.questions import STRIP, Question, divided, finer, likeliest, questions
from shoal.corrections.spread import Spread, spread
from shoal.images.sampling import sample_rows
from shoal.protocols import FloatArray, IntArray
from shoal.review.replies import Answered, answer_for_all, answer_of_before, told_of_each

_OPEN = 64
"""Questions that can still be answered: two tabs may ask."""
MOST = 20_000
"""Images that questions are about: of more, a random sample."""
_HEARD = 4000
"""And about what was decided; of more decided images, a random sample."""
_FINER = 8
"""Rounds of ever smaller parts, at most."""
_PARTS = 2
"""After so many parts, single images are asked about; after twice as many each time that these were
right as they were, so that nobody is asked for nothing."""
_REST = 3
"""Parts that the rest of a part is divided into, at most, where it holds several groups."""
_WRONG = 2
"""Another strip of single images follows as long as so many of the last were in a wrong group."""


class Asking:
    """Which questions were asked, and what to ask next.

    Of a very large pile the questions are about a sample, and about what was decided: an answer is
    for the twelve images that were shown, and learning carries it on to all others.

    Args:
        z: float32 (n, d), the reduced embedding.
        x: float32 (n, d), `balanced` of ``z``.
        confidence: float32 (n,) in [0, 1], of the result in each image.
        learned: what learning makes of the groups of the whole pile.
        metric: by which ``z`` is compared.
    """

    def __init__(
        self, z: FloatArray, x: FloatArray, confidence: FloatArray,
        learned: Callable[[Groups], Spread], metric: str,
    ) -> None:  # fmt: skip
        self.z, self.x, self.confidence, self.metric = z, x, confidence, metric
        self._learned = learned
        self._sample = sample_rows(len(z), MOST)
        self._open: dict[int, Question] = {}
        self._skipped: set[int] = set()
        self._left_open = np.zeros(len(z), dtype=bool)
        self._since = 0  # parts since single images were asked about
        self._wait = _PARTS
        self._part: IntArray = np.full(len(z), -1, dtype=np.int64)
        self._divided: frozenset[int] = frozenset()
        self._next = 1 + secrets.randbelow(2**40)  # no question of another server has the number
        self._lock = threading.Lock()
        self._known: tuple[Groups, Question | None] | None = None

    def next(self, groups: Groups) -> dict[str, Any]:
        """The best question, as the page wants it.

        How many would follow is not said: each answer changes what is worth asking.
        """
        with self._lock:
            if self._known is None or self._known[0] is not groups:
                with one_thread():
                    self._known = groups, self._best(groups)
            return self._told(self._known[1])

    def _told(self, best: Question | None) -> dict[str, Any]:
        if best is None:
            return {"question": None}
        number = next(
            (n for n, asked in self._open.items() if np.array_equal(asked.images, best.images)
             and (asked.candidates, asked.guesses) == (best.candidates, best.guesses)), None,
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
                "candidates": _with_shares(best.candidates, best.shares),
                "says": best.reason, "guesses": list(best.guesses),
                "each": {"guesses": list(best.each), "candidates": list(best.others)},
            },
        }  # fmt: skip

    def again(self, groups: Groups, rows: IntArray) -> dict[str, Any]:
        """The same images asked about anew: where they may belong now that groups are others.

        Args:
            groups: as they are.
            rows: int64 (m,), the images of a question.

        Returns:
            The group that most of them are in, the likeliest of each, and up to nine candidates:
            first those for all of them.
        """
        seen = np.union1d(self._rows(groups), rows)
        with one_thread():
            learned = self._learned_of(groups, seen)
        if not len(learned.ids):  # all images belong nowhere
            return {"group": NOWHERE, "candidates": [], "guesses": [NOWHERE] * len(rows)}
        place = np.searchsorted(seen, rows)
        likely = learned.membership[place].mean(axis=0)
        present, candidates, _ = likeliest(learned, likely, groups.group[rows])
        guesses, others = of_each(place, learned)
        offered = tuple(dict.fromkeys((*candidates, *others)))[:MOST_CANDIDATES]
        told = np.where(groups.decided[rows], groups.group[rows], guesses)
        return {
            "group": present, "guesses": told.tolist(),
            "candidates": _with_shares(
                offered, likely[np.searchsorted(learned.ids, offered)].tolist()
            ),
        }  # fmt: skip

    def answer(
        self, groups: Groups, number: Any, said: Mapping[str, Any], called: str = ""
    ) -> Answered:
        """What an answer makes. Nothing changes before it is `Answered.heard`.

        The person decides the images that were shown. Learning moves those that are like them. An
        answer to a question of an earlier server counts for the images that it names.

        Args:
            groups: as they are.
            number: of the question.
            said: the fields of the answer.
            called: the name of the group that it makes, if it makes one.

        Raises:
            DataError: there is no such question, no such answer, or the name is another group's.
        """
        question = self._open.get(number) if type(number) is int else None
        to = said.get("to")
        if question is None:
            return Answered(answer_of_before(groups, said, called), lambda: None)
        if question.guesses or isinstance(to, list):
            return self._answer_each(groups, question, to, called)
        rows = question.rows
        if to in ("skip", "mixed"):
            return Answered(None, lambda: self._put_off(groups, question, divide=to == "mixed"))
        return Answered(answer_for_all(groups, rows, to, called), self._count)

    def _count(self) -> None:
        with self._lock:
            self._since += 1

    def _put_off(self, groups: Groups, question: Question, divide: bool) -> None:
        """Do not ask about this part again, or only about smaller parts of it."""
        with self._lock:
            rows = self._rows(groups)
            before = self._part[rows]
            after = before
            if divide:
                x = self.x[rows]
                after = divided(x, before, groups.decided[rows], question.part)
            if np.array_equal(after, before):
                self._skipped.add(question.part)
            self._part[rows] = after
            self._known = None

    def _divide_rest(self, question: Question, told: IntArray) -> None:
        """Ask about smaller parts of what is left of a part whose images are of several groups."""
        rest = np.setdiff1d(question.images, told)
        fresh = int(self._part.max(initial=-1)) + 1
        self._part[told] = fresh
        if len(rest):
            n_parts = max(1, min(_REST, len(rest) // STRIP))
            label = parts(self.z[rest], n_parts, metric=self.metric)
            self._part[rest] = np.where(label == 0, question.part, fresh + label)

    def _answer_each(self, groups: Groups, question: Question, to: Any, called: str) -> Answered:
        """The answer about single images: the group of each, None where it is left open."""
        if to == "skip":
            to = [None] * len(question.rows)
        if to == "confirm":
            to = list(question.guesses)
        rows, targets = told_of_each(groups, question.rows, to)
        if not question.guesses and not len(rows):
            return Answered(None, lambda: self._put_off(groups, question, divide=False))
        entry = say.answers(groups, rows, targets, called) if len(rows) else None
        n_wrong = int((groups.group[rows] != targets).sum())

        def heard() -> None:
            with self._lock:
                self._left_open[question.rows[[group is None for group in to]]] = True
                if question.guesses and n_wrong >= _WRONG:
                    self._wait = _PARTS
                elif question.guesses:
                    self._since, self._wait = 0, self._wait * 2
                elif len(np.unique(targets)) > 1:
                    self._divide_rest(question, rows)
                self._known = None
                self._since += not question.guesses

        return Answered(entry, heard)

    def _rows(self, groups: Groups) -> IntArray:
        """The images that questions are about, int64 (m,) ascending."""
        if len(self._sample) == len(self.z):
            return self._sample
        heard = np.flatnonzero(groups.decided)
        heard = heard[sample_rows(len(heard), _HEARD)]
        return np.union1d(self._sample, heard).astype(np.int64)

    def _best(self, groups: Groups) -> Question | None:
        """The best question, about a part or about single images.

        Parts and the images at the borders of the groups take turns. Of parts, those that are left
        come first, then smaller ones.
        """
        rows, now = self._rows(groups), frozenset(groups.sizes) - {NOWHERE}
        if len(now) < 2:  # no image can be in the wrong one
            return None
        whole = len(rows) == len(self.z)
        x = self.x if whole else self.x[rows]
        z, group, decided = self.z[rows], groups.group[rows], groups.decided[rows]
        if not self._divided & now:  # the first question, or the pile was divided anew
            self._part[rows], self._divided = parts_of_groups(z, group, x=x), now
            self._skipped.clear()
        learned = self._learned_of(groups, rows)
        part = self._part[rows]
        for _ in range(_FINER):
            found = questions(
                x, group, decided, part, learned, self._skipped, confidence=self.confidence[rows]
            )  # fmt: skip
            smaller = part if found else finer(x, part, decided)
            if found or np.array_equal(smaller, part):
                break
            part = smaller
            self._skipped.clear()
        self._part[rows] = part
        best = found[0] if found else None
        if best is None or self._since >= self._wait:
            best = doubtful(group, ~decided & ~self._left_open[rows], learned) or best
        if best is None:
            return None
        each, others = of_each(best.rows, learned)
        # A group has one number, whether the person answers for all images or for each.
        others = tuple(dict.fromkeys((*best.candidates, *others)))[:MOST_CANDIDATES]
        shown, images = rows[best.rows], rows[best.images]
        return replace(best, rows=shown, images=images, each=each, others=others)

    def _learned_of(self, groups: Groups, rows: IntArray) -> Spread:
        """What learning makes of some images, int64 (m,) ascending, by what was said of them."""
        if len(rows) == len(self.z):
            return self._learned(groups)
        place = np.full(len(self.z), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        apart = [(int(place[a]), int(place[b])) for a, b in groups.apart]
        return spread(
            self.z[rows], groups.group[rows], groups.decided[rows],
            [pair for pair in apart if min(pair) >= 0],
            inferred=groups.inferred[rows], result=groups.result[rows], x=self.x[rows],
        )  # fmt: skip


def _with_shares(groups: Sequence[int], shares: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {"group": group, "share": round(share, 4)}
        for group, share in zip(groups, shares, strict=True)
    ]
