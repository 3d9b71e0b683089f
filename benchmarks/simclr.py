"""SimCLR as it is usually written, in PyTorch alone: the encoder that `peers.py` puts beside shoal.

Chen et al. 2020, arXiv:2002.05709: two views of each image, NT-Xent, a head of two layers. The
encoder is a ResNet-18 for images of 32 pixels (a stem of 3 × 3, no pooling) with a quarter of its
channels: with all of them a processor does not get through a pile in minutes. AdamW, a cosine. In
fp32 and PyTorch's own memory layout. Views are drawn in batches by shoal's own `augment` with the
views of `best`, which is quicker than image by image.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from shoal.images.tensors import to_float
from shoal.recipes.named import BEST
from shoal.training.augment import augment

WIDTHS = (16, 32, 64, 128)
VIEWS = replace(BEST.views, n_local_crops=0)
BATCH, TEMPERATURE, RATE, DECAY = 256, 0.5, 1e-3, 1e-4


class Block(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip
        same = stride == 1 and before == width
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.inner(x) + self.shortcut(x))


def resnet(channels: int) -> nn.Sequential:
    """Images (b, C, 32, 32) to features (b, 128)."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, WIDTHS[0], 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()
    ]  # fmt: skip
    before = WIDTHS[0]
    for width in WIDTHS:
        layers += [Block(before, width, 1 if width == WIDTHS[0] else 2), Block(width, width, 1)]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def nt_xent(a: Tensor, b: Tensor) -> Tensor:
    """SimCLR's loss of two views (b, d) of the same images."""
    z = functional.normalize(torch.cat([a, b]), dim=1)
    similarity = (z @ z.T / TEMPERATURE).fill_diagonal_(float("-inf"))
    return functional.cross_entropy(similarity, torch.arange(len(z)).roll(len(a)))


class Run:
    """A training, step by step."""

    def __init__(self, images: Any, *, seed: int) -> None:
        """Begin.

        Args:
            images: uint8 (n, 32, 32, C).
            seed: of the order of images and of their views; weights are drawn by torch's own.
        """
        self.images, self.steps = images, 0
        self.batch = min(BATCH, len(images))
        self.generator = torch.Generator().manual_seed(seed)
        self.order: list[Tensor] = []
        self.encoder = resnet(images.shape[3])
        width = WIDTHS[-1]
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 64))
        parameters = [*self.encoder.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)

    def take_step(self, share: float) -> None:
        """One optimiser step on the next batch; ``share`` of the run, in [0, 1], is over."""
        if not self.order:
            shuffled = torch.randperm(len(self.images), generator=self.generator)
            self.order = [part for part in shuffled.split(self.batch) if len(part) == self.batch]
        pixels = to_float(self.images[self.order.pop().numpy()], "cpu").contiguous()
        views, _ = augment(VIEWS, pixels, self.generator)
        for group in self.optimizer.param_groups:
            group["lr"] = RATE * (1 + math.cos(math.pi * share)) / 2
        both = self.head(self.encoder(views.flatten(0, 1)))
        loss = nt_xent(*both.chunk(2))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.steps += 1

    @torch.no_grad()
    def features(self) -> Any:
        """Those of all images, each of length 1, float32 (n, 128)."""
        self.encoder.eval()
        parts = np.array_split(self.images, max(1, len(self.images) // 500))
        found = [self.encoder(to_float(part, "cpu").contiguous()) for part in parts]
        return functional.normalize(torch.cat(found), dim=1).numpy()
