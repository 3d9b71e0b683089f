"""Principal components of the pixels: the embedding that takes no learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from shoal.images.sampling import sample_rows
from shoal.images.tensors import to_float
from shoal.protocols import Array, FloatArray, ImageSource, IntArray

PIXELS, JOINT_PIXELS = "pixels", "joint_pixels"
"""The embeddings of a recipe with these components: alone, or beside what was learned."""
LEARNED = "joint"
"""The embedding that is beside them."""
SIDE = 48
_COMPONENTS = 64
_SAMPLE = 3000
_AT_ONCE = 128
"""As many as `embed` takes, so that both give the same bits."""


class PixelComponents(torch.nn.Module):
    """From images to the principal components of their pixels."""

    mean: Tensor
    components: Tensor
    scale: Tensor

    def __init__(self, arrays: dict[str, Array], symmetric: bool) -> None:
        super().__init__()
        self.symmetric = symmetric
        for name in ("mean", "components", "scale"):
            self.register_buffer(name, torch.from_numpy(arrays[name].astype(np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        """Images float (b, C, H, W) in [0, 1] to float32 (b, c)."""
        centred = flat_pixels(x, self.symmetric) - self.mean
        found: Tensor = centred @ self.components.T * self.scale
        return found


def flat_pixels(x: Tensor, symmetric: bool) -> Tensor:
    """The pixels of small copies of images float (b, C, H, W), at most 48 a side: float32 (b, p).

    Args:
        x: the images.
        symmetric: whether a copy is the mean of its eight symmetries (four, if it is no square), so
            that an image without an up gives the same numbers however it is turned.

    >>> flat_pixels(torch.zeros(2, 3, 64, 24), symmetric=False).shape
    torch.Size([2, 3456])
    """
    size = [min(side, SIDE) for side in x.shape[2:]]
    if size != list(x.shape[2:]):
        down, across = (_averages(*sides) for sides in zip(x.shape[2:], size, strict=True))
        x = down.to(x) @ x @ across.to(x).T
    if symmetric:
        x = (x + x.flip(2)) / 2
        x = (x + x.flip(3)) / 2
        x = (x + x.transpose(2, 3)) / 2 if size[0] == size[1] else x
    return x.flatten(1)


def _averages(before: int, after: int) -> Tensor:
    """The matrix that shortens a side, each new pixel the mean of old ones: float (after, before).

    As adaptive average pooling does, in a form that every format for models knows.

    >>> _averages(4, 2).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    matrix = torch.zeros(after, before)
    for row in range(after):
        start, stop = row * before // after, -(-(row + 1) * before // after)
        matrix[row, start:stop] = 1.0 / (stop - start)
    return matrix


def fit_components(source: ImageSource, symmetric: bool) -> dict[str, Array]:
    """The leading principal components of the pixels of a sample of images.

    Every channel counts by its own spread within the range of the pile; standardised channels were
    worse (benchmarks/LOG.md).

    Args:
        source: the images.
        symmetric: see `flat_pixels`.

    Returns:
        ``mean`` (p,), ``components`` (c, p) of unit length and ``scale`` (1,), which is 1: all
        float32.
    """
    from sklearn.decomposition import PCA

    rows = sample_rows(len(source), _SAMPLE)
    x = np.concatenate([flat_pixels(few, symmetric).numpy() for few in _read(source, rows)])
    n_components = max(1, min(_COMPONENTS, len(x) - 1, x.shape[1]))
    with np.errstate(all="ignore"):  # equal images have no variance to divide by
        found = PCA(n_components, random_state=0).fit(x)
    return {
        "mean": found.mean_.astype(np.float32),
        "components": found.components_.astype(np.float32),
        "scale": np.ones(1, dtype=np.float32),
    }


def components_of(
    source: ImageSource, arrays: dict[str, Array], symmetric: bool, rows: IntArray
) -> FloatArray:
    """The components of the images ``rows``, float32 (m, c)."""
    model = PixelComponents(arrays, symmetric)
    return np.concatenate([model(few).numpy() for few in _read(source, rows)])


def as_spread_as(components: FloatArray, learned: FloatArray) -> np.float32:
    """The factor that gives components the spread of a learned embedding of the same images.

    The spread is the root of the mean squared distance from the mean. Side by side the two then
    count alike. 0 if all components are equal.

    >>> float(as_spread_as(np.float32([[1], [-1]]), np.float32([[0, 3], [0, -3]])))
    3.0
    """
    spread, wanted = (
        float(np.sqrt(np.square(x - x.mean(axis=0)).sum(axis=1).mean()))
        for x in (components, learned)
    )
    return np.float32(wanted / spread if spread > 1e-9 else 0.0)


def _read(source: ImageSource, rows: IntArray) -> Iterator[Tensor]:
    for start in range(0, len(rows), _AT_ONCE):
        yield to_float(source.read(rows[start : start + _AT_ONCE]), "cpu")
