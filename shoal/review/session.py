"""A review in progress: the pile, what a person said of it so far, and answers about both.

The session is asked by many threads. What is asked about is an immutable `View`; what a person says
is taken one at a time, and is on the disk before it is answered.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.corrections.corrected import corrected_confidence
from shoal.corrections.division import division_of
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.groups import Groups
from shoal.errors import DataError
from shoal.protocols import IntArray
from shoal.review import order, said
from shoal.review.actions import prepared
from shoal.review.ahead import Ahead
from shoal.review.answers import Answers
from shoal.review.asking import MOST, Asking
from shoal.review.computed import Computed
from shoal.review.divisions import Divisions
from shoal.review.nouns import noun_shown
from shoal.review.opening import Reviewed
from shoal.review.pictures import COLUMNS, Thumbnails
from shoal.review.view import View
from shoal.search.similarity import Index

_NEIGHBOURS = 24


class Session:
    """Everything the page asks for and everything it says, whatever brings it.

    Args:
        reviewed: the pile, its table and the journal.
        title: what the pile is called.
    """

    def __init__(self, reviewed: Reviewed, title: str) -> None:
        self.source, self.journal, self.title = reviewed.source, reviewed.journal, title
        self.table = reviewed.table
        self.z = np.ascontiguousarray(reviewed.table.embedding, dtype=np.float32)
        self.thumbnails = Thumbnails(reviewed.source)
        self.listeners: list[Callable[[], None]] = []
        self._answers = Answers(self.journal.history.entries)
        self._lock = threading.RLock()
        self._confidence = np.nan_to_num(reviewed.table.confidence, nan=0.5)
        groups = self.journal.history.groups
        self._chance = corrected_confidence(self._confidence, groups.decided, groups.inferred)
        self._view = self._seen({})
        self._metric = reviewed.checkpoint.metric
        self._computed = Computed(self.z, self._metric)
        self.asking = Asking(
            self.z, self._computed.x, self._confidence, self._computed.learned, self._metric
        )
        self._index: Index | None = None
        self._indexing = threading.Lock()
        self._opened: int | None = None
        self._ahead = Ahead(self.prepare, self.prepare_more)
        self.divisions = Divisions(reviewed.checkpoint, self.z)

    def start(self) -> None:
        """Begin what is computed beside the person's work."""
        self._ahead.start()
        self.divisions.start()

    @property
    def identity(self) -> str:
        """What tells this journal from all others, wherever it lies: a digest of how it began."""
        first = self.journal.history.entries[0]
        facts = json.dumps([first.time, first.says, dict(first.about)], sort_keys=True)
        return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @property
    def version(self) -> int:
        """Counts what was said: the number of entries in the journal."""
        return len(self.journal.history.entries)

    def now(self) -> dict[str, Any]:
        """What tells a page whether it knows the latest state; nothing is waited for."""
        return {"version": self.version, "estimated": self._view.estimated}

    @property
    def view(self) -> View:
        """The groups as they are now."""
        return self._view

    @property
    def groups(self) -> Groups:
        """The groups as they are now."""
        return self._view.groups

    def pile(self) -> dict[str, Any]:
        """What the page needs to know once."""
        thumbs = self.thumbnails
        return {
            "n": len(self.source), "noun": noun_shown(self.source), "title": self.title,
            "identity": self.identity,
            "has_map": self.table.xy is not None,
            "sheets": {"width": thumbs.width, "height": thumbs.height, "columns": COLUMNS},
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """The groups and what can be undone."""
        with self._lock:
            view, history = self._view, self.journal.history
        return said.state(view, history)

    def labels(self) -> tuple[int, bytes]:
        """The version; the group of each row as int32, and whether it is decided as a byte."""
        with self._lock:
            groups, version = self.groups, self.version
        return version, groups.group.astype("<i4").tobytes() + groups.decided.tobytes()

    def members(self, group: int, by: str, row: int | None) -> dict[str, Any]:
        """The rows of a group in an order, see `order`."""
        order.check_order(by)
        with self._lock:
            view, version = self._view, self.version
        rows = view.members(group)
        if self._opened != group:
            self._opened = group
            self._ahead.wake()
        parts: IntArray = np.zeros(0, np.int64)
        if by == "typical":
            rows = order.typical(self.z, rows)
        elif by == "doubtful":
            rows = order.doubtful(view.confidence, rows)
        elif by == "part":
            rows, parts = order.by_part(self.z, rows, self._computed.parts(rows))
        elif row is None:
            raise DataError("order like needs the row of the image that others are compared with.")
        else:
            rows = order.like(self.z, rows, row)
        return {"version": version, "rows": rows.tolist(), "parts": parts.tolist()}

    def image(self, row: int) -> dict[str, Any]:
        """What is known of an image."""
        view = self._view
        name = view.groups.ids[row]
        return {
            "row": row, "id": name, "group": int(view.groups.group[row]),
            "decided": bool(view.groups.decided[row]),
            "confidence": round(float(view.confidence[row]), 4),
            "neighbours": self._neighbours(row), "note": view.groups.note_on(image=name),
        }  # fmt: skip

    def known_divisions(self) -> dict[str, Any]:
        """The ways to divide the pile, as far as they are known."""
        return self.divisions.to_json(division_of(self.journal.history))

    def question(self) -> dict[str, Any]:
        """What to ask next; nothing where nothing is left; and the version that it fits."""
        with self._lock:
            groups, version = self.groups, self.version
        return {"version": version} | self.asking.next(groups)

    def question_again(self, rows: IntArray) -> dict[str, Any]:
        """The images int64 (m,) of a question asked about anew, and the version that it fits."""
        with self._lock:
            groups, version = self.groups, self.version
        return {"version": version} | self.asking.again(groups, rows)

    def map(self) -> bytes:
        """The places on the map, x0 y0 x1 y1 …, float32.

        Raises:
            DataError: there is no map.
        """
        if self.table.xy is None:
            raise DataError("there is no map of these images.")
        return self.table.xy.astype("<f4").tobytes()

    def history(self) -> dict[str, Any]:
        """All that was said, and whether it counts."""
        return {"entries": said.all_of(self.journal.history)}

    def preview_learn(self) -> dict[str, Any]:
        """What learning from the corrections would move."""
        view = self._view
        return view.moves_to(self._computed.learned(view.groups).group)

    def preview_dissolve(self, group: int) -> dict[str, Any]:
        """Where the images of a group would go without it."""
        view = self._view
        target = view.groups.group.copy()
        target[view.members(group)] = self._computed.dissolved(view, group)
        return view.moves_to(target)

    def act(self, action: Any) -> dict[str, Any]:
        """Take an action of the page; it is on the disk when this returns.

        What it needs is computed while others act. If they did, it is computed again. An action
        that is sent twice under one token, because its answer was lost, is taken once.

        Raises:
            DataError: it makes no sense.
            OutputError: it cannot be written. Nothing has changed, but for going back in the
                history: that may have come some of the way, and goes on when it is sent again.
        """
        while True:
            before = self._view
            if answer := self._answers.to(action):
                return {"state": self.state()} | answer
            try:
                write = prepared(action, self)
            except DataError:
                if self.groups is before.groups:
                    raise
                continue
            with self._lock:
                if self.groups is not before.groups:
                    continue
                says, entries = self._written(write, before)
                last = said.as_json(entries[-1], undone=False) if entries else None
                answer = {"entry": last, "says": says}
                self._answers.keep(action, answer)
                break
        if entries:
            self._changed()
        return {"state": self.state()} | answer

    def learned(self) -> IntArray:
        """The group of each image after learning from the corrections, int64 (n,)."""
        return self._computed.learned(self.groups).group

    def dissolved(self, group: int) -> IntArray:
        """The groups of the members of a group without it, int64 (m,)."""
        return self._computed.dissolved(self._view, group)

    def parts(self, group: int, n_parts: int | None) -> IntArray:
        """The part of each member of a group, int64 (m,)."""
        return self._computed.parts(self._view.members(group), n_parts)

    def close(self) -> None:
        """Let another process have the journal."""
        self.divisions.close()
        self._ahead.close()
        with self._lock:
            self.journal.close()

    def _written(self, write: Callable[[], str], before: View) -> tuple[str, tuple[Entry, ...]]:
        """Write an action; what was done, and the entries that say so."""
        length = len(self.journal.history.entries)
        try:
            says = write()
        finally:  # of several entries, the first ones may have been written
            entries = self.journal.history.entries[length:]
            if entries:
                self._view = self._seen(before.samples)
        return says, entries

    def prepare(self) -> None:
        """Compute what the page is likely to ask for next, as the server does after each action."""
        self.question()
        if len(self.z) <= MOST:
            self.estimate()
        self._similar()

    def prepare_more(self) -> None:
        """Compute what takes long, and may be asked for after it."""
        self.estimate()
        view, group = self._view, self._opened
        if group not in view.ids:
            return
        self._computed.parts(view.members(group))
        if group != NOWHERE and len(set(view.ids) - {NOWHERE}) > 1:
            self._computed.dissolved(view, group)

    def estimate(self) -> None:
        """Compute how sure the groups are, and tell the page, unless more was said meanwhile.

        Of 200,000 images it takes half a second: too long for an action to wait for it.
        """
        view = self._view
        if view.estimated:
            return
        chance = self._computed.chances(view.groups, self._confidence)
        with self._lock:
            if self.groups is not view.groups:
                return
            self._chance = chance
            self._view = self._seen(self._view.samples, estimated=True)
        self._tell()

    def _similar(self) -> Index:
        with self._indexing:
            if self._index is None:
                self._index = Index(self.z, metric=self._metric)
            return self._index

    def _seen(self, before: Any, *, estimated: bool = False) -> View:
        return View(self.journal.history.groups, self.z, self._chance, estimated, before)

    def _changed(self) -> None:
        self._ahead.wake()
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _neighbours(self, row: int) -> list[int]:
        k = min(_NEIGHBOURS, len(self.z) - 1)
        if k < 1 or not self.z.shape[1]:
            return []
        return self._similar().search_others(self.z[[row]], np.array([row]), k)[1][0].tolist()
