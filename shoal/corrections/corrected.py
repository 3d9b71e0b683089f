"""A table as a person left it: the groups of the journal in place of the clusters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray, Groups
from shoal.embedding.table import ImageTable, result_digest
from shoal.errors import DataError
from shoal.images.csv_files import as_text
from shoal.protocols import FloatArray, IntArray

_INFERRED = 0.5
"""Confidence was calibrated for the cluster that an image was in, not for one it is moved to."""


def corrected(table: ImageTable, groups: Groups, numbered: Groups | None = None) -> ImageTable:
    """The table with the groups as labels, numbered by size, and their names.

    Images that belong nowhere have the last number. The confidence of an image that a person
    decided is 1; of an image that shoal moved by what was said of others it is at most 0.5. A group
    without a name keeps the one that the table has for most of its images.

    Args:
        table: of the same images as ``groups``, in any order.
        groups: what a person made of them.
        numbered: the groups whose sizes give the numbers, so that several tables have the same;
            others follow. ``groups`` by default.

    Raises:
        DataError: the table has an image that the corrections do not know.
    """
    ids = [as_text(name) for name in table.ids]
    unknown = next((name for name in ids if name not in groups.pile.row_of), None)
    if unknown is not None:
        raise DataError(
            f"the corrections do not know the image {unknown!r}; carry them over first."
        )
    rows = groups.pile.rows(ids)
    group = groups.group[rows]
    order = numbers(groups, numbered or groups)
    labels = np.array([order[known] for known in group.tolist()], dtype=np.int64)
    confidence = corrected_confidence(table.confidence, groups.decided[rows], groups.inferred[rows])
    called = _titles(table, groups, group)
    return replace(
        table, labels=labels, confidence=confidence,
        names=[called[known] for known in group.tolist()],
        named_for=result_digest(table.ids, labels), decided=groups.decided[rows],
    )  # fmt: skip


def corrected_confidence(
    confidence: FloatArray, decided: BoolArray, inferred: BoolArray
) -> FloatArray:
    """How sure each image's group is, float32 (n,): what the result said, as far as it holds.

    >>> nobody, first = np.array([False, False]), np.array([True, False])
    >>> corrected_confidence(np.float32([0.9, 0.3]), decided=first, inferred=nobody).tolist()
    [1.0, 0.30000001192092896]
    >>> corrected_confidence(np.float32([0.9, 0.3]), decided=nobody, inferred=first).tolist()
    [0.5, 0.30000001192092896]
    """
    worth = np.where(inferred, np.minimum(confidence, _INFERRED), confidence)
    return np.where(decided, 1.0, worth).astype(np.float32)


def numbers(groups: Groups, numbered: Groups) -> dict[int, int]:
    """The number of each group: those of ``numbered`` by size, then the others."""
    known = [*numbered.sizes, *(group for group in groups.sizes if group not in numbered.sizes)]
    return {group: number for number, group in enumerate(known)}


def _titles(table: ImageTable, groups: Groups, group: IntArray) -> dict[int, str]:
    """What each group is called; no two groups by one name."""
    called = {known: groups.title(known) for known in groups.sizes}
    if table.names is None:
        return called
    taken = set(called.values())
    votes: dict[int, Counter[str]] = {}
    for known, name in zip(group.tolist(), table.names, strict=True):
        if name and known not in groups.names and known != NOWHERE:
            votes.setdefault(known, Counter())[name] += 1
    for known, counted in sorted(votes.items(), key=lambda item: -item[1].total()):
        name, _ = counted.most_common(1)[0]
        if name not in taken:
            called[known] = name
            taken.add(name)
    return called
