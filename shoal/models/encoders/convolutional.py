"""The course's autoencoder: convolutions and max-pooling down, transposed convolutions back."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.protocols import Encoder


class ConvolutionalAutoencoder(Encoder):
    """Convolution, ReLU and max-pooling, once per width; transposed convolutions mirror them.

    At 32 × 32 × 3 pixels and the default widths the code has 256 · 4 · 4 = 4,096 numbers and the
    decoder's kernels are 5, 9 and 17 wide, as in the baseline of the assignment (National Taiwan
    University, Machine Learning, spring 2020, homework 9). Each transposed convolution has stride
    1 and the kernel that leads back to the size before its pooling, at any image size.
    """

    any_size = False  # the code is a map, and grows with the image

    def __init__(self, image_shape: tuple[int, int, int], widths: tuple[int, ...]) -> None:
        super().__init__()
        height, width, channels = image_shape
        sizes = [(height, width)]
        down: list[nn.Module] = []
        for before, after in pairwise((channels, *widths)):
            # A side that is down to one pixel is not pooled further.
            pool = tuple(2 if side > 1 else 1 for side in sizes[-1])
            down += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(pool)]
            sizes.append((sizes[-1][0] // pool[0], sizes[-1][1] // pool[1]))
        up: list[nn.Module] = []
        for (before, after), (small, large) in zip(
            pairwise((*reversed(widths), channels)), pairwise(reversed(sizes)), strict=True
        ):
            kernel = (large[0] - small[0] + 1, large[1] - small[1] + 1)
            up += [nn.ConvTranspose2d(before, after, kernel), nn.ReLU()]
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up[:-1], nn.Tanh())
        self.code_shape = (widths[-1], *sizes[-1])
        self.n_features = widths[-1] * sizes[-1][0] * sizes[-1][1]

    def encode(self, x: Tensor) -> Tensor:
        codes: Tensor = self.encoder(2.0 * x - 1.0)
        return codes.flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        codes = z.unflatten(1, self.code_shape)
        images: Tensor = self.decoder(codes.contiguous(memory_format=torch.channels_last))
        return (images + 1.0) / 2.0


def build(
    image_shape: tuple[int, int, int], *, widths: tuple[int, ...] = (64, 128, 256)
) -> ConvolutionalAutoencoder:
    """Make one for images ``image_shape`` (H, W, C).

    >>> autoencoder = build((32, 32, 3))
    >>> autoencoder.n_features
    4096
    >>> tuple(autoencoder(torch.rand(2, 3, 32, 32)).shape)
    (2, 3, 32, 32)
    """
    for value in widths:
        check_interval("encoder.widths", value, 1, 8192, RecipeError)
    return ConvolutionalAutoencoder(image_shape, widths)
