"""Parts of a pile: small sets of images that are alike, about which a person is asked at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.clustering.clusterers import kmeans
from shoal.clustering.clustering import Clustering
from shoal.corrections.entry import NOWHERE
from shoal.embedding.linear_algebra import unit_rows
from shoal.embedding.reducers import kernel_pca
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.protocols import FloatArray, IntArray
from shoal.recipes.metric import COSINE, EUCLIDEAN

_N_PARTS = 100
"""Of a pile. With 50, parts of the hand signs hold two kinds; 200 need more answers."""
_STARTS = 3
_ROUNDS = 10
_FEWEST_IMAGES = 12
_FITTED, _QUICKLY = 5000, 2000
"""Of more images, the middles are found in a random sample of this many; of very many images in
one of fewer, so that a person need not wait."""
_VERY_MANY = 8500
_COMPONENTS, _LANDMARKS, _PAIRS = 64, 500, 4000
_FEW_NUMBERS, _NARROW = 2, 1.5
"""The kernel is exp(-1.5 / √d) at the usual distance of two vectors."""


def balanced(z: FloatArray, metric: str = COSINE) -> FloatArray:
    """An embedding as corrections compare it: half whitened, each row of unit length.

    Whole principal components drown small kinds; whitened ones drown large kinds. On hand signs a
    linear probe has 0.93 on ``z``, 0.94 half whitened, and 0.94 whitened with worse neighbours.

    Of vectors that are compared as they are the direction from the mean does not tell what lies
    near from what lies far, least of all where they have one number or two. There components of a
    Gaussian kernel stand for them, half whitened, too; where they have d > 2 numbers both stand
    side by side, and the kernel counts for 2/d of the whole. Measured: benchmarks/told_vectors.py.

    Args:
        z: float32 (n, d), the reduced embedding.
        metric: of the checkpoint, ``cosine`` or ``euclidean``.

    Returns:
        float32 (n, d), or with ``euclidean`` (n, c).
    """
    if metric != EUCLIDEAN or len(z) < 2 or not z.shape[1]:
        return _directions(z)
    share, near = min(1.0, _FEW_NUMBERS / z.shape[1]), _directions(_near(z))
    if share == 1.0:
        return near
    of_both = [np.sqrt(1.0 - share) * _directions(z), np.sqrt(share) * near]
    return np.concatenate(of_both, axis=1, dtype=np.float32)


def _directions(z: FloatArray) -> FloatArray:
    x = z - z.mean(axis=0)
    deviation = x.std(axis=0)
    x = x / np.sqrt(np.maximum(deviation, 1e-6 * max(float(deviation.max(initial=0.0)), 1e-12)))
    return np.ascontiguousarray(unit_rows(x), dtype=np.float32)


def _near(z: FloatArray) -> FloatArray:
    """Components float32 (n, c) whose inner products fall with the distance of vectors (n, d)."""
    some = z[sample_rows(len(z), _FITTED)]
    a, b = np.random.default_rng(0).integers(0, len(some), (2, _PAIRS))
    usual = float(np.median(np.square(some[a] - some[b]).sum(axis=1)))
    gamma = _NARROW / np.sqrt(z.shape[1]) / max(usual, 1e-12)
    kernel = kernel_pca.build(n_components=_COMPONENTS, gamma=gamma, n_landmarks=_LANDMARKS)
    kernel.fit_transform(some)
    return kernel.transform(z)


def default_n_parts(n_images: int) -> int:
    """How many parts to show a group of ``n_images`` as.

    >>> default_n_parts(5), default_n_parts(300), default_n_parts(4250)
    (2, 6, 12)
    """
    return int(np.clip(round(np.sqrt(n_images / 8)), 2, 12))


def parts(z: FloatArray, n_parts: int, seed: int = 0, metric: str = COSINE) -> IntArray:
    """Divide images into parts that are alike, by k-means; the same every time.

    Args:
        z: float32 (n, d), the embedding of these images.
        n_parts: how many; fewer of fewer images.
        seed: of the starts of k-means.
        metric: see `balanced`.

    Returns:
        int64 (n,): the part of each image, from 0, the largest first.

    Raises:
        DataError: ``n_parts`` is less than 1.

    >>> parts(np.float32([[0, 1], [9, 9], [0, 1.1], [0, 1.2]]), 2).tolist()
    [0, 1, 0, 0]
    """
    if n_parts < 1:
        raise DataError(f"n_parts must be at least 1, got {n_parts}.")
    fitted = _QUICKLY if len(z) > _VERY_MANY else _FITTED
    return _divided(balanced(z, metric), n_parts, seed, fitted)


def strips(x: FloatArray, size: int) -> IntArray:
    """Divide images into parts of about ``size`` that are alike, sooner than `parts`.

    Spherical k-means (Dhillon and Modha 2001) from a random start. A thousand images take 5 ms in
    place of 145, and a person waits for it.

    Args:
        x: float32 (n, d), rows of unit length.
        size: how many images a part holds, about.

    Returns:
        int64 (n,): the part of each image, from 0.

    >>> strips(np.float32([[0, 1], [1, 0], [0, 1], [1, 0]]), 2).tolist()
    [0, 1, 0, 1]
    """
    middle = x[sample_rows(len(x), max(1, len(x) // size))]
    part = np.zeros(len(x), dtype=np.int64)
    for _ in range(_ROUNDS):
        part = (x @ middle.T).argmax(axis=1)
        total = (part == np.arange(len(middle))[:, None]).astype(np.float32) @ x
        middle = np.where(total.any(axis=1, keepdims=True), unit_rows(total), middle)
    return np.unique(part, return_inverse=True)[1].astype(np.int64)


def parts_of_groups(
    z: FloatArray, group: IntArray, n_parts: int | None = None, x: FloatArray | None = None
) -> IntArray:
    """Divide every group into parts of about the same size, none of which crosses two groups.

    Args:
        z: float32 (n, d), the reduced embedding.
        group: int64 (n,), the group of each image.
        n_parts: of the whole pile, about; by default 100, fewer of fewer than 1,200 images.
        x: `balanced` of ``z``, if it is known.

    Returns:
        int64 (n,): the part of each image, from 0; -1 of images that belong nowhere.
    """
    x = balanced(z) if x is None else x
    size = max(_FEWEST_IMAGES, len(x) / (n_parts or _N_PARTS))
    part = np.full(len(x), -1, dtype=np.int64)
    first = 0
    for one in np.unique(group[group != NOWHERE]).tolist():
        rows = np.flatnonzero(group == one)
        part[rows] = first + _divided(x[rows], max(1, round(len(rows) / size)), 0)
        first = int(part[rows].max()) + 1
    return part


def _divided(x: FloatArray, n_parts: int, seed: int, fitted: int = _FITTED) -> IntArray:
    """`parts` of a balanced embedding."""
    n_parts = min(n_parts, len(x))
    if n_parts < 2:
        return np.zeros(len(x), dtype=np.int64)
    some = x[sample_rows(len(x), fitted)]
    model: Any = kmeans.build(n_clusters=n_parts, n_init=_STARTS, random_state=seed).fit(some)
    return Clustering(model).predict(x)
