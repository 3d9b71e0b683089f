"""Groups of copies: what `find_duplicates` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shoal.images.csv_files import write_rows
from shoal.images.output_checks import check_free
from shoal.protocols import Array, FloatArray, IntArray


@dataclass(frozen=True)
class Group:
    """An image to keep, and its copies."""

    kept: int
    """The row of the image to keep."""
    others: IntArray
    """int64 (m,), m ≥ 1: the rows of its copies, the nearest first; a copy that is kept as well is
    followed by its exact ones."""
    exact: Array
    """bool (m,): whether a copy is the same, at full size, as an image that is kept."""
    also_kept: Array
    """bool (m,): whether a near copy is kept as well, because others of the group are exact copies
    of it: else who deletes exact copies would lose a picture that is not that of ``kept``."""
    distances: FloatArray
    """float32 (m,): the distance of each copy, see `PixelDistance`; 0 if exact."""


@dataclass(frozen=True)
class Duplicates:
    """The groups of copies in a pile, the largest first. Most images are in no group."""

    ids: Sequence[str]
    groups: Sequence[Group]
    threshold: float
    """The greatest distance of a copy."""
    kept_because: str
    """Which image of a group is kept, as a phrase."""
    sought: str = ""
    """How copies were sought, as a sentence, where not all neighbours are found; else empty."""
    doubt: str = ""
    """What cannot be told of vectors, as sentences; empty if nothing. See `limit_for`."""
    n_unread: int = 0
    """How many images look the same as others, and could not be read again to compare them at full
    size: they count as near."""
    n_again: int = 0
    """How many images are in the pile under another name as well: they are in no group."""

    @property
    def n_copies(self) -> int:
        """How many images are copies of an image that is kept, and are not kept themselves."""
        return sum(int((~group.also_kept).sum()) for group in self.groups)

    @property
    def all_the_same(self) -> bool:
        """Whether all images look the same as one; a single image is no copy."""
        return any(
            len(group.others) + 1 + self.n_again == len(self.ids) and not group.distances.any()
            for group in self.groups[:1]
        )

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write columns group, id, kind, distance and keep; atomically.

        ``kind`` is kept, exact or near, see `find_duplicates`; ``distance`` is the distance from
        the first image of the group as shoal sees the two, 0 of an exact copy of any image that is
        kept.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        rows = []
        for number, group in enumerate(self.groups):
            rows.append([number, self.ids[group.kept], "kept", "0.000", 1])
            for row, exact, keep, distance in zip(
                group.others, group.exact, group.also_kept, group.distances, strict=True
            ):
                kind = "exact" if exact else "kept" if keep else "near"
                rows.append([number, self.ids[row], kind, f"{distance:.3f}", int(keep)])
        write_rows(path, ["group", "id", "kind", "distance", "keep"], rows)
