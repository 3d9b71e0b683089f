"""Building a tree: many small clusters of a pile, merged two by two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.clustering import check_finished
from shoal.clustering.diffusion import by_size, diffusion_map, k_means
from shoal.clustering.tree import Tree
from shoal.embedding.neighbours import distinct_points, most_typical, nearest
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.images.vectors.source import noun_held
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent

FEWEST_IMAGES = 20
LEAVES = 30
"""The default number of leaves. A pile of under 120 images has fewer, one for every 4 images."""
MOST_LEAVES = 100
MOST_IMAGES = 10_000
"""The tree of a larger pile is built from a random sample of this many images. The other images
join the leaves of their nearest neighbours."""
N_TYPICAL = 12
_VOTES = 5


def build_tree(
    source: ImageSource, checkpoint: Checkpoint, *, n_leaves: int | None = None, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> Tree:  # fmt: skip
    """Build a tree of clusters of ``source`` in the embedding of a finished checkpoint.

    Args:
        source: at least 20 images, those of the training or others like them.
        checkpoint: a finished checkpoint; its own clusters play no part.
        n_leaves: how many small clusters to begin with, 2 to 100; by default 30, or one for every
            4 images if that is less.
        seed: of everything random; the same seed gives the same tree.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: too few images, or ``n_leaves`` out of range.
    """
    check_finished(checkpoint)
    n_leaves = check_leaves(n_leaves, len(source), f"{noun_held(source)}s")
    z = reduce(source, checkpoint, device=device, track=track)
    for _ in track(range(1), "building tree", 1):
        tree = merge_upward(z, source.ids, n_leaves, seed)
    return tree


def check_leaves(n_leaves: int | None, n_images: int | None = None, noun: str = "images") -> int:
    """The number of leaves: as given, or by default.

    Raises:
        DataError: fewer than 2, more than 100 or than images; or fewer than 20 images.
    """
    if n_leaves is not None and not 2 <= n_leaves <= MOST_LEAVES:
        raise DataError(f"n_leaves must be from 2 to {MOST_LEAVES}, got {n_leaves}.")
    if n_images is None:
        return n_leaves or LEAVES
    fewest = max(FEWEST_IMAGES, n_leaves or 0)
    if n_images < fewest:
        raise DataError(f"such a tree needs at least {fewest} {noun}, got {n_images}.")
    return n_leaves or min(LEAVES, n_images // 4)


def merge_upward(z: FloatArray, ids: Sequence[str], n_leaves: int, seed: int = 0) -> Tree:
    """Divide points into small clusters, and merge these into a tree.

    The small clusters, the leaves, are found by k-means in the directions of the diffusion map, see
    `DiffusionMap`. There they are merged by Ward's criterion, weighted by their sizes (Ward 1963,
    doi:10.1080/01621459.1963.10500845).

    Args:
        z: float32 (n, d). Of more than 10,000 points, a sample is divided.
        ids: the n names.
        n_leaves: how many leaves; fewer if fewer points differ.
        seed: of the sample, the eigenvector solver and k-means.
    """
    sample = sample_rows(len(z), MOST_IMAGES, seed)
    distinct = distinct_points(z[sample], most=n_leaves)
    if distinct is not None:  # few different images and their copies: a leaf for each image
        x, leaf = z[sample], by_size(distinct[1])
    else:
        smallest = max(2, len(sample) // (10 * n_leaves))
        x = diffusion_map(z[sample], 2 * n_leaves, smallest, seed).directions()
        leaf = by_size(k_means(x, n_leaves, seed))
    n_leaves = int(leaf.max()) + 1
    centres = np.stack([x[leaf == number].mean(axis=0) for number in range(n_leaves)])
    merges, heights = ward(centres, np.bincount(leaf))
    order = leaf_order(merges, heights)
    rank = np.argsort(order)
    merges = [tuple(rank[c] if c < n_leaves else c for c in pair) for pair in merges]
    leaf, centres = rank[leaf], centres[order]
    typical = []
    for number, centre in enumerate(centres):
        rows = most_typical(x, np.flatnonzero(leaf == number), centre)
        typical.append(tuple(sample[rows[:N_TYPICAL]].tolist()))
    if len(sample) < len(z):
        leaf = _join(z, sample, leaf, n_leaves)
    return Tree(
        ids, leaf.astype(np.int64), tuple((int(a), int(b)) for a, b in merges),
        tuple(float(height / np.sqrt(len(sample))) for height in heights), tuple(typical),
    )  # fmt: skip


def _join(z: FloatArray, sample: IntArray, leaf: IntArray, n_leaves: int) -> IntArray:
    """The leaf of every point of ``z``: the majority among the 5 nearest points of the sample."""
    votes = leaf[nearest(z[sample], z, _VOTES)[1]]
    counts = np.stack([(votes == number).sum(axis=1) for number in range(n_leaves)])
    leaves = counts.argmax(axis=0)
    leaves[sample] = leaf
    return leaves


def ward(centres: Array, sizes: IntArray) -> tuple[list[tuple[int, ...]], list[float]]:
    """Merge clusters two by two, always the pair that adds least to the sum of squares.

    SciPy's `linkage` cannot weigh the clusters by their sizes.

    Args:
        centres: float (L, c).
        sizes: int64 (L,).

    Returns:
        The merged pairs, of which the first makes node L; and the height of each merge,
        √(2 a b / (a + b)) · distance, which never falls.

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


def leaf_order(merges: Sequence[tuple[int, ...]], heights: Sequence[float]) -> IntArray:
    """The order in which the leaves of a tree are drawn, int64 (L,), so that no lines cross.

    Args:
        merges: L - 1 pairs of nodes, see `ward`.
        heights: the L - 1 heights.

    >>> leaf_order([(0, 2), (1, 3)], [1.0, 3.0]).tolist()
    [1, 0, 2]
    """
    from scipy.cluster.hierarchy import leaves_list

    n_leaves = len(merges) + 1
    if n_leaves == 1:
        return np.zeros(1, dtype=np.int64)
    sizes = [1] * n_leaves
    for pair in merges:
        sizes.append(sum(sizes[node] for node in pair))
    linkage = np.column_stack([np.array(merges, dtype=float), heights, sizes[n_leaves:]])
    return leaves_list(linkage).astype(np.int64)
