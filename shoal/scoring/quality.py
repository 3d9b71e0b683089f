"""Scores of a clustering, given as arrays, that need no labels.

`label_free` computes them for a checkpoint. Scores that are compared with chance are 0 for random
clusters and 1 at best. They are 0 by convention for a single cluster, which would otherwise agree
with any clustering.
"""

from __future__ import annotations

import numpy as np

from shoal.clustering.graph import neighbour_graph
from shoal.embedding.neighbours import nearest, nearest_others
from shoal.protocols import FloatArray, IntArray


def neighbour_purity(z: FloatArray, labels: IntArray, *, n_neighbors: int = 20) -> float:
    """Share of an image's nearest neighbours in its own cluster, corrected for chance, up to 1.

    Chance is the share that random clusters of the same sizes have, as in Cohen's kappa (1960,
    doi:10.1177/001316446002000104).

    Args:
        z: float32 (n, d), the embedding that was clustered.
        labels: int64 (n,), the cluster of each image.
        n_neighbors: the number of neighbours; at most a tenth of the images.
    """
    _, sizes = np.unique(labels, return_counts=True)
    chance = float((np.square(sizes / len(labels))).sum())
    if len(sizes) < 2:
        return 0.0
    neighbours = _neighbours(z, n_neighbors)
    together = float((labels[neighbours] == labels[:, None]).mean())
    return (together - chance) / (1.0 - chance)


def neighbour_overlap(za: FloatArray, zb: FloatArray, *, n_neighbors: int = 20) -> float:
    """Share of an image's nearest neighbours that two embeddings have in common, in [0, 1].

    Args:
        za: float32 (n, d), the embedding of one view of each image.
        zb: float32 (n, d'), the embedding of another view of each image.
        n_neighbors: the number of neighbours; at most a tenth of the images.
    """
    both = np.concatenate([_neighbours(za, n_neighbors), _neighbours(zb, n_neighbors)], axis=1)
    both.sort(axis=1)
    return float((both[:, 1:] == both[:, :-1]).sum() / (both.size / 2))


def recognition(
    za: FloatArray, zb: FloatArray, *, n_neighbors: int = 20, identity: IntArray | None = None
) -> float:
    """Share of images whose second view is among those nearest to their first view, in [0, 1].

    Instance discrimination (Wu et al. 2018, arXiv:1805.01978) as a score instead of a loss.

    Args:
        za: float32 (n, d), the embedding of one view of each image.
        zb: float32 (n, d), the embedding of another view of each image.
        n_neighbors: the number of nearest views; at most a tenth of the images.
        identity: int64 (n,), equal numbers for copies of one picture, any of which counts; None if
            all differ.
    """
    k = max(1, min(n_neighbors, len(za) // 10))
    neighbours = nearest(zb, za, k)[1]
    pictures = np.arange(len(za)) if identity is None else identity
    return float((pictures[neighbours] == pictures[:, None]).any(axis=1).mean())


def silhouette(z: FloatArray, labels: IntArray, *, most: int = 2000, seed: int = 0) -> float:
    """How much nearer images are to their own cluster than to the next one, in [-1, 1].

    Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7, by Euclidean distance.

    Args:
        z: float32 (n, d), the embedding that was clustered.
        labels: int64 (n,), the cluster of each image.
        most: score a random sample of this many images if there are more; the cost is quadratic.
        seed: draws the sample.
    """
    from sklearn.metrics import silhouette_score

    if len(z) > most:
        sample = np.random.default_rng(seed).choice(len(z), most, replace=False)
        z, labels = z[sample], labels[sample]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return 0.0
    return float(silhouette_score(z, labels))


def normalised_cut(z: FloatArray, labels: IntArray, *, n_neighbors: int = 20) -> float:
    """Share of a cluster's edges in the neighbour graph that leave it, in [0, 1]; lower is better.

    The mean over clusters: Shi and Malik 2000, doi:10.1109/34.868688, equation 2, divided by the
    number of clusters, so that different numbers of clusters can be compared. 1 for one cluster.

    Args:
        z: float32 (n, d), the embedding that was clustered.
        labels: int64 (n,), the cluster of each image.
        n_neighbors: the number of neighbours of each image in the graph.
    """
    names, cluster = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        return 1.0
    edges = neighbour_graph(z, n_neighbors).tocoo()
    rows, columns = edges.coords
    volume = np.bincount(cluster[rows], edges.data, len(names))
    leaving = cluster[rows] != cluster[columns]
    cut = np.bincount(cluster[rows][leaving], edges.data[leaving], len(names))
    return float((cut / np.maximum(volume, 1e-12)).mean())


def _neighbours(z: FloatArray, n_neighbors: int) -> IntArray:
    """The nearest other rows of each row, at most a tenth of the rows: int64 (n, k)."""
    k = max(1, min(n_neighbors, len(z) // 10, len(z) - 1))
    return nearest_others(z, k)[1]
