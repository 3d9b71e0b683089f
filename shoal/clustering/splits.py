"""The several ways a pile can be divided: comparing them and choosing one, without labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from shoal.clustering.partitions import r_squared
from shoal.embedding.linear_algebra import whitening
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.images.tensors import to_float
from shoal.protocols import Clusterer, FloatArray, ImageSource, IntArray

PIXELS_COUNT = 0.07
"""How much of what pixels explain is held against a candidate. Measured: benchmarks/splits.py."""
NEARLY = 0.03
"""Candidates this much less separated than the best are ordered behind those that are not."""
_THUMBNAIL = 8
_PIXEL_COMPONENTS = 64
_SAMPLE = 5000


@dataclass(frozen=True)
class Split:
    """One way to divide a pile, and what speaks for it."""

    sizes: tuple[int, ...]
    """Images in each cluster, by number."""
    separation: float
    """R² of predicting it from the embedding, in [0, 1]."""
    pixel_share: float
    """R² of predicting it from thumbnails of the images, in [0, 1]: what took no learning."""

    @property
    def score(self) -> float:
        """Separation less `PIXELS_COUNT` of the pixel share: the order among the clearly separated.

        What the embedding tells apart clearly and raw pixels do not is what was learned: of
        several clear candidates the one that colour and brightness alone explain is mostly the
        boring one. Only of clear ones, see `ranking`: noise is what pixels explain least of all.
        """
        return self.separation - PIXELS_COUNT * self.pixel_share


def choose(source: ImageSource, clusterer: Clusterer, z: FloatArray) -> list[Split]:
    """Order a fitted clusterer's candidates, the best first, and describe them.

    By `ranking`, with two clusters only: of more, the clusterer's own stays the first, because
    nothing is known yet by which to prefer another.

    Args:
        source: the images it was fitted on.
        clusterer: reordered in place.
        z: float32 (n, d), their reduced embedding.
    """
    found = describe(source, clusterer, z)
    order = ranking(found)
    if len(found[0].sizes) != 2:
        order = [0, *(index for index in order if index != 0)]
    clusterer.reorder(order)
    return [found[index] for index in order]


def ranking(found: list[Split]) -> list[int]:
    """Indices of candidates, the best first.

    First come those whose separation is within `NEARLY` of the greatest, then the rest, each by
    score.

    >>> clear = Split((9, 1), separation=0.82, pixel_share=0.60)
    >>> unlike_pixels = Split((5, 5), separation=0.80, pixel_share=0.30)
    >>> hardly = Split((6, 4), separation=0.78, pixel_share=0.00)
    >>> ranking([hardly, clear, unlike_pixels])
    [2, 1, 0]
    """
    clear = max(split.separation for split in found) - NEARLY
    return sorted(range(len(found)), key=lambda i: (found[i].separation < clear, -found[i].score))


def describe(source: ImageSource, clusterer: Clusterer, z: FloatArray) -> list[Split]:
    """What speaks for each candidate among the images of ``source``, in their present order."""
    rows = sample_rows(len(source), _SAMPLE)
    pixels = thumbnails(source, rows)
    mean, white = whitening(pixels, min(_PIXEL_COMPONENTS, max(2, len(rows) // 10)))
    pixels = (pixels - mean) @ white
    separation = clusterer.separation
    return [
        Split(
            sizes=tuple(np.bincount(labels, minlength=labels.max() + 1).tolist()),
            separation=float(separation[index]),
            pixel_share=r_squared(pixels, labels[rows]),
        )
        for index, labels in enumerate(candidates(clusterer, z))
    ]


def select(clusterer: Clusterer, split: int) -> None:
    """Make the ``split``-th candidate, counted from 1, the one that is predicted.

    Raises:
        DataError: there is no such candidate.
    """
    n = clusterer.n_candidates
    if not 1 <= split <= n:
        raise DataError(
            f"--split is expected from 1 to {n}, as many ways to divide the pile as the checkpoint "
            f"holds, and {split} came; 'shoal splits' shows them."
        )
    clusterer.reorder([split - 1, *(index for index in range(n) if index != split - 1)])


def candidates(clusterer: Clusterer, z: FloatArray) -> list[IntArray]:
    """The clusters of ``z`` float32 (n, d) under each candidate, int64 (n,), by size in training.

    The clusterer is left as it was.
    """
    return [
        number_by_size(each, each.predict_proba(z)).argmax(axis=1) for each in in_turn(clusterer)
    ]


def in_turn(clusterer: Clusterer) -> Iterator[Clusterer]:
    """The clusterer with each of its candidates in front; after the last, as it was."""
    n = clusterer.n_candidates
    for _ in range(n):
        yield clusterer
        clusterer.reorder([*range(1, n), 0])


def number_by_size(clusterer: Clusterer, membership: FloatArray) -> FloatArray:
    """Memberships (n, k) with their columns ordered by the clusters' sizes in training."""
    known = clusterer.predict_proba(clusterer.reference)
    sizes = np.bincount(known.argmax(axis=1), minlength=known.shape[1])
    return membership[:, np.argsort(-sizes, kind="stable")]


def thumbnails(source: ImageSource, rows: IntArray) -> FloatArray:
    """Images ``rows`` shrunk to 8 × 8 pixels, float32 (m, 64 C) in [0, 1]."""
    small = []
    for start in range(0, len(rows), 512):
        x = to_float(source.read(rows[start : start + 512]), "cpu")
        small.append(F.adaptive_avg_pool2d(x, _THUMBNAIL).flatten(1))
    return torch.cat(small).numpy()


def to_json(splits: list[Split]) -> list[dict[str, Any]]:
    """For a checkpoint's provenance."""
    return [
        {
            "sizes": list(split.sizes),
            "separation": round(split.separation, 6),
            "pixel_share": round(split.pixel_share, 6),
        }
        for split in splits
    ]
