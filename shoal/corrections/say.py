"""What a person can say about the groups of a pile, each word as the entry that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shoal.corrections.entry import NOWHERE, Entry, Note, Whole
from shoal.corrections.group_names import checked_name
from shoal.corrections.groups import Groups, unnamed
from shoal.errors import DataError
from shoal.plural import counted, fill
from shoal.protocols import IntArray


def name(groups: Groups, group: int, called: str) -> Entry:
    """Give a group a name; an empty name takes it away.

    Raises:
        DataError: another group has the name, or there is no such group.
    """
    groups.members(group)
    called = checked_name(groups, called, {group})
    before = groups.called(group)
    says = f"Named {before} {called!r}." if called else f"Took the name of {before} away."
    return Entry("name", says, names={group: called})


def merge(groups: Groups, merged: Sequence[int], called: str | None = None) -> Entry:
    """Make one group of several. It keeps the name of the largest that has one.

    Raises:
        DataError: fewer than two groups, one of them unknown, or the name is another group's.
    """
    chosen = sorted(set(merged), key=lambda group: -len(groups.members(group)))
    if len(chosen) < 2:
        raise DataError("merge needs at least 2 groups.")
    if NOWHERE in chosen:
        raise DataError("images that belong nowhere cannot be merged; move them to a group.")
    target = groups.next_group
    if called is None:
        called = next((groups.names[group] for group in chosen if group in groups.names), "")
    called = checked_name(groups, called, set(chosen))
    rows = np.flatnonzero(np.isin(groups.group, chosen))
    names = {group: "" for group in chosen if group in groups.names}
    if called:
        names[target] = called
    titles = _listed([groups.called(group) for group in chosen])
    what = repr(called) if called else unnamed(target)
    says = f"Merged {titles}: {counted(len(rows), 'image')} are {what} now."
    return Entry("merge", says, moves={target: groups.ids_of(rows)}, names=names)


def split(groups: Groups, group: int, parts: IntArray) -> Entry:
    """Make a group of each part. The largest part keeps the name.

    Args:
        groups: as they are.
        group: which one is split.
        parts: int64 (m,), the part of each member, in the order of `Groups.members`.

    Raises:
        DataError: there is no such group, or it has one part only.
    """
    rows = groups.members(group)
    numbers, counts = np.unique(parts, return_counts=True)
    if len(parts) != len(rows) or len(numbers) < 2:
        raise DataError(f"{groups.called(group)} cannot be split: it has one part only.")
    order = numbers[np.argsort(-counts, kind="stable")].tolist()
    moves = {
        groups.next_group + place: groups.ids_of(rows[parts == part])
        for place, part in enumerate(order)
    }
    names = {}
    if group in groups.names:
        names = {group: "", groups.next_group: groups.names[group]}
    says = f"Split {groups.called(group)} into {counted(len(order), 'part')}."
    return Entry("split", says, moves=moves, names=names)


def move(groups: Groups, rows: IntArray, target: int, *, word: str = "move") -> Entry:
    """Put images into a group. The person decided them.

    Raises:
        DataError: no images, or there is no such group.
    """
    if target != NOWHERE:
        groups.members(target)
    n, where = _count(rows), groups.called(target)
    stayed = int((groups.group[rows] == target).sum())
    moved = f"Moved {counted(n - stayed, 'image')} to {where}"
    if stayed == n:
        says = f"Confirmed {counted(n, 'image')} in {where}."
    else:
        says = f"{moved}, and confirmed {stayed:,} there." if stayed else f"{moved}."
    return Entry(word, says, moves={target: groups.ids_of(rows)}, decides=True)


def answers(groups: Groups, rows: IntArray, targets: IntArray, called: str = "") -> Entry:
    """Put each of some images into a group of its own. The person decided them.

    Args:
        groups: as they are.
        rows: int64 (m,), the images.
        targets: int64 (m,), the group of each; `Groups.next_group` is a new one.
        called: the name of the new one, if there is one; empty where it has none.

    Raises:
        DataError: no images, there is no such group, or the name is another group's.
    """
    called = checked_name(groups, called, set()) if groups.next_group in targets else ""
    for target in np.unique(targets[targets != NOWHERE]).tolist():
        if target != groups.next_group:
            groups.members(target)
    n = _count(rows)
    where = _whereto(groups, rows, targets, called)
    says = f"Answered for {counted(n, 'image')}: {where}."
    names = {groups.next_group: called} if called else {}
    return Entry("answer", says, moves=_moves(groups, rows, targets), decides=True, names=names)


def _whereto(groups: Groups, rows: IntArray, targets: IntArray, called: str) -> str:
    """What becomes of each of some images, in words, see `answers`."""
    stay = targets == groups.group[rows]
    fresh = f"the new group {called!r}" if called else f"the new {unnamed(groups.next_group)}"

    def says(target: int, n: int) -> str:
        if target == NOWHERE:
            return fill("{n:,} {n:belongs|belong} nowhere", n=n)
        if target == groups.next_group:
            return f"{n:,} went into {fresh}"
        return f"{n:,} moved to {groups.called(target)}"

    went, counts = np.unique(targets[~stay], return_counts=True)
    by_target = sorted(
        zip(went.tolist(), counts.tolist(), strict=True), key=lambda one: one[0] == NOWHERE
    )
    said = [f"{int(stay.sum()):,} stayed"] if stay.any() else []
    said += [says(target, n) for target, n in by_target]
    return _listed(said) if len(said) > 1 else said[0]


def new(groups: Groups, rows: IntArray, called: str = "") -> Entry:
    """Make a new group of images. The person decided them.

    Raises:
        DataError: no images, or the name is another group's.
    """
    called = checked_name(groups, called, set())
    target = groups.next_group
    title = repr(called) if called else unnamed(target)
    says = f"Made {title} of {counted(_count(rows), 'image')}."
    names = {target: called} if called else {}
    return Entry("new", says, moves={target: groups.ids_of(rows)}, decides=True, names=names)


def confirm(groups: Groups, rows: IntArray) -> Entry:
    """Say that images are in the right group.

    Raises:
        DataError: no images.
    """
    says = f"Confirmed {counted(_count(rows), 'image')}."
    moves = _moves(groups, rows, groups.group[rows])
    return Entry("confirm", says, moves=moves, decides=True)


def nowhere(groups: Groups, rows: IntArray) -> Entry:
    """Say that images belong nowhere.

    Raises:
        DataError: no images.
    """
    n = _count(rows)
    says = fill("Set {n:,} {n:image|images} aside: {n:it belongs|they belong} nowhere.", n=n)
    return Entry("nowhere", says, moves={NOWHERE: groups.ids_of(rows)}, decides=True)


def apart(groups: Groups, rows: IntArray) -> Entry:
    """Say that two images do not belong together.

    Raises:
        DataError: not two different images.
    """
    if len(set(rows.tolist())) != 2:
        raise DataError(f"apart needs 2 different images, got {len(set(rows.tolist()))}.")
    first, second = groups.ids_of(rows)
    return Entry(
        "apart", f"{first!r} and {second!r} do not belong together.", apart=((first, second),)
    )


def note(groups: Groups, text: str, *, row: int | None = None, group: int | None = None) -> Entry:
    """Write a note beside an image or a group; an empty one takes the note there away.

    Raises:
        DataError: it is beside neither, or empty where there is none.
    """
    if (row is None) == (group is None):
        raise DataError("a note needs an image or a group that it is about.")
    image = None if row is None else groups.ids[row]
    if group is not None:
        groups.members(group)
    title = repr(image) if group is None else groups.called(group)
    if not text.strip():
        if groups.note_on(image=image, group=group) is None:
            raise DataError("a note needs a text.")
        return Entry("note", f"Took the note on {title} away.", note=Note("", image, group))
    return Entry("note", f"Noted on {title}: {text}", note=Note(text, image, group))


def dissolve(groups: Groups, group: int, target: IntArray) -> Entry:
    """Give up a group: its images go where they belong without it.

    Args:
        groups: as they are.
        group: which one is given up.
        target: int64 (m,), the group of each member, in the order of `Groups.members`.

    Raises:
        DataError: there is no such group, or an image would stay in it.
    """
    rows = groups.members(group)
    if len(target) != len(rows) or (target == group).any():
        raise DataError(f"{groups.called(group)} cannot be dissolved: there is no other group.")
    says = f"Dissolved {groups.called(group)} ({counted(len(rows), 'image')})."
    names = {group: ""} if group in groups.names else {}
    return Entry("dissolve", says, moves=_moves(groups, rows, target), names=names)


def learn(groups: Groups, target: IntArray) -> Entry:
    """Move the images that nobody decided to where the corrections say they belong.

    Args:
        groups: as they are.
        target: int64 (n,), the group of every image; those that are decided must stay.

    Raises:
        DataError: it would move an image that a person decided, or none.
    """
    changed = np.flatnonzero(target != groups.group)
    if groups.decided[changed].any():
        raise DataError("learning may not move an image that a person decided.")
    if not len(changed) and not groups.decided.any():
        raise DataError("nothing changes: no image is decided yet; move or confirm some first.")
    if not len(changed):
        raise DataError("nothing changes: every image is where the corrections put it.")
    says = f"Learned from the corrections: {counted(len(changed), 'image')} moved."
    return Entry("learn", says, moves=_moves(groups, changed, target[changed]))


def divide(groups: Groups, labels: IntArray, title: str, about: Mapping[str, Any]) -> Entry:
    """Take another division of the pile. What the person decided stays in groups of its own.

    Args:
        groups: as they are.
        labels: int64 (n,), the clusters of the other division, from 0.
        title: what it is called: ``2 clusters, way 3``.
        about: JSON values that say which division it is.
    """
    group = labels + groups.next_group
    next_group = int(group.max()) + 1
    held = groups.decided
    group = np.where(held, groups.group, group)
    whole = Whole(
        groups.ids, tuple(group.tolist()), groups.ids_of(np.flatnonzero(held)),
        tuple(sorted(set(group.tolist()))), next_group,
    )  # fmt: skip
    says = f"Took another division: {title}."
    if n := int(held.sum()):
        stay = " {n:,} decided {n:image stays in its group|images stay in their groups}."
        says += fill(stay, n=n)
    return Entry("divide", says, whole=whole, about=about)


def _moves(groups: Groups, rows: IntArray, target: IntArray) -> dict[int, tuple[str, ...]]:
    return {int(g): groups.ids_of(rows[target == g]) for g in np.unique(target)}


def _count(rows: IntArray) -> int:
    if not len(rows):
        raise DataError("no images are selected.")
    return len(rows)


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(titles[:-1]) + f" and {titles[-1]}"
