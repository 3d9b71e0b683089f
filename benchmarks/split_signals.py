"""What can be said of the ways to divide a pile without labels, and how right they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import many_piles
import numpy as np
from pile_list import PILES

_HALVES = 3
_NEAREST = 15
Row = dict[str, Any]


def candidates(z: Any, seed: int) -> tuple[Any, list[Any]]:
    """The fitted clusterer of `best` with two clusters, and the partitions it found."""
    import shoal
    from shoal.clustering.clustering import Clustering
    from shoal.recipes import parts

    clusterer = parts.build("clusterers", shoal.BEST.clusterer, n_clusters=2, random_state=seed)
    clusterer.fit(z)
    return clusterer, Clustering(clusterer).candidates(z)


def white(z: Any) -> Any:
    """As the clusterer whitens it."""
    from shoal.embedding.linear_algebra import whitening

    mean, directions = whitening(z, max(2, len(z) // 30))
    return ((z - mean) @ directions).astype(np.float32)


def measure(name: str, pair: list[Row], folder: Path, labels: Any) -> list[Row]:
    """The candidates of both trainings of a pile, described and judged."""
    from shoal.clustering.partitions import agreement, r_squared
    from shoal.clustering.splits import _white_thumbnails, thumbnails
    from shoal.images.array import ArraySource

    source = ArraySource(many_piles.images_of(name, folder))
    every = np.arange(len(source))
    pixels = _white_thumbnails(source, every)
    colour = thumbnails(source, every).reshape(len(source), -1, 64).mean(axis=2)
    colour = white(colour) if colour.shape[1] > 1 else (colour - colour.mean()) / colour.std()
    spaces = [white(run["z"]) for run in pair]
    found = [candidates(run["z"], seed) for seed, run in enumerate(pair)]
    answers = PILES[name].answers(labels)
    measured = []
    for seed, (clusterer, ways) in enumerate(found):
        run, own, other = pair[seed], spaces[seed], spaces[1 - seed]
        signals = {
            "accuracy": [max(_right(way, answer) for answer in answers) for way in ways],
            "separation": clusterer.separation.tolist(),
            "pixel_share": [r_squared(pixels, way) for way in ways],
            "colour_share": [r_squared(colour, way) for way in ways],
            "smaller": [min(way.mean(), 1 - way.mean()) for way in ways],
            "neighbours": _neighbours(run["z"], ways),
            "learnable": [_learnable(own, way) for way in ways],
            "stability": _stability(run["z"], ways, seed),
            "views": _views(run, clusterer, len(ways)),
            "other_separation": [r_squared(other, way) for way in ways],
            "other_learnable": [_learnable(other, way) for way in ways],
            "other_finds": [max(agreement(way, w) for w in found[1 - seed][1]) for way in ways],
        }
        rounded = {key: [round(float(v), 4) for v in value] for key, value in signals.items()}
        seeds_agree = round(agreement(*(_first(f, pixels) for f in found)), 4)
        measured.append({"pile": name, "training_seed": seed, "seeds_agree": seeds_agree} | rounded)
    return measured


def _first(found: tuple[Any, list[Any]], pixels: Any) -> Any:
    """The candidate that the rule of today chooses."""
    from shoal.clustering.partitions import r_squared

    clusterer, ways = found
    shares = [r_squared(pixels, way) for way in ways]
    return ways[ranked({"separation": clusterer.separation, "pixel_share": shares})[0]]


def _right(way: Any, answer: Any) -> float:
    same = float(np.mean(way == answer))
    return max(same, 1 - same)


def _neighbours(z: Any, ways: list[Any]) -> list[float]:
    """How many of the nearest images are on the same side, less chance."""
    from shoal.embedding.neighbours import nearest

    near, shares = nearest(z, z, _NEAREST + 1)[1][:, 1:], []
    for way in ways:
        chance = way.mean() ** 2 + (1 - way.mean()) ** 2
        shares.append((np.mean(way[near] == way[:, None]) - chance) / (1 - chance))
    return shares


def _learnable(z: Any, way: Any) -> float:
    """How well logistic regression on half of the images tells it of the others: TURTLE's score.

    1 less the log loss, as a share of that of always saying the same; the mean of both halves.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    fold = np.zeros(len(z), dtype=np.int64)
    fold[np.random.default_rng(0).permutation(len(z))[::2]] = 1
    told = np.zeros(len(z))
    for held in (0, 1):
        model = LogisticRegression(C=0.1, max_iter=60).fit(z[fold != held], way[fold != held])
        told[fold == held] = model.predict_proba(z[fold == held])[:, 1]
    share = way.mean()
    chance = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    return float(1 - log_loss(way, told) / chance)


def _stability(z: Any, ways: list[Any], seed: int) -> list[float]:
    """The adjusted Rand index with the nearest candidate of random halves, the mean over them."""
    from shoal.clustering.clustering import Clustering
    from shoal.clustering.partitions import agreement

    found = []
    for run in range(_HALVES):
        half = np.sort(np.random.default_rng([seed, run]).permutation(len(z))[: len(z) // 2])
        others = Clustering(candidates(z[half], seed + run + 1)[0]).candidates(z)
        found.append([max(agreement(way, other) for other in others) for way in ways])
    return np.mean(found, axis=0).tolist()


def _views(run: Row, clusterer: Any, n: int) -> list[float]:
    """The correlation of images and their augmented views along the split, the mean over views."""
    z, kept = run["z"][run["viewed"]], []
    for weights in clusterer.weights_[:n]:
        each = [np.corrcoef(z @ weights, view @ weights)[0, 1] for view in run["views"]]
        kept.append(float(np.mean(each)))
    return kept


def ranked(row: Row) -> list[int]:
    """The candidates in the order of the rule of today."""
    from shoal.clustering import splits
    from shoal.models.facts import Split

    pairs = zip(row["separation"], row["pixel_share"], strict=True)
    return splits.ranking([Split((), *pair) for pair in pairs])
