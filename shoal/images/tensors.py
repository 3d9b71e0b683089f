"""Images as pixels, and as the tensors that encoders take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shoal.images.levels import white_of
from shoal.protocols import Array


def to_float(pixels: Array, device: str) -> Tensor:
    """uint8 or uint16 (b, H, W, C) to float32 (b, C, H, W) in [0, 1], channels last in memory."""
    # (b, H, W, C) seen as (b, C, H, W) already is channels_last; pooling anything else is slow.
    pixels = np.ascontiguousarray(pixels)
    white = white_of(pixels.dtype)
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(white)


def to_pixels(x: Tensor, dtype: npt.DTypeLike = np.uint8) -> Array:
    """float (b, C, H, W) in [0, 1] to uint8 or uint16 (b, H, W, C), the inverse of `to_float`.

    >>> to_pixels(torch.tensor([0.0, 0.2, 1.0]).reshape(1, 1, 1, 3)).tolist()
    [[[[0], [51], [255]]]]
    """
    levels = (x * white_of(np.dtype(dtype))).round().permute(0, 2, 3, 1)
    if np.dtype(dtype) == np.uint8:
        return levels.to(torch.uint8).contiguous().numpy()
    return levels.contiguous().numpy().astype(dtype)
