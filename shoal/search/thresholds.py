"""The similarity from which two images count as the same kind, learned without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.clustering.clustering import Clustering
from shoal.errors import DataError
from shoal.protocols import Array, FloatArray, IntArray
from shoal.search.similarity import similarity

SPACES = ("clusters", "embedding")
_LEARNED_FROM = 200_000
"""Random pairs of training images from which a threshold is learned."""


@dataclass(frozen=True)
class Threshold:
    """Two images count as the same kind if their similarity is this value or more."""

    value: float
    agreement: float
    """The share of random pairs of training images for which threshold and clusters agree."""
    learned: bool
    """Whether it was learned; if not, it was given."""


def learn_threshold(
    clustering: Clustering, metric: str = "cosine", *, space: str = "clusters", seed: int = 0,
    value: float | None = None,
) -> Threshold:  # fmt: skip
    """The threshold whose decisions agree best with the clusters.

    It is learned from 200,000 random pairs of the training images that the checkpoint remembers:
    the two images of a pair are in one cluster or not, and no label is needed. Of thresholds that
    agree equally well, the strictest is taken, halfway between two similarities that occur.

    Accuracy of the decision on 124,750 pairs of labelled photographs, of which half are the same,
    and on 179,700 pairs of digits (last column), of which a tenth are the same:

    ====================================  ========  ============  ============  =======
    checkpoint                            best.pth  improved.pth  baseline.pth  digits
    ====================================  ========  ============  ============  =======
    in one cluster                        0.849     0.745         0.677         0.992
    clusters, cosine, this threshold      0.849     0.745         0.672         0.992
    … a mixture of two Gaussians          0.829     0.709         0.633         0.970
    … Otsu's threshold                    0.849     0.735         0.646         0.991
    … the best, known from the labels     0.853     0.746         0.674         0.992
    embedding, cosine, this threshold     0.603     0.660         0.655         0.951
    … the best, known from the labels     0.603     0.660         0.656         0.951
    ====================================  ========  ============  ============  =======

    Args:
        clustering: a fitted one.
        metric: ``cosine`` or ``euclidean``.
        space: what is compared, ``clusters`` or ``embedding``; see `decide_pairs`.
        seed: of the random pairs.
        value: a threshold of your own; then only its agreement is measured.
    """
    reference = clustering.reference
    if len(reference) < 2:
        return Threshold(0.0 if value is None else value, 1.0, value is None)
    pairs = random_pairs(len(reference), _LEARNED_FROM, np.random.default_rng(seed))
    x, labels = in_space(clustering, reference, space)
    alike = similarity(x[pairs[:, 0]], x[pairs[:, 1]], metric)
    together = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    if value is not None:
        return Threshold(value, float(((alike >= value) == together).mean()), learned=False)
    return Threshold(*best_threshold(alike, together), learned=True)


def best_threshold(alike: FloatArray, together: Array) -> tuple[float, float]:
    """The threshold on similarities that best predicts which pairs are together.

    Args:
        alike: float32 (m,), the similarity of each pair.
        together: bool (m,), whether the two are together.

    Returns:
        The threshold, and the share of pairs that it predicts right, in [0, 1].

    >>> best_threshold(np.float32([0.9, 0.75, 0.25, 0.1]), np.array([True, True, False, False]))
    (0.5, 1.0)
    """
    order = np.argsort(-alike, kind="stable")
    alike, together = alike[order].astype(np.float32), together[order]
    gained = np.concatenate([[0], np.cumsum(np.where(together, 1, -1))])
    right = gained + np.count_nonzero(~together)
    # After the i-th of the ordered pairs a threshold fits only if the next one is less alike.
    possible = np.concatenate([[True], alike[1:] < alike[:-1], [True]])
    cut = int(np.where(possible, right, -1).argmax())
    if cut == 0:  # no pair is the same
        value = np.nextafter(alike[0], np.float32(np.inf))
    else:
        value = (alike[cut - 1] + alike[min(cut, len(alike) - 1)]) / 2
        if cut < len(alike) and value <= alike[cut]:  # two neighbours in single precision
            value = alike[cut - 1]
    return float(value), float(right[cut] / len(alike))


def random_pairs(n: int, most: int, generator: np.random.Generator) -> IntArray:
    """Pairs of different images out of ``n`` ≥ 2: all pairs, or ``most`` at random.

    Returns:
        int64 (m, 2).

    >>> random_pairs(3, 10, np.random.default_rng(0)).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    if n * (n - 1) // 2 <= most:
        return np.stack(np.triu_indices(n, 1), axis=1)
    first = generator.integers(0, n, most)
    return np.stack([first, (first + generator.integers(1, n, most)) % n], axis=1)


def in_space(clustering: Clustering, z: FloatArray, space: str) -> tuple[FloatArray, IntArray]:
    """The vectors that are compared, and the cluster of each point.

    Args:
        clustering: a fitted one.
        z: float32 (n, d), points of the reduced embedding.
        space: ``clusters`` or ``embedding``.

    Returns:
        float32 (n, c): the square roots of the memberships, or ``z``; and int64 (n,).
    """
    membership = clustering.predict_proba(z)
    labels = membership.argmax(axis=1).astype(np.int64)
    return (np.sqrt(membership) if space == "clusters" else z), labels


def check_space(space: str) -> None:
    """Raise `DataError` unless ``space`` is one of `SPACES`."""
    if space not in SPACES:
        raise DataError(f"space must be {' or '.join(SPACES)}, got {space!r}.")


def parse_threshold(text: str) -> float | None:
    """A number, or None for ``auto``.

    Raises:
        DataError: anything else.

    >>> parse_threshold("0.5"), parse_threshold("auto")
    (0.5, None)
    """
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise DataError(f"threshold must be a number or auto, got {text!r}.") from None


def check_threshold(threshold: float | None, metric: str) -> None:
    """Raise `DataError` unless ``threshold`` is None or within the range of ``metric``."""
    low, high = (-1.0, 1.0) if metric == "cosine" else (0.0, 1.0)
    if threshold is not None and not low <= threshold <= high:
        raise DataError(
            f"threshold must be auto, or from {low:g} to {high:g} for the {metric} metric, got "
            f"{threshold:g}."
        )
