"""The similarity above which two images count as the same kind, learned without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.errors import DataError
from shoal.protocols import Array, Clusterer, FloatArray, IntArray
from shoal.search.similarity import similarity

SPACES = ("clusters", "embedding")
_LEARNED_FROM = 200_000
"""Random pairs of training images from which a threshold is learned."""


@dataclass(frozen=True)
class Threshold:
    """Above it, or at it, two images count as the same kind."""

    value: float
    agreement: float
    """Share of random pairs of training images of which it says what their clusters say."""
    learned: bool
    """Whether it was learned; else it was given."""


def learn_threshold(
    clusterer: Clusterer, metric: str = "cosine", *, space: str = "clusters", seed: int = 0,
    value: float | None = None,
) -> Threshold:  # fmt: skip
    """The similarity at which "the same" agrees best with the clusters themselves.

    Asked are 200,000 random pairs of the training images that the checkpoint remembers: a pair's
    two images lie in one cluster or do not, and no label is needed. Of thresholds that agree
    equally the strictest is taken, midway between two similarities that occur.

    Measured on 124,750 pairs of labelled photographs and, last, 179,700 of digits (accuracy of
    the decision; half of the photographs' pairs and a tenth of the digits' are the same):

    ====================================  ========  ============  ============  =======
    checkpoint                            best.pth  improved.pth  baseline.pth  digits
    ====================================  ========  ============  ============  =======
    the clusters' own answer              0.849     0.745         0.677         0.992
    clusters, cosine, this threshold      0.849     0.745         0.672         0.992
    … a mixture of two Gaussians          0.829     0.709         0.633         0.970
    … Otsu's threshold                    0.849     0.735         0.646         0.991
    … the best, known from the labels     0.853     0.746         0.674         0.992
    embedding, cosine, this threshold     0.603     0.660         0.655         0.951
    … the best, known from the labels     0.603     0.660         0.656         0.951
    ====================================  ========  ============  ============  =======

    Args:
        clusterer: a fitted one.
        metric: ``cosine`` or ``euclidean``.
        space: what is compared, ``clusters`` or ``embedding``.
        seed: of the random pairs.
        value: a threshold given; then only its agreement is measured.
    """
    reference = clusterer.reference
    if len(reference) < 2:
        return Threshold(0.0 if value is None else value, 1.0, value is None)
    pairs = random_pairs(len(reference), _LEARNED_FROM, np.random.default_rng(seed))
    x, labels = compared(clusterer, reference, space)
    alike = similarity(x[pairs[:, 0]], x[pairs[:, 1]], metric)
    together = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    if value is not None:
        return Threshold(value, float(((alike >= value) == together).mean()), learned=False)
    return Threshold(*best_threshold(alike, together), learned=True)


def best_threshold(alike: FloatArray, together: Array) -> tuple[float, float]:
    """The threshold at or above which ``alike`` (m,) foretells ``together`` bool (m,) most often.

    Returns:
        The threshold and the share foretold, in [0, 1].

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
    if cut == 0:  # none is the same
        value = np.nextafter(alike[0], np.float32(np.inf))
    else:
        value = (alike[cut - 1] + alike[min(cut, len(alike) - 1)]) / 2
        if cut < len(alike) and value <= alike[cut]:  # two neighbours in single precision
            value = alike[cut - 1]
    return float(value), float(right[cut] / len(alike))


def random_pairs(n: int, most: int, generator: np.random.Generator) -> IntArray:
    """Pairs of two different of ``n`` ≥ 2 images, int64 (m, 2): all there are, or ``most``.

    >>> random_pairs(3, 10, np.random.default_rng(0)).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    if n * (n - 1) // 2 <= most:
        return np.stack(np.triu_indices(n, 1), axis=1)
    first = generator.integers(0, n, most)
    return np.stack([first, (first + generator.integers(1, n, most)) % n], axis=1)


def compared(clusterer: Clusterer, z: FloatArray, space: str) -> tuple[FloatArray, IntArray]:
    """What is compared of points ``z``, float32 (n, c), and their clusters, int64 (n,)."""
    membership = clusterer.predict_proba(z)
    labels = membership.argmax(axis=1).astype(np.int64)
    return (np.sqrt(membership) if space == "clusters" else z), labels


def check_space(space: str) -> None:
    """Raise `DataError` unless ``space`` is one of `SPACES`."""
    if space not in SPACES:
        raise DataError(
            f"--space is expected among {', '.join(SPACES)}, and {space!r} came; choose one."
        )


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
        raise DataError(
            f"--threshold is expected as a number or auto, and {text!r} came."
        ) from None


def check_threshold(threshold: float | None, metric: str) -> None:
    """Raise `DataError` if no similarity by ``metric`` could ever be on one side of it."""
    low, high = (-1.0, 1.0) if metric == "cosine" else (0.0, 1.0)
    if threshold is not None and not low <= threshold <= high:
        raise DataError(
            f"--threshold is expected in [{low:g}, {high:g}], as the {metric} similarity is, or "
            f"auto, and {threshold:g} came."
        )
