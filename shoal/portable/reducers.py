"""Reducers in the graph, each with the numbers that its original has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shoal.embedding.reducers.kernel_pca import KernelPCA
from shoal.embedding.reducers.pca import PCA
from shoal.embedding.reducers.svd import SVD
from shoal.errors import CheckpointError
from shoal.protocols import Array
from shoal.recipes import parts
from shoal.recipes.parts import Part


def reducer_module(part: Part, arrays: dict[str, Array]) -> nn.Module:
    """A reducer as a module: float32 (b, c) to float32 (b, d).

    Args:
        part: the reducer, as the recipe names it.
        arrays: what it has learned.

    Raises:
        CheckpointError: it places an image by an optimisation, which no graph can hold.
    """
    if part.name not in _MODULES:
        raise CheckpointError(
            f"{part.name} cannot be exported: it places an image by an optimisation of its own, "
            f"which no graph can hold; train with {', '.join(_MODULES)}."
        )
    fitted = parts.build("reducers", part, random_state=0).set_arrays(arrays)
    return _MODULES[part.name](fitted)


class UnitNormModule(nn.Module):
    """`UnitNorm`: rows of length 1."""

    def forward(self, x: Tensor) -> Tensor:
        return x / torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp(min=1e-12)


class ProjectionModule(nn.Module):
    """`PCA` and `SVD`: inner products with axes (k, d), summed in double precision."""

    mean: Tensor
    axes: Tensor

    def __init__(self, mean: Array, axes: Array) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.array(mean, np.float32)))
        self.register_buffer("axes", torch.from_numpy(np.array(axes.T, np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        return ((x - self.mean).double() @ self.axes.double()).float()


class KernelPCAModule(nn.Module):
    """`KernelPCA`: Gaussian kernels with the landmarks, then a projection."""

    landmarks: Tensor
    scale: Tensor
    projection: Tensor
    offset: Tensor

    def __init__(self, fitted: KernelPCA) -> None:
        super().__init__()
        self.gamma = float(fitted.gamma_)
        self.register_buffer("landmarks", torch.from_numpy(np.array(fitted.landmarks_)))
        self.register_buffer("scale", torch.tensor(float(fitted.landmarks_scale_)))
        self.register_buffer("projection", torch.from_numpy(np.array(fitted.projection_)))
        self.register_buffer("offset", torch.from_numpy(np.array(fitted.offset_, np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        landmarks = (self.landmarks.float() * self.scale).double()
        kernel = torch.exp(-self.gamma * squared_distances(x.double(), landmarks))
        return (kernel @ self.projection.double()).float() - self.offset


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances of rows float64 (b, d) and (n, d): float64 (b, n)."""
    lengths = x.square().sum(1, keepdim=True) + y.square().sum(1)[None]
    return (lengths - 2.0 * (x @ y.T)).clamp(min=0.0)


def _pca(fitted: PCA) -> nn.Module:
    return ProjectionModule(fitted.mean_, fitted.components_ * fitted.scale_[:, None])


def _svd(fitted: SVD) -> nn.Module:
    zero = np.zeros(fitted.components_.shape[1], np.float32)
    return ProjectionModule(zero, fitted.components_)


_MODULES: Mapping[str, Callable[[Any], nn.Module]] = {
    "kernel_pca": KernelPCAModule,
    "pca": _pca,
    "svd": _svd,
    "unit_norm": lambda fitted: UnitNormModule(),
}
