"""SimCLR's normalised temperature-scaled cross entropy (NT-Xent)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.checks import check_interval
from shoal.errors import RecipeError
from shoal.objectives._projection import projection_head
from shoal.protocols import Batch, Encoder, Objective


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


class NTXent(Objective):
    """NT-Xent between the projections of the first two views."""

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
        a, b = self.project(batch.z[:2].flatten(0, 1)).chunk(2)
        with torch.autocast(a.device.type, enabled=False):
            return nt_xent(a.float(), b.float(), self.temperature)


def build(
    encoder: Encoder,
    *,
    weight: float = 1.0,
    temperature: float = 0.2,
    hidden: int = 512,
    dim: int = 128,
) -> NTXent:
    """Make the objective with its projection head ``encoder.n_features`` → hidden → dim."""
    check_interval("objectives.nt_xent.weight", weight, 0, float("inf"), RecipeError)
    check_interval(
        "objectives.nt_xent.temperature", temperature, 0, 100, RecipeError, open_low=True
    )
    check_interval("objectives.nt_xent.hidden", hidden, 1, 65536, RecipeError)
    check_interval("objectives.nt_xent.dim", dim, 1, 65536, RecipeError)
    return NTXent(encoder.n_features, weight, temperature, hidden, dim)
