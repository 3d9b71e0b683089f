"""A table as a person left it, whatever images and clusters it has: corrections are honoured.

`pipeline.predict` gives a table; `honour` gives it with what the journal says:

- an image that the person corrected has its group;
- a new image has the group of the corrected images in its cluster, or of its nearest among them;
- of another clustering, what was said is carried over first, see `carry`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from shoal.clustering.digest import clustering_digest
from shoal.corrections.carry import carry
from shoal.corrections.corrected import corrected, numbers
from shoal.corrections.division import Division, division_of, n_corrections
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.corrections.history import History
from shoal.corrections.journal_file import cut_off
from shoal.corrections.known import known_rows, with_new_ids
from shoal.embedding.table import ImageTable, result_digest
from shoal.errors import DataError
from shoal.images.csv_files import as_text
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import IntArray


@dataclass(frozen=True)
class Corrections:
    """A journal that was read, and what is needed to honour it. `load_corrections` makes one."""

    path: Path
    """The journal."""
    history: History
    torn: bool = False
    """Whether the last line of the journal is cut off."""
    pile: ImageTable | None = None
    """The corrected images, with the embedding and the clusters of a checkpoint."""
    clustering: str = ""
    """The `clustering_digest` of that checkpoint."""
    images: str = ""
    """The digest of the pixels of these images; empty if it is not known."""

    def __len__(self) -> int:
        return n_corrections(self.history)

    @property
    def groups(self) -> Groups:
        """What the person made of the images."""
        return self.history.groups

    @property
    def division(self) -> Division:
        """The division of the pile that was corrected."""
        return division_of(self.history)

    @property
    def lacks(self) -> str:
        """What to say of a last line that is cut off; empty where the file is whole."""
        return cut_off(self.path) if self.torn else ""

    def about(self, key: str) -> str:
        """What the journal says of the result that is corrected: images, clustering or result."""
        return str(self.history.began.about.get(key, ""))


@dataclass(frozen=True)
class Honoured:
    """A table with what the person said."""

    table: ImageTable
    """With the groups as labels, and their names."""
    group: IntArray
    """int64 (n,): the id of each image's group."""
    decided: BoolArray
    """bool (n,): whether the person decided the image."""
    cluster: IntArray
    """int64 (n,): the cluster of each image, as the result has it alone."""
    apart: tuple[tuple[int, int], ...]
    """Pairs of rows that do not belong together."""
    conflicts: tuple[str, ...]
    """Where the person and a newer result disagree, as sentences."""
    digest: str
    """Tells these clusters from others, as `clustering_digest` does."""

    def says(self, first: IntArray, second: IntArray) -> tuple[BoolArray, BoolArray, BoolArray]:
        """What the corrections say of pairs of images.

        Args:
            first: int64 (m,), rows.
            second: int64 (m,), rows.

        Returns:
            Whether the person decided each pair, bool (m,): both images, or that the two do not
            belong together. Whether the groups give no more than a guess, bool (m,): the person
            decided one of the two images, or the groups have the two otherwise than the clusters.
            And whether the two are in one group, bool (m,). Of two images that belong nowhere
            nothing is said.
        """
        together = self.group[first] == self.group[second]
        kept = {frozenset(pair) for pair in self.apart}
        apart = np.zeros(len(first), dtype=bool)
        if kept:
            pairs = zip(first.tolist(), second.tolist(), strict=True)
            apart = np.array([frozenset(pair) in kept for pair in pairs], dtype=bool)
        nowhere = (self.group[first] == NOWHERE) & (self.group[second] == NOWHERE)
        told = self.decided[first] & self.decided[second] & ~nowhere | apart
        changed = together != (self.cluster[first] == self.cluster[second])
        guessed = (self.decided[first] | self.decided[second] | changed) & ~nowhere & ~told
        return told, guessed, together & ~nowhere & ~apart

    def apart_from(self, row: int) -> BoolArray:
        """Which images the person put elsewhere than image ``row``, bool (n,)."""
        elsewhere = self.decided & self.decided[row] & (self.group != self.group[row])
        for pair in self.apart:
            if row in pair:
                elsewhere[list(pair)] = True
        elsewhere[row] = False
        return elsewhere


def honour(
    table: ImageTable, corrections: Corrections, checkpoint: Checkpoint | None = None, *,
    division: Division | None = None, images: str = "",
) -> Honoured:  # fmt: skip
    """Put what a person said into a table of a checkpoint's clusters.

    Args:
        table: n images.
        corrections: of the images that ``checkpoint`` learned from, or of others.
        checkpoint: which one gave the table; None for a table from a file.
        division: how the table is divided; by default as the corrected one.
        images: the digest of the pile, if it is known.

    Raises:
        DataError: the corrections are of other images, and nothing shows where these belong.
    """
    try:
        return _honour(table, corrections, checkpoint, division or corrections.division, images)
    except DataError as error:
        raise DataError(f"{corrections.path} does not fit: {error}") from None


def _honour(
    table: ImageTable, corrections: Corrections, checkpoint: Checkpoint | None, division: Division,
    images: str,
) -> Honoured:  # fmt: skip
    groups, pile, found = groups_under(corrections, checkpoint, division)
    same = pile is not None
    if _is_result(table, corrections):
        same, images = True, corrections.about("images")
    known = known_rows(table, groups, same_pile=_same(corrections, images), reviewed=pile)
    named = with_new_ids(table, known, groups)
    itself = named if same and known.all() else None
    carried = carry(groups, named, reviewed=itself if pile is None else pile)
    numbered = carried.groups if pile is None else groups
    result = corrected(named, carried.groups, numbered)
    result = replace(result, ids=table.ids, named_for=result_digest(table.ids, result.labels))
    groups = carried.groups
    return Honoured(
        result, groups.group, groups.decided, table.labels, groups.apart,
        (*found, *carried.conflicts), _digest(numbered, checkpoint, division),
    )  # fmt: skip


def groups_under(
    corrections: Corrections, checkpoint: Checkpoint | None, division: Division
) -> tuple[Groups, ImageTable | None, tuple[str, ...]]:
    """What the person said, carried over to a division by a checkpoint.

    Returns:
        The groups; the corrected images under that division, None if their embedding is not known:
        then the groups are as they were; and where the two disagree, as sentences.
    """
    groups, found = corrections.groups, tuple[str, ...]()
    pile, same = _pile(corrections, checkpoint, division)
    if pile is not None and not same:
        known = known_rows(pile, groups, same_pile=_same(corrections, corrections.images))
        pile = with_new_ids(pile, known, groups)
        carried = carry(groups, pile)
        groups, found = carried.groups, carried.conflicts
    return groups, pile, found


def _same(corrections: Corrections, images: str) -> bool | None:
    """Whether a pile is the corrected one, by its digest; None if that is not known."""
    known = corrections.about("images")
    return images == known if images and known else None


def is_corrected(table: ImageTable, corrections: Corrections) -> bool:
    """Whether the labels and names of a table are the corrected ones already."""
    if table.names is None:
        return False
    groups = corrections.groups
    titles = [groups.title(group) for group in numbers(groups, groups)]
    pairs = set(zip(table.labels.tolist(), table.names, strict=True))
    return all(label < len(titles) and titles[label] == name for label, name in pairs)


def is_of(table: ImageTable, corrections: Corrections, images: str) -> bool:
    """Whether a table is of the corrected pile, or of one that shares most of its images.

    Args:
        table: n images.
        corrections: whose pile is meant.
        images: the digest of the pile that the table is of.
    """
    if _is_result(table, corrections):
        return True
    same = _same(corrections, images)
    row_of = corrections.groups.pile.row_of
    ids = [as_text(name) for name in table.ids]
    if same is False and all(name.isdecimal() for name in ids):
        return False
    return bool(same) or 2 * sum(name in row_of for name in ids) > min(len(ids), len(row_of))


def _is_result(table: ImageTable, corrections: Corrections) -> bool:
    """Whether a table is the very result that was corrected."""
    return corrections.about("result") == result_digest(table.ids, table.labels)


def _pile(
    corrections: Corrections, checkpoint: Checkpoint | None, division: Division
) -> tuple[ImageTable | None, bool]:
    """The corrected images under the clusters of the table, if they are known.

    And whether these are the clusters that were corrected.
    """
    pile = corrections.pile
    if checkpoint is None or pile is None:
        return None, False
    wanted = clustering_digest(checkpoint)
    if corrections.clustering != wanted:
        return None, False
    division = division.of(checkpoint)
    same = corrections.about("clustering") == wanted
    same = same and division == corrections.division.of(checkpoint)
    if division == Division():
        return pile, same
    return replace(pile, labels=division.labels(pile.embedding, checkpoint)), same


def _digest(groups: Groups, checkpoint: Checkpoint | None, division: Division) -> str:
    """Of the groups by their numbers, and of the clusters that new images are assigned to first."""
    number = numbers(groups, groups)
    labels = np.array([number[group] for group in groups.group.tolist()], dtype=np.int64)
    clustering = "" if checkpoint is None else clustering_digest(checkpoint)
    content = [clustering, str(division), result_digest(groups.ids, labels)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
