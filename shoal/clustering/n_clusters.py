"""The number of clusters: evidence for each number, a default choice and its reason.

Three scores are computed for every number of clusters k, on one nearest-neighbour graph of the
embedding, without labels: whether the k clusters are found again in other images (prediction
strength), how much nearer images are to their own cluster than to the next (silhouette), and how
far the graph is from having one cluster more (eigengap). The prediction strength decides. The
others are shown beside it, and may favour other numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.clustering.diffusion import by_size
from shoal.clustering.evidence import NOTHING, Evidence, NumberOfClusters
from shoal.clustering.prediction_strength import compare_halves, divide
from shoal.embedding.neighbours import distinct_points
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.plural import of_vectors
from shoal.protocols import Array, FloatArray, IntArray, Track, silent

MOST_IMAGES = 3000
"""Of a larger pile a random sample of this many images is used, which takes under a minute."""
FEWEST_A_CLUSTER = 10
"""The images needed for each cluster: of fewer, the halves are too small to compare."""
CLEAR = 0.6
"""The prediction strength from which a number is clear: "substantial" agreement for a kappa (Landis
and Koch 1977, doi:10.2307/2529310). Measured over seeds (benchmarks/n_clusters.py): digits in 10
clusters 0.56 to 0.74; scenery or not in 2 clusters 0.82 to 0.83; photographs of ten kinds in 10
clusters 0.10 to 0.15, and in 2 clusters, their best number, 0.48 to 0.62."""
TIED = 0.05
"""Numbers whose strength is at most this far below the best are tied with it."""
_ALIKE = 0.01
"""Of the numbers within this distance of the best, the largest is chosen."""
_RUNS = 8
_LARGEST = 20
"""Numbers up to this one have the same strengths, whichever of them are weighed."""
_SILHOUETTE_IMAGES = 1500


def check_range(low: int, high: int, n_images: int | None = None, noun: str = "images") -> None:
    """Raise unless numbers of clusters from ``low`` to ``high`` can be compared.

    Raises:
        DataError: ``low`` below 2, ``high`` below ``low`` or above 100, or too few images.
    """
    if not 2 <= low <= 100:
        raise DataError(f"low must be from 2 to 100, got {low}.")
    if not low <= high <= 100:
        raise DataError(f"high must be from {low} to 100, got {high}.")
    if n_images is not None and n_images < low * FEWEST_A_CLUSTER:
        raise DataError(
            f"choosing among {low} clusters or more needs at least {low * FEWEST_A_CLUSTER} "
            f"{noun}, got {n_images}."
        )


def weigh(
    z: FloatArray, *, low: int = 2, high: int = 20, seed: int = 0, rows: IntArray | None = None,
    vectors: bool = False, track: Track = silent,
) -> NumberOfClusters:  # fmt: skip
    """Compare numbers of clusters of points.

    Prediction strength: Tibshirani and Walther 2005, doi:10.1198/106186005X59243, equation 2.1,
    with three changes: spectral clustering instead of k-means, a correction for chance, and the
    largest of several equally strong numbers. Silhouette: Rousseeuw 1987,
    doi:10.1016/0377-0427(87)90125-7. Eigengap: von Luxburg 2007, arXiv:0711.0189, section 8.3.

    Args:
        z: float32 (n, d), n ≥ 10 ``low``. Of more than 3,000 points a sample is used.
        low: the smallest number of clusters.
        high: the largest; less where there are fewer than 10 points a cluster.
        seed: of the sample and the halves.
        rows: int64 (n,), the rows of the points in the result; by default 0 to n - 1.
        vectors: whether the points are vectors from elsewhere, which no encoder saw.
        track: shows progress.

    Raises:
        DataError: see `check_range`.

    >>> corners = np.repeat(np.eye(3, dtype=np.float32) * 9, 40, axis=0)
    >>> noise = np.random.default_rng(0).normal(size=corners.shape).astype(np.float32)
    >>> weigh(corners + noise, high=6).n_clusters
    3
    """
    check_range(low, high, len(z))
    rows = np.arange(len(z)) if rows is None else rows
    generator = np.random.default_rng(seed)
    sample = sample_rows(len(z), MOST_IMAGES, generator)
    z, rows = z[sample], rows[sample]
    numbers = range(low, min(high, len(z) // FEWEST_A_CLUSTER) + 1)
    if (distinct := distinct_points(z, most=numbers[-1])) is not None:
        return _of_copies(distinct[1], low, rows, vectors)
    largest = min(max(high, _LARGEST), len(z) // FEWEST_A_CLUSTER)
    runs = [
        compare_halves(z, numbers, [seed, run], largest)
        for run in track(range(_RUNS), "resampling", _RUNS)
    ]
    strengths = np.concatenate([strength for strength, _ in runs])
    stability = np.mean([agreement for _, agreement in runs], axis=0)
    groups, diffusion = divide(z, numbers, seed, largest=largest)
    places, values = diffusion.places(), diffusion.values
    scores = _silhouettes(places, [groups[k] for k in numbers], generator)
    spread = strengths.std(axis=0) / np.sqrt(len(strengths))
    evidence = tuple(
        Evidence(
            n_clusters=k,
            strength=float(strengths[:, place].mean()),
            spread=float(spread[place]),
            stability=float(stability[place]),
            silhouette=scores[place],
            eigengap=float(values[k - 1] - values[k]) if k < len(values) else 0.0,
        )
        for place, k in enumerate(numbers)
    )
    choice, tied, clear, leading, reason = _choose(evidence)
    reason = of_vectors(reason) if vectors else reason
    return NumberOfClusters(choice, clear, reason, leading, evidence, rows, groups, tied)


def _of_copies(place: IntArray, low: int, rows: IntArray, vectors: bool) -> NumberOfClusters:
    """The result for few different points and their copies: as many clusters as points differ."""
    n_different = int(place.max()) + 1
    k = max(low, n_different)
    score = float(n_different > 1)
    if vectors:
        few = f"there are only {n_different:,} different vectors, the others are copies of them"
        same = f"all {len(place):,} vectors are the same"
    else:
        few = (
            f"the encoder tells only {n_different:,} different images apart, the others look like "
            "copies of them"
        )
        same = f"all {len(place):,} images look the same to the encoder"
    reason = (
        f"{few}, so {n_different:,} clusters are all there are."
        if n_different > 1
        else f"{same}, so there is nothing to tell apart and no number of clusters is better than "
        "another; check the data."
    )
    evidence = Evidence(k, score, 0.0, score, score, 0.0)
    clear = n_different == k
    return NumberOfClusters(k, clear, reason, (k,), (evidence,), rows, {k: by_size(place)})


def _choose(
    evidence: Sequence[Evidence],
) -> tuple[int, tuple[int, ...], bool, tuple[int, ...], str]:
    """The choice, what is tied with it, whether it is clear, the leading numbers, the reason."""
    order = sorted(evidence, key=lambda entry: -entry.strength)
    best = order[0]
    if best.strength < NOTHING:
        return _nothing(min(evidence, key=lambda entry: entry.n_clusters), best)
    # Clusters within clusters may be equally strong: then the finer division says more.
    alike = [entry for entry in order if entry.strength >= best.strength - _ALIKE]
    chosen = max(alike, key=lambda entry: entry.n_clusters)
    others = [entry for entry in order if entry is not chosen]
    tied = [entry for entry in others if entry.strength >= best.strength - TIED]
    strong = chosen.strength >= CLEAR
    reason = (
        f"{chosen.n_clusters} clusters are found again in other images of the pile with a "
        f"prediction strength of {chosen.strength:.2f} (0 as by chance, 1 always)"
    )
    if others and others[0] is best:
        reason += f", as surely as {best.n_clusters} ({best.strength:.2f}), and say more"
    elif others:
        reason += f"; the next best is {others[0].n_clusters} with {others[0].strength:.2f}"
    if tied and strong:
        reason += f". That is nearly a tie: {_listed(tied)} would do as well."
    elif not strong:
        more = f" {_listed([chosen, *tied])} are tied." if tied else ""
        reason += (
            f". Below {CLEAR:g} no number is clear: the pile may have no such groups, or the "
            f"embedding does not show them.{more}"
        )
    else:
        reason += "."
    leading = tuple(entry.n_clusters for entry in [chosen, *others][:3])
    as_good = tuple(entry.n_clusters for entry in tied)
    return chosen.n_clusters, as_good, strong and not tied, leading, reason


def _nothing(
    fewest: Evidence, best: Evidence
) -> tuple[int, tuple[int, ...], bool, tuple[int, ...], str]:
    """The result where no number is found again much more often than by chance."""
    k = fewest.n_clusters
    reason = (
        "nothing stands out, and no number is clear: the best of them, "
        f"{best.n_clusters} clusters, are found again in other images of the pile with a "
        f"prediction strength of {best.strength:z.2f} (0 as by chance, 1 always). {k:,} are taken, "
        "the fewest that were weighed, and may mean nothing."
    )
    return k, (), False, (k,), reason


def _listed(evidence: Sequence[Evidence]) -> str:
    names = [str(entry.n_clusters) for entry in evidence]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _silhouettes(
    places: Array, groups: Sequence[IntArray], generator: np.random.Generator
) -> list[float]:
    from sklearn.metrics import pairwise_distances, silhouette_score

    rows = generator.permutation(len(places))[:_SILHOUETTE_IMAGES]
    distances = pairwise_distances(places[rows])
    return [
        float(silhouette_score(distances, labels[rows], metric="precomputed"))
        if 1 < len(np.unique(labels[rows])) < len(rows)
        else 0.0
        for labels in groups
    ]
