"""Where another result and what a person said disagree, as sentences for the person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.plural import fill
from shoal.protocols import IntArray

_LOOKED_AT = 20
"""So many images of a conflict tell whether it is settled."""
_NAMED = 3
"""So many groups are named in a sentence, the others counted."""


@dataclass(frozen=True)
class Conflict:
    """Where another result and a person disagree."""

    text: str
    """A sentence."""
    images: tuple[str, ...] = ()
    """The ids of images that are, or are not, in the group of ``other``; empty: of no group."""
    other: str = ""
    together: bool = False
    """Whether it is settled when they are in one group, or when they are not."""

    def to_json(self) -> dict[str, Any]:
        """What tells whether it is settled, as JSON values."""
        return {"images": list(self.images), "other": self.other, "together": self.together}


def is_settled(told: Mapping[str, Any], groups: Groups) -> bool:
    """Whether a conflict no longer is one.

    Args:
        told: from `Conflict.to_json`.
        groups: as they are now.
    """
    row_of = groups.pile.row_of
    other = row_of.get(told.get("other", ""))
    rows = [row_of[name] for name in told.get("images", ()) if name in row_of]
    if not rows or other is None:
        return False
    same = groups.group[rows] == groups.group[other]
    return bool(same.all() if told.get("together") else not same.any())


@dataclass(frozen=True)
class Change:
    """What became of the n images of another result."""

    before: IntArray
    """int64 (n,): their groups before; -1 of new images."""
    after: IntArray
    """int64 (n,): their groups now."""
    decided: BoolArray
    result: IntArray
    """int64 (n,): the groups that the result before gave; -1 where it is not known."""
    cluster: IntArray
    """int64 (n,): their clusters in the other result, from 0."""


def conflicts(before: Groups, after: Groups, change: Change | None) -> tuple[Conflict, ...]:
    """Where the other result and the person disagree.

    Args:
        before: what the person made of the first result.
        after: the same on the other one.
        change: what became of its images; None if the other result has the same clusters.
    """
    if change is None:
        return tuple(_together(before, after))
    titles = {g: before.called(g) for g in set(change.before.tolist()) - {-1}}
    titles = {g: after.called(g) for g in after.sizes} | titles
    return (
        *_against(before, after, change, titles), *_moved(before, change, titles),
        *_absent(before, after), *_empty(before, after), *_together(before, after),
    )  # fmt: skip


def _against(
    before: Groups, after: Groups, change: Change, titles: dict[int, str]
) -> Iterator[Conflict]:
    """Images that were decided, and are now in a cluster with another group's, as they were not."""
    there = (change.result >= 0) & change.decided & (change.before != NOWHERE)
    home_before = _home(before.result, before.group)
    home_now = _home(change.cluster, change.after)
    pairs: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(there).tolist():
        group, now = int(change.before[row]), home_now.get(int(change.cluster[row]))
        agreed = home_before.get(int(change.result[row])) == group
        if agreed and now is not None and now != group:
            pairs.setdefault((group, now), []).append(row)
    for (group, now), rows in sorted(pairs.items(), key=lambda item: -len(item[1])):
        text = fill(
            "{n:,} {n:image|images} that you put into {group} {n:is|are} among {now} in this "
            "result; {n:it stays|they stay} where you put {n:it|them}.",
            n=len(rows), group=titles[group], now=titles[now],
        )  # fmt: skip
        other = after.ids[int(np.flatnonzero(after.group == now)[0])]
        yield Conflict(text, tuple(after.ids[row] for row in rows[:_LOOKED_AT]), other, True)


def _moved(before: Groups, change: Change, titles: dict[int, str]) -> Iterator[Conflict]:
    """Images of touched groups that follow the other result."""
    there = (change.before > NOWHERE) & (change.before != change.after)
    for group in np.unique(change.before[there]).tolist():
        if group not in before.touched:
            continue
        targets, counts = np.unique(
            change.after[there & (change.before == group)], return_counts=True
        )
        order = np.argsort(-counts, kind="stable").tolist()
        listed = [f"{counts[at]:,} to {titles[int(targets[at])]}" for at in order[:_NAMED]]
        if len(order) > _NAMED:
            listed.append(f"{counts[order[_NAMED:]].sum():,} to other groups")
        text = fill(
            "{n:,} {n:image|images} of {group} that you had not confirmed {n:follows|follow} "
            "this result: {listed}.",
            n=int(counts.sum()), group=titles[group], listed=", ".join(listed),
        )  # fmt: skip
        yield Conflict(text)


def _absent(before: Groups, after: Groups) -> Iterator[Conflict]:
    n = len(after.absent.keys() - before.absent.keys())
    if n:
        text = fill(
            "{n:,} {n:image|images} that you decided {n:is|are} not in this result; what you said "
            "holds again when {n:it comes|they come} back.",
            n=n,
        )  # fmt: skip
        yield Conflict(text)


def _empty(before: Groups, after: Groups) -> Iterator[Conflict]:
    for group in before.sizes:
        if group in before.touched and group not in after.sizes and group != NOWHERE:
            yield Conflict(f"{before.called(group)} has no image in this result.")


def _together(before: Groups, after: Groups) -> Iterator[Conflict]:
    """Pairs that were apart, and are in one group now."""
    were = {
        (before.ids[first], before.ids[second]): before.group[first] == before.group[second]
        for first, second in before.apart
    }
    for first, second in after.apart:
        pair = after.ids[first], after.ids[second]
        if after.group[first] == after.group[second] and not were.get(pair, False):
            text = (
                f"{pair[0]!r} and {pair[1]!r}, which you said do not belong together, are both in "
                f"{after.called(int(after.group[first]))}."
            )
            yield Conflict(text, (pair[0],), pair[1])


def _home(cluster: IntArray, group: IntArray) -> dict[int, int]:
    """The most common group of each cluster's images, but for those that belong nowhere."""
    somewhere = group != NOWHERE
    pairs, counts = np.unique(
        np.stack([cluster[somewhere], group[somewhere]]), axis=1, return_counts=True
    )
    order = np.argsort(counts, kind="stable")  # of equals the last one counts, every time
    return dict(zip(pairs[0][order].tolist(), pairs[1][order].tolist(), strict=True))
