"""`Calibration.apply` in the graph: memberships to probabilities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from shoal.scoring.calibration import MARGIN, Calibration


class CalibrationModule(nn.Module):
    """Memberships float32 (b, k), k ≥ 2, to probabilities float32 (b, k), see `Calibration`."""

    at: Tensor
    worth: Tensor

    def __init__(self, calibration: Calibration) -> None:
        super().__init__()
        self.register_buffer("at", torch.from_numpy(np.array(calibration.memberships)).double())
        self.register_buffer("worth", torch.from_numpy(np.array(calibration.confidences)).double())

    def forward(self, membership: Tensor) -> Tensor:
        k = membership.shape[1]
        membership = membership.double()
        label = membership.argmax(1)
        own = membership.gather(1, label[:, None])
        sure = self._interpolated(own, label).clamp((1.0 + MARGIN) / k, 1.0 - MARGIN)
        mine = torch.nn.functional.one_hot(label, k).bool()
        even = torch.where(mine, 0.0, 1.0 / (k - 1)).double()
        others = torch.where(mine, 0.0, membership)
        total = others.sum(1, keepdim=True)
        others = torch.where(total > 1e-12, others / total.clamp(min=1e-12), even)
        left = 1.0 - sure
        # As much of the others' own proportions as leaves each below the confidence.
        room = (1.0 - MARGIN) * sure / left - 1.0 / (k - 1)
        spare = (others.amax(1, keepdim=True) - 1.0 / (k - 1)).clamp(min=1e-12)
        share = (room / spare).clamp(0.0, 1.0)
        found = left * (share * others + (1.0 - share) * even)
        return torch.where(mine, sure, found).float()

    def _interpolated(self, own: Tensor, label: Tensor) -> Tensor:
        """The confidences of memberships (b, 1) in clusters (b,): (b, 1), as `np.interp` has it."""
        at, worth = self.at[label], self.worth[label]
        last = at.shape[1] - 1
        place = (own >= at).long().sum(1, keepdim=True) - 1
        low = place.clamp(0, last - 1)
        x0, x1 = at.gather(1, low), at.gather(1, low + 1)
        y0, y1 = worth.gather(1, low), worth.gather(1, low + 1)
        between = y0 + (y1 - y0) * (own - x0) / torch.where(x1 > x0, x1 - x0, 1.0)
        ended = torch.where(place >= last, worth[:, -1:], between)
        return torch.where(place < 0, worth[:, :1], ended)
