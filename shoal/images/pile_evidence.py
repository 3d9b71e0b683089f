"""What a sample of a pile shows of its images: is there an up, and left and right?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shoal.images.sampling import sample_rows
from shoal.images.tensors import to_float
from shoal.protocols import Array, FloatArray, ImageSource

_SAMPLE = 1500
_FEWEST = 200
_THUMBNAIL = 16
_COMPONENTS = 50
_AT_ONCE = 256


@dataclass(frozen=True)
class Symmetry:
    """How often images are told from what they become when they are turned or flipped.

    Each is the share of images, upright or not, that a classifier tells right which it has not
    seen: 0.5 is chance, and the pile looks the same either way.
    """

    upside_down: float
    quarter_turn: float
    flipped: float
    """Left for right."""

    @property
    def up(self) -> float:
        """The greater of the first two: how surely the images have an up."""
        return max(self.upside_down, self.quarter_turn)


def find_symmetry(source: ImageSource) -> Symmetry | None:
    """How well thumbnails of at most 1,500 images are told from the same ones turned or flipped.

    One half of the images teaches a forest of random trees (Geurts et al. 2006,
    doi:10.1007/s10994-006-6226-1), the other half is asked. The mean of each thumbnail is taken
    out, so that the light says nothing.

    Returns:
        None for fewer than 200 images, or for images smaller than 6 pixels a side.
    """
    if len(source) < _FEWEST or min(source.shape[:2]) < 6:
        return None
    rows = sample_rows(len(source), _SAMPLE)
    upright = _thumbnails(source, rows)[np.random.default_rng(0).permutation(len(rows))]
    ways: tuple[Callable[[Array], Array], ...] = (
        lambda x: x[:, ::-1], lambda x: x.transpose(0, 2, 1, 3), lambda x: x[:, :, ::-1]
    )  # fmt: skip
    return Symmetry(*(_told_apart(upright, way(upright)) for way in ways))


def _told_apart(before: Array, after: Array) -> float:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import ExtraTreesClassifier

    n, half = len(before), len(before) // 2
    before, after = before.reshape(n, -1), after.reshape(n, -1)
    known, asked = (
        np.concatenate([before[part], after[part]])
        for part in (slice(None, half), slice(half, None))
    )
    n_components = min(_COMPONENTS, known.shape[1], len(known) - 1)
    with np.errstate(all="ignore"):  # equal images have no variance to divide by
        reducer = PCA(n_components, random_state=0).fit(known)
    forest = ExtraTreesClassifier(100, min_samples_leaf=3, random_state=0)
    forest.fit(reducer.transform(known), np.repeat([0, 1], half))
    return float(forest.score(reducer.transform(asked), np.repeat([0, 1], n - half)))


def _thumbnails(source: ImageSource, rows: Array) -> FloatArray:
    """Thumbnails with mean 0, float32 (m, 16, 16, C)."""
    from torch.nn.functional import adaptive_avg_pool2d

    small = []
    for start in range(0, len(rows), _AT_ONCE):
        x = to_float(source.read(rows[start : start + _AT_ONCE]), "cpu")
        x = adaptive_avg_pool2d(x, _THUMBNAIL)
        small.append((x - x.mean(dim=(2, 3), keepdim=True)).permute(0, 2, 3, 1).numpy())
    return np.concatenate(small)
