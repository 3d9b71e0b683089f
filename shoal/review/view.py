"""The groups at one moment as the page asks for them: members, samples, how sure each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import Groups
from shoal.errors import DataError
from shoal.protocols import Array, FloatArray, IntArray
from shoal.review.order import typical_of_some

SAMPLE = 12
"""Images in the sample of a group, at most."""
_FULL_SAMPLES = 400
"""Of more groups, the smaller ones have short samples, so that the first page stays small."""
_SHORT = 3


@dataclass(frozen=True)
class View:
    """The groups after an entry, with the embedding they are seen in. Never changed."""

    groups: Groups
    z: FloatArray
    """float32 (n, d)."""
    chance: FloatArray
    """float32 (n,) in [0, 1]: that each image is in the right group, as far as it is known."""
    estimated: bool
    """Whether ``chance`` is of these groups; else it is of those before, and follows soon."""
    before: Mapping[int, tuple[IntArray, IntArray]]
    """Of an earlier view, the members and the sample of each group: most groups stay."""

    @cached_property
    def _sorted(self) -> tuple[IntArray, IntArray, IntArray]:
        """Rows by group, the groups' ids, and where the members of each begin."""
        group = self.groups.group
        order = np.argsort(group, kind="stable")
        ids, starts = np.unique(group[order], return_index=True)
        return order, ids, np.append(starts, len(order))

    def members(self, group: int) -> IntArray:
        """The rows of a group, int64 (m,) ascending.

        Raises:
            DataError: the group has no images.
        """
        order, ids, starts = self._sorted
        place = int(np.searchsorted(ids, group))
        if place == len(ids) or ids[place] != group:
            raise DataError(f"there is no group {group}; it may have been merged or split.")
        return order[starts[place] : starts[place + 1]]

    @cached_property
    def ids(self) -> list[int]:
        """The groups that have images: the largest first, NOWHERE last."""
        _, ids, starts = self._sorted
        sizes = np.diff(starts)
        order = np.lexsort((ids, -sizes, ids == NOWHERE))
        return ids[order].tolist()

    @cached_property
    def confidence(self) -> FloatArray:
        """float32 (n,) in [0, 1]: how sure it is that each image is in the right group."""
        return np.where(self.groups.decided, np.float32(1.0), self.chance)

    @cached_property
    def samples(self) -> Mapping[int, tuple[IntArray, IntArray]]:
        """Members and sample of each group, the most typical images first."""
        samples = {}
        for place, group in enumerate(self.ids):
            rows = self.members(group)
            before = self.before.get(group)
            if before is not None and np.array_equal(before[0], rows):
                samples[group] = (rows, before[1])
                continue
            length = SAMPLE if place < _FULL_SAMPLES else _SHORT
            samples[group] = (rows, typical_of_some(self.z, rows)[:length])
        return samples

    @cached_property
    def expected(self) -> tuple[IntArray, Array]:
        """Of each group in the order of its id: images decided, and how sure the others are."""
        order, _, starts = self._sorted
        held = self.groups.decided[order]
        decided = np.add.reduceat(held.astype(np.int64), starts[:-1])
        sure = np.where(held, 0.0, self.confidence[order].astype(np.float64))
        left = np.diff(starts) - decided
        mean = np.add.reduceat(sure, starts[:-1]) / np.maximum(left, 1)
        return decided, np.where(left > 0, mean, 1.0)

    @cached_property
    def sure(self) -> float:
        """How sure it is of the images that nobody decided, in [0, 1], on average."""
        left = ~self.groups.decided
        return float(self.confidence[left].mean()) if left.any() else 1.0

    def moves_to(self, target: IntArray) -> dict[str, Any]:
        """The images whose group differs from ``target`` int64 (n,), by move, the largest first."""
        group = self.groups.group
        changed = np.flatnonzero(target != group)
        ids, place = np.unique(np.stack([group[changed], target[changed]]), return_inverse=True)
        came, went = place.reshape(2, -1)
        kinds, which, counts = np.unique(
            came * len(ids) + went, return_inverse=True, return_counts=True
        )
        moves = []
        for kind in np.argsort(-counts, kind="stable").tolist():
            rows = changed[which == kind]
            moves.append({
                "from": int(ids[kinds[kind] // len(ids)]), "to": int(ids[kinds[kind] % len(ids)]),
                "count": len(rows), "sample": typical_of_some(self.z, rows)[:SAMPLE].tolist(),
            })  # fmt: skip
        return {"count": len(changed), "moves": moves, "ends": self._ends(target)}

    def _ends(self, target: IntArray) -> list[int]:
        """The groups that no image of ``target`` int64 (n,) is in any more, the largest first."""
        left = set(np.unique(target).tolist())
        return [group for group in self.ids if group not in left and group != NOWHERE]

    def place(self, group: int) -> int:
        """Where a group is among `expected`."""
        return int(np.searchsorted(self._sorted[1], group))
