"""What to ask a person next: the parts whose answer would settle most.

A question is a strip of twelve images of a part and the groups that they most likely belong to. The
person answers for the twelve; `spread` carries the answer on to images that are like them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.corrections.parts import parts
from shoal.corrections.spread import Spread
from shoal.embedding.linear_algebra import unit_rows
from shoal.images.sampling import sample_rows
from shoal.protocols import FloatArray, IntArray

STRIP = 12
"""Images that a question shows, at most."""
_CANDIDATES = 3
_UNKNOWN = 0.5
"""What doubt counts of a part that all decided images are unlike; being unsure counts 1."""
_SUB_PARTS = 3
_FEWEST = 4
"""Parts of fewer images are not divided further."""
_COMPARED = 2000


@dataclass(frozen=True)
class Question:
    """A part of a group, and where it may belong."""

    part: int
    """The number of the part."""
    rows: IntArray
    """int64 (s,), s ≤ 12: the most typical images of the part, which the person answers for."""
    images: IntArray
    """int64 (m,): all images of the part that nobody decided."""
    group: int
    """The group that most of them are in."""
    candidates: tuple[int, ...]
    """The likeliest groups, the best first; ``group`` is among them."""
    shares: tuple[float, ...]
    """How likely each candidate is, in [0, 1]."""
    gain: float
    """How many images an answer would settle, about."""
    reason: str
    """Why this is asked, as a sentence."""
    guesses: tuple[int, ...] = ()
    """The likeliest group of each of ``rows``, where each is asked about by itself; else empty."""
    each: tuple[int, ...] = ()
    """The likeliest group of each of ``rows``, whether it is asked about by itself or not."""
    others: tuple[int, ...] = ()
    """The groups that an image of ``rows`` may belong to, for an answer about each: first the
    candidates."""


def questions(
    x: FloatArray, group: IntArray, decided: BoolArray, part: IntArray, learned: Spread,
    asked: Collection[int] = (), most: int = 1, confidence: FloatArray | None = None,
) -> list[Question]:  # fmt: skip
    """The best questions, the best first; none where all was asked.

    A part counts by its size, times how unsure the groups of its images are after learning; and
    where all decided images are unlike it, by how doubtful it is: the result was not confident, or
    it lies far from the middle of its group. Parts that hold a decided image were asked.

    Args:
        x: float32 (n, d), `balanced`.
        group: int64 (n,), the group of each image.
        decided: bool (n,), the images that a person decided.
        part: int64 (n,), from `parts_of_groups`; -1 of images that are in none.
        learned: what `spread` makes of the same groups.
        asked: numbers of parts that are not to be asked, such as those that the person skipped.
        most: how many questions.
        confidence: float32 (n,) in [0, 1], of the result in each image; None where it is unknown.
    """
    open_rows = np.flatnonzero((part >= 0) & ~decided & (group != NOWHERE))
    n_parts = int(part.max(initial=-1)) + 1
    sizes = np.bincount(part[open_rows], minlength=n_parts)
    answered = np.bincount(part[decided & (part >= 0)], minlength=n_parts) > 0
    left = np.flatnonzero((sizes > 0) & ~answered)
    left = left[~np.isin(left, list(asked))]
    if not len(left):
        return []
    middle, likely = _means(x, learned, part, open_rows, sizes)
    doubt = _doubt(x, group, part, open_rows, sizes, middle, confidence)
    unknown = _UNKNOWN * _unlike(x, middle, left, decided) * doubt[left]
    unsure = 1.0 - likely[left].max(axis=1)
    gain = sizes[left] * (unsure + unknown)
    best = np.argsort(-gain, kind="stable")[:most]
    return [
        _question(x, group, learned, open_rows[part[open_rows] == left[place]],
                  int(left[place]), middle[left[place]], likely[left[place]],
                  float(gain[place]), bool(unsure[place] > unknown[place]))
        for place in best.tolist()
    ]  # fmt: skip


def divided(x: FloatArray, part: IntArray, decided: BoolArray, which: int) -> IntArray:
    """The parts with one of them divided into three: the person saw several kinds in it.

    Args:
        x: float32 (n, d), `balanced`.
        part: int64 (n,).
        decided: bool (n,).
        which: the number of the part. Its largest part keeps the number.

    Returns:
        int64 (n,); the same parts where it is too small to be divided.
    """
    return _split(x, part, decided, [which], _SUB_PARTS)


def finer(x: FloatArray, part: IntArray, decided: BoolArray) -> IntArray:
    """The parts for another round, when all were asked: what is left of each is divided in two.

    Args:
        x: float32 (n, d), `balanced`.
        part: int64 (n,).
        decided: bool (n,). Images that are decided are in no part any more.

    Returns:
        int64 (n,).
    """
    left = np.where(decided, -1, part)
    return _split(x, left, decided, np.unique(left[left >= 0]).tolist(), 2)


def _split(
    x: FloatArray, part: IntArray, decided: BoolArray, which: list[int], n_parts: int
) -> IntArray:
    result, following = part.copy(), int(part.max(initial=-1)) + 1
    for number in which:
        rows = np.flatnonzero((part == number) & ~decided)
        if len(rows) < _FEWEST:
            continue
        label = parts(x[rows], n_parts)
        result[rows] = np.where(label == 0, number, following + label - 1)
        following += int(label.max())
    return result


def _means(
    x: FloatArray, learned: Spread, part: IntArray, rows: IntArray, sizes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The middle of each part, of unit length, and how likely each group is for its images."""
    middle = np.zeros((len(sizes), x.shape[1]), dtype=np.float32)
    likely = np.zeros((len(sizes), len(learned.ids)), dtype=np.float32)
    order = rows[np.argsort(part[rows], kind="stable")]
    filled = np.flatnonzero(sizes)
    starts = np.append(0, np.cumsum(sizes[filled])[:-1])
    middle[filled] = np.add.reduceat(x[order], starts)
    likely[filled] = np.add.reduceat(learned.membership[order], starts)
    likely /= np.maximum(sizes, 1)[:, None]
    return unit_rows(middle), likely


def _unlike(x: FloatArray, middle: FloatArray, left: IntArray, decided: BoolArray) -> FloatArray:
    """How unlike all decided images each part of ``left`` is, in [0, 1]: 1 as far as any part."""
    known = np.flatnonzero(decided)
    if not len(known):
        return np.ones(len(left), dtype=np.float32)
    known = known[sample_rows(len(known), _COMPARED)]
    usual = 1.0 - float(np.median(middle[left] @ middle.T))
    distance = 1.0 - (middle[left] @ x[known].T).max(axis=1)
    unlike: FloatArray = np.clip(distance / max(usual, 1e-6), 0.0, 1.0)
    return unlike


def _doubt(
    x: FloatArray, group: IntArray, part: IntArray, rows: IntArray, sizes: IntArray,
    middle: FloatArray, confidence: FloatArray | None,
) -> FloatArray:  # fmt: skip
    """How doubtful each part is, from 0 to about 2, before anything was said of it.

    On six piles, the share of wrong images in a part goes with the confidence (rank correlation
    0.02 to 0.61), and with the distance from the middle of the group where that fails.
    """
    own = np.zeros(len(sizes), dtype=np.int64)
    own[part[rows]] = group[rows]
    far = np.zeros(len(sizes), dtype=np.float32)
    for one in np.unique(own[sizes > 0]).tolist():
        centre = x[rows[group[rows] == one]].mean(axis=0)
        centre = centre / max(float(np.linalg.norm(centre)), 1e-12)
        far[own == one] = 1.0 - middle[own == one] @ centre
    far = np.clip(far / max(2.0 * float(np.median(far[sizes > 0])), 1e-6), 0.0, 1.0)
    if confidence is None:
        return far
    total = np.bincount(part[rows], weights=confidence[rows], minlength=len(sizes))
    doubt: FloatArray = (far + 1.0 - total / np.maximum(sizes, 1)).astype(np.float32)
    return doubt


def _question(
    x: FloatArray, group: IntArray, learned: Spread, images: IntArray, part: int,
    middle: FloatArray, likely: FloatArray, gain: float, unsure: bool,
) -> Question:  # fmt: skip
    typical = images[np.argsort(-(x[images] @ middle), kind="stable")]
    present, candidates, shares = likeliest(learned, likely, group[images])
    reason = (
        "Images like these could be in more than one group."
        if unsure else "You said nothing yet about images like these."
    )  # fmt: skip
    return Question(part, typical[:STRIP], images, present, candidates, shares, gain, reason)


def likeliest(
    learned: Spread, likely: FloatArray, present: IntArray
) -> tuple[int, tuple[int, ...], tuple[float, ...]]:
    """Where images most likely belong.

    Args:
        learned: what `spread` makes of the groups.
        likely: float32 (k,), how likely each of its groups is for them.
        present: int64 (m,), the group that each of them is in.

    Returns:
        The group that most of them are in; up to three groups, the likeliest first, that one among
        them; and how likely each is.
    """
    groups, counts = np.unique(present, return_counts=True)
    most = int(groups[counts.argmax()])
    candidates = learned.ids[np.argsort(-likely, kind="stable")].tolist()[:_CANDIDATES]
    if most not in candidates and most != NOWHERE:
        candidates[-1] = most
    shares = [float(likely[np.searchsorted(learned.ids, one)]) for one in candidates]
    return most, tuple(candidates), tuple(shares)
