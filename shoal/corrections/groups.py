"""The groups of a pile as a person left them, and what an entry does to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from shoal.corrections.entry import INFERS, NOWHERE, WHOLE, Entry, Note, Whole
from shoal.embedding.table import NOWHERE_NAME
from shoal.errors import DataError
from shoal.protocols import IntArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pile:
    """The ids of n images, and the row of each."""

    ids: tuple[str, ...]

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each id."""
        return {name: row for row, name in enumerate(self.ids)}

    def rows(self, ids: Iterable[str]) -> IntArray:
        """The rows of images, int64 (m,).

        Raises:
            DataError: an id is not in the pile.
        """
        try:
            return np.fromiter((self.row_of[name] for name in ids), np.int64)
        except KeyError as error:
            raise DataError(
                f"the corrections name an image that is not in them: {error}."
            ) from None


@dataclass(frozen=True)
class Groups:
    """Which group each of n images is in, and what a person said about it. Never changed."""

    pile: Pile
    group: IntArray
    """int64 (n,): the id of each image's group; `NOWHERE` of images that belong nowhere."""
    decided: BoolArray
    """bool (n,): whether the person decided the image."""
    inferred: BoolArray
    """bool (n,): whether shoal moved the image, by what was said of others."""
    result: IntArray
    """int64 (n,): each image's group as the result had it, before the person's corrections. Another
    division of the same result does not change it."""
    next_group: int
    """The id of the next new group."""
    names: Mapping[int, str] = field(default_factory=dict)
    """The names of the groups that have one."""
    apart: tuple[tuple[int, int], ...] = ()
    """Pairs of rows that do not belong together."""
    notes: tuple[Note, ...] = ()
    touched: frozenset[int] = frozenset()
    """The groups that the person said something about."""
    absent: Mapping[str, int] = field(default_factory=dict)
    """The group of each image that the person decided and that is not in the pile any more. It has
    that group again when it comes back."""
    absent_apart: tuple[tuple[str, str], ...] = ()
    """Pairs that do not belong together, one or both of which are not in the pile any more."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the n images."""
        return self.pile.ids

    @cached_property
    def sizes(self) -> Mapping[int, int]:
        """The number of images in each group that is not empty, the largest first, NOWHERE last."""
        groups, counts = np.unique(self.group, return_counts=True)
        sizes = dict(zip(groups.tolist(), counts.tolist(), strict=True))
        order = sorted(sizes, key=lambda group: (group == NOWHERE, -sizes[group], group))
        return {group: sizes[group] for group in order}

    def note_on(self, *, image: str | None = None, group: int | None = None) -> str | None:
        """What the person noted last on an image or a group; None if nothing, or not any more."""
        about = (image, group)
        texts = (note.text for note in reversed(self.notes) if (note.image, note.group) == about)
        return next(texts, "") or None

    def members(self, group: int) -> IntArray:
        """The rows of a group, int64 (m,) ascending.

        Raises:
            DataError: the group has no images.
        """
        rows = np.flatnonzero(self.group == group)
        if not len(rows):
            raise DataError(f"there is no group {group}; it may have been merged or split.")
        return rows

    def title(self, group: int) -> str:
        """What a group is called: its name, or ``group`` and its id."""
        return self.names.get(group) or (NOWHERE_NAME if group == NOWHERE else f"group {group}")

    def called(self, group: int) -> str:
        """What a sentence calls a group: its name in quotes, else as the page writes it."""
        if group in self.names:
            return repr(self.names[group])
        return repr(NOWHERE_NAME) if group == NOWHERE else unnamed(group)

    def ids_of(self, rows: IntArray) -> tuple[str, ...]:
        """The ids of rows."""
        return tuple(self.pile.ids[row] for row in np.asarray(rows).tolist())


def unnamed(group: int) -> str:
    """What a sentence calls a group without a name."""
    return f"Group {group}"


def start(entry: Entry, pile: Pile | None = None) -> Groups:
    """The groups that an entry of `WHOLE` gives, with nothing from before it.

    Args:
        entry: the entry.
        pile: of its ids, if there is one already.
    """
    whole = _whole(entry)
    pile = Pile(whole.ids) if pile is None else pile
    lengths = {len(whole.ids), len(pile.row_of), len(whole.groups)}
    if whole.result:
        lengths.add(len(whole.result))
    if len(lengths) > 1:
        raise DataError("the corrections name an image twice, or an image without its group.")
    group = np.array(whole.groups, dtype=np.int64)
    decided = np.zeros(len(group), dtype=bool)
    decided[pile.rows(whole.decided)] = True
    inferred = np.zeros(len(group), dtype=bool)
    inferred[pile.rows(whole.inferred)] = True
    groups = Groups(
        pile,
        group,
        decided,
        inferred=inferred,
        result=np.array(whole.result, dtype=np.int64) if whole.result else group,
        next_group=max(whole.next_group, int(group.max(initial=0)) + 1),
        touched=frozenset(whole.touched),
    )
    return _with_words(groups, entry)


def apply(groups: Groups, entry: Entry) -> Groups:
    """The groups after an entry.

    Raises:
        DataError: it names an image that is not in the pile.
    """
    if entry.op in WHOLE:
        same = entry.whole is not None and entry.whole.ids == groups.ids
        fresh = kept = start(entry, groups.pile if same else None)
        if same and entry.op == "divide":  # the result that they divide is the same
            kept = replace(kept, result=groups.result)
        absent, gone = _absent(groups, kept)
        names = {g: n for g, n in groups.names.items() if g in fresh.touched} | dict(fresh.names)
        apart = _same_pairs(groups, kept)
        return replace(
            kept, names=names, apart=(*apart, *fresh.apart), notes=groups.notes + fresh.notes,
            next_group=max(fresh.next_group, groups.next_group), absent=absent, absent_apart=gone,
        )  # fmt: skip
    group, decided, inferred = groups.group, groups.decided, groups.inferred
    next_group = groups.next_group
    if entry.moves:
        group, decided, inferred = group.copy(), decided.copy(), inferred.copy()
        for target, ids in entry.moves.items():
            rows = groups.pile.rows(ids)
            group[rows] = target
            if entry.decides or entry.op in INFERS:  # of a dissolved group nothing is decided now
                decided[rows] = entry.decides
                inferred[rows] = entry.op in INFERS
            next_group = max(next_group, target + 1)
    touched = groups.touched | set(entry.moves) | {g for g, name in entry.names.items() if name}
    if entry.note is not None and entry.note.group is not None:
        touched |= {entry.note.group}
    moved = replace(
        groups, group=group, decided=decided, inferred=inferred, next_group=next_group,
        touched=frozenset(touched), notes=(*groups.notes, *_inherited(groups, entry)),
    )  # fmt: skip
    return _with_words(moved, entry)


def _inherited(groups: Groups, entry: Entry) -> list[Note]:
    """What was noted on the groups that a merge or a split gives up, on the one in their place.

    That is the merged group, or the largest part, which keeps the name as well.
    """
    if entry.op not in ("merge", "split"):
        return []
    rows = groups.pile.rows(name for ids in entry.moves.values() for name in ids)
    before, counts = np.unique(groups.group[rows], return_counts=True)
    noted = [groups.note_on(group=group) for group in before[np.argsort(-counts)].tolist()]
    texts = dict.fromkeys(text for text in noted if text)
    return [Note("\n".join(texts), group=next(iter(entry.moves)))] if texts else []


def _with_words(groups: Groups, entry: Entry) -> Groups:
    """With the names, pairs and notes of an entry."""
    if not (entry.names or entry.apart or entry.note):
        return groups
    names = dict(groups.names) | dict(entry.names)
    pairs = [tuple(groups.pile.rows(pair).tolist()) for pair in entry.apart]
    return replace(
        groups,
        names={group: name for group, name in names.items() if name},
        apart=(*groups.apart, *((first, second) for first, second in pairs)),
        notes=(*groups.notes, entry.note) if entry.note else groups.notes,
    )


def _same_pairs(before: Groups, after: Groups) -> tuple[tuple[int, int], ...]:
    """The pairs to keep apart, by the rows of another pile that holds both images."""
    row_of = after.pile.row_of
    return tuple(
        (row_of[first], row_of[second])
        for first, second in _pairs(before) if first in row_of and second in row_of
    )  # fmt: skip


def _absent(before: Groups, after: Groups) -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """What was said of images that another pile does not hold: their groups, and pairs."""
    row_of = after.pile.row_of
    rows = np.flatnonzero(before.decided)
    decided = zip(before.ids_of(rows), before.group[rows].tolist(), strict=True)
    groups = {name: group for name, group in decided if name not in row_of}
    groups |= {name: group for name, group in before.absent.items() if name not in row_of}
    pairs = tuple(pair for pair in _pairs(before) if not (pair[0] in row_of and pair[1] in row_of))
    return groups, pairs


def _pairs(groups: Groups) -> list[tuple[str, str]]:
    named = [(groups.ids[first], groups.ids[second]) for first, second in groups.apart]
    return [*named, *groups.absent_apart]


def _whole(entry: Entry) -> Whole:
    if entry.whole is None:
        raise DataError(f"entry {entry.n} does not say which images it is about.")
    return entry.whole
