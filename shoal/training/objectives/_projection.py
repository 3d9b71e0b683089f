"""The projection head of contrastive learning."""

from __future__ import annotations

from torch import nn


def projection_head(n_features: int, hidden: int, dim: int) -> nn.Sequential:
    """Linear, batch norm, ReLU, linear (SimCLR, Chen et al. 2020, arXiv:2002.05709, sec. 4.2)."""
    return nn.Sequential(
        nn.Linear(n_features, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, dim),
    )
