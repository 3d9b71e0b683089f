"""Which clusters of one result are those of another: each by its largest overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.corrections.groups import BoolArray
from shoal.protocols import IntArray


@dataclass(frozen=True)
class Overlap:
    """The clusters of two results, as far as they correspond."""

    known: IntArray
    """int64 (r,), the old clusters, ascending."""
    old_of: IntArray
    """int64 (k,): the old cluster that each new one overlaps most, as a place in ``known``; -1 if
    it overlaps none."""
    new_of: IntArray
    """int64 (r,): the new cluster that each old one overlaps most."""

    @classmethod
    def of(cls, old: IntArray, new: IntArray, valid: BoolArray) -> Overlap:
        """Of two labellings of n images.

        Args:
            old: int64 (n,), any numbers.
            new: int64 (n,), from 0.
            valid: bool (n,): which images count.
        """
        known, place = np.unique(old[valid], return_inverse=True)
        n_new = int(new.max(initial=-1)) + 1
        cells = np.bincount(place * n_new + new[valid], minlength=len(known) * n_new)
        counts = cells.reshape(len(known), n_new)
        if not len(known):
            return cls(known, np.full(n_new, -1), np.zeros(0, dtype=np.int64))
        old_of = np.where(counts.sum(axis=0) > 0, counts.argmax(axis=0), -1)
        return cls(known, old_of, counts.argmax(axis=1))

    def agrees(self, old: IntArray, new: IntArray) -> BoolArray:
        """Of which images both results say the same: the old cluster is most of the new one."""
        of = self.old_of[new]
        there: BoolArray = of >= 0
        if len(self.known):
            there &= self.known[np.maximum(of, 0)] == old
        return there

    def mutual(self, new: int) -> bool:
        """Whether a new cluster and an old one overlap each other most."""
        of = int(self.old_of[new])
        return of >= 0 and int(self.new_of[of]) == new
