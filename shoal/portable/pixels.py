"""Pixels in the graph: numbers of a file to levels, and images of any size to one size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shoal.embedding.pixel_components import SIDE, PixelComponents
from shoal.images.decoding.fitting import CROP, PAD, STRETCH
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
    """Images brought to a size by Pillow's antialiased bicubic filter, see `fitting.fitted`.

    Cropped images are scaled to cover the size and cut to its centre, as `ImageOps.fit` of Pillow
    does it, with the same weights. Padded ones are scaled to lie within the size and framed with
    the median of their border. 8-bit images are rounded to whole levels after each of two
    passes, rows first; Pillow may take columns first, so that a level may differ by one, rarely
    two. Images that have the size already stay as they are.
    """

    def __init__(
        self, height: int, width: int, white: float, *, eight_bit: bool, fit: str = CROP
    ) -> None:
        super().__init__()
        self.height, self.width, self.white = height, width, white
        self.eight_bit, self.fit = eight_bit, fit

    def forward(self, x: Tensor) -> Tensor:
        """Levels float32 (b, h, w, C), of any h and w, to levels float32 (b, H, W, C)."""
        rows, columns = _length(x, 1), _length(x, 2)
        if self.fit == PAD:
            return self._framed(x, rows, columns)
        ratio = self.width / self.height
        seen = columns if self.fit == STRETCH else torch.minimum(columns, ratio * rows)
        across = _weights(x, 2, seen, columns, _every(self.width))
        seen = rows if self.fit == STRETCH else torch.minimum(rows, columns / ratio)
        return self._resized(x, across, _weights(x, 1, seen, rows, _every(self.height)))

    def _framed(self, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        scale = torch.minimum(self.width / columns, self.height / rows)
        places = [
            _Places(size, (length * scale).round().clamp(1.0, float(size)))
            for size, length in ((self.height, rows), (self.width, columns))
        ]
        down = _weights(x, 1, rows, rows, places[0])
        across = _weights(x, 2, columns, columns, places[1])
        inner = (places[0].taken[:, None] & places[1].taken)[None, :, :, None]
        frame = border_of(x, rows, columns)
        return torch.where(inner, self._resized(x, across, down), self._whole(frame, half_up=False))

    def _resized(self, x: Tensor, across: Tensor, down: Tensor) -> Tensor:
        x = torch.einsum("bhwc,ow->bhoc", x, across)
        if self.eight_bit:
            x = self._whole(x)
        return self._whole(torch.einsum("bhwc,oh->bowc", x, down))

    def _whole(self, x: Tensor, *, half_up: bool = True) -> Tensor:
        whole = (x + 0.5).floor() if self.eight_bit and half_up else x.round()
        return whole.clamp(0.0, self.white)


def border_of(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The median of the pixels at the border of images (b, h, w, C), float32 (b, 1, 1, C).

    Args:
        x: the images.
        rows: float64 (), h.
        columns: float64 (), w.
    """
    border = torch.cat([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], dim=1)
    ordered = border.sort(dim=1).values
    after = rows + columns  # of an even number of pixels the mean of the middle two
    place = torch.arange(border.shape[1], dtype=torch.float64)
    middle = ((place == after - 1.0) | (place == after)).float() * 0.5
    return torch.einsum("bnc,n->bc", ordered, middle)[:, None, None, :]


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


class _Places:
    """The places along an axis of the result that an image takes, in the middle of all.

    Args:
        size: how many places there are.
        n_taken: float64 (), how many of them the image takes.
    """

    def __init__(self, size: int, n_taken: Tensor) -> None:
        self.n_taken = n_taken
        first = ((size - n_taken) * 0.5).floor()
        self.numbers = torch.arange(size, dtype=torch.float64) - first
        """float64 (size,), counted from the first that is taken."""
        self.taken = (self.numbers >= 0.0) & (self.numbers < n_taken)
        """bool (size,)."""


def _every(size: int) -> _Places:
    return _Places(size, torch.tensor(float(size), dtype=torch.float64))


def _weights(x: Tensor, axis: int, kept: Tensor, length: Tensor, places: _Places) -> Tensor:
    """How much each of the places along an axis counts in each of the places of the result.

    Args:
        x: the images.
        axis: which of their axes.
        kept: float64 (), how much of its length is seen, its centre.
        length: float64 (), all of it.
        places: of the result.

    Returns:
        float32 (size, length), rows summing to 1 where a place is taken, else 0.
    """
    begin = ((length - kept) * 0.5).float()
    end = (begin + kept).float().double()  # Pillow's box is in single precision
    begin = begin.double()
    scale = (end - begin) / places.n_taken
    centres = begin + (places.numbers + 0.5) * scale
    before = torch.arange(x.shape[axis], dtype=torch.float64) + 0.5
    weights = _bicubic((before[None] - centres[:, None]) / scale.clamp(min=1.0))
    taken = places.taken[:, None]
    total = torch.where(taken, weights.sum(1, keepdim=True), 1.0)
    return torch.where(taken, weights / total, 0.0).float()


def _bicubic(x: Tensor) -> Tensor:
    """Keys's cubic convolution with a = -0.5, as Pillow has it."""
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return torch.where(x < 1.0, near, torch.where(x < 2.0, far, torch.zeros_like(x)))
