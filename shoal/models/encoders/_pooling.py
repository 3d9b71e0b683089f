"""Max-pooling, and batch norm with it as one layer, which needs less memory than the two."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_SIZE, _STRIDE, _PADDING, _DILATION, _CEIL = [2, 2], [2, 2], [0, 0], [1, 1], True


def max_pool(x: Tensor) -> Tensor:
    """The maxima of ``x`` (b, C, H, W), see `MaxPool`."""
    even = x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0
    if even and x.device.type == "cpu" and not x.requires_grad:
        # PyTorch also notes where the maxima were, for a gradient, which takes longer than they do.
        rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])
    return F.max_pool2d(x, _SIZE, ceil_mode=_CEIL)


def pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """As `max_pool`, and where the maxima were."""
    pooled, where = torch.ops.aten.max_pool2d_with_indices(
        x, _SIZE, _STRIDE, _PADDING, _DILATION, _CEIL
    )
    return pooled, where


def unpool(gradient: Tensor, x: Tensor, where: Tensor) -> Tensor:
    """The gradient of `pool`. Of ``x``, which was pooled, only the shape matters."""
    unpooled: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        gradient, x, _SIZE, _STRIDE, _PADDING, _DILATION, _CEIL, where
    )
    return unpooled


class MaxPool(nn.Module):
    """2 × 2 max-pooling of stride 2, sizes rounded up: the bits of `nn.MaxPool2d`."""

    def forward(self, x: Tensor) -> Tensor:
        return max_pool(x)


class Scratch:
    """Room for one large intermediate result at a time, which layers share and use again.

    What is in it lasts until the next layer asks. A copy has room of its own.
    """

    def __init__(self) -> None:
        self._room: Tensor | None = None

    def like(self, x: Tensor) -> Tensor:
        """A CPU tensor of the shape, strides and type of a dense ``x``, of any content."""
        room = self._room
        if room is None or room.dtype != x.dtype or room.numel() < x.numel():
            room = self._room = torch.empty(x.numel(), dtype=x.dtype)
        return room.as_strided(x.shape, x.stride())

    def __deepcopy__(self, memo: dict[int, Any]) -> Scratch:
        return Scratch()


class BatchNormMaxPool(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, then 2 × 2 `nn.MaxPool2d` of stride 2, sizes rounded up: the same bits.

    Between the forward and the backward pass PyTorch's two layers keep what comes in, what is
    between them, and where the maxima were. The gradient of pooling needs no more than the last,
    so here the result between, which is as large as what comes in, is forgotten at once. It and
    its gradient also are the largest temporary buffers of a step; they share a ``scratch`` with
    those of other layers, because malloc finds no place for them between others' and would grow.
    """

    def __init__(self, channels: int, scratch: Scratch) -> None:
        super().__init__(channels)
        self.scratch = scratch

    def forward(self, x: Tensor) -> Tensor:
        # In evaluation each channel is a straight line, and where that does not fall, the greatest
        # value stays the greatest, rounding included: so of a quarter of the values.
        if not self.training and bool((self.weight >= 0).all()):
            return super().forward(max_pool(x))
        # Elsewhere than on the CPU PyTorch has other kernels for batch norm.
        if not (self.training and torch.is_grad_enabled() and x.device.type == "cpu"):
            return max_pool(super().forward(x))
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        pooled: Tensor = _BatchNormMaxPool.apply(
            x, self.weight, self.bias, self.running_mean, self.running_var, self.momentum,
            self.eps, self.scratch,
        )  # fmt: skip
        return pooled


class _BatchNormMaxPool(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor,
        running_var: Tensor, momentum: float, eps: float, scratch: Scratch,
    ) -> Tensor:  # fmt: skip
        normed = scratch.like(x)
        mean, inverse_std = torch.empty_like(weight), torch.empty_like(weight)
        torch.ops.aten.native_batch_norm.out(
            x, weight, bias, running_mean, running_var, True, momentum, eps,
            out=normed, save_mean=mean, save_invstd=inverse_std,
        )  # fmt: skip
        pooled, where = pool(normed)
        ctx.save_for_backward(x, weight, mean, inverse_std, where)
        ctx.eps, ctx.scratch = eps, scratch
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse_std, where = ctx.saved_tensors
        unpooled = ctx.scratch.like(x)
        torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
            gradient, x,  # of which only the shape matters here
            _SIZE, _STRIDE, _PADDING, _DILATION, _CEIL, where, grad_input=unpooled,
        )  # fmt: skip
        gradients = torch.ops.aten.native_batch_norm_backward(
            unpooled, x, weight, None, None, mean, inverse_std, True, ctx.eps, [True] * 3
        )
        return *gradients, None, None, None, None, None
