"""What a reply to a question comes to, as an entry of the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.corrections import say
from shoal.corrections.entry import Entry
from shoal.corrections.groups import Groups
from shoal.corrections.questions import STRIP
from shoal.errors import DataError
from shoal.protocols import IntArray


@dataclass(frozen=True)
class Answered:
    """What an answer comes to."""

    entry: Entry | None
    """For the journal; None where nothing was said."""
    heard: Callable[[], None]
    """To be called once the entry is written: what is asked next depends on it."""


def answer_for_all(groups: Groups, rows: IntArray, to: Any, called: str) -> Entry:
    """The entry of one answer for all images that were shown; ``called`` names a new group."""
    if to == "new":
        return say.new(groups, rows, called)
    if to == "confirm":
        return say.confirm(groups, rows)
    if to == "nowhere":
        return say.nowhere(groups, rows)
    if type(to) is int:
        return say.move(groups, rows, to, word="answer")
    raise DataError(
        "an answer must be a group, new, confirm, skip, mixed, nowhere, or a list with the group "
        "of each image."
    )


def told_of_each(groups: Groups, rows: IntArray, to: Any) -> tuple[IntArray, IntArray]:
    """The images of a strip whose groups a person told, and these groups, each int64 (m,)."""
    if not isinstance(to, list) or len(to) != len(rows) or not all(
        group in (None, "new") or (type(group) is int and 0 <= group < 2**53) for group in to
    ):  # fmt: skip
        raise DataError(
            "an answer about single images must be confirm, skip, or a list with the group of "
            "each, new for those of one new group, null where it is left open."
        )
    to = [groups.next_group if group == "new" else group for group in to]
    told = [(row, group) for row, group in zip(rows.tolist(), to, strict=True) if group is not None]
    told_rows, targets = np.array(told, dtype=np.int64).reshape(-1, 2).T
    return told_rows, targets


def answer_of_before(groups: Groups, said: Mapping[str, Any], called: str) -> Entry | None:
    """The entry of an answer to a question that this server did not ask."""
    named, to, n = said.get("rows"), said.get("to"), len(groups.ids)
    if not isinstance(named, list) or not 0 < len(named) <= STRIP or not all(
        type(row) is int and 0 <= row < n for row in named
    ):  # fmt: skip
        raise DataError("this question is no longer open; here is another.")
    rows = np.array(list(dict.fromkeys(named)), dtype=np.int64)
    if to in ("skip", "mixed"):
        return None
    if not isinstance(to, list):
        return answer_for_all(groups, rows, to, called)
    rows, targets = told_of_each(groups, rows, to)
    return say.answers(groups, rows, targets, called) if len(rows) else None
