"""``auto``: whether vectors from elsewhere are compared as they are, or by their directions.

Embeddings are mostly made to be compared by the cosine: their lengths mean nothing. Plain features
are not: their lengths matter, and their origin does not. Which of the two vectors are is told
without labels. Measured: benchmarks/metric.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shoal.clustering.choose_k import SEVERAL
from shoal.clustering.n_clusters import FEWEST_A_CLUSTER
from shoal.clustering.prediction_strength import compare_halves
from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.neighbours import nearest_others
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.images.vectors.source import VectorSource
from shoal.images.vectors.usable import lost_in_single
from shoal.models.facts import ALL_THE_SAME, ONE_NUMBER, ChosenMetric
from shoal.protocols import Array, FloatArray, Track, silent
from shoal.recipes import parts
from shoal.recipes.metric import COSINE, EUCLIDEAN, metric_of, with_metric
from shoal.recipes.recipe import Recipe

SAMPLE = 1500
"""The vectors that are looked at, at most: they take a few seconds."""
_ALIKE = 0.02
"""Lengths that vary by a smaller share of their mean tell nothing."""
_LEAST = 5e-7
"""The spread of vectors that are compared as they are, at least: half of the distance up to which
they are copies, see `neighbours.distinct_points`."""
_FAR = 0.9
"""The mean of vectors far from the origin is longer than this share of their lengths."""
_CLEARLY = 0.05
"""Prediction strengths that differ by more than this decide."""
_FOLLOW = 0.05
"""Lengths of whose differences directions explain a smaller share are taken for noise."""
_EMBEDDING = 100
"""Vectors of more numbers are mostly embeddings."""
_FEW_NUMBERS = 3
"""Of vectors of so few numbers directions keep one or two: groups that lie in one direction become
one, which a wrong number of clusters would speak for. So other numbers are tried as well."""
_SEVERAL, _DECIDES = 3, 0.9
"""Of so many columns one that has this share of the variance is spoken of."""
_NEIGHBOURS, _RUNS, _FEWEST = 10, 8, 40


def metric_for(
    source: VectorSource, recipe: Recipe, *, auto: bool, auto_k: bool, track: Track = silent
) -> tuple[Recipe, ChosenMetric, Array | None]:
    """A recipe with the metric that it is to have, and what a checkpoint is to know of it.

    That is the choice, and the centre of vectors that single precision would not tell apart:
    directions are those from the origin, and have none.

    Args:
        source: the vectors.
        recipe: for vectors.
        auto: choose the metric, in place of the recipe's; see `choose_metric`.
        auto_k: whether the number of clusters is still to be chosen.
        track: shows progress.

    Raises:
        DataError: the vectors differ by too little.
    """
    check_spread(source, recipe, auto=auto)
    if not auto:
        metric = metric_of(recipe)
        return recipe, ChosenMetric(metric), source.centre if metric == EUCLIDEAN else None
    rows = sample_rows(len(source), SAMPLE, recipe.seed)
    x = source.vectors(rows)
    as_they_are = None if source.centre is None else source.vectors(rows, source.centre)
    chosen = choose_metric(x, recipe, as_they_are, auto_k=auto_k, track=track)
    if chosen.metric == COSINE:
        return with_metric(recipe, COSINE), chosen, None
    largest = _largest_column(x if as_they_are is None else as_they_are)
    chosen = replace(chosen, reason=chosen.reason + largest)
    return with_metric(recipe, EUCLIDEAN), chosen, source.centre


def check_spread(source: VectorSource, recipe: Recipe, *, auto: bool) -> None:
    """Raise if vectors differ by so little that, as they are, nearly all would be taken for copies.

    The arguments are those of `metric_for`.

    Raises:
        DataError: they do, and may be compared as they are.
    """
    if not auto and metric_of(recipe) == COSINE:
        return
    x = source.vectors(sample_rows(len(source), SAMPLE, recipe.seed), source.centre)
    spread = float(np.sqrt(x.astype(np.float64).var(axis=0).sum()))
    if 0.0 < spread < _LEAST:
        factor = f"1e{-int(np.floor(np.log10(spread)))}"
        raise DataError(
            f"the vectors differ by {spread:.0e} on average, too little to be compared as they "
            f"are; multiply all by the same number, such as {factor}, or give metric='cosine'."
        )


def _largest_column(x: FloatArray) -> str:
    """What to say of a column that decides nearly all; empty if there is none.

    >>> _largest_column(np.float32([[1, 0, 900], [2, 1, 100], [0, 1, 500]]))
    '; number 3 of each has 100% of the variance: scale the columns if their units differ'
    """
    variances = x.astype(np.float64).var(axis=0)
    share = float(variances.max() / max(variances.sum(), 1e-300))
    if len(variances) < _SEVERAL or share < _DECIDES:
        return ""
    return (
        f"; number {int(variances.argmax()) + 1:,} of each has {share:.0%} of the variance: scale "
        "the columns if their units differ"
    )


def choose_metric(
    x: FloatArray, recipe: Recipe, as_they_are: FloatArray | None = None, *,
    auto_k: bool = False, track: Track = silent,
) -> ChosenMetric:  # fmt: skip
    """Choose how vectors are compared: ``euclidean``, as they are, or ``cosine``, by directions.

    1. A single number has no direction, and of vectors that are all the same nothing can be told:
       ``euclidean``.
    2. Where all lengths are alike, and not because all vectors lie in one direction, far from the
       origin: ``cosine``. So far from it that single precision knows one direction alone:
       ``euclidean``.
    3. Clusters are found both ways, in halves of the vectors. Those that are found again clearly
       more surely decide, see `prediction_strength`.
    4. Else vectors of more than 100 numbers are taken for embeddings: ``cosine``.
    5. Of shorter ones it is asked whether a length follows from its direction (R² of the mean
       logarithm of the 10 nearest). If not, lengths are noise: ``cosine``; else ``euclidean``.

    Args:
        x: float32 (n, d), the vectors, or `SAMPLE` of them.
        recipe: for vectors. Its number of clusters counts, and its seed.
        as_they_are: float32 (n, d), the same less their `VectorSource.centre`, if they have one.
        auto_k: whether the number of clusters is still to be chosen. If not, others are tried all
            the same for vectors of 2 and 3 numbers.
        track: shows progress.
    """
    n, d = x.shape
    if d == 1:
        return ChosenMetric(EUCLIDEAN, ONE_NUMBER)
    near = x if as_they_are is None else as_they_are
    if (near == near[0]).all():
        return ChosenMetric(EUCLIDEAN, ALL_THE_SAME)
    lengths = np.linalg.norm(x.astype(np.float64), axis=1)
    is_far = np.linalg.norm(x.mean(axis=0, dtype=np.float64)) > _FAR * lengths.mean()
    if lengths.std() < _ALIKE * lengths.mean() and not is_far:
        return ChosenMetric(COSINE, "all vectors are about equally long")
    if as_they_are is not None:
        spread = np.sqrt(as_they_are.var(axis=0, dtype=np.float64).sum())
        if lost_in_single(lengths.mean(), spread):
            reason = "they lie so far from the origin that nearly all are in one direction"
            return ChosenMetric(EUCLIDEAN, reason)
    compared = {EUCLIDEAN: near, COSINE: x}
    strengths = _strengths(compared, recipe, auto_k, track) if n >= _FEWEST else {}
    if not strengths:
        metric, reason = _by_length(d)
        return ChosenMetric(metric, f"{reason}, and {n:,} vectors are too few to tell more")
    # In words: the strength of a number of clusters is told by other commands, of more vectors.
    whole, directions = "clusters of whole vectors", "clusters of their directions"
    apart = strengths[EUCLIDEAN] - strengths[COSINE]
    if apart > _CLEARLY:
        reason = f"{whole} are found again in others more surely than {directions}"
        return ChosenMetric(EUCLIDEAN, reason, strengths)
    if apart < -_CLEARLY:
        reason = f"{directions} are found again in others more surely than {whole}"
        return ChosenMetric(COSINE, reason, strengths)
    again = f"{whole} and {directions} are found again in others about as surely"
    if d > _EMBEDDING:
        metric, reason = _by_length(d)
        return ChosenMetric(metric, f"{again}; {reason}", strengths)
    share = share_explained(x, lengths)
    follows = "{:.0%} of the differences in length follow from the directions"
    if share < _FOLLOW:
        reason = f"{follows.format(max(share, 0.0))}: lengths are taken for noise"
        return ChosenMetric(COSINE, f"{again}; {reason}", strengths)
    reason = f"{follows.format(share)}: lengths count"
    return ChosenMetric(EUCLIDEAN, f"{again}; {reason}", strengths)


def share_explained(x: FloatArray, lengths: Array) -> float:
    """How much of the lengths of vectors their directions explain: R², below 0 if nothing.

    The logarithm of each length is predicted as the mean of those of the 10 nearest directions.

    >>> generator = np.random.default_rng(0)
    >>> x = generator.normal(size=(200, 3)).astype(np.float32)
    >>> share_explained(x / np.linalg.norm(x, axis=1)[:, None], generator.uniform(1, 2, 200)) < 0.1
    True
    """
    logarithms = np.log(np.maximum(lengths, 1e-30 + 1e-6 * lengths.mean()))
    near = nearest_others(unit_rows(x).astype(np.float32), _NEIGHBOURS)[1]
    left = np.square(logarithms - logarithms[near].mean(axis=1)).mean()
    return float(1.0 - left / ((1.0 + 1.0 / _NEIGHBOURS) * max(logarithms.var(), 1e-30)))


def _by_length(d: int) -> tuple[str, str]:
    """What vectors of so many numbers mostly are."""
    if d > _EMBEDDING:
        return COSINE, f"vectors of {d:,} numbers are mostly embeddings"
    return EUCLIDEAN, f"vectors of {d:,} numbers are mostly features"


def _strengths(
    compared: dict[str, FloatArray], recipe: Recipe, auto_k: bool, track: Track
) -> dict[str, float]:
    """The prediction strength of the clusters by either metric, the best of all numbers tried.

    Args:
        compared: float32 (n, d), the vectors for each metric.
        recipe: see `choose_metric`, also for the others.
    """
    most = len(compared[COSINE]) // FEWEST_A_CLUSTER
    several = auto_k or compared[COSINE].shape[1] <= _FEW_NUMBERS
    wanted = SEVERAL if several else (min(recipe.n_clusters, SEVERAL[-1]),)
    numbers = [k for k in wanted if 2 <= k <= most] or [2]
    found = {}
    metrics = (EUCLIDEAN, COSINE)
    for metric in track(metrics, "comparing lengths and directions", len(metrics)):
        z = compared[metric]
        for part in with_metric(recipe, metric).reducers:
            z = parts.build("reducers", part, random_state=recipe.seed).fit_transform(z)
        if not z.shape[1]:  # all lie at one point: no clusters could be found again
            found[metric] = 0.0
            continue
        runs = [
            compare_halves(z, numbers, [recipe.seed, run])[0]
            for run in range(_RUNS // 2 if several else _RUNS)
        ]
        found[metric] = float(np.concatenate(runs).mean(axis=0).max())
    return found
