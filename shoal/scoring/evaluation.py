"""Scores of clusters against labels. No other module reads labels.

Nothing that trains, clusters or chooses imports this module; an import contract keeps it so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.partitions import match as match
from shoal.errors import DataError
from shoal.images.checks import check_labels
from shoal.images.csv_files import column_if_there, columns, look_up, places_of, quoted
from shoal.images.formats.numpy_file import load_array
from shoal.images.remote.location import split_name
from shoal.plural import counted
from shoal.protocols import Array, FloatArray, IntArray

_NAMES = ("id", "file", "file_name", "image", "path")
"""Columns that may say which image a label is of."""


@dataclass(frozen=True)
class Scores:
    """How well clusters agree with labels. How the clusters are numbered does not matter."""

    n_images: int
    accuracy: float
    """Share of images in the right cluster, each cluster matched with one label, in [0, 1]."""
    nmi: float
    """Normalised mutual information (arithmetic mean), in [0, 1]."""
    ari: float
    """Adjusted Rand index, in [-0.5, 1]; 0 is chance."""


@dataclass(frozen=True)
class ConfidenceBin:
    """Images of similar confidence, and how often their cluster is right."""

    n_images: int
    confidence: float
    """Mean confidence of these images, in [0, 1]."""
    accuracy: float
    """Share of these images whose cluster is right, in [0, 1]."""


def load_labels(path: str | Path, n_images: int, ids: Sequence[str] = ()) -> IntArray:
    """Read one label for each image: a ``.npy`` or ``.npz`` file, or a CSV with a column ``label``.

    A CSV may hold words, such as the names of kinds. Its rows are in the order of the images,
    unless a column says which image each is of: ``id``, ``file``, ``file_name``, ``image`` or
    ``path``.

    Args:
        path: the file.
        n_images: how many images there are.
        ids: their ids, by which the rows of a CSV are known; none: they are in order.

    Returns:
        int64 (n_images,).

    Raises:
        DataError: the file is missing or cannot be read; it does not hold one label for each
            image, or holds the same for all; or its rows are of other images.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        labels = _read_csv(path)
        order = _order_in(path, ids) if len(ids) else None
        labels = check_labels(labels, n_images, str(path))
        labels = labels if order is None else labels[order]
    elif split_name(path, (".npz",))[0].suffix.lower() in (".npy", ".npz"):
        labels = check_labels(load_array(path, axes=(1,)), n_images, str(path))
    else:
        raise DataError(f"{path}: labels must be a .npy, .npz or .csv file.")
    if n_images > 1 and (labels == labels[0]).all():
        raise DataError(
            f"{path} gives all images the same label, so there is nothing to measure; give labels "
            "of at least two kinds."
        )
    return labels


def _read_csv(path: Path) -> Array:
    (cells,) = columns(path, "a CSV file of labels", ("label",))
    blank = next((row for row, cell in enumerate(cells, start=2) if not cell.strip()), None)
    if blank is not None:
        raise DataError(f"{path}: row {blank} has no label; give every image one.")
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):  # words, which are numbered: what they say is not used
        words = [cell.strip() for cell in cells]
        return np.unique(words, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _order_in(path: Path, ids: Sequence[str]) -> IntArray | None:
    """The row of a CSV, without its header, that is of each image, int64 (n,).

    None if no column says which image a row is of.

    Raises:
        DataError: the rows name none of the images, one that is not in the pile, one a second
            time, or not all of them.
    """
    there = [name for name in _NAMES if any(column_if_there(path, name))]
    if not there:
        return None
    cells = {name: columns(path, "a CSV file of labels", (name,))[0] for name in there}
    known = places_of(ids)
    fits = next((name for name in there if not known.keys().isdisjoint(cells[name])), None)
    if fits is None:
        first = next(filter(None, cells[there[0]]))
        raise DataError(
            f"{path}: no row is of an image of the pile: column {there[0]!r} begins with "
            f"{quoted(first)}, and ids there are such as {ids[0]!r}; correct it, or leave it out "
            "if the rows are in the order of the images."
        )
    names = cells[fits]
    rows = look_up(names, ids, path)
    once = set(rows)
    if len(once) < len(rows):
        twice = next(name for name, times in Counter(names).items() if times > 1)
        raise DataError(f"{path} names {twice!r} more than once; give every image one row.")
    if len(once) < len(ids):
        missing = [name for row, name in enumerate(ids) if row not in once]
        raise DataError(
            f"{path} has no label of {counted(len(missing), 'image')}, such as {missing[0]!r}; "
            "give every image a row."
        )
    return np.argsort(rows).astype(np.int64)


def score(clusters: IntArray, labels: IntArray) -> Scores:
    """Compare clusters int64 (n,) with labels int64 (n,).

    Raises:
        DataError: the lengths differ, or there are no labels.

    >>> score(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])).accuracy
    1.0
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    if len(clusters) != len(labels) or not len(labels):
        raise DataError(
            f"clusters and labels must have the same length, at least 1, got {len(clusters)} and "
            f"{len(labels)}."
        )
    return Scores(
        n_images=len(labels),
        accuracy=float(np.mean(match(clusters, labels) == labels)),
        nmi=float(normalized_mutual_info_score(labels, clusters)),
        ari=float(adjusted_rand_score(labels, clusters)),
    )


def accuracy_interval(accuracy: float, n_images: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy measured on ``n_images``: the score interval.

    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Args:
        accuracy: a whole number of right images divided by ``n_images``, as `score` gives it.
        n_images: how many images were scored.

    >>> low, high = accuracy_interval(0.9, 500)
    >>> round(low, 3), round(high, 3)
    (0.871, 0.923)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(accuracy * n_images), n_images).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def calibration(
    confidence: FloatArray, clusters: IntArray, labels: IntArray, *, n_bins: int = 10
) -> list[ConfidenceBin]:
    """How often images are right, by their confidence: a reliability curve.

    All bins hold about as many images; the least confident come first (Nguyen and O'Connor 2015,
    arXiv:1508.05154). Images of equal confidence share their mean accuracy, so the order of the
    images has no influence.

    Args:
        confidence: float (n,).
        clusters: int64 (n,); `match` pairs clusters with labels.
        labels: int64 (n,).
        n_bins: number of bins; fewer if there are fewer images.

    Raises:
        DataError: the lengths differ, or there are no images.

    >>> bins = calibration(np.array([0.9, 0.5]), np.array([0, 1]), np.array([0, 0]), n_bins=2)
    >>> [(bin.confidence, bin.accuracy) for bin in bins]
    [(0.5, 0.0), (0.9, 1.0)]
    """
    if not len(confidence) == len(clusters) == len(labels) or not len(labels):
        raise DataError(
            "confidence, clusters and labels must have the same length, at least 1, got "
            f"{len(confidence)}, {len(clusters)} and {len(labels)}."
        )
    values, group = np.unique(confidence, return_inverse=True)
    accuracy = np.bincount(group, match(clusters, labels) == labels) / np.bincount(group)
    order = np.argsort(group, kind="stable")
    bins = np.array_split(group[order], min(n_bins, len(labels)))
    return [
        ConfidenceBin(len(groups), float(values[groups].mean()), float(accuracy[groups].mean()))
        for groups in bins
    ]
