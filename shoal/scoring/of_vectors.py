"""Completing a checkpoint of vectors from elsewhere, of which there are no pixels and no views."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from shoal.clustering.choose_k import weigh_beside
from shoal.clustering.n_clusters import CLEAR
from shoal.embedding.embed import embed
from shoal.embedding.out_of_distribution import without_direction
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.vectors.source import centre_of
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted, fill, of_vectors
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.recipes.recipe import Recipe
from shoal.scoring import signals, than_noise
from shoal.scoring.evidence import FAR_CLEARER, MEANINGLESS
from shoal.scoring.group_sizes import (
    FEW_TO_GROUP,
    empty_clusters,
    few_different,
    many_copies,
    mostly_copies,
    single_images,
    tiny_clusters,
)
from shoal.scoring.one_piece import cut_inside
from shoal.training.augmented_source import SAMPLE


def identities(source: ImageSource, rows: IntArray) -> IntArray:
    """Which of the vectors ``rows`` int64 (m,) are the same: equal numbers, int64 (m,).

    As `appearance.identities` does for images.
    """
    vectors = source.vectors(rows, centre_of(source))  # type: ignore[attr-defined]
    _, first, place = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    found: IntArray = first[place.reshape(-1)].astype(np.int64)
    return found


@dataclass(frozen=True)
class Judged:
    """The vectors by which clusters are judged: each once, for a copy is no proof of another."""

    z: FloatArray
    """float32 (n, d), reduced."""
    rows: IntArray
    """int64 (m,), those of them whose confidence is measured."""
    identity: IntArray
    """int64 (m,), equal numbers for copies. There are some only where no more vectors differ than
    there are clusters."""
    told: Callable[[IntArray], signals.Told]
    """What is known of their clusters int64 (m,) beside the embedding."""


def judged(source: ImageSource, checkpoint: Checkpoint, z: FloatArray) -> Judged:
    """The vectors by which the clusters of a checkpoint are judged.

    Args:
        source: all N vectors.
        checkpoint: with the reducers.
        z: float32 (N, d), the vectors reduced.
    """
    recipe = checkpoint.recipe
    pool = signals.fitted_rows(len(source), recipe.n_clusters, recipe.seed)
    identity = identities(source, pool)
    once = np.unique(identity, return_index=True)[1]
    if len(once) > recipe.n_clusters:
        pool, identity = pool[np.sort(once)], np.arange(len(once))
    rows = sample_rows(len(pool), SAMPLE, recipe.seed)
    if len(once) <= recipe.n_clusters:
        return Judged(z[pool], rows, identity[rows], lambda _: signals.NOT_TOLD)
    x = embed(Subset(source, pool[rows]), checkpoint)
    strength = checkpoint.facts.strengths.get(recipe.n_clusters, math.nan)
    return Judged(z[pool], rows, identity[rows], told_by(x, z[pool[rows]], recipe, strength))


def judged_again(reference: FloatArray, recipe: Recipe, seed: int, before: float) -> Judged:
    """The same of the points that a checkpoint remembers.

    Args:
        reference: float32 (N, d), reduced.
        recipe: of the checkpoint, with the number of clusters that are judged.
        seed: of the sample.
        before: the score of `than_noise` of the checkpoint's own clusters. Whoever tries numbers
            until one stands out a little among noise is not told more than that; NaN if it is not
            known. Clusters that noise does not have, however many numbers are tried, are told as
            they are: the checkpoint's own number may have been the wrong one.
    """
    z = np.unique(reference, axis=0)
    rows = sample_rows(len(z), SAMPLE, seed)
    strength = weigh_beside(z, recipe).get(recipe.n_clusters, math.nan)
    told = told_by(z[rows], z[rows], replace(recipe, reducers=()), strength)

    def at_most(labels: IntArray) -> signals.Told:
        found = told(labels)
        if found.beyond_noise >= FAR_CLEARER and found.strength >= CLEAR:  # NaN is not
            return found
        return replace(found, beyond_noise=float(np.fmin(found.beyond_noise, before)))

    return Judged(z, rows, np.arange(len(rows)), at_most)


def told_by(
    x: FloatArray, z: FloatArray, recipe: Recipe, strength: float
) -> Callable[[IntArray], signals.Told]:
    """What tells of clusters of different vectors whether they are more than noise or one piece.

    Args:
        x: float32 (m, c), the vectors before any reduction.
        z: float32 (m, d), reduced.
        recipe: its reducers, its clusterer and its number of clusters.
        strength: of that number, see `signals.Told`.
    """
    if len(z) < FEW_TO_GROUP or not than_noise.enough(len(z), recipe.n_clusters):
        return lambda _: signals.Told(beyond_noise=0.0)  # nor are groups of noise less clear
    some = than_noise.compared(len(z), recipe)
    purity = than_noise.noise_purity(x[some], recipe)

    def told(labels: IntArray) -> signals.Told:
        beyond = than_noise.beyond_noise(z[some], labels[some], recipe.n_clusters, purity)
        cut = cut_inside(z, labels)
        return signals.Told(beyond_noise=beyond, cut_inside=cut, strength=strength)

    return told


def diagnose(
    source: ImageSource, checkpoint: Checkpoint, rows: IntArray, sizes: IntArray,
    identity: IntArray,
) -> list[str]:  # fmt: skip
    """All warnings about clusters of vectors; see `warnings.diagnose`.

    Args:
        source: the vectors.
        checkpoint: a finished one.
        rows: int64 (m,), the vectors to look at.
        sizes: int64 (k,), how many vectors each cluster holds.
        identity: int64 (m,), see `identities`.
    """
    z = embed(Subset(source, rows), checkpoint)
    if len(z) > 1 and (z == z[0]).all():
        return [
            f"all {counted(len(z), 'vector')} that were compared are the same, so the clusters "
            f"{MEANINGLESS}; check the file."
        ]
    if alone := single_images(sizes):
        return list(map(of_vectors, alone))
    if same := mostly_copies(identity, checkpoint.recipe.n_clusters):
        return list(map(of_vectors, [*same, *empty_clusters(sizes)]))
    return [
        *map(of_vectors, few_different(identity) or many_copies(identity)),
        *warn_without_direction(Subset(source, rows), checkpoint),
        *map(of_vectors, tiny_clusters(sizes)),
    ]


def first_with_direction(source: ImageSource, checkpoint: Checkpoint, rows: IntArray) -> str | None:
    """The id of the first of the images ``rows`` int64 (m,) that others can be compared with."""
    lost = without_direction(Subset(source, rows), checkpoint)
    return None if lost.all() else str(source.ids[int(rows[np.argmin(lost)])])


def warn_without_direction(
    source: ImageSource, checkpoint: Checkpoint, rows: IntArray | None = None
) -> list[str]:
    """Warn of vectors of length 0 where directions are compared.

    Args:
        source: the vectors.
        checkpoint: by which they are compared.
        rows: int64 (m,), those that may be of length 0; by default any.
    """
    some = source if rows is None else Subset(source, rows)
    n_gone = int(without_direction(some, checkpoint).sum()) if len(some) else 0
    if not n_gone:
        return []
    return [
        fill(
            "{n:,} of {all:,} {all:vector|vectors} {n:has|have} length 0 and so no direction, and "
            "directions are compared (cosine): nothing tells where {n:it belongs|they belong}.",
            n=n_gone, all=len(source),
        )
    ]  # fmt: skip
