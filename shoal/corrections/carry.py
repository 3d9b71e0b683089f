"""What a person said about one result, carried over to another: its images keep what was said.

The other result may be of another seed, number of clusters, split, recipe or encoder, and of more,
fewer or other images. An image keeps the group that a person decided for it. Other images of the
groups that a person touched stay, but for single ones that the other result clearly puts elsewhere.
The rest follow the other result: they go where the known images of their new cluster are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.corrections.carry_words import conflicts
from shoal.corrections.entry import Entry, Whole
from shoal.corrections.groups import BoolArray, Groups, apply
from shoal.corrections.settle import Images, settle
from shoal.embedding.table import ImageTable
from shoal.images.csv_files import as_text
from shoal.plural import counted
from shoal.protocols import IntArray


@dataclass(frozen=True)
class Carried:
    """What a person said, on another result."""

    groups: Groups
    """Of the images of the other result."""
    conflicts: tuple[str, ...]
    """Where the other result and the person disagree, as sentences."""
    entry: Entry
    """The same as an entry of the journal: applied to the groups before, it gives ``groups``."""


def carry(
    groups: Groups, table: ImageTable, *, reviewed: ImageTable | None = None,
    about: Mapping[str, Any] | None = None,
) -> Carried:  # fmt: skip
    """Carry what a person said over to another result.

    Args:
        groups: what the person made of the images.
        table: the other result. Its images may be the same, more, fewer or others.
        reviewed: the table that the person saw, if ``table`` is of the same clustering: images that
            ``table`` does not hold show by it where new ones belong. A table of new images alone
            needs it.
        about: JSON values for the entry: which result it is.

    Raises:
        DataError: no image of ``table`` is known and there is no ``reviewed`` table, or the two
            tables have embeddings of other lengths.
    """
    ids = tuple(as_text(name) for name in table.ids)
    images = Images.of(groups, ids, table, reviewed)
    settled = settle(images, groups)
    n = len(ids)
    group = _kept_apart(groups, ids, images, settled.group[:n])
    inferred = settled.guessed[:n] & ~images.decided[:n]
    whole = Whole(
        ids, tuple(group.tolist()), _where(ids, images.decided[:n]),
        touched=tuple(sorted(groups.touched)), next_group=settled.next_group,
        result=tuple(settled.own[images.cluster[:n]].tolist()), inferred=_where(ids, inferred),
    )  # fmt: skip
    says = f"Carried over to another result: {counted(n, 'image')}."
    bare = Entry("carry", says, whole=whole)
    after = apply(groups, bare)
    change = None if reviewed is not None else images.change(group)
    found = conflicts(groups, after, change)
    texts = tuple(conflict.text for conflict in found)
    facts = {"conflicts": list(texts), "settled": [conflict.to_json() for conflict in found]}
    return Carried(after, texts, replace(bare, about=dict(about or {}) | facts))


def _kept_apart(groups: Groups, ids: tuple[str, ...], images: Images, group: IntArray) -> IntArray:
    """Pairs that were apart stay apart, where one of the two can go back to where it was."""
    row_of = {name: row for row, name in enumerate(ids)} if groups.apart else {}
    group = group.copy()
    for first, second in groups.apart:
        pair = [row_of.get(groups.ids[first], -1), row_of.get(groups.ids[second], -1)]
        if min(pair) < 0 or group[pair[0]] != group[pair[1]]:
            continue
        for row in pair:
            back = images.before[row]
            if not images.decided[row] and back != group[row] and (group == back).any():
                group[row] = back
                break
    return group


def _where(ids: tuple[str, ...], chosen: BoolArray) -> tuple[str, ...]:
    return tuple(ids[row] for row in np.flatnonzero(chosen).tolist())
