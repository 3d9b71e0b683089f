"""The reconstruction error of an autoencoder."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Batch, Encoder, Objective


class Reconstruction(Objective):
    """Mean squared error, in [0, 1] pixel units, between targets and decoded codes.

    The targets are the views before their colours were touched, so that with colour augmentation
    this is a denoising autoencoder (Vincent et al. 2008, doi:10.1145/1390156.1390294), and
    without any a plain one.
    """

    def __init__(self, weight: float, fraction: float) -> None:
        super().__init__()
        self.n_views = self.n_encoded = 1
        self.weight = weight
        self.fraction = fraction

    def forward(self, encoder: Encoder, batch: Batch) -> Tensor:
        n_views, n_own = batch.z.shape[:2]
        codes, targets = batch.z.flatten(0, 1), batch.targets[:n_views].flatten(0, 1)
        # Batches are shuffled, so every 1/fraction-th code is a fair sample of images and views.
        every = max(1, math.floor(1.0 / self.fraction))
        n_images = batch.workers.n_images or n_own
        chosen = torch.arange(n_views * n_images) % every == 0
        own = chosen.unflatten(0, (n_views, n_images))[:, batch.workers.own].flatten().nonzero()
        rows = own.flatten().to(codes.device)
        decoded = encoder.decode(codes[rows]).float()
        loss = F.mse_loss(decoded, targets[rows]) if len(rows) else decoded.sum()
        return batch.workers.total(loss * (len(rows) / int(chosen.sum())))


def build(encoder: Encoder, *, weight: float = 1.0, fraction: float = 1.0) -> Reconstruction:
    """Make the objective.

    Args:
        encoder: unused; the decoder is the encoder's own.
        weight: factor in the total loss.
        fraction: the share of the views that is decoded, in (0, 1]. Decoding all of them takes half
            of a contrastive step, and the decoder learns from fewer as well.

    Raises:
        RecipeError: an option is out of range.
    """
    check_interval("objectives.reconstruction.weight", weight, 0, float("inf"), RecipeError)
    check_interval("objectives.reconstruction.fraction", fraction, 0, 1, RecipeError, open_low=True)
    return Reconstruction(weight, fraction)
