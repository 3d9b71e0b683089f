"""Momentum contrast (MoCo): a queue of keys from a slowly moving copy of the encoder."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Batch, Encoder, Objective
from shoal.training.objectives._projection import projection_head


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """InfoNCE, He et al. 2020, arXiv:1911.05722, equation 1, averaged over the queries.

    Args:
        queries: float (n, d) of unit length.
        keys: float (n, d) of unit length, the positive of each query.
        queue: float (m, d) of unit length, the negatives of all.
        temperature: > 0.

    Returns:
        A scalar. It is log(1 + m) when all vectors are equal.

    >>> e = torch.tensor([[1.0, 0.0]])
    >>> torch.allclose(info_nce(e, e, e.repeat(3, 1), 1.0), torch.tensor(4.0).log())
    True
    """
    positive = (queries * keys).sum(dim=1, keepdim=True)
    logits = torch.cat([positive, queries @ queue.T], dim=1) / temperature
    return F.cross_entropy(
        logits, torch.zeros(len(queries), dtype=torch.long, device=logits.device)
    )


class MoCo(Objective):
    """InfoNCE: view 1 is to match view 2 as the momentum encoder sees it, and no key in the queue.

    Version 2 of the method (Chen et al. 2020, arXiv:2003.04297), whose projection head has a hidden
    layer. The momentum encoder, its head and the queue are kept in the checkpoint, and no gradient
    reaches them.
    """

    has_head = True
    queue: Tensor
    position: Tensor

    def __init__(
        self, encoder: Encoder, weight: float, temperature: float, momentum: float,
        queue_size: int, hidden: int, dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_views, self.n_encoded = 2, 1
        self.weight = weight
        self.temperature = temperature
        self.momentum = momentum
        self.head = projection_head(encoder.n_features, hidden, dim)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_head = copy.deepcopy(self.head).requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(queue_size, dim), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.long))
        self._fresh: Tensor | None = None

    def project(self, z: Tensor) -> Tensor:
        projections: Tensor = self.head(z)
        return projections

    def forward(self, encoder: Encoder, batch: Batch) -> Tensor:
        queries = F.normalize(self.project(batch.z[0]).float(), dim=1)
        with torch.no_grad():
            # The paper shuffles the batch between GPUs so that batch norm cannot give pairs away
            # (section 3.3); here batch norm is that of the whole batch, on any number of workers.
            keys = F.normalize(
                self.key_head(self.key_encoder.encode(batch.views[1])).float(), dim=1
            )
        queries, keys = batch.workers.gather(queries), batch.workers.gather(keys)
        self._fresh = keys
        with torch.autocast(queries.device.type, enabled=False):
            return info_nce(queries, keys, self.queue, self.temperature)

    @torch.no_grad()
    def after_step(self, encoder: Encoder) -> None:
        """Move the twins (equation 2) and put the new keys into the queue (algorithm 1)."""
        for twin, model in ((self.key_encoder, encoder), (self.key_head, self.head)):
            for slow, fast in zip(twin.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast.detach(), 1.0 - self.momentum)
        if self._fresh is None:
            return
        keys = self._fresh[-len(self.queue) :]
        start = int(self.position)
        where = (torch.arange(len(keys), device=keys.device) + start) % len(self.queue)
        self.queue[where] = keys
        self.position.fill_((start + len(keys)) % len(self.queue))
        self._fresh = None


def build(
    encoder: Encoder,
    *,
    weight: float = 1.0,
    temperature: float = 0.2,
    momentum: float = 0.99,
    queue_size: int = 4096,
    hidden: int = 512,
    dim: int = 128,
) -> MoCo:
    """Make the objective.

    Args:
        encoder: copied to start the momentum encoder.
        weight: factor in the total loss.
        temperature: of the similarities, > 0.
        momentum: of the key encoder, in [0, 1]; the paper's 0.999 suits runs of 10⁵ steps.
        queue_size: how many past keys serve as negatives.
        hidden, dim: the widths of the projection head's hidden layer and of its output.

    Raises:
        RecipeError: an option is out of range.
    """
    check_interval("objectives.moco.weight", weight, 0, float("inf"), RecipeError)
    check_interval("objectives.moco.temperature", temperature, 0, 100, RecipeError, open_low=True)
    check_interval("objectives.moco.momentum", momentum, 0, 1, RecipeError)
    for name, value in (("queue_size", queue_size), ("hidden", hidden), ("dim", dim)):
        check_interval(f"objectives.moco.{name}", value, 1, 1_000_000, RecipeError)
    return MoCo(encoder, weight, temperature, momentum, queue_size, hidden, dim)
