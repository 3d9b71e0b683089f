"""Learning from corrections: what was said of some images moves those that nobody looked at.

A Gaussian process (Rasmussen and Williams 2006, section 2.7) on the frozen embedding, whose mean is
what the clusters say, and whose observations are the images that a person decided. Where nothing
was said the clusters stand. Where what was said agrees with them nothing changes. Where it does
not, images that are like the decided ones follow them, as far as `trusted` finds that what was said
of some of them tells what was said of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shoal.corrections.apart import keep_apart
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.corrections.parts import balanced
from shoal.corrections.trust import STAYS, Fit, shares, trusted
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray

_TRUST = 0.7
"""What the word of a cluster counts, where that of a person counts 1."""
_DOUBT = 24.0
"""Images that would have stayed, which are added to those that a person decided of a cluster."""
_GAMMA = 1.0
"""How fast likeness fades, see `_kernel`."""
_NOISE = 0.3
"""The variance of an observation: of twelve images that a person named at once, some are wrong."""
_LANDMARKS = 1000
"""Of more decided images, this many carry the kernel."""
_OBSERVED = 3000
"""Of more decided images, this many are learned from: first those that contradict a cluster."""
_PRODUCTS = 15 * 10**7
"""Images times landmarks: of very many images there are fewer landmarks, for a person waits."""
_SMOOTHED = 20_000
"""Of more images, the smooth part of the clusters' word is found in this many."""
_BLOCK = 512
"""Images learn in blocks that fit into a processor's cache."""


@dataclass(frozen=True)
class Spread:
    """Where each image belongs by what was said of others."""

    group: IntArray
    """int64 (n,): the group of each image. Those that a person decided stay."""
    confidence: FloatArray
    """float32 (n,) in [0, 1]: how sure that is; 1 where a person decided."""
    ids: IntArray
    """int64 (k,): the groups, ascending, without `NOWHERE`."""
    membership: FloatArray
    """float32 (n, k): how likely each group is for each image; rows sum to 1."""


def spread(
    z: FloatArray, group: IntArray, decided: BoolArray, apart: Sequence[tuple[int, int]] = (), *,
    inferred: BoolArray | None = None, result: IntArray | None = None,
    x: FloatArray | None = None,
) -> Spread:  # fmt: skip
    """Learn from what a person decided where all other images belong.

    Args:
        z: float32 (n, d), the reduced embedding.
        group: int64 (n,), the group of each image.
        decided: bool (n,), the images whose group a person decided.
        apart: pairs of rows that do not belong together.
        inferred: bool (n,), the images that an earlier learning moved: their group is no evidence.
        result: int64 (n,), the cluster that each image was in before all corrections. With it,
            the images that a person decided tell how far their clusters can be trusted.
        x: `balanced` of ``z``, if it is known.

    >>> z = np.float32([[0, 1], [0.1, 1], [0.2, 1], [1, 0], [1, 0.1], [1, 0.2]])
    >>> decided = np.array([True, False, False, True, False, False])
    >>> spread(z, np.array([1, 1, 2, 2, 2, 2]), decided).group.tolist()
    [1, 1, 1, 2, 2, 2]
    """
    ids = np.unique(group[group != NOWHERE])
    some = np.flatnonzero(group != NOWHERE)
    membership = np.zeros((len(group), len(ids)), dtype=np.float32)
    if len(some):
        said = np.zeros((len(some), len(ids)), dtype=np.float32)
        said[np.arange(len(some)), np.searchsorted(ids, group[some])] = 1.0
        plain = ~decided[some] if inferred is None else ~(decided[some] | inferred[some])
        clusters = np.unique((group if result is None else result)[some], return_inverse=True)[1]
        word = _word(said, plain, decided[some], None if result is None else clusters)
        x = balanced(z) if x is None else x
        x = x if len(some) == len(group) else x[some]
        scores, strength = _scores(x, said, word, plain, decided[some], clusters)
        membership[some] = np.where(decided[some][:, None], said, shares(scores))
        scores += STAYS * (1.0 - strength)[:, None] * said
    learned = group.copy()
    free = ~decided[some]
    if decided.any() and free.any():
        learned[some[free]] = ids[scores[free].argmax(axis=1)]
    keep_apart(learned, membership, ids, decided, apart)
    return Spread(learned, _share_of(membership, ids, learned), ids, membership)


def _word(
    said: FloatArray, plain: BoolArray, decided: BoolArray, of: IntArray | None
) -> FloatArray:
    """What the clusters say of each image, float32 (n, k), whatever was said of the image itself.

    Of a plain image that is its group. Of one that was moved it is where the plain images of its
    cluster are, or where dissolving the cluster put it. The more images a person took out of a
    cluster, the less its word counts.

    Args:
        of: int64 (n,), the cluster of each image in the result, from 0; None if it is not known.
    """
    word = np.where(plain[:, None], said, 0.0).astype(np.float32)
    if of is None:
        return word
    n_clusters = int(of.max()) + 1
    pairs = of[plain] * said.shape[1] + said[plain].argmax(axis=1)
    counts = np.bincount(pairs, minlength=n_clusters * said.shape[1])
    where = counts.reshape(n_clusters, -1).astype(np.float32)
    where /= np.maximum(where.sum(axis=1, keepdims=True), 1.0)
    word[~plain] = where[of[~plain]]
    gone = ~plain & ~decided & ~word.any(axis=1)  # the cluster was dissolved
    word[gone] = said[gone]
    stayed = (word * said).sum(axis=1)[decided]
    asked = np.bincount(of[decided], minlength=n_clusters)
    stays = np.bincount(of[decided], weights=stayed, minlength=n_clusters)
    return word * ((stays + _DOUBT) / (asked + _DOUBT)).astype(np.float32)[of][:, None]


def _scores(
    x: FloatArray, said: FloatArray, word: FloatArray, plain: BoolArray, decided: BoolArray,
    clusters: IntArray,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """The score of each group for each image, float32 (n, k): about the chance that it is right.

    And how much learning counts for each image, see `trusted`.

    Args:
        x: float32 (n, d), balanced.
        said: float32 (n, k), 1 at the group of each image.
        word: see `_word`.
        plain: bool (n,), the images that nothing moved.
        decided: bool (n,), the observations.
        clusters: int64 (n,), the cluster of each image in the result, from 0.
    """
    spoken = np.flatnonzero(plain if plain.any() else decided)
    spoken = spoken[sample_rows(len(spoken), _SMOOTHED)]
    mean = _linear(x, x[spoken], (word if plain.any() else said)[spoken])
    mean = np.where(word.any(axis=1, keepdims=True), (word + mean) / 2, mean).astype(np.float32)
    mean *= _TRUST
    strength = np.ones(len(x), dtype=np.float32)
    rows = np.flatnonzero(decided)
    if not len(rows):
        return mean, strength
    rows, residual = _observed(rows, _residual(mean[rows], said[rows], word))
    some = rows[: min(len(rows), _LANDMARKS)]
    if len(rows) <= _LANDMARKS:
        root = _inverse_root(_kernel(x[rows], x[rows]))
        weights = root.T @ (root @ residual.astype(np.float32))
        fit = Fit(x[rows], mean[rows], said[rows], residual, root, weights)
        strength = trusted(fit, clusters, rows)
    if len(some) * len(x) > _PRODUCTS or len(some) < len(rows):
        some = some[: max(_PRODUCTS // len(x), 1)]
        weights = _fewer_landmarks(_kernel(x[some], x[rows]), residual)
    weights = weights.astype(np.float32)
    for start in range(0, len(x), _BLOCK):
        block = slice(start, start + _BLOCK)
        mean[block] += strength[block, None] * (_kernel(x[block], x[some]) @ weights)
    return mean, strength


def _inverse_root(between: FloatArray) -> FloatArray:
    """The root R of the inverse of ``between`` with noise: Rᵀ R = (between + noise)⁻¹.

    Args:
        between: float32 (m, m), how alike observations are; overwritten. With the noise its
            eigenvalues are from 0.3 to about m: single precision does, and takes half the time.

    Returns:
        float32 (m, m), lower triangle.
    """
    from scipy.linalg.lapack import spotrf, strtri  # NumPy's Cholesky takes four times as long

    between[np.diag_indices(len(between))] += _NOISE
    factor, _ = spotrf(between.T, overwrite_a=True)  # transposed, as LAPACK orders numbers
    transposed, _ = strtri(factor, overwrite_c=True)
    root: FloatArray = transposed.T
    return root


def _observed(rows: IntArray, residual: Array) -> tuple[IntArray, Array]:
    """The decided images that are learned from, and what they say; of many the first say most.

    A person who confirms a whole group decides thousands of images that say the same.
    """
    if len(rows) <= _LANDMARKS:
        return rows, residual
    order = np.random.default_rng(0).permutation(len(rows))
    says = np.abs(residual[order]).max(axis=1) > 0.5
    chosen = order[np.argsort(~says, kind="stable")][:_OBSERVED]
    return rows[chosen], residual[chosen]


def _fewer_landmarks(between: FloatArray, residual: Array) -> Array:
    """The weights of a few landmarks, the first of the observations: the subset of regressors.

    Section 8.3.1 of the book.

    Args:
        between: float32 (s, m), how alike landmarks and observations are.
        residual: float64 (m, k).

    Returns:
        float64 (s, k).
    """
    within = between[:, : len(between)].astype(np.float64)
    system = (between @ between.T).astype(np.float64) + _NOISE * within
    system[np.diag_indices(len(system))] += 1e-3
    return np.linalg.solve(system, between.astype(np.float64) @ residual)


def _residual(mean: FloatArray, said: FloatArray, word: FloatArray) -> Array:
    """What the person said of the decided images beyond what the clusters say, float64 (m, k).

    What is confirmed draws images to its group, unless the person confirmed others as well.

    Args:
        mean: float32 (m, k), the scores that the clusters give to the decided images.
        said: float32 (m, k), 1 at the group of each of them.
        word: float32 (n, k), of all images.
    """
    answered = said.any(axis=0)
    covered = float(word[:, answered].sum() / max(float(word.sum()), 1e-12))
    residual = (said - mean).astype(np.float64)
    residual[mean.argmax(axis=1) == said.argmax(axis=1)] *= covered**2
    return residual


def _kernel(x: FloatArray, y: FloatArray) -> FloatArray:
    """How alike rows of unit length are, float32 (n, m): 1 if equal, 0 if nothing is in common.

    (exp(γ cos) - 1) / (exp(γ) - 1), a kernel as a power series of the cosine without its constant.
    """
    alike: FloatArray = _GAMMA * (x @ y.T)
    np.expm1(alike, out=alike)
    alike /= np.expm1(_GAMMA)
    return alike


def _linear(x: FloatArray, known: FloatArray, word: FloatArray) -> FloatArray:
    """What ridge regression makes of the clusters' word: smooth, where the clusters are hard.

    Args:
        x: float32 (n, d).
        known: float32 (m, d), the points with a word.
        word: float32 (m, k).

    Returns:
        float32 (n, k).
    """
    middle, mean = known.mean(axis=0), word.mean(axis=0)
    centred = known - middle
    system = (centred.T @ centred).astype(np.float64)
    system[np.diag_indices(len(system))] += 1.0 + 0.003 * len(known) / known.shape[1]
    weights = np.linalg.solve(system, (centred.T @ (word - mean)).astype(np.float64))
    return ((x - middle) @ weights.astype(np.float32) + mean).astype(np.float32)


def _share_of(membership: FloatArray, ids: IntArray, group: IntArray) -> FloatArray:
    """The share of ``group`` (n,) in each row, float32 (n,); 1 of images that belong nowhere."""
    share = np.ones(len(group), dtype=np.float32)
    rows = np.flatnonzero(np.isin(group, ids))
    share[rows] = membership[rows, np.searchsorted(ids, group[rows])]
    return share
