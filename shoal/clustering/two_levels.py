"""k-means on two levels, for more groups than one k-means can find.

The time of a k-means is points times groups. On two levels the points are divided into about √k
cells, and each cell into its share of the k groups, which takes 2 √k comparisons a point in place
of k. Hierarchical k-means for curating data (Vo et al. 2024, arXiv:2405.15613) builds levels from
the bottom up, so that groups spread evenly over what there is; here the first level only makes the
second one affordable, and groups are as dense as the vectors are.
"""

from __future__ import annotations

import numpy as np

from shoal.clustering.centres import Centres, train
from shoal.clustering.vector_blocks import Halves
from shoal.images.sampling import sample_rows
from shoal.protocols import FloatArray, IntArray, Track, silent

_A_CELL = 256
"""Sampled points for each cell of the first level."""


def fit(sample: Halves, n_clusters: int, seed: int, track: Track = silent) -> Centres:
    """Find centres of groups on two levels.

    Args:
        sample: m ≥ k points of d numbers.
        n_clusters: k, the number of groups on the second level.
        seed: of the points that the first level learns from, and of all first centres.
        track: shows progress.

    Returns:
        k centres, with the points of the first level.
    """
    n_cells = max(1, round(np.sqrt(n_clusters)))
    some = sample_rows(len(sample), _A_CELL * n_cells, seed)
    first = train(sample.take(some), n_cells, seed, n_starts=1)
    coarse = Centres(first)
    cell = np.concatenate([coarse.nearest(x)[1][:, 0] for _, x in sample.blocks()])
    shares = shared_out(np.bincount(cell, minlength=n_cells), n_clusters)
    order = np.argsort(cell, kind="stable")
    stops = np.cumsum(np.bincount(cell, minlength=n_cells))
    centres: list[FloatArray] = []
    for number in track(range(n_cells), "clustering a sample", n_cells):
        rows = order[stops[number - 1] if number else 0 : stops[number]]
        if shares[number]:
            own = train(sample.take(rows), int(shares[number]), seed + number, n_starts=1)
            centres.append(own)
    return Centres(np.concatenate(centres), first)


def shared_out(sizes: IntArray, n: int) -> IntArray:
    """How many of n groups each cell gets: in proportion to its size, at most its size.

    What is left by rounding down goes to the cells with the largest rests.

    Args:
        sizes: int64 (c,), with a sum of at least n.
        n: how many groups.

    >>> shared_out(np.array([60, 30, 10, 0]), 7).tolist()
    [4, 2, 1, 0]
    """
    exact = sizes * (n / sizes.sum())
    shares = np.minimum(np.floor(exact).astype(np.int64), sizes)
    while (missing := n - int(shares.sum())) > 0:
        rest = np.where(shares < sizes, exact - shares, -np.inf)
        best = np.argsort(-rest, kind="stable")[: min(missing, int((shares < sizes).sum()))]
        shares[best] += 1
    return shares
