"""Where another result and what a person said disagree, as sentences for the person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.plural import fill
from shoal.protocols import IntArray

_NAMED = 3
"""So many groups are named in a sentence, the others counted."""


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


def conflicts(before: Groups, after: Groups, change: Change | None) -> tuple[str, ...]:
    """Where the other result and the person disagree.

    Args:
        before: what the person made of the first result.
        after: the same on the other one.
        change: what became of its images; None if the other result has the same clusters.
    """
    if change is None:
        return tuple(_together(before, after))
    titles = {g: before.title(g) for g in set(change.before.tolist()) - {-1}}
    titles = {g: after.title(g) for g in after.sizes} | titles
    return (
        *_against(before, change, titles), *_moved(before, change, titles),
        *_absent(before, after), *_empty(before, after), *_together(before, after),
    )  # fmt: skip


def _against(before: Groups, change: Change, titles: dict[int, str]) -> Iterator[str]:
    """Images that were decided, and are now in a cluster with another group's, as they were not."""
    there = (change.result >= 0) & change.decided & (change.before != NOWHERE)
    home_before = _home(before.result, before.group)
    home_now = _home(change.cluster, change.after)
    pairs: dict[tuple[int, int], int] = {}
    for row in np.flatnonzero(there).tolist():
        group, now = int(change.before[row]), home_now.get(int(change.cluster[row]))
        agreed = home_before.get(int(change.result[row])) == group
        if agreed and now is not None and now != group:
            pairs[group, now] = pairs.get((group, now), 0) + 1
    for (group, now), count in sorted(pairs.items(), key=lambda item: -item[1]):
        yield fill(
            "{n:,} {n:image|images} that you put into {group!r} {n:is|are} among {now!r} in this "
            "result; {n:it stays|they stay} where you put {n:it|them}.",
            n=count, group=titles[group], now=titles[now],
        )  # fmt: skip


def _moved(before: Groups, change: Change, titles: dict[int, str]) -> Iterator[str]:
    """Images of touched groups that follow the other result."""
    there = (change.before > NOWHERE) & (change.before != change.after)
    for group in np.unique(change.before[there]).tolist():
        if group not in before.touched:
            continue
        targets, counts = np.unique(
            change.after[there & (change.before == group)], return_counts=True
        )
        order = np.argsort(-counts, kind="stable").tolist()
        listed = [f"{counts[at]:,} to {titles[int(targets[at])]!r}" for at in order[:_NAMED]]
        if len(order) > _NAMED:
            listed.append(f"{counts[order[_NAMED:]].sum():,} to other groups")
        yield fill(
            "{n:,} {n:image|images} of {group!r} that you had not confirmed {n:follows|follow} "
            "this result: {listed}.",
            n=int(counts.sum()), group=titles[group], listed=", ".join(listed),
        )  # fmt: skip


def _absent(before: Groups, after: Groups) -> Iterator[str]:
    n = len(after.absent.keys() - before.absent.keys())
    if n:
        yield fill(
            "{n:,} {n:image|images} that you decided {n:is|are} not in this result; what you said "
            "holds again when {n:it comes|they come} back.",
            n=n,
        )  # fmt: skip


def _empty(before: Groups, after: Groups) -> Iterator[str]:
    for group in before.sizes:
        if group in before.touched and group not in after.sizes and group != NOWHERE:
            yield f"{before.title(group)!r} has no image in this result."


def _together(before: Groups, after: Groups) -> Iterator[str]:
    """Pairs that were apart, and are in one group now."""
    were = {
        (before.ids[first], before.ids[second]): before.group[first] == before.group[second]
        for first, second in before.apart
    }
    for first, second in after.apart:
        pair = after.ids[first], after.ids[second]
        if after.group[first] == after.group[second] and not were.get(pair, False):
            yield (
                f"{pair[0]!r} and {pair[1]!r}, which you said do not belong together, are both in "
                f"{after.title(int(after.group[first]))!r}."
            )


def _home(cluster: IntArray, group: IntArray) -> dict[int, int]:
    """The most common group of each cluster's images, but for those that belong nowhere."""
    somewhere = group != NOWHERE
    pairs, counts = np.unique(
        np.stack([cluster[somewhere], group[somewhere]]), axis=1, return_counts=True
    )
    order = np.argsort(counts, kind="stable")  # of equals the last one counts, every time
    return dict(zip(pairs[0][order].tolist(), pairs[1][order].tolist(), strict=True))
