"""Copies in a pile: the same pixels, and those resized, recompressed or shifted a little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.csv_files import write_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.search.copies import THRESHOLD, Comparison


@dataclass(frozen=True)
class Group:
    """Copies of one image, in the order in which one would keep them."""

    kept: int
    """The row of the one to keep."""
    others: IntArray
    """int64 (m,), m ≥ 1: rows of its copies, the nearest first."""
    exact: Array
    """bool (m,): whether their pixels are those of the one to keep."""
    distances: FloatArray
    """float32 (m,): from the one to keep, see `PixelDistance`; 0 if exact."""


@dataclass(frozen=True)
class Duplicates:
    """The groups of copies in a pile, the largest first; most images are in none."""

    ids: Sequence[str]
    groups: Sequence[Group]
    threshold: float
    """The greatest distance of a copy."""
    kept_because: str
    """Which one of each group is kept, as a phrase."""

    @property
    def n_extra(self) -> int:
        """How many images could go."""
        return sum(len(group.others) for group in self.groups)

    def to_csv(self, path: str | Path) -> None:
        """Write columns group, id, kind, distance and keep; atomically.

        ``kind`` is kept, exact or near; ``distance`` is that from the one to keep.

        Raises:
            OutputError: the file cannot be written.
        """
        rows = []
        for number, group in enumerate(self.groups):
            rows.append([number, self.ids[group.kept], "kept", "0.000", 1])
            for row, exact, distance in zip(
                group.others, group.exact, group.distances, strict=True
            ):
                kind = "exact" if exact else "near"
                rows.append([number, self.ids[row], kind, f"{distance:.3f}", 0])
        write_rows(path, ["group", "id", "kind", "distance", "keep"], rows)


def find_duplicates(
    source: ImageSource, checkpoint: Checkpoint | None = None, *, threshold: float | None = None,
    sizes: IntArray | None = None, device: str = "cpu", track: Track = silent,
) -> Duplicates:  # fmt: skip
    """Find copies, group them, and say which one of each group to keep.

    Exact copies have the same pixels. For near ones each image's 8 nearest are looked at by coarse
    colours, and with a checkpoint the 8 nearest by its embedding too; which of them are copies the
    pixels decide alone, see `PixelDistance`: mere likeness is none. Each group is a star and not a
    chain: every member is a copy of the one that is kept, not only of a neighbour of it.

    Measured on 400 photographs of each of two piles, changed on purpose, the threshold 0.5 finds
    99 to 100 % of those saved anew as JPEG of quality 90 to 30, of those shifted by 1 or 2 of 32
    pixels, and of shift and JPEG together; 97 to 100 % of those made half to three quarters as
    large and enlarged again; 95 to 98 % of those made a tenth brighter; 75 to 79 % of those cropped
    by a pixel all round, 5 % and less by two. What it finds in CIFAR-10's 50,000 training images
    (686 pairs; near copies there are known, Barz and Denzler 2020, arXiv:1902.00423) and in 8,500
    photographs (24) was looked at: of the 243 of CIFAR-10 that are 0.4 to 0.5 apart and share no
    image some 8 show other things (aeroplanes and ships taken alike); of 60 nearer ones none does,
    of those beyond 0.57 more and more do.

    Args:
        source: the pile.
        checkpoint: a finished one, to look among the nearest by its embedding too.
        threshold: the greatest distance of a copy, from 0 (exact copies alone) to 1. None: 0.5, or
            less where even images that are no neighbours are alike, as digits and blank tiles are:
            0.42 times the distance below which one random pair of these in a hundred lies (1.20 in
            photographs, 0.43 in digits of 8 pixels). Piles below 100 images are not judged so.
        sizes: int64 (n,), bytes of each image's file: of copies the largest file is kept, of
            equals the first. None: the first.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: a threshold out of range.
        CheckpointError: the checkpoint is one along the way, without clusters.

    >>> from shoal import ArraySource
    >>> images = np.random.default_rng(0).integers(0, 256, (5, 16, 16), dtype=np.uint8)
    >>> images[3] = images[1]
    >>> found = find_duplicates(ArraySource(images))
    >>> [(group.kept, group.others.tolist()) for group in found.groups]
    [(1, [3])]
    """
    check_distance(threshold)
    order = np.arange(len(source)) if sizes is None else np.argsort(-sizes, kind="stable")
    comparison = Comparison(source, track)
    same: dict[bytes, list[int]] = {}
    for row in order.tolist():  # dictionaries keep this order: first the one to keep of all
        same.setdefault(comparison.digests[row], []).append(row)
    copies = {rows[0]: rows[1:] for rows in same.values()}
    links: dict[int, list[int]] = {}
    if threshold != 0.0 and len(copies) > 1:
        singles = np.array(sorted(copies), dtype=np.int64)
        pairs = comparison.neighbours(comparison.outlines, singles)
        if checkpoint is not None:
            z = reduce(source, checkpoint, device=device, track=track)
            pairs = np.unique(np.concatenate([pairs, comparison.neighbours(z, singles)]), axis=0)
        if threshold is None:
            threshold = comparison.usual_threshold(singles, pairs)
        for a, b in comparison.verified(pairs, threshold).tolist():
            links.setdefault(a, []).append(b)
            links.setdefault(b, []).append(a)
    threshold = THRESHOLD if threshold is None else threshold
    stars = _stars(comparison, list(copies), links, threshold)
    groups = [_group(kept, near, copies) for kept, near in stars if near or copies[kept]]
    return Duplicates(
        ids=source.ids,
        groups=sorted(groups, key=lambda group: (-len(group.others), group.kept)),
        threshold=threshold,
        kept_because="the first of each group" if sizes is None else "the largest file of each",
    )


def check_distance(threshold: float | None) -> None:
    """Raise `DataError` unless ``threshold`` is None or in [0, 1]."""
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise DataError(f"--threshold is expected in [0, 1], and {threshold:g} came; try 0.5.")


def _stars(
    comparison: Comparison, order: list[int], links: dict[int, list[int]], threshold: float
) -> Iterator[tuple[int, dict[int, float]]]:
    """Each image to keep, in ``order``, with its copies and their distances from it.

    From an image links lead to the copies of its copies; those that are no copies of itself are
    left for a group of their own.
    """
    taken: set[int] = set()
    for kept in order:
        if kept in taken:
            continue
        taken.add(kept)
        near: dict[int, float] = {}
        tried, reached = {kept}, [kept] if kept in links else []
        while reached:
            ahead = {row for one in reached for row in links.get(one, ())} - tried - taken
            tried |= ahead
            rows = np.array(sorted(ahead), dtype=np.int64)
            pairs = np.stack([np.full(len(rows), kept), rows], axis=1)
            found = comparison.distances(pairs)
            copied = found <= threshold
            reached = rows[copied].tolist()
            near |= dict(zip(reached, found[copied].tolist(), strict=True))
        taken |= set(near)
        yield kept, near


def _group(kept: int, near: dict[int, float], copies: dict[int, list[int]]) -> Group:
    rows = [(0.0, row, True) for row in copies[kept]]
    for single, far in near.items():
        rows += [(far, row, False) for row in (single, *copies[single])]
    rows.sort()
    return Group(
        kept=kept,
        others=np.array([row for _, row, _ in rows], dtype=np.int64),
        exact=np.array([exact for _, _, exact in rows], dtype=bool),
        distances=np.array([far for far, _, _ in rows], dtype=np.float32),
    )
