"""SimCLR's normalised temperature-scaled cross entropy (NT-Xent)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Batch, Encoder, Objective
from shoal.training.objectives._projection import projection_head
from shoal.training.objectives._sup_con import sup_con


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """NT-Xent, Chen et al. 2020, arXiv:2002.05709, equation 1, averaged over all 2n views.

    Each view must pick out the other view of its image among the 2n - 1 other views.

    Args:
        a, b: float (n, d), the projections of two views of the same n images, of any length.
        temperature: > 0.

    Returns:
        A scalar. It is log(2n - 1) when all projections are equal.

    >>> same = torch.ones(4, 3)
    >>> torch.allclose(nt_xent(same, same, 0.5), torch.tensor(7.0).log())
    True
    """
    n = len(a)
    points = F.normalize(torch.cat([a, b]), dim=1)
    similarity = points @ points.T / temperature
    own = torch.eye(2 * n, dtype=torch.bool, device=points.device)
    partner = torch.arange(2 * n, device=points.device).roll(n)
    return F.cross_entropy(similarity.masked_fill(own, float("-inf")), partner)


def local_to_global(local_crops: Tensor, global_views: Tensor, temperature: float) -> Tensor:
    """Cross entropy of local crops that must pick out the global views of their image.

    Each local crop chooses among the global views of all n images, once for each of the w views.
    The global views are targets alone, as in multi-crop (Caron et al. 2020, arXiv:2006.09882,
    equation 6): local crops show too little to be targets. The gradient reaches both.

    Args:
        local_crops: float (s, n, d), the projections of s local crops of n images, of any length.
        global_views: float (w, n, d), those of w global views of the same images.
        temperature: > 0.

    Returns:
        A scalar, the mean over all. It is log(n) when all projections are equal.

    >>> same = torch.ones(2, 4, 3)
    >>> torch.allclose(local_to_global(same, same, 0.5), torch.tensor(4.0).log())
    True
    """
    n = local_crops.shape[1]
    # (s, 1, n, d) @ (w, d, n): each local crop's image against the n of each global view.
    crops, views = F.normalize(local_crops, dim=2), F.normalize(global_views, dim=2)
    similarity = crops[:, None] @ views.transpose(1, 2) / temperature
    own = torch.arange(n, device=crops.device).repeat(len(crops) * len(views))
    return F.cross_entropy(similarity.flatten(0, 2), own)


class NTXent(Objective):
    """NT-Xent between the projections of the first two views.

    With local crops, the loss is the mean of NT-Xent and of `local_to_global` with these views.
    Where groups of images are known, `sup_con` of the same projections is added.
    """

    learns_from_local_crops = True
    learns_from_groups = True
    has_head = True

    def __init__(
        self, n_features: int, weight: float, temperature: float, hidden: int, dim: int
    ) -> None:
        super().__init__()
        self.n_views = self.n_encoded = 2
        self.weight = weight
        self.temperature = temperature
        self.head = projection_head(n_features, hidden, dim)

    def project(self, z: Tensor) -> Tensor:
        projections: Tensor = self.head(z)
        return projections

    def forward(self, encoder: Encoder, batch: Batch) -> Tensor:
        gather = batch.workers.gather  # each view chooses among those of all workers
        views = gather(self.project(batch.z[:2].flatten(0, 1)).unflatten(0, (2, -1)), dim=1)
        with torch.autocast(views.device.type, enabled=False):
            views = views.float()
            loss = nt_xent(views[0], views[1], self.temperature)
        if len(batch.local_crops) > 0:
            crops = self.project(encoder.encode(batch.local_crops.flatten(0, 1)))
            crops = gather(crops.unflatten(0, (len(batch.local_crops), -1)), dim=1)
            with torch.autocast(crops.device.type, enabled=False):
                loss = (loss + local_to_global(crops.float(), views, self.temperature)) / 2
        if batch.groups is not None:
            groups = gather(batch.groups)
            with torch.autocast(views.device.type, enabled=False):
                loss = loss + sup_con(views[0], views[1], groups, self.temperature)
        return loss


def build(
    encoder: Encoder,
    *,
    weight: float = 1.0,
    temperature: float = 0.2,
    hidden: int = 512,
    dim: int = 128,
) -> NTXent:
    """Make the objective.

    Args:
        encoder: its ``n_features`` is the width of the projection head's input.
        weight: factor in the total loss.
        temperature: of the similarities, > 0.
        hidden, dim: the widths of the projection head's hidden layer and of its output.

    Raises:
        RecipeError: an option is out of range.
    """
    check_interval("objectives.nt_xent.weight", weight, 0, float("inf"), RecipeError)
    check_interval(
        "objectives.nt_xent.temperature", temperature, 0, 100, RecipeError, open_low=True
    )
    check_interval("objectives.nt_xent.hidden", hidden, 1, 65536, RecipeError)
    check_interval("objectives.nt_xent.dim", dim, 1, 65536, RecipeError)
    return NTXent(encoder.n_features, weight, temperature, hidden, dim)
