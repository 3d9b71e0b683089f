"""Growing a tree: fine groups of a pile, merged upward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.clustering.diffusion import by_size, diffusion_map, group
from shoal.clustering.tree import Tree
from shoal.embedding.neighbours import distinct_points, most_typical, nearest
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent

FEWEST_IMAGES = 20
LEAVES = 30
"""How many fine groups there are unless asked otherwise; less for a pile of under 120 images."""
MOST_LEAVES = 100
MOST_IMAGES = 10_000
"""A larger pile's tree is grown on a random sample of this many; the rest joins its nearest."""
N_TYPICAL = 12
_VOTES = 5


def build_tree(
    source: ImageSource, checkpoint: Checkpoint, *, n_leaves: int | None = None, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> Tree:  # fmt: skip
    """Grow the tree of ``source`` in the embedding of a finished checkpoint.

    Args:
        source: at least 20 images, those it was trained on or others like them.
        checkpoint: a finished one; its own clusters play no part.
        n_leaves: how many fine groups, 2 to 100; by default 30, or 1 for each 4 images.
        seed: of everything random; the same seed gives the same tree.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: too few images, or ``n_leaves`` out of range.
    """
    clustering_of(checkpoint)  # says so now if there is none
    n_leaves = check_leaves(n_leaves, len(source))
    z = reduce(source, checkpoint, device=device, track=track)
    for _ in track(range(1), "growing", 1):
        tree = merge_upward(z, source.ids, n_leaves, seed)
    return tree


def check_leaves(n_leaves: int | None, n_images: int | None = None) -> int:
    """How many leaves to grow: as asked, or by default.

    Raises:
        DataError: fewer than 2, more than 100 or than images; or fewer than 20 images.
    """
    if n_leaves is not None and not 2 <= n_leaves <= MOST_LEAVES:
        raise DataError(
            f"from 2 to {MOST_LEAVES} leaves are expected, and --leaves {n_leaves} came; choose "
            "a number between."
        )
    if n_images is None:
        return n_leaves or LEAVES
    if n_images < max(FEWEST_IMAGES, n_leaves or 0):
        raise DataError(
            f"at least {max(FEWEST_IMAGES, n_leaves or 0)} images are expected for such a tree, "
            f"and {n_images} came; give more images."
        )
    return n_leaves or min(LEAVES, n_images // 4)


def merge_upward(z: FloatArray, ids: Sequence[str], n_leaves: int, seed: int = 0) -> Tree:
    """Points into fine groups, and these into a tree.

    The fine groups are k-means in the directions of the diffusion map, see `DiffusionMap`; they
    are merged there by Ward's criterion, their sizes counting (Ward 1963,
    doi:10.1080/01621459.1963.10500845).

    Args:
        z: float32 (n, d); of more than 10,000 the map is made of a sample.
        ids: their n names.
        n_leaves: how many fine groups; fewer where fewer points differ.
        seed: of the sample, the eigenvector solver and k-means.
    """
    sample = sample_rows(len(z), MOST_IMAGES, seed)
    differ = distinct_points(z[sample], most=n_leaves)
    if differ is not None:  # few images and their copies: a leaf each
        x, leaf = z[sample], by_size(differ[1])
    else:
        smallest = max(2, len(sample) // (10 * n_leaves))
        x = diffusion_map(z[sample], 2 * n_leaves, smallest, seed).directions()
        leaf = by_size(group(x, n_leaves, seed))
    found = leaf.max() + 1
    centres = np.stack([x[leaf == each].mean(axis=0) for each in range(found)])
    merges, heights = ward(centres, np.bincount(leaf))
    order = _drawn_order(merges, found)
    rank = np.argsort(order)
    merges = [tuple(rank[c] if c < found else c for c in pair) for pair in merges]
    leaf, centres = rank[leaf], centres[order]
    typical = []
    for each in range(found):
        rows = most_typical(x, np.flatnonzero(leaf == each), centres[each])
        typical.append(tuple(sample[rows[:N_TYPICAL]].tolist()))
    if len(sample) < len(z):
        votes = leaf[nearest(z[sample], z, _VOTES)[1]]
        joined = np.stack([(votes == each).sum(axis=1) for each in range(found)]).argmax(axis=0)
        joined[sample] = leaf
        leaf = joined
    return Tree(
        ids, leaf.astype(np.int64), tuple((int(a), int(b)) for a, b in merges),
        tuple(float(height / np.sqrt(len(sample))) for height in heights), tuple(typical),
    )  # fmt: skip


def ward(centres: Array, sizes: IntArray) -> tuple[list[tuple[int, ...]], list[float]]:
    """Merge groups two by two, always the pair that adds least to the squares within.

    Args:
        centres: float (L, c).
        sizes: int64 (L,).

    Returns:
        The pairs merged, the first making node L; and their heights √(2 a b / (a + b)) · distance,
        which never fall.

    >>> ward(np.array([[0.0], [1.0], [5.0]]), np.array([1, 1, 2]))[0]
    [(0, 1), (2, 3)]
    """
    places = {
        node: (centre, size) for node, (centre, size) in enumerate(zip(centres, sizes, strict=True))
    }
    merges: list[tuple[int, ...]] = []
    heights: list[float] = []
    for new in range(len(centres), 2 * len(centres) - 1):
        nodes = sorted(places)
        points = np.stack([places[node][0] for node in nodes])
        weights = np.array([places[node][1] for node in nodes], dtype=np.float64)
        squared = np.square(points[:, None] - points[None]).sum(axis=2)
        squared *= 2.0 * weights[:, None] * weights / (weights[:, None] + weights)
        np.fill_diagonal(squared, np.inf)
        a, b = (nodes[place] for place in sorted(divmod(int(squared.argmin()), len(nodes))))
        merges.append((a, b))
        # Rounding may set equal merges a bit apart, and in the wrong order.
        heights.append(max([float(np.sqrt(squared.min())), *heights[-1:]]))
        (first, n_first), (second, n_second) = places.pop(a), places.pop(b)
        total = n_first + n_second
        places[new] = ((first * n_first + second * n_second) / total, total)
    return merges, heights


def _drawn_order(merges: Sequence[tuple[int, ...]], n_leaves: int) -> list[int]:
    """Leaves from top to bottom, so that no two lines of the picture cross."""
    below: dict[int, list[int]] = {leaf: [leaf] for leaf in range(n_leaves)}
    for node, (left, right) in enumerate(merges, start=n_leaves):
        below[node] = below.pop(left) + below.pop(right)
    return next(iter(below.values()))
