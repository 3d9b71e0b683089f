"""The several ways a pile can be divided: comparing them and choosing one, without labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from shoal.clustering.clustering import Clustering
from shoal.clustering.partitions import r_squared
from shoal.embedding.linear_algebra import whitening
from shoal.images.sampling import sample_rows
from shoal.images.tensors import to_float
from shoal.images.vectors.source import n_dimensions_of
from shoal.models.facts import Split
from shoal.protocols import FloatArray, ImageSource, IntArray

PIXELS_COUNT = 0.07
"""How much of what pixels explain is held against a candidate. Measured: benchmarks/splits.py."""
NEARLY = 0.03
"""Candidates this much less separated than the best are ordered behind those that are not."""
_THUMBNAIL = 8
_PIXEL_COMPONENTS = 64
_SAMPLE = 5000


def score(split: Split) -> float:
    """Separation less `PIXELS_COUNT` of any pixel share: the order among clearly separated splits.

    What the embedding tells apart clearly and raw pixels do not is what was learned: of several
    clear candidates the one that colour and brightness alone explain is mostly the boring one. Only
    of clear ones, see `ranking`: noise is what pixels explain least of all.
    """
    return split.separation - PIXELS_COUNT * (split.pixel_share or 0.0)


def choose(
    source: ImageSource, clustering: Clustering, z: FloatArray
) -> tuple[Clustering, tuple[Split, ...]]:
    """Order the candidates of a clustering, the best first, and describe them.

    By `ranking`, with two clusters only: of more, the clusterer's own choice stays the first,
    because nothing is known yet by which to prefer another.

    Args:
        source: the images it was fitted on.
        clustering: left as it is.
        z: float32 (n, d), the reduced embedding of the images.
    """
    splits = describe(source, clustering, z)
    order = ranking(splits)
    if len(splits[0].sizes) != 2:
        order = [0, *(index for index in order if index != 0)]
    return clustering.reordered(order), tuple(splits[index] for index in order)


def ranking(splits: Sequence[Split]) -> list[int]:
    """Indices of candidates, the best first.

    First come those whose separation is within `NEARLY` of the greatest, then the rest, each by
    score.

    >>> clear = Split((9, 1), separation=0.82, pixel_share=0.60)
    >>> unlike_pixels = Split((5, 5), separation=0.80, pixel_share=0.30)
    >>> hardly = Split((6, 4), separation=0.78, pixel_share=0.00)
    >>> ranking([hardly, clear, unlike_pixels])
    [2, 1, 0]
    """
    clear = max(split.separation for split in splits) - NEARLY
    return sorted(
        range(len(splits)), key=lambda i: (splits[i].separation < clear, -score(splits[i]))
    )


def n_rivals(
    separations: Sequence[float], n_clusters: int, tolerance: float = NEARLY
) -> int | None:
    """How many other ways to divide a pile are about as clear as the first.

    None where there is one way alone, and with more clusters than two, where separation does not
    order the ways.

    >>> n_rivals([0.85, 0.83, 0.79], 2), n_rivals([0.85, 0.83, 0.79], 3)
    (1, None)
    """
    if len(separations) < 2 or n_clusters != 2:
        return None
    return sum(other >= separations[0] - tolerance for other in separations[1:])


def describe(source: ImageSource, clustering: Clustering, z: FloatArray) -> list[Split]:
    """Describe each candidate on the images of ``source``, in the candidates' present order.

    Of vectors from elsewhere there is no pixel share: their clusters do not depend on pictures.
    """
    rows = sample_rows(len(source), _SAMPLE)
    pixels = None if n_dimensions_of(source) else _white_thumbnails(source, rows)
    separation = clustering.separation
    return [
        Split(
            sizes=tuple(np.bincount(labels, minlength=labels.max() + 1).tolist()),
            separation=float(separation[index]),
            pixel_share=None if pixels is None else r_squared(pixels, labels[rows]),
        )
        for index, labels in enumerate(clustering.candidates(z))
    ]


def _white_thumbnails(source: ImageSource, rows: IntArray) -> FloatArray:
    pixels = thumbnails(source, rows)
    mean, white = whitening(pixels, min(_PIXEL_COMPONENTS, max(2, len(rows) // 10)))
    return (pixels - mean) @ white


def thumbnails(source: ImageSource, rows: IntArray) -> FloatArray:
    """Images ``rows`` shrunk to 8 × 8 pixels, float32 (m, 64 C) in [0, 1]."""
    small = []
    for start in range(0, len(rows), 512):
        x = to_float(source.read(rows[start : start + 512]), "cpu")
        small.append(F.adaptive_avg_pool2d(x, _THUMBNAIL).flatten(1))
    return torch.cat(small).numpy()
