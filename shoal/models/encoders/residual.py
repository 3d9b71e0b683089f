"""A residual encoder with an upsampling decoder."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.encoders._upsampling import MeanCoder, UpsamplingDecoder, halvings


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut (He et al. 2016, arXiv:1512.03385, figure 2)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.stride = stride
        same = before == after and stride == 1
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        )

    def forward(self, x: Tensor) -> Tensor:
        # Not a strided 1 × 1 convolution: of fewer than 8 channels, its gradient writes past its
        # memory on processors with AVX2 but not AVX-512 (torch 2.13, channels last).
        shortcut = self.shortcut(x[:, :, :: self.stride, :: self.stride])
        return torch.relu(self.residual(x) + shortcut)


class ResidualAutoencoder(MeanCoder):
    """A stem, then stages of residual blocks that double the width and halve the size."""

    def __init__(self, image_shape: tuple[int, int, int], width: int, blocks: int) -> None:
        super().__init__()
        height, image_width, channels = image_shape
        widths = tuple(width * 2**stage for stage in range(4))
        sizes = halvings(height, image_width, limit=3)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        for stage, (before, after) in enumerate(pairwise((width, *widths))):
            stride = 2 if 0 < stage < len(sizes) else 1
            layers.append(ResidualBlock(before, after, stride))
            layers += [ResidualBlock(after, after, 1) for _ in range(blocks - 1)]
        self.features = nn.Sequential(*layers)
        self.n_features = widths[-1]
        self.decoder = UpsamplingDecoder(self.n_features, sizes, widths[: len(sizes)], channels)


def build(
    image_shape: tuple[int, int, int], *, width: int = 32, blocks: int = 1
) -> ResidualAutoencoder:
    """Make one for images ``image_shape`` (H, W, C); the code has 8 · ``width`` numbers.

    >>> autoencoder = build((28, 28, 1), width=8)
    >>> tuple(autoencoder(torch.rand(2, 1, 28, 28)).shape)
    (2, 1, 28, 28)
    """
    check_interval("encoder.width", width, 1, 4096, RecipeError)
    check_interval("encoder.blocks", blocks, 1, 64, RecipeError)
    return ResidualAutoencoder(image_shape, width, blocks)
