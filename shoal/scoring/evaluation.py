"""Evaluation: the only room where labels are read. Nothing that trains or chooses imports it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.partitions import match as match
from shoal.errors import DataError
from shoal.images.checks import check_labels
from shoal.images.formats.numpy_file import load_array
from shoal.protocols import Array, FloatArray, IntArray


@dataclass(frozen=True)
class Scores:
    """How well clusters agree with labels. Names of clusters do not matter."""

    n_images: int
    accuracy: float
    """Share of images right under the best one-to-one naming of clusters, in [0, 1]."""
    nmi: float
    """Normalised mutual information (arithmetic mean), in [0, 1]."""
    ari: float
    """Adjusted Rand index, in [-0.5, 1]; 0 is chance."""


@dataclass(frozen=True)
class ConfidenceBin:
    """Images of like confidence, and how often they are right."""

    n_images: int
    confidence: float
    """Their mean confidence, in [0, 1]."""
    accuracy: float
    """Share of them that is right, in [0, 1]."""


def load_labels(path: str | Path, n_images: int) -> IntArray:
    """Read labels from a ``.npy`` file of whole numbers or a CSV with a column ``label``.

    Raises:
        DataError: missing, unreadable, or not one whole number an image.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        return check_labels(_read_csv(path), n_images, str(path))
    if path.suffix.lower() not in (".npy", ".npz"):
        raise DataError(f"{path}: labels are expected as .npy or .csv; save them as one of these.")
    return check_labels(load_array(path), n_images, str(path))


def _read_csv(path: Path) -> Array:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return np.array([int(row["label"]) for row in csv.DictReader(file)], dtype=np.int64)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except (KeyError, TypeError, ValueError, OverflowError, OSError, csv.Error):
        raise DataError(
            f"{path}: a CSV with a column 'label' of whole numbers is expected; check its header."
        ) from None


def score(clusters: IntArray, labels: IntArray) -> Scores:
    """Compare clusters int64 (n,) with labels int64 (n,).

    >>> score(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])).accuracy
    1.0

    Raises:
        DataError: different lengths, or none.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    if len(clusters) != len(labels) or not len(labels):
        raise DataError(
            f"as many labels as images are expected, at least 1, and {len(labels)} labels came "
            f"for {len(clusters)} images."
        )
    return Scores(
        n_images=len(labels),
        accuracy=float(np.mean(match(clusters, labels) == labels)),
        nmi=float(normalized_mutual_info_score(labels, clusters)),
        ari=float(adjusted_rand_score(labels, clusters)),
    )


def accuracy_interval(accuracy: float, n_images: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy measured on ``n_images`` (Wilson 1927).

    >>> low, high = accuracy_interval(0.9, 500)
    >>> round(low, 3), round(high, 3)
    (0.871, 0.923)
    """
    z = 1.959964
    centre = (accuracy + z * z / (2 * n_images)) / (1 + z * z / n_images)
    spread = accuracy * (1 - accuracy) / n_images + z * z / (4 * n_images**2)
    half = z * float(np.sqrt(spread)) / (1 + z * z / n_images)
    return centre - half, centre + half


def calibration(
    confidence: FloatArray, clusters: IntArray, labels: IntArray, *, n_bins: int = 10
) -> list[ConfidenceBin]:
    """How often images are right, by their confidence: a reliability curve.

    Bins of equal count, the least confident first (Nguyen and O'Connor 2015, arXiv:1508.05154).
    Images of the very same confidence share their accuracy, so that the order of the file decides
    nothing.

    Args:
        confidence: float (n,).
        clusters: int64 (n,), named as the labels by `match`.
        labels: int64 (n,).
        n_bins: how many; fewer if there are fewer images.

    >>> bins = calibration(np.array([0.9, 0.5]), np.array([0, 1]), np.array([0, 0]), n_bins=2)
    >>> [(bin.confidence, bin.accuracy) for bin in bins]
    [(0.5, 0.0), (0.9, 1.0)]

    Raises:
        DataError: different lengths, or none.
    """
    if not len(confidence) == len(clusters) == len(labels) or not len(labels):
        raise DataError(
            f"a confidence, a cluster and a label an image are expected, at least 1, and "
            f"{len(confidence)}, {len(clusters)} and {len(labels)} came."
        )
    values, group = np.unique(confidence, return_inverse=True)
    right = np.bincount(group, match(clusters, labels) == labels) / np.bincount(group)
    order = np.argsort(group, kind="stable")
    bins = np.array_split(group[order], min(n_bins, len(labels)))
    return [
        ConfidenceBin(len(part), float(values[part].mean()), float(right[part].mean()))
        for part in bins
    ]
