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
from functools import cached_property

import numpy as np

from shoal.corrections.apart import keep_apart
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.corrections.likeness import Landmarks, fewer_landmarks, likeness
from shoal.corrections.parts import balanced
from shoal.corrections.trust import STAYS, Fit, shares, trusted
from shoal.images.sampling import sample_rows
from shoal.protocols import Array, FloatArray, IntArray

_TRUST = 0.7
"""What the word of a cluster counts, where that of a person counts 1."""
_DOUBT = 24.0
"""Images that would have stayed, which are added to those that a person decided of a cluster."""
_LANDMARKS = 1000
"""Of more decided images, this many carry the kernel."""
_OBSERVED = 3000
"""Of more decided images, this many are learned from: first those that contradict a cluster."""
_PRODUCTS = 3 * 10**7
"""Images times landmarks. Of more, all are looked at roughly, and as many as this allows of those
whose group is least clear then are looked at closely: a person waits."""
_ROUGHLY = 4000
"""A rough look is what ridge regression makes of a close look at this many images."""
_SMOOTHED = 20_000
"""Of more images, the smooth part of the clusters' word is found in this many."""


@dataclass(frozen=True)
class Spread:
    """Where each image belongs by what was said of others."""

    group: IntArray
    """int64 (n,): the group of each image. Those that a person decided stay."""
    ids: IntArray
    """int64 (k,): the groups, ascending, without `NOWHERE`."""
    said: FloatArray
    """float32 (n, k): 1 at the group that each image had; all 0 where that was `NOWHERE`."""
    scores: FloatArray
    """float32 (n, k): about the chance that each group is right."""
    decided: BoolArray
    """bool (n,): the images that a person decided."""
    fit: Fit | None
    """To the decided images, to a random sample of very many; None where there are none."""
    strength: FloatArray
    """float32 (n,): how much learning counts for each image, see `trusted`."""

    @cached_property
    def membership(self) -> FloatArray:
        """float32 (n, k): how likely each group is for each image; rows sum to 1.

        Of images that belong nowhere all are 0. It is computed when it is asked for, as questions
        do, and not where a person waits to see what moves.
        """
        return self.likely(np.arange(len(self.group)))

    def likely(self, rows: IntArray) -> FloatArray:
        """The rows int64 (m,) of `membership`, float32 (m, k)."""
        said = self.said[rows]
        stays = self.decided[rows] | ~said.any(axis=1)
        return np.where(stays[:, None], said, shares(self.scores[rows]))

    @cached_property
    def confidence(self) -> FloatArray:
        """float32 (n,) in [0, 1]: how sure the group is; 1 where a person decided."""
        share = np.ones(len(self.group), dtype=np.float32)
        rows = np.flatnonzero(np.isin(self.group, self.ids))
        share[rows] = self.membership[rows, np.searchsorted(self.ids, self.group[rows])]
        return share


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
    held, learned = group != NOWHERE, group.copy()
    heard, free = held & decided, held & ~decided
    said = np.zeros((len(group), len(ids)), dtype=np.float32)
    place = np.searchsorted(ids, group)
    said[held, place[held]] = 1.0
    if not len(ids):
        return Spread(learned, ids, said, said, decided, None, np.ones(len(group), np.float32))
    plain = free if inferred is None else free & ~inferred
    clusters = np.unique(group if result is None else result, return_inverse=True)[1]
    word = _word(said, place, plain, heard, None if result is None else clusters)
    if not held.all():
        word[~held] = 0.0
    x = balanced(z) if x is None else x
    scores, strength, fit = _scores(x, said, word, plain, heard, free, clusters)
    if heard.any() and free.any():
        learned[free] = ids[_with_stays(scores, strength, said).argmax(axis=1)][free]
    found = Spread(learned, ids, said, scores, decided, fit, strength)
    keep_apart(learned, found.likely, ids, decided, apart)
    return found


def _with_stays(scores: FloatArray, strength: FloatArray, said: FloatArray) -> FloatArray:
    """The scores, the present group of each image favoured as far as learning is not trusted."""
    return scores + STAYS * (1.0 - strength)[:, None] * said


def _word(
    said: FloatArray, place: IntArray, plain: BoolArray, decided: BoolArray, of: IntArray | None
) -> FloatArray:
    """What the clusters say of each image, float32 (n, k), whatever was said of the image itself.

    Of a plain image that is its group. Of one that was moved it is where the plain images of its
    cluster are, or where dissolving the cluster put it. The more images a person took out of a
    cluster, the less its word counts.

    Args:
        said: float32 (n, k), 1 at the group of each image.
        place: int64 (n,), where that is.
        plain: bool (n,), the images that nothing moved.
        decided: bool (n,), those that a person decided.
        of: int64 (n,), the cluster of each image in the result, from 0; None if it is not known.
    """
    word = said * plain[:, None]
    if of is None:
        return word
    n_clusters = int(of.max()) + 1
    pairs = of[plain] * said.shape[1] + place[plain]
    counts = np.bincount(pairs, minlength=n_clusters * said.shape[1])
    where = counts.reshape(n_clusters, -1).astype(np.float32)
    where /= np.maximum(where.sum(axis=1, keepdims=True), 1.0)
    word[~plain] = where[of[~plain]]
    gone = ~plain & ~decided & ~word.any(axis=1)  # the cluster was dissolved
    word[gone] = said[gone]
    stayed = (word[decided] * said[decided]).sum(axis=1)
    asked = np.bincount(of[decided], minlength=n_clusters)
    stays = np.bincount(of[decided], weights=stayed, minlength=n_clusters)
    word *= ((stays + _DOUBT) / (asked + _DOUBT)).astype(np.float32)[of][:, None]
    return word


def _scores(
    x: FloatArray, said: FloatArray, word: FloatArray, plain: BoolArray, decided: BoolArray,
    free: BoolArray, clusters: IntArray,
) -> tuple[FloatArray, FloatArray, Fit | None]:  # fmt: skip
    """The score of each group for each image, float32 (n, k): about the chance that it is right.

    And how much learning counts for each image, see `trusted`, and the fit to decided images.

    Args:
        x: float32 (n, d), balanced.
        said: float32 (n, k), 1 at the group of each image.
        word: see `_word`.
        plain: bool (n,), the images that nothing moved.
        decided: bool (n,), the observations.
        free: bool (n,), the images that may move.
        clusters: int64 (n,), the cluster of each image in the result, from 0.
    """
    if not (plain | decided).any():  # all belong nowhere: nothing is said of any group
        return word.copy(), np.ones(len(x), dtype=np.float32), None
    spoken = np.flatnonzero(plain if plain.any() else decided)
    spoken = spoken[sample_rows(len(spoken), _SMOOTHED)]
    mean = _linear(x, x[spoken], (word if plain.any() else said)[spoken])
    mean += word
    mean *= np.where(word.any(axis=1, keepdims=True), _TRUST / 2, _TRUST).astype(np.float32)
    strength = np.ones(len(x), dtype=np.float32)
    rows = np.flatnonzero(decided)
    if not len(rows):
        return mean, strength, None
    residual = _residual(mean[rows], said[rows], word)
    fitted = sample_rows(len(rows), _LANDMARKS)
    own = rows[fitted]
    fit = Fit(own, x[own], mean[own], said[own], residual[fitted])
    rows, residual = _observed(rows, residual)
    if len(rows) <= _LANDMARKS:
        weights = fit.weights
        strength = trusted(fit, clusters)
    else:
        weights = fewer_landmarks(likeness(x[rows[:_LANDMARKS]], x[rows]), residual)
    landmarks = Landmarks(x[rows[:_LANDMARKS]], weights.astype(np.float32))
    most = _PRODUCTS // len(landmarks.points)
    if len(x) <= most:
        return mean + strength[:, None] * landmarks.of(x), strength, fit
    some = x[sample_rows(len(x), _ROUGHLY)]
    scores = _linear(x, some, landmarks.of(some))
    scores *= strength[:, None]
    scores += mean
    close = _least_clear(_with_stays(scores, strength, said), free, most)
    scores[close] = mean[close] + strength[close, None] * landmarks.of(x[close])
    return scores, strength, fit


def _least_clear(scores: FloatArray, free: BoolArray, most: int) -> IntArray:
    """Of the free images those whose two best groups are nearest to each other, int64 ascending."""
    best = np.partition(scores, -2, axis=1)[:, -2:]
    lead = np.where(free, best[:, 1] - best[:, 0], np.inf)
    return np.sort(np.argpartition(lead, most)[:most])


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
    weights = weights.astype(np.float32)
    fitted: FloatArray = x @ weights
    fitted += mean - middle @ weights
    return fitted
