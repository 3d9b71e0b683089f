"""Images as pixels, and as the tensors that encoders take."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from shoal.protocols import Array

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in brightness: ITU-R BT.601, as Pillow's mode L has them."""


def to_float(pixels: Array, device: str) -> Tensor:
    """uint8 (b, H, W, C) to float32 (b, C, H, W) in [0, 1], channels last in memory."""
    # (b, H, W, C) seen as (b, C, H, W) already is channels_last; pooling anything else is slow.
    pixels = np.ascontiguousarray(pixels)
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255.0)


def to_pixels(x: Tensor) -> Array:
    """float (b, C, H, W) in [0, 1] to uint8 (b, H, W, C), the inverse of `to_float`.

    >>> to_pixels(torch.tensor([0.0, 0.2, 1.0]).reshape(1, 1, 1, 3)).tolist()
    [[[[0], [51], [255]]]]
    """
    return (x * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
