"""What the encoders share whose code is the mean of feature maps: coding, and the decoder."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from shoal.protocols import Encoder


class MeanCoder(Encoder):
    """Codes are the means of the maps that ``features`` makes; ``decoder`` rebuilds images."""

    features: nn.Module
    decoder: nn.Module

    def encode(self, x: Tensor) -> Tensor:
        maps: Tensor = self.features(2.0 * x - 1.0)
        # In the order of channels_last, whose gradient the last layers take eight times as fast.
        return maps.permute(0, 2, 3, 1).flatten(1, 2).mean(1)

    def decode(self, z: Tensor) -> Tensor:
        images: Tensor = self.decoder(z)
        return images


class UpsamplingDecoder(nn.Module):
    """From a code (b, d) to an image: one linear map, then upsampling and 3 × 3 convolutions.

    Nearest-neighbour upsampling before a convolution leaves none of the checkerboard of
    transposed convolutions (Odena, Dumoulin and Olah 2016, doi:10.23915/distill.00003).
    """

    def __init__(
        self, n_features: int, sizes: list[tuple[int, int]], widths: tuple[int, ...], channels: int
    ) -> None:
        """``sizes``: image size first, then after each halving; ``widths``: a size each."""
        super().__init__()
        self.seed_shape = (widths[-1], *sizes[-1])
        self.seed = nn.Linear(n_features, widths[-1] * sizes[-1][0] * sizes[-1][1])
        layers: list[nn.Module] = []
        for (before, after), size in zip(
            pairwise(reversed(widths)), reversed(sizes[:-1]), strict=True
        ):
            layers += [
                nn.Upsample(size=size),
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[0], channels, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        x = self.seed(z).unflatten(1, self.seed_shape)
        x = self.layers(x.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(x)


def halvings(height: int, width: int, limit: int, smallest: int = 2) -> list[tuple[int, int]]:
    """Image size, then the size after each of at most ``limit`` halvings, rounded up.

    Halving stops before the shorter side would fall below ``smallest``.

    >>> halvings(32, 32, limit=4), halvings(8, 8, limit=4)
    ([(32, 32), (16, 16), (8, 8), (4, 4), (2, 2)], [(8, 8), (4, 4), (2, 2)])
    """
    sizes = [(height, width)]
    while len(sizes) <= limit and (min(sizes[-1]) + 1) // 2 >= smallest:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes
