"""Which images that look the same are the same at full size: in their files, or in all pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.full_size import Stored, look_at_file, pixel_digest
from shoal.images.decoding.parallel import in_order_or_isolation
from shoal.protocols import IntArray, Originals, Track

Told = TypeVar("Told")


HARDLY = 0.3
"""Images that are no farther apart may be the same at full size. A large JPEG is not decoded as a
whole, so that it looks a little different from the same pixels in a PNG: 60 drawings by up to 0.25.
"""


def looking_alike(
    looks: Sequence[Sequence[int]], pairs: IntArray, place: IntArray
) -> list[list[int]]:
    """Rows that may be the same at full size, each row in one list, sorted by ``place``.

    Args:
        looks: the rows that look the same, sorted by ``place``.
        pairs: int64 (p, 2): the first rows of two of these lists, which look hardly different.
        place: int64 (n,): the place of each row among those to keep.
    """
    number = {rows[0]: at for at, rows in enumerate(looks)}
    ends = np.array([(number[a], number[b]) for a, b in pairs.tolist()], np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(len(looks), len(looks)))
    _, component = connected_components(graph, directed=False)
    alike: dict[int, list[int]] = {}
    for of, rows in zip(component.tolist(), looks, strict=True):
        alike.setdefault(of, []).extend(rows)
    return [sorted(rows, key=place.__getitem__) for rows in alike.values()]


def same_at_full_size(
    originals: Originals, alike: Sequence[Sequence[int]], track: Track
) -> tuple[list[list[int]], set[int]]:
    """Divide images that look alike into those that are the same.

    Files with equal bytes are the same. Of others whose heads tell the same size all pixels are
    compared; but not of an image whose file holds others, too, which would be lost with it. In
    memory are digests, and a few images at a time.

    Args:
        originals: of the pile.
        alike: rows that look alike, see `looking_alike`.
        track: shows progress.

    Returns:
        The rows that are the same, in the order in which they came; and those whose files could not
        be read again, which are the same as no other.
    """
    several = [rows for rows in alike if len(rows) > 1]
    compared = sorted(row for rows in several for row in rows)
    looked = _asked(originals, compared, look_at_file, track, "comparing files")
    stored = {row: each for row, each in looked.items() if isinstance(each, Stored)}
    first = {row: own for rows in several for row, own in _first_of_equal(rows, stored).items()}
    in_doubt = sorted(row for rows in several for row in _may_be_equal(rows, first, stored))
    isolated = any(stored[row].by_reader for row in in_doubt)
    pixels = _asked(
        originals, in_doubt, pixel_digest, track, "comparing at full size", isolated=isolated
    )
    same: dict[Hashable, list[int]] = {}
    for rows in alike:
        for row in rows:
            own = first.get(row, row)
            digest = pixels.get(own)
            same.setdefault(digest if isinstance(digest, bytes) else own, []).append(row)
    unread = {row for row, each in (looked | pixels).items() if isinstance(each, Unreadable)}
    return list(same.values()), unread


def _first_of_equal(rows: Sequence[int], stored: dict[int, Stored]) -> dict[int, int]:
    """For each of the rows that can be read the first whose file has the same bytes."""
    first: dict[Hashable, int] = {}
    return {row: first.setdefault(stored[row].digest or row, row) for row in rows if row in stored}


def _may_be_equal(
    rows: Sequence[int], first: dict[int, int], stored: dict[int, Stored]
) -> Iterator[int]:
    """Of files that differ those that may have the same pixels, as far as their heads tell."""
    different = {first[row] for row in rows if row in first and not stored[row].among_others}
    of_size = Counter(stored[row].sides for row in different)
    for row in different:
        sides = stored[row].sides
        if (len(different) if sides is None else of_size[sides] + of_size[None]) > 1:
            yield row


def _asked(
    originals: Originals, rows: Sequence[int], function: Callable[[Encoded], Told], track: Track,
    description: str, *, isolated: bool = False,
) -> dict[int, Told | Unreadable]:  # fmt: skip
    """What a function tells of each image; or why nothing, where its library crashes."""
    contents = (originals.encoded(row) or Unreadable("no such image") for row in rows)
    told: Iterable[Told | Unreadable] = in_order_or_isolation(
        function, contents, Unreadable, isolated=isolated
    )
    return dict(zip(rows, track(told, description, len(rows)), strict=True))
