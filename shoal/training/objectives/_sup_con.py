"""The supervised contrastive loss (SupCon), of images whose group is known."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sup_con(a: Tensor, b: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """SupCon, Khosla et al. 2020, arXiv:2004.11362, equation 2, averaged over the known views.

    Each view of an image whose group is known must pick out the other views of its group among all
    views of such images. Images without a group take no part, as they may be of any.

    Args:
        a, b: float (n, d), the projections of two views of the same n images, of any length.
        groups: int64 (n,), the group of each image; -1 where it is not known.
        temperature: > 0.

    Returns:
        A scalar. It is 0 if fewer than two images have a group, and log(2m - 1) where the
        projections of m images are equal.

    >>> same = torch.ones(4, 3)
    >>> loss = sup_con(same, same, torch.tensor([7, 7, 2, -1]), 0.5)
    >>> torch.allclose(loss, torch.tensor(5.0).log())
    True
    """
    known = groups >= 0
    if int(known.sum()) < 2:
        return a.sum() * 0
    points = F.normalize(torch.cat([a[known], b[known]]), dim=1)
    group = groups[known].repeat(2)
    own = torch.eye(len(points), dtype=torch.bool, device=points.device)
    log_share = (points @ points.T / temperature).masked_fill(own, float("-inf")).log_softmax(1)
    positive = (group[:, None] == group) & ~own
    return -(log_share.masked_fill(~positive, 0).sum(1) / positive.sum(1)).mean()
