"""An entry of the journal: one thing that a person said, by the ids of the images it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNDO, REDO = "undo", "redo"
WHOLE = ("start", "divide", "carry")
"""The entries that give every image its group."""
OPS = frozenset((
    "start", "divide", "carry", "undo", "redo", "name", "merge", "split", "move", "answer", "new",
    "confirm", "nowhere", "apart", "note", "dissolve", "learn", "import",
))  # fmt: skip
"""All that an entry can be; a journal that holds anything else is damaged."""
INFERS = ("learn", "dissolve")
"""The entries that move images which the person did not point at."""
NOWHERE = 0
"""The group of images that belong nowhere."""
_MOST = 2**53
"""Numbers stay below this, so that every program that reads JSON has them exactly."""


@dataclass(frozen=True)
class Note:
    """What a person wrote beside an image or a group."""

    text: str
    image: str | None = None
    """The id of an image; None where the note is about a group."""
    group: int | None = None


@dataclass(frozen=True)
class Whole:
    """A group for every image: how a journal starts, and what another division leaves."""

    ids: tuple[str, ...]
    groups: tuple[int, ...]
    """Of each image, in the order of ``ids``."""
    decided: tuple[str, ...] = ()
    """The images whose group a person decided before."""
    touched: tuple[int, ...] = ()
    """The groups that a person said something about before."""
    next_group: int = 0
    """The id of the next new group. Ids are never used twice."""
    result: tuple[int, ...] = ()
    """Of each image, the group that the result alone gives it; empty: the same as ``groups``."""
    inferred: tuple[str, ...] = ()
    """The images that shoal moved before, by what was said of others."""


@dataclass(frozen=True)
class Entry:
    """One thing that a person said, and all that follows from it.

    Applying an entry needs nothing but the entry: a split, for one, holds the ids of each part.

    >>> entry = Entry("move", "Moved 1 image to 'cats'.", moves={3: ("a.png",)}, decides=True)
    >>> Entry.from_json(entry.to_json()) == entry
    True
    """

    op: str
    """The word of the person: merge, split, move, …; see `say`."""
    says: str
    """What was done, as a sentence for the person."""
    moves: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The images that go to each group, which may be a new one."""
    decides: bool = False
    """Whether the person decided these images, so that nothing but the person moves them again."""
    names: Mapping[int, str] = field(default_factory=dict)
    """New names of groups; an empty one takes a name away."""
    apart: tuple[tuple[str, str], ...] = ()
    """Pairs of images that do not belong together."""
    note: Note | None = None
    whole: Whole | None = None
    """Only of the entries `WHOLE`."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Further facts as JSON values, such as which split was chosen and for which result."""
    of: int | None = None
    """Only of undo and redo: the number of the entry that is undone or done again."""
    n: int = 0
    """Its place in the journal, from 1; 0 before it is written."""
    time: str = ""
    """When it was written, in UTC: ``2026-11-27T08:00:00Z``."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values; what is empty is left out."""
        content: dict[str, Any] = {"n": self.n, "time": self.time, "op": self.op, "says": self.says}
        if self.moves:
            content["to"] = {str(group): list(ids) for group, ids in self.moves.items()}
        if self.decides:
            content["decides"] = True
        if self.names:
            content["names"] = {str(group): name for group, name in self.names.items()}
        if self.apart:
            content["apart"] = [list(pair) for pair in self.apart]
        if self.note is not None:
            content["note"] = {
                "text": self.note.text, "image": self.note.image, "group": self.note.group,
            }  # fmt: skip
        if self.whole is not None:
            whole = self.whole
            content |= {
                "ids": list(whole.ids), "groups": list(whole.groups),
                "decided": list(whole.decided), "touched": list(whole.touched),
                "next_group": whole.next_group,
            }  # fmt: skip
            if whole.result:
                content["result"] = list(whole.result)
            if whole.inferred:
                content["inferred"] = list(whole.inferred)
        if self.about:
            content["about"] = dict(self.about)
        if self.of is not None:
            content["of"] = self.of
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Entry:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        note, of = content.get("note"), content.get("of")
        return cls(
            op=_op(content["op"]),
            says=_text(content["says"]),
            moves={_int(group): _texts(ids) for group, ids in dict(content.get("to", {})).items()},
            decides=_bool(content.get("decides", False)),
            names={_int(g): _text(name) for g, name in dict(content.get("names", {})).items()},
            apart=tuple(_pair(pair) for pair in content.get("apart", ())),
            note=None if note is None else Note(
                _text(note["text"]), _text_or_none(note.get("image")), _int_or_none(note["group"])
            ),
            whole=None if content["op"] not in WHOLE else Whole(
                _texts(content["ids"]), tuple(_int(group) for group in content["groups"]),
                _texts(content.get("decided", ())),
                tuple(_int(group) for group in content.get("touched", ())),
                _int(content["next_group"]),
                tuple(_int(group) for group in content.get("result", ())),
                _texts(content.get("inferred", ())),
            ),
            about=dict(content.get("about", {})),
            of=None if of is None else _int(of),
            n=_int(content["n"]),
            time=_text(content["time"]),
        )  # fmt: skip


def _int(value: Any) -> int:
    """A group, or the number of an entry; also the key of an object, which is a text."""
    if isinstance(value, bool | float) or not 0 <= int(value) < _MOST:
        raise ValueError("not a number of a group or an entry")
    return int(value)


def _op(value: Any) -> str:
    if value not in OPS:
        raise ValueError("no such entry")
    return _text(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of texts")
    return tuple(values)


def _pair(pair: Sequence[Any]) -> tuple[str, str]:
    first, second = _texts(pair)
    return first, second


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _int_or_none(value: Any) -> int | None:
    return None if value is None else _int(value)
