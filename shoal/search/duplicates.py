"""Copies in a pile: exact ones, and images resized, recompressed or shifted a little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.vectors.source import n_dimensions_of
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource, IntArray, Originals, Track, silent
from shoal.search import large_copies
from shoal.search.copies import THRESHOLD, Comparison, Seen, closest_pairs
from shoal.search.copy_groups import Duplicates, Group
from shoal.search.full_size import HARDLY, looking_alike, same_at_full_size
from shoal.search.large_copies import LargeComparison, links_of
from shoal.search.nearness import Limit
from shoal.search.own_files import named_again
from shoal.search.vector_copies import VectorComparison, threshold_for


def find_duplicates(
    source: ImageSource, checkpoint: Checkpoint | None = None, *, threshold: float | None = None,
    sizes: IntArray | None = None, seen: Seen | None = None, device: str = "cpu",
    track: Track = silent,
) -> Duplicates:  # fmt: skip
    """Find copies, put them into groups, and choose an image of each group to keep.

    Exact copies are the same file, or have the same pixels at full size. Of arrays and of vectors
    the rows are compared as the source reads them. A pair of files is exact, or not, whatever else
    is in the pile. An image whose file cannot be read again is no exact copy of another.

    One file under several names, such as a link and the file that it leads to, is no copy of
    itself: one name counts, the others are in no group. Of a file that holds several images each is
    an exact copy of the same image of an equal file alone.

    Near copies look the same, or almost, as the source has them: mostly small. They are sought
    among the 8 nearest neighbours of each image by coarse colours and, with a checkpoint, among the
    8 nearest by its embedding, too. Only the pixels decide which of them are copies, see
    `PixelDistance`: images that are merely alike are not. Every image of a group is a copy of the
    image that is kept, not just of another copy. Of near copies that are exact copies of one
    another the first is kept, too. Open the pile with ``fit="stretch"`` to compare whole images;
    ``crop`` compares their middles.

    The threshold 0.5 was measured on 400 photographs of each of two piles:

    =============================================================  =================
    change                                                         found
    =============================================================  =================
    saved as JPEG of quality 90 to 30, or shifted by 1 or 2 of 32
    pixels, or both                                                99 to 100 %
    made half to three quarters as large and enlarged again        97 to 100 %
    made a tenth brighter                                          95 to 98 %
    cropped by a pixel on each side                                75 to 79 %
    cropped by two pixels on each side                             5 % at most
    =============================================================  =================

    A person looked at the 686 pairs that it finds in CIFAR-10's 50,000 training images (near copies
    there are known, Barz and Denzler 2020, arXiv:1902.00423). Of 243 pairs with a distance of 0.4
    to 0.5, some 8 show different things, such as a plane and a ship taken alike. Of 60 nearer pairs
    none does. Beyond 0.57 more and more do.

    Of vectors from elsewhere the vectors alone decide, whatever pictures are shown for them; see
    `VectorComparison`. There the threshold is 0.25 of the usual distance of two vectors, or less: a
    copy must be clearly nearer than neighbours are in this pile, see `limit_for`.

    Args:
        source: the pile.
        checkpoint: a finished checkpoint, to search its embedding, too.
        threshold: the greatest distance of a copy, from 0 (exact copies only) to 1. By default 0.5,
            or less where even images that are not neighbours are much alike, such as digits or
            blank tiles: 0.42 times the first percentile of the distances of random pairs (which is
            1.20 for photographs, 0.43 for digits of 8 pixels). A pile of fewer than 100 images
            keeps 0.5.
        sizes: int64 (n,), the bytes of each image's file, see `sizes_of_files`. Of copies the
            largest file is kept; of equally large files, or without sizes, the first.
        seen: what `look_at` left of these images, if it was called before.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: a threshold out of range.
        CheckpointError: the checkpoint is one along the way, without clusters.

    >>> from shoal import ArraySource
    >>> images = np.random.default_rng(0).integers(0, 256, (5, 16, 16), dtype=np.uint8)
    >>> images[3] = images[1]
    >>> duplicates = find_duplicates(ArraySource(images))
    >>> [(group.kept, group.others.tolist()) for group in duplicates.groups]
    [(1, [3])]
    """
    check_threshold(threshold)
    order = np.arange(len(source)) if sizes is None else np.argsort(-sizes, kind="stable")
    by_vector = n_dimensions_of(source) > 0
    kept_because = "the first of each group" if sizes is None else "the largest file of each"
    if by_vector and large_copies.is_large(len(source), n_dimensions_of(source)):
        many = LargeComparison(source, track)  # type: ignore[arg-type]
        found, limit, sought = _among_many(many, order, threshold, track)
        return Duplicates(source.ids, found, limit.value, kept_because, sought, limit.doubt)
    comparison: Comparison | VectorComparison = (
        VectorComparison(source, track) if by_vector else Comparison(source, track, seen)
    )
    files = None if by_vector else _files_of(source)
    again = np.zeros(len(source), bool) if files is None else named_again(source)
    looks = _equal(comparison.digests, order[~again[order]])
    limit = _without_neighbours(n_dimensions_of(source), threshold)
    pairs, distances = np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    if len(looks) > 1 and (files is not None or threshold != 0.0):
        singles = np.array(sorted(rows[0] for rows in looks), dtype=np.int64)
        pairs = closest_pairs(comparison.outlines, singles, track)
        if checkpoint is not None and not by_vector:
            z = seen.z if seen is not None else None
            z = reduce(source, checkpoint, device=device, track=track) if z is None else z
            pairs = np.unique(np.concatenate([pairs, closest_pairs(z, singles, track)]), axis=0)
        if threshold is None:
            limit = comparison.usual_limit(singles, pairs)
        most = limit.value if files is None else max(limit.value, HARDLY)
        pairs, distances = comparison.verified(pairs, most)
    exact, unread = looks, set[int]()
    if files is not None:
        place = np.argsort(order)
        alike = looking_alike(looks, pairs[distances <= HARDLY], place)
        exact, unread = same_at_full_size(files, alike, track)
        exact.sort(key=lambda rows: int(place[rows[0]]))
    copies = {rows[0]: rows[1:] for rows in exact}
    links: dict[int, list[int]] = {}
    if threshold != 0.0:
        near = [*pairs[distances <= limit.value].tolist(), *_to_first(looks)]
        links = _links_between(exact, near)
    stars = _stars(comparison, list(copies), links, limit.value)
    groups = [_group(kept, near, copies) for kept, near in stars if near or copies[kept]]
    return Duplicates(
        source.ids, _largest_first(groups), limit.value, kept_because, doubt=limit.doubt,
        n_unread=len(unread), n_again=int(again.sum()),
    )  # fmt: skip


def _equal(digests: Sequence[bytes], order: IntArray) -> list[list[int]]:
    """The rows of each digest, all in ``order``: the image to keep comes first."""
    same: dict[bytes, list[int]] = {}
    for row in order.tolist():
        same.setdefault(digests[row], []).append(row)
    return list(same.values())


def _files_of(source: ImageSource) -> Originals | None:
    """The files of a pile; None where there is no more of its images than the source reads."""
    originals = source.originals
    return None if len(source) == 0 or originals.encoded(0) is None else originals


def _to_first(looks: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of each image with the first that looks the same."""
    return ((rows[0], row) for rows in looks for row in rows[1:])


def _links_between(
    exact: Sequence[Sequence[int]], pairs: Iterable[Sequence[int]]
) -> dict[int, list[int]]:
    """`links_of` the first of each of the exact copies, by pairs of any of them."""
    first = {row: rows[0] for rows in exact for row in rows}
    linked = {(first[a], first[b]) for a, b in pairs}
    return links_of(sorted((a, b) for a, b in linked if a != b))


def _without_neighbours(n_dimensions: int, threshold: float | None) -> Limit:
    """The threshold that was given, or the usual one of a pile that has no neighbours to go by."""
    if threshold is not None:
        return Limit(threshold)
    return Limit(threshold_for(n_dimensions) if n_dimensions else THRESHOLD)


def _among_many(
    comparison: LargeComparison, order: IntArray, threshold: float | None, track: Track
) -> tuple[list[Group], Limit, str]:
    """The groups of copies of vectors that do not fit into memory, the limit, how they were sought.

    The pairs are told in blocks, and only vectors that are in one are looked at further.
    """
    singles, copies = comparison.same(order)
    links: dict[int, list[int]] = {}
    limit, sought = _without_neighbours(comparison.n_dimensions, threshold), ""
    if threshold != 0.0 and len(singles) > 1:
        pairs, limit, sought = comparison.close_pairs(singles, threshold, track)
        links = links_of(pairs.tolist())
    met = copies.keys() | links.keys()
    first = [row for row in order[np.isin(order, list(met))].tolist() if row in met]
    stars = _stars(comparison, first, links, limit.value)
    all_copies = {row: copies.get(row, []) for row in met}
    groups = [_group(kept, near, all_copies) for kept, near in stars if near or all_copies[kept]]
    return _largest_first(groups), limit, sought


def _largest_first(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-len(group.others), group.kept))


def check_threshold(threshold: float | None) -> None:
    """Raise `DataError` unless ``threshold`` is None or in [0, 1]."""
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise DataError(f"threshold must be from 0 to 1, got {threshold:g}.")


def _stars(
    comparison: Comparison | VectorComparison | LargeComparison,
    order: list[int],
    links: dict[int, list[int]],
    threshold: float,
) -> Iterator[tuple[int, dict[int, float]]]:
    """The images to keep, in ``order``, each with its near copies and their distances.

    The links of an image lead to its copies and on to the copies of these. Images that are not
    copies of the first image stay for a group of their own.
    """
    taken: set[int] = set()
    for kept in order:
        if kept in taken:
            continue
        taken.add(kept)
        near: dict[int, float] = {}
        tried, reached = {kept}, [kept] if kept in links else []
        while reached:
            linked = {row for copy in reached for row in links.get(copy, ())} - tried - taken
            tried |= linked
            rows = np.array(sorted(linked), dtype=np.int64)
            pairs = np.stack([np.full(len(rows), kept), rows], axis=1)
            distances = comparison.distances(pairs)
            is_copy = distances <= threshold
            reached = rows[is_copy].tolist()
            near |= dict(zip(reached, distances[is_copy].tolist(), strict=True))
        taken |= set(near)
        yield kept, near


def _group(kept: int, near: dict[int, float], copies: dict[int, list[int]]) -> Group:
    rows = [(row, True, False, 0.0) for row in sorted(copies[kept])]
    for distance, single in sorted((distance, single) for single, distance in near.items()):
        rows.append((single, False, bool(copies[single]), distance))
        rows += [(row, True, False, 0.0) for row in sorted(copies[single])]
    others, exact, also_kept, distances = zip(*rows, strict=True)
    return Group(
        kept=kept,
        others=np.array(others, dtype=np.int64),
        exact=np.array(exact, dtype=bool),
        also_kept=np.array(also_kept, dtype=bool),
        distances=np.array(distances, dtype=np.float32),
    )
