"""Pixels in the graph: numbers of a file to levels, and images of any size to one size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shoal.embedding.pixel_components import SIDE, PixelComponents
from shoal.images.pixel_range import Bounds


class Shares(nn.Module):
    """Numbers as a file holds them to shares of white, from 0 to ``white``, as `to_shares` does.

    Args:
        bounds: the numbers that are black and white, a pair for all channels or one for each.
        white: the level that is white, 255 or 65535.
    """

    low: Tensor
    factor: Tensor

    def __init__(self, bounds: tuple[Bounds, ...], white: float) -> None:
        super().__init__()
        each = torch.tensor(bounds, dtype=torch.float64)
        self.white = white
        self.register_buffer("low", each[:, 0].float())
        self.register_buffer("factor", (white / (each[:, 1] - each[:, 0])).float())

    def forward(self, x: Tensor) -> Tensor:
        """Numbers float32 (b, H, W, C) to float32 (b, H, W, C), not rounded."""
        return ((x - self.low) * self.factor).clamp(0.0, self.white)


class Resize(nn.Module):
    """Images brought to a size by Pillow's antialiased bicubic filter: cropped or stretched.

    Cropped images are scaled to cover the size and cut to its centre, as `ImageOps.fit` of Pillow
    does it, with the same weights. 8-bit images are rounded to whole levels after each of two
    passes, rows first; Pillow may take columns first, so that a level may differ by one, rarely
    two. Images that have the size already stay as they are.
    """

    def __init__(
        self, height: int, width: int, white: float, *, eight_bit: bool, stretch: bool = False
    ) -> None:
        super().__init__()
        self.stretch = stretch
        self.height, self.width, self.white = height, width, white
        self.eight_bit = eight_bit

    def forward(self, x: Tensor) -> Tensor:
        """Levels float32 (b, h, w, C), of any h and w, to levels float32 (b, H, W, C)."""
        rows, columns = _length(x, 1), _length(x, 2)
        ratio = self.width / self.height
        seen = columns if self.stretch else torch.minimum(columns, ratio * rows)
        across = _weights(x, 2, seen, columns, self.width)
        x = torch.einsum("bhwc,ow->bhoc", x, across)
        if self.eight_bit:
            x = self._whole(x)
        seen = rows if self.stretch else torch.minimum(rows, columns / ratio)
        down = _weights(x, 1, seen, rows, self.height)
        return self._whole(torch.einsum("bhwc,oh->bowc", x, down))

    def _whole(self, x: Tensor) -> Tensor:
        whole = (x + 0.5).floor() if self.eight_bit else x.round()
        return whole.clamp(0.0, self.white)


class AreaPixels(nn.Module):
    """`PixelComponents` of images of one size, whose small copies are made by two matrices.

    Args:
        original: the components.
        height: of the images.
        width: of the images.
    """

    down: Tensor
    across: Tensor

    def __init__(self, original: PixelComponents, height: int, width: int) -> None:
        super().__init__()
        self.original = original
        self.register_buffer("down", area_weights(height, min(height, SIDE)))
        self.register_buffer("across", area_weights(width, min(width, SIDE)))

    def forward(self, x: Tensor) -> Tensor:
        """Images float (b, C, H, W) in [0, 1] to float32 (b, c)."""
        x = torch.einsum("bchw,oh->bcow", x, self.down)
        return self.original(torch.einsum("bcow,pw->bcop", x, self.across))


def area_weights(before: int, after: int) -> Tensor:
    """How much each of ``before`` places counts in each of ``after``, float32 (after, before).

    As in ``interpolate(mode="area")``: the mean over the places that a new place touches.

    >>> area_weights(3, 2).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    """
    weights = torch.zeros(after, before)
    for place in range(after):
        first, last = place * before // after, -(-(place + 1) * before // after)
        weights[place, first:last] = 1.0 / (last - first)
    return weights


def _length(x: Tensor, axis: int) -> Tensor:
    """The length of an axis as a tensor, so that the graph computes with it: float64 ()."""
    return torch.arange(x.shape[axis], dtype=torch.float64).max() + 1.0


def _weights(x: Tensor, axis: int, kept: Tensor, length: Tensor, size: int) -> Tensor:
    """How much each of the places along an axis counts in each of ``size`` places of the result.

    Args:
        x: the images.
        axis: which of their axes.
        kept: float64 (), how much of its length is seen, its centre.
        length: float64 (), all of it.
        size: the length afterwards.

    Returns:
        float32 (size, length), rows summing to 1.
    """
    begin = ((length - kept) * 0.5).float()
    end = (begin + kept).float().double()  # Pillow's box is in single precision
    begin = begin.double()
    scale = (end - begin) / size
    centres = begin + (torch.arange(size, dtype=torch.float64) + 0.5) * scale
    places = torch.arange(x.shape[axis], dtype=torch.float64) + 0.5
    weights = _bicubic((places[None] - centres[:, None]) / scale.clamp(min=1.0))
    return (weights / weights.sum(1, keepdim=True)).float()


def _bicubic(x: Tensor) -> Tensor:
    """Keys's cubic convolution with a = -0.5, as Pillow has it."""
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return torch.where(x < 1.0, near, torch.where(x < 2.0, far, torch.zeros_like(x)))
