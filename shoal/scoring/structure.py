"""Structure: what an image shows, whatever its brightness, contrast and colour.

By it clusterings found in different embeddings are compared, without labels: see
`predictability`.
"""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.clustering.threads import one_thread
from shoal.images.tensors import to_float
from shoal.protocols import Array, FloatArray, ImageSource, IntArray

_SIDE, _CELLS, _ANGLES, _RINGS = 32, 4, 8, 8
_SMALLEST_SIDE = 6
_COMPONENTS = 32
_AT_ONCE = 256
_FOLDS = 3
_PENALTY = 0.3
"""C of the logistic regression: inverse strength of its penalty, on standardised features."""


def describe_structure(source: ImageSource, rows: IntArray) -> FloatArray | None:
    """Two descriptions of the structure of images, side by side, each reduced: float32 (m, d).

    Histograms of oriented gradients in 4 × 4 cells (Dalal and Triggs 2005,
    doi:10.1109/CVPR.2005.177), and the power spectrum by rings of frequency. Both are computed on
    the mean of all channels with mean 0 and variance 1, so that neither brightness nor contrast nor
    colour enters.

    Args:
        source: the images.
        rows: int64 (m,), which images.

    Returns:
        The descriptions; None if the images are smaller than 6 pixels a side.
    """
    if min(source.shape[:2]) < _SMALLEST_SIDE:
        return None
    gradients, spectra = [], []
    for start in range(0, len(rows), _AT_ONCE):
        x = _plain(to_float(source.read(rows[start : start + _AT_ONCE]), "cpu"))
        gradients.append(_gradients(x))
        spectra.append(_spectrum(x))
    parts = [_reduced(torch.cat(found).numpy()) for found in (gradients, spectra)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def predictability(structure: FloatArray, labels: IntArray, random_state: int = 0) -> float:
    """How well a clustering is predicted from the structure of images, 0 (chance) to 1.

    It is the adjusted mutual information between the clusters and those that a logistic regression
    predicts of images that it has not seen (three folds). Clusters that follow the light, the
    colour or the place are hardly predicted, those of one kind of thing better, whatever embedding
    they were found in. A similar idea, with a search: Gadetsky et al. 2024, arXiv:2406.07236.

    Args:
        structure: float32 (m, d), see `describe_structure`.
        labels: int64 (m,), the clusters.
        random_state: seed of the folds.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_mutual_info_score

    fold = np.random.default_rng(random_state).permutation(len(labels)) % _FOLDS
    predicted = np.empty_like(labels)
    for number in range(_FOLDS):
        known, asked = fold != number, fold == number
        if len(np.unique(labels[known])) < 2:
            return 0.0
        model = LogisticRegression(C=_PENALTY, max_iter=100)
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            predicted[asked] = model.fit(structure[known], labels[known]).predict(structure[asked])
    return float(adjusted_mutual_info_score(labels, predicted))


def _plain(x: Tensor) -> Tensor:
    """Small grey copies with mean 0 and variance 1: float (b, C, H, W) to (b, h, w)."""
    size = [min(side, _SIDE) for side in x.shape[2:]]
    if size != list(x.shape[2:]):
        x = F.interpolate(x, size=size, mode="area")
    grey = x.mean(dim=1)
    grey = grey - grey.mean(dim=(1, 2), keepdim=True)
    return grey / (grey.std(dim=(1, 2), correction=0, keepdim=True) + 1e-3)


def _gradients(x: Tensor) -> Tensor:
    """Mean gradient of each direction in each cell: (b, h, w) to (b, 8 · 4 · 4)."""
    down = x[:, 2:, 1:-1] - x[:, :-2, 1:-1]
    right = x[:, 1:-1, 2:] - x[:, 1:-1, :-2]
    angle = torch.atan2(down, right).remainder(torch.pi) / torch.pi * _ANGLES
    angle = angle.long().clamp(0, _ANGLES - 1)
    strength = torch.hypot(down, right)
    of_angle = torch.stack([strength * (angle == each) for each in range(_ANGLES)], dim=1)
    return F.adaptive_avg_pool2d(of_angle, _CELLS).flatten(1)


def _spectrum(x: Tensor) -> Tensor:
    """The logarithm of the mean power in rings of frequency: (b, h, w) to (b, r), r at most 8."""
    power = torch.fft.fft2(x).abs().square()
    down, right = (torch.fft.fftfreq(side) for side in x.shape[1:])
    radius = torch.hypot(*torch.meshgrid(down, right, indexing="ij"))
    edges = torch.linspace(0.02, 0.5, _RINGS + 1)
    rings = [
        power[:, within].mean(dim=1)
        for low, high in pairwise(edges)
        if (within := (radius >= low) & (radius < high)).any()
    ]
    return torch.stack(rings, dim=1).add(1e-6).log()


def _reduced(x: Array) -> Array:
    """Features standardised, then their leading principal components, standardised again."""
    from sklearn.decomposition import PCA

    n_components = max(1, min(_COMPONENTS, x.shape[1], len(x) - 1))
    with np.errstate(all="ignore"):  # equal images have no variance to divide by
        return standardised(PCA(n_components, random_state=0).fit_transform(standardised(x)))


def standardised(x: Array) -> Array:
    """Features (m, d), each with mean 0 and deviation 1; a constant one is 0."""
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
