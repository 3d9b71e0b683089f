"""Batch norm, and the fit of a whitening layer, over the whole batch of several workers.

PyTorch's ``SyncBatchNorm`` does that on GPUs alone; `_WholeBatch` does it on CPUs. The images of a
worker may be of any number, none included.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from shoal.models.encoders._pooling import BatchNormMaxPool, max_pool, pool, unpool
from shoal.models.encoders.whitened import Whitening
from shoal.protocols import Workers


def over_all_workers(module: nn.Module, workers: Workers, device: str) -> None:
    """Let what ``module`` computes of a batch be of the whole one. Weights and names stay.

    Args:
        module: an encoder or an objective, no batch norm itself.
        workers: a single one changes nothing.
        device: cpu or cuda.
    """
    if workers.size == 1:
        return
    whole = _on_gpus if device == "cuda" else WholeBatchNorm
    for parent in list(module.modules()):
        if isinstance(parent, Whitening):
            parent.is_shared = True
        for name, child in parent.named_children():
            if isinstance(child, _BatchNorm):
                setattr(parent, name, whole(child))


def _on_gpus(child: _BatchNorm) -> nn.Module:
    layer: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(child)
    if isinstance(child, BatchNormMaxPool):
        layer.register_forward_hook(lambda layer, inputs, y: max_pool(y))
    return layer


class WholeBatchNorm(_BatchNorm):
    """Batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167) of the batch of all workers.

    In place of a `BatchNormMaxPool` it pools, too.
    """

    def __init__(self, alike: _BatchNorm) -> None:
        """Take over what ``alike`` has learned, its parameters themselves."""
        super().__init__(alike.num_features, alike.eps, alike.momentum)
        self.pools = isinstance(alike, BatchNormMaxPool)
        for name, parameter in alike.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in alike.named_buffers(recurse=False):
            self.register_buffer(name, buffer)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions; the second is the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` (b, C, …): by the whole batch in training, else as it was learned."""
        if not self.training:
            y = super().forward(x)
            return max_pool(y) if self.pools else y
        y, mean, variance, n = _WholeBatch.apply(x, self.weight, self.bias, self.eps, self.pools)
        variance = variance * (n / (n - 1)).float()
        assert self.momentum is not None
        for learned, seen in ((self.running_mean, mean), (self.running_var, variance)):
            assert learned is not None
            learned.lerp_(seen, self.momentum)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        return y


class _WholeBatch(torch.autograd.Function):
    """With x̂ = (x - mean) / √(variance + ε) and the mean over all N numbers of a channel:

    y = w x̂ + b and ∂x = w / √(variance + ε) · (∂y - Σ∂y / N - x̂ Σ(∂y x̂) / N).

    Where it pools, each channel is a straight line: the greatest of its numbers are the greatest of
    ``x``, or where the line falls the least. So it pools first. What is normalised and what the
    sums are of is a quarter, which pays for what the sums of all workers cost. These travel while
    the maxima are sought, so that a worker hardly waits for a slower one.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, pools: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        sums = _sums(x, len(weight))
        travel = dist.all_reduce(sums, async_op=True)
        top, where = _extremes(x, weight) if pools else (x, x.new_empty(0))
        travel.wait()
        n = sums[-1]
        mean, squares = (sums[:-1] / n).chunk(2)
        # In double precision the square of the mean may be taken off.
        mean, variance = mean.float(), (squares - mean**2).clamp(min=0.0).float()
        y = _affine(top, mean, variance, weight, bias, eps)
        ctx.save_for_backward(x, weight, mean, variance, n, top, where)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance, n)
        return y, mean, variance, n

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, n, top, where = ctx.saved_tensors
        by_deviation = (variance + ctx.eps).rsqrt()
        sums = torch.zeros(2, len(weight), device=x.device)
        if x.numel():
            _, *d_affine = torch.ops.aten.native_batch_norm_backward(
                dy, top, weight, mean, variance, mean, by_deviation, True, ctx.eps,
                [False, True, True],
            )  # fmt: skip
            sums = torch.stack(d_affine)
        d_weight, d_bias = sums.clone()
        travel = dist.all_reduce(sums, async_op=True)
        own = _scaled(dy, weight * by_deviation)
        if where.numel():
            own = unpool(own, x, where)
        travel.wait()
        if not x.numel():
            return torch.zeros_like(x), d_weight, d_bias, None, None
        scale, shift = -weight * by_deviation * sums / n.float()
        shared = _affine(x, mean, variance, scale, shift, ctx.eps)
        # Of bfloat16 PyTorch adds in place half as fast.
        d_x = shared.add_(own) if x.dtype == torch.float32 else shared + own
        return d_x, d_weight, d_bias, None, None


def _sums(x: Tensor, channels: int) -> Tensor:
    """Of each channel the sum of its numbers and of their squares, and how many numbers there are.

    float64 (2C + 1,).
    """
    if not x.numel():
        return torch.zeros(2 * channels + 1, dtype=torch.float64, device=x.device)
    own = x.numel() // channels
    mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
    mean, variance = mean.double(), variance.double()
    return torch.cat([own * mean, own * (variance + mean**2), mean.new_tensor([own])])


def _extremes(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of ``x`` that are the greatest once normalised, and where they are."""
    falls = weight < 0
    if not bool(falls.any()):
        return pool(x)
    signs = torch.where(falls, -1.0, 1.0)
    top, where = pool(_scaled(x, signs))
    return _scaled(top, signs), where


def _affine(
    x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, shift: Tensor, eps: float
) -> Tensor:
    """``scale`` x̂ + ``shift``, a number of each a channel."""
    if not x.numel():
        return x.clone()
    return F.batch_norm(x, mean, variance, scale, shift, training=False, eps=eps)


def _scaled(x: Tensor, scale: Tensor) -> Tensor:
    """Each channel of ``x`` times a number, which is not rounded where ``x`` is bfloat16."""
    if not x.numel():
        return x.clone()
    nothing = torch.zeros_like(scale)
    return F.batch_norm(x, nothing, torch.ones_like(scale), scale, nothing, training=False, eps=0.0)
