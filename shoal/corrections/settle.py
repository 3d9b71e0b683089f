"""The group of each image of another result: kept, or where the other result puts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.corrections.carry_words import Change
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.corrections.overlap import Overlap
from shoal.corrections.votes import vote
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.csv_files import as_text
from shoal.protocols import FloatArray, IntArray

_UNKNOWN = -1
_HOME, _STRAY = 2 / 3, 1 / 3
"""An image leaves a group that a person touched if its new cluster is another group's, by more than
the one share of its known images, and if less than the other share of its group goes there. Else
the new cluster cuts across the groups, and says nothing of them. Where it goes, its neighbours
decide: it may well stay. Measured, that is better than to follow the new cluster."""
_SURE = 0.8
"""A share of the votes below this is a guess: the image's confidence counts no more."""


@dataclass(frozen=True)
class Images:
    """The n images of the other result, then known images that only the reviewed table holds."""

    n: int
    cluster: IntArray
    """int64 (N,), from 0."""
    before: IntArray
    """int64 (N,): the group before; `_UNKNOWN` of new images."""
    result: IntArray
    """int64 (N,): the group that the result before gave; `_UNKNOWN` where it is not known."""
    decided: BoolArray
    inferred: BoolArray
    z: FloatArray | None
    same: bool
    """Whether the other result has the same clusters, so that known images stay."""

    @classmethod
    def of(
        cls, groups: Groups, ids: tuple[str, ...], table: ImageTable, reviewed: ImageTable | None
    ) -> Images:
        held = set(ids)
        extra = [] if reviewed is None else [
            row for row, name in enumerate(map(as_text, reviewed.ids))
            if name not in held and name in groups.pile.row_of
        ]  # fmt: skip
        names, labels, z = ids, table.labels, table.embedding
        if reviewed is not None and extra:
            _check_same_length(table, reviewed)
            names += tuple(as_text(reviewed.ids[row]) for row in extra)
            labels = np.concatenate([labels, reviewed.labels[extra]])
            z = np.concatenate([z, reviewed.embedding[extra]])
        rows = np.array([groups.pile.row_of.get(name, _UNKNOWN) for name in names], dtype=np.int64)
        known = rows != _UNKNOWN
        absent = np.array([groups.absent.get(name, _UNKNOWN) for name in names], dtype=np.int64)
        if not (known | (absent != _UNKNOWN)).any():
            raise DataError(
                "none of these images is among the corrected ones, and where those lie under this "
                "checkpoint is not known: review them with it once, with a copy of the corrections "
                "beside it, or give the images that were corrected."
            )
        return cls(
            n=len(ids),
            cluster=np.unique(labels, return_inverse=True)[1].astype(np.int64),
            before=np.where(known, groups.group[rows], absent),
            result=np.where(known, groups.result[rows], _UNKNOWN),
            decided=np.where(known, groups.decided[rows], absent != _UNKNOWN),
            inferred=known & groups.inferred[rows],
            z=z if z.shape[1] else None,
            same=reviewed is not None,
        )

    def change(self, group: IntArray) -> Change:
        """What became of the images of the other result."""
        n = self.n
        return Change(self.before[:n], group, self.decided[:n], self.result[:n], self.cluster[:n])


@dataclass(frozen=True)
class Settled:
    group: IntArray
    guessed: BoolArray
    own: IntArray
    """int64 (k,): the group of what is only in the new cluster, whatever a person said."""
    next_group: int


def settle(images: Images, groups: Groups) -> Settled:
    """The group of every image."""
    before, cluster = images.before, images.cluster
    known = before != _UNKNOWN
    overlap = Overlap.of(images.result, cluster, valid=known & (images.result != _UNKNOWN))
    agrees = overlap.agrees(images.result, cluster)
    touched = np.isin(before, list(groups.touched))
    kept = known & (images.decided | (before == NOWHERE) | images.same)
    strays = _strays(before, cluster, known & (before != NOWHERE))
    held = known & touched & ~kept & (agrees | ~strays)
    own = known & ~kept & ~touched & agrees
    own_of, next_group = _own_groups(images, groups, overlap, own)
    group = np.where(kept | held, before, _UNKNOWN)
    group[own] = own_of[cluster[own]]
    guessed = images.inferred | (held & ~agrees)
    left = group == _UNKNOWN
    asked, voters = left & touched, ~left & (group != NOWHERE)
    if images.z is not None and asked.any() and voters.any():
        group[asked], guessed[asked] = _by_neighbours(images.z, group, voters, asked)
        left = group == _UNKNOWN
    for number in np.unique(cluster[left]).tolist():
        inside = cluster == number
        for heard, voters in (
            (inside & left & known, inside & ~left & (group != NOWHERE)),
            (inside & left & ~known, inside & ~left),
        ):
            if heard.any():
                group[heard], doubt = _place(images, group, heard, voters, inside, own_of[number])
                guessed[heard] = doubt
    return Settled(group, guessed, own_of, next_group)


def _place(
    images: Images, group: IntArray, heard: BoolArray, voters: BoolArray, inside: BoolArray,
    own: int,
) -> tuple[IntArray, BoolArray]:  # fmt: skip
    """The groups of images of one new cluster that follow it, and whether each is a guess."""
    sure = np.zeros(int(heard.sum()), dtype=bool)
    there = np.unique(group[voters])
    n_known = int((inside & (images.before != _UNKNOWN)).sum())
    if own not in there and 2 * int(voters.sum()) <= n_known:
        return np.full(len(sure), own, dtype=np.int64), sure
    if len(there) == 1 or images.z is None:
        values, counts = np.unique(group[voters], return_counts=True)
        doubtful = counts.max() < _SURE * counts.sum()
        return np.full(len(sure), values[counts.argmax()], dtype=np.int64), sure | doubtful
    return _by_neighbours(images.z, group, voters, heard)


def _by_neighbours(
    z: FloatArray, group: IntArray, voters: BoolArray, heard: BoolArray
) -> tuple[IntArray, BoolArray]:
    placed, share = vote(z[voters], group[voters], z[heard])
    return placed, share < _SURE


def _own_groups(
    images: Images, groups: Groups, overlap: Overlap, own: BoolArray
) -> tuple[IntArray, int]:
    """The group of each new cluster's images of which nobody said anything, and the next new id.

    It is the one they had, where the new cluster is a cluster of before; else a new one.
    """
    n_clusters = int(images.cluster.max(initial=-1)) + 1
    of, next_group = np.zeros(n_clusters, dtype=np.int64), groups.next_group
    for number in range(n_clusters):
        same = own & (images.cluster == number)
        if overlap.mutual(number) and same.any():
            values, counts = np.unique(images.before[same], return_counts=True)
            of[number] = values[counts.argmax()]
        else:
            of[number], next_group = next_group, next_group + 1
    return of, next_group


def _strays(before: IntArray, cluster: IntArray, known: BoolArray) -> BoolArray:
    """Which known images are single ones of their group in a new cluster that is another group's.

    Args:
        before: int64 (N,), the groups.
        cluster: int64 (N,), the new clusters, from 0.
        known: bool (N,): which images have a group.
    """
    strays = np.zeros(len(before), dtype=bool)
    names, sizes = np.unique(before[known], return_counts=True)
    for number in np.unique(cluster[known]).tolist():
        rows = np.flatnonzero(known & (cluster == number))
        there, place, counts = np.unique(before[rows], return_inverse=True, return_counts=True)
        if counts.max() > _HOME * len(rows):
            leaves = counts < _STRAY * sizes[np.searchsorted(names, there)]
            leaves[counts.argmax()] = False
            strays[rows] = leaves[place]
    return strays


def _check_same_length(table: ImageTable, reviewed: ImageTable) -> None:
    here, there = table.embedding.shape[1], reviewed.embedding.shape[1]
    if here != there:
        raise DataError(
            f"the corrections are of another checkpoint: its embedding has {there} numbers an "
            f"image, this one {here}."
        )
