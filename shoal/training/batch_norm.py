"""Batch norm over the whole batch, where several workers hold shares of it.

PyTorch's ``SyncBatchNorm`` does that on GPUs alone; `_WholeBatch` does it on CPUs. The images of a
worker may be of any number, none included.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from shoal.models.encoders._pooling import BatchNormMaxPool
from shoal.protocols import Workers


def over_all_workers(module: nn.Module, workers: Workers, device: str) -> None:
    """Let the batch norms inside ``module`` be of the whole batch. Weights and names stay.

    Args:
        module: an encoder or an objective, no batch norm itself.
        workers: a single one changes nothing.
        device: cpu or cuda.
    """
    if workers.size == 1:
        return
    whole = nn.SyncBatchNorm.convert_sync_batchnorm if device == "cuda" else WholeBatchNorm
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if not isinstance(child, _BatchNorm):
                continue
            layer = whole(child)
            if isinstance(child, BatchNormMaxPool):
                layer.register_forward_hook(_pooled)
            setattr(parent, name, layer)


def _pooled(layer: nn.Module, inputs: tuple[Tensor], y: Tensor) -> Tensor:
    """As `BatchNormMaxPool` does; the memory that it saves is less of a share than of a batch."""
    return F.max_pool2d(y, 2, ceil_mode=True)


class WholeBatchNorm(_BatchNorm):
    """Batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167) of the batch of all workers."""

    def __init__(self, alike: _BatchNorm) -> None:
        """Take over what ``alike`` has learned, its parameters themselves."""
        super().__init__(alike.num_features, alike.eps, alike.momentum)
        for name, parameter in alike.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in alike.named_buffers(recurse=False):
            self.register_buffer(name, buffer)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions; the second is the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` (b, C, …): by the whole batch in training, else as it was learned."""
        if not self.training:
            return super().forward(x)
        y: Tensor
        y, mean, variance, n = _WholeBatch.apply(x, self.weight, self.bias, self.eps)
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
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        sums = torch.zeros(2 * len(weight) + 1, dtype=torch.float64, device=x.device)
        if x.numel():
            own = x.numel() // x.shape[1]
            mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
            # In double precision the square of the mean may be taken off.
            mean, variance = mean.double(), variance.double()
            sums = torch.cat([own * mean, own * (variance + mean**2), mean.new_tensor([own])])
        dist.all_reduce(sums)
        n = sums[-1]
        mean, squares = (sums[:-1] / n).chunk(2)
        mean, variance = mean.float(), (squares - mean**2).clamp(min=0.0).float()
        y = _affine(x, mean, variance, weight, bias, eps)
        ctx.save_for_backward(x, weight, mean, variance, n)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance, n)
        return y, mean, variance, n

    @staticmethod
    def backward(ctx: Any, dy: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, variance, n = ctx.saved_tensors
        by_deviation = (variance + ctx.eps).rsqrt()
        statistics = (mean, variance, mean, by_deviation)
        backward = torch.ops.aten.native_batch_norm_backward
        sums = torch.zeros(2, len(weight), device=x.device)
        if x.numel():
            _, *d_affine = backward(dy, x, weight, *statistics, True, ctx.eps, [False, True, True])
            sums = torch.stack(d_affine)
        d_weight, d_bias = sums.clone()
        dist.all_reduce(sums)
        if not x.numel():
            return dy, d_weight, d_bias, None
        d_x, _, _ = backward(dy, x, weight, *statistics, False, ctx.eps, [True, False, False])
        scale, shift = -weight * by_deviation * sums / n.float()
        d_x += _affine(x, mean, variance, scale, shift, ctx.eps)
        return d_x, d_weight, d_bias, None


def _affine(
    x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, shift: Tensor, eps: float
) -> Tensor:
    """``scale`` x̂ + ``shift``, a number of each a channel."""
    if not x.numel():
        return x.clone()
    return F.batch_norm(x, mean, variance, scale, shift, training=False, eps=eps)
