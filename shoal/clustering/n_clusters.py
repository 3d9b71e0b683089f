"""How many clusters? Evidence for each number, a default choice and its reason; no oracle.

Three things are measured of every number of clusters k, all on one nearest-neighbour graph of the
embedding, without labels: whether the k groups are found again in other images (prediction
strength), how much nearer images are to their own group than to the next (silhouette), and how far
the graph is from having one group more (eigengap). The choice follows the first; the others are
shown beside it, as they may well say something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.clustering.diffusion import by_size
from shoal.clustering.prediction_strength import divide, found_again
from shoal.embedding.neighbours import distinct_points
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.training.augmented_source import AugmentedSource

MOST_IMAGES = 3000
"""A larger pile is judged on a random sample of this many, so that it takes under a minute."""
FEWEST_A_CLUSTER = 10
"""Images there must be for each cluster: fewer cannot be divided into halves and found again."""
CLEAR = 0.6
"""Prediction strength from which a number is called clear: of a kappa, "substantial" agreement
(Landis and Koch 1977, doi:10.2307/2529310). Over seeds: digits into 10, 0.56 to 0.74; scenery and
not into 2, 0.82 to 0.83; photographs of ten kinds into 10, 0.10 to 0.15, and at best, into 2, 0.48
to 0.62 (benchmarks/n_clusters.py)."""
TIED = 0.05
"""Numbers this much weaker than the best, or less, are called tied with it."""
_ALIKE = 0.01
"""Of numbers that are this near the best the largest is chosen."""
_RUNS = 8
_SILHOUETTE_IMAGES = 1500


@dataclass(frozen=True)
class Evidence:
    """What speaks for one number of clusters."""

    n_clusters: int
    strength: float
    """Prediction strength in [0, 1]: pairs of images put together in one half of the pile that the
    groups found in the other half put together, too, less chance, the worst group counting; mean
    over halves."""
    spread: float
    """Standard error of that mean."""
    stability: float
    """Agreement of the groups found from two halves: adjusted Rand index, in [-0.5, 1]."""
    silhouette: float
    """In the diffusion map of the graph, in [-1, 1]."""
    eigengap: float
    """The k-th less the next eigenvalue of the graph's random walk, in [0, 1]."""


@dataclass(frozen=True)
class NumberOfClusters:
    """The evidence for a range of numbers of clusters, and the default choice."""

    n_clusters: int
    """The choice."""
    clear: bool
    """Whether it is steady, and no other number is nearly as steady."""
    reason: str
    """Why this one, in a sentence or two."""
    leading: tuple[int, ...]
    """The choice and then the next best, at most three."""
    evidence: tuple[Evidence, ...]
    """In the order of the numbers."""
    rows: IntArray
    """int64 (m,): which images were looked at."""
    groups: dict[int, IntArray]
    """For each number, the group of each of them, int64 (m,), the largest first."""

    def to_json(self) -> dict[str, Any]:
        """The choice and the evidence as JSON values."""
        return {
            "n_clusters": self.n_clusters,
            "clear": self.clear,
            "reason": self.reason,
            "leading": list(self.leading),
            "n_images": len(self.rows),
            "evidence": [
                {name: value if name == "n_clusters" else round(value, 4)
                 for name, value in asdict(each).items()}
                for each in self.evidence
            ],
        }  # fmt: skip


def choose_n_clusters(
    source: ImageSource, checkpoint: Checkpoint, *, low: int = 2, high: int = 20, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> NumberOfClusters:  # fmt: skip
    """Weigh how many clusters ``source`` has, in the embedding of a finished checkpoint.

    Args:
        source: the images it was trained on, or others like them; of more than 3,000 a sample.
        checkpoint: a finished one; its own number of clusters plays no part.
        low: the smallest number, 2 or more.
        high: the largest; see `weigh`.
        seed: of the sample and the halves; the same seed gives the same answer.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: see `weigh`.
    """
    clustering_of(checkpoint)  # says so now if there is none
    check_range(low, high, len(source))
    sample = AugmentedSource(source, None, most=MOST_IMAGES, seed=seed)
    z = reduce(sample, checkpoint, device=device, track=track)
    return weigh(z, low=low, high=high, seed=seed, rows=sample.rows, track=track)


def check_range(low: int, high: int, n_images: int | None = None) -> None:
    """Raise unless numbers of clusters from ``low`` to ``high`` can be weighed.

    Raises:
        DataError: ``low`` below 2, ``high`` below ``low`` or above 100, or too few images.
    """
    if not 2 <= low <= high <= 100:
        raise DataError(
            f"numbers of clusters are expected from 2 to 100, the smaller first, and {low} to "
            f"{high} came; try --from 2 --to 20."
        )
    if n_images is not None and n_images < low * FEWEST_A_CLUSTER:
        raise DataError(
            f"at least {low * FEWEST_A_CLUSTER} images are expected to weigh {low} clusters or "
            f"more, and {n_images} came; give more images, or choose a number with -k."
        )


def weigh(
    z: FloatArray, *, low: int = 2, high: int = 20, seed: int = 0, rows: IntArray | None = None,
    track: Track = silent,
) -> NumberOfClusters:  # fmt: skip
    """Weigh how many groups points have.

    Prediction strength: Tibshirani and Walther 2005, doi:10.1198/106186005X59243, equation 2.1;
    with spectral clustering in place of k-means, less chance, and of numbers that are alike the
    largest. Silhouette: Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7. Eigengap: von Luxburg
    2007, arXiv:0711.0189, section 8.3.

    Args:
        z: float32 (n, d), n ≥ 10 ``low``; of more than 3,000 a sample is looked at.
        low: the smallest number of groups.
        high: the largest; less where there are fewer than 10 points a group.
        seed: of the sample and the halves.
        rows: int64 (n,), what the points are called in the result; by default 0 to n - 1.
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
    if (differ := distinct_points(z, most=numbers[-1])) is not None:
        return _of_copies(differ[1], low, rows)
    found = [
        found_again(z, numbers, [seed, run]) for run in track(range(_RUNS), "resampling", _RUNS)
    ]
    strengths = np.concatenate([strength for strength, _ in found])
    stability = np.mean([agreed for _, agreed in found], axis=0)
    groups, found_map = divide(z, numbers, seed)
    places, values = found_map.places(), found_map.values
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
    choice, clear, leading, reason = _choose(evidence)
    return NumberOfClusters(choice, clear, reason, leading, evidence, rows, groups)


def _of_copies(place: IntArray, low: int, rows: IntArray) -> NumberOfClusters:
    """The answer for a pile of few different images and their copies: as many as differ."""
    n_different = int(place.max()) + 1
    k = max(low, n_different)
    told = float(n_different > 1)
    reason = (
        f"the encoder tells only {n_different} different images apart, the others look like copies "
        f"of them, so {n_different} clusters are all there are."
        if told
        else f"all {len(place):,} images look the same to the encoder, so there is nothing to tell "
        "apart and no number of clusters is better than another; check the data."
    )
    evidence = Evidence(k, told, 0.0, told, told, 0.0)
    clear = n_different == k
    return NumberOfClusters(k, clear, reason, (k,), (evidence,), rows, {k: by_size(place)})


def _choose(evidence: Sequence[Evidence]) -> tuple[int, bool, tuple[int, ...], str]:
    order = sorted(evidence, key=lambda each: -each.strength)
    best = order[0]
    # Groups within groups may be found again alike: then the finer division says more.
    alike = [each for each in order if each.strength >= best.strength - _ALIKE]
    chosen = max(alike, key=lambda each: each.n_clusters)
    others = [each for each in order if each is not chosen]
    tied = [each for each in others if each.strength >= best.strength - TIED]
    steady_enough = chosen.strength >= CLEAR
    reason = (
        f"{chosen.n_clusters} clusters are found again in other images of the pile with a "
        f"prediction strength of {chosen.strength:.2f} (0 as by chance, 1 always)"
    )
    if others and others[0] is best:
        reason += f", as surely as {best.n_clusters} ({best.strength:.2f}), and say more"
    elif others:
        reason += f"; the next best is {others[0].n_clusters} with {others[0].strength:.2f}"
    if tied and steady_enough:
        reason += f". That is nearly a tie: {_listed(tied)} would do as well."
    elif not steady_enough:
        more = f" {_listed([chosen, *tied])} are tied." if tied else ""
        reason += (
            f". Below {CLEAR:g} no number is clear: the pile may have no such groups, or the "
            f"embedding does not show them.{more}"
        )
    else:
        reason += "."
    leading = tuple(each.n_clusters for each in [chosen, *others][:3])
    return chosen.n_clusters, steady_enough and not tied, leading, reason


def _listed(evidence: Sequence[Evidence]) -> str:
    names = [str(each.n_clusters) for each in evidence]
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
