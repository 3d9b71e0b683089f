"""The processes that train together, over ``torch.distributed``: gloo on CPUs, NCCL on GPUs.

What one process computes of a whole batch, several compute together: the loss (`Workers.gather`,
`Workers.total`), batch norm (`batch_norm`) and the gradient (`sum_gradients`). So any number of
workers learns the same, up to rounding; the same number learns the same bits.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from shoal.errors import RecipeError
from shoal.protocols import Item, Workers

ALONE = Workers()
"""The one process that trains alone."""


@dataclass(frozen=True)
class ProcessGroup(Workers):
    """The default group of ``torch.distributed``, which somebody else has started.

    >>> Workers(rank=1, size=2, n_images=5).own
    slice(2, 5, None)
    """

    @staticmethod
    def here() -> Workers:
        """The group that this process belongs to; `ALONE` if it is the only one."""
        if not dist.is_initialized() or dist.get_world_size() == 1:
            return ALONE
        return ProcessGroup(dist.get_rank(), dist.get_world_size())

    def gather(self, x: Tensor, dim: int = 0) -> Tensor:
        """What all workers hold of the images along ``dim``; the gradient reaches ``x`` alone."""
        joined: Tensor = _Gather.apply(x, self, dim)
        return joined

    def total(self, x: Tensor) -> Tensor:
        """The sum over all workers; the gradient reaches ``x`` alone."""
        summed: Tensor = _Total.apply(x)
        return summed

    def of_first(self, value: Item) -> Item:
        """The value that worker 0 has."""
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]


@contextlib.contextmanager
def process_group(backend: str, **options: Any) -> Iterator[Workers]:
    """Start the default group of ``torch.distributed``, and end it with all of its threads.

    Args:
        backend: gloo or nccl.
        options: of ``torch.distributed.init_process_group``.

    Yields:
        The workers of the group.
    """
    # Its functions take the group of the moment at which they are imported for a default. Were
    # that after the start, as an optimiser's import does it, they would keep the group, and its
    # threads would be at work while Python ends: now and then a worker aborted there.
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group(backend, **options)
    try:
        yield ProcessGroup.here()
    finally:
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """Shares joined in the order of the workers.

    What follows is computed by every worker alike, so each knows the gradient of its own share:
    nothing is exchanged on the way back.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, workers: Workers, dim: int) -> Tensor:
        ctx.own, ctx.dim = workers.own, dim
        shares = [workers.share(rank) for rank in range(workers.size)]
        most = max(share.stop - share.start for share in shares)
        rows = x.movedim(dim, 0)
        padded = rows.new_zeros(most, *rows.shape[1:])  # gloo wants shares of one size
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in shares]
        dist.all_gather(parts, padded)
        cut = [part[: share.stop - share.start] for part, share in zip(parts, shares, strict=True)]
        return torch.cat(cut).movedim(0, dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return grad.movedim(ctx.dim, 0)[ctx.own].movedim(0, ctx.dim), None, None


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        summed = x.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


def of_batch(workers: Workers, n_images: int) -> Workers:
    """The same workers, for steps of ``n_images``.

    Raises:
        RecipeError: there are more workers than images.
    """
    if workers.size > n_images:
        raise RecipeError(
            f"workers must be at most {n_images}, the images of a step of this pile, got "
            f"{workers.size}."
        )
    return replace(workers, n_images=n_images)


def sum_gradients(workers: Workers, optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Give every worker the gradient of the whole batch, before the optimisers take a step."""
    if workers.size == 1:
        return
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    grads = [p.grad for group in groups for p in group["params"] if p.grad is not None]
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat)
    for grad, summed in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(summed.view_as(grad))
