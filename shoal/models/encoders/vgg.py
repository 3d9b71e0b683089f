"""A plain batch-normalised convolutional encoder with an upsampling decoder."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.encoders._pooling import BatchNormMaxPool, Scratch
from shoal.models.encoders._upsampling import MeanCoder, UpsamplingDecoder, halvings


class VGG(MeanCoder):
    """3 × 3 convolution, batch norm, ReLU and max-pooling per width; global average at the end.

    In the style of VGG (Simonyan and Zisserman 2015, arXiv:1409.1556). The code is the vector of
    ``widths[-1]`` channel means, from which the decoder rebuilds the image. A small image is
    pooled fewer times, never below 2 × 2; the later convolutions then keep its size.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], widths: tuple[int, ...], decoder_divisor: int
    ) -> None:
        super().__init__()
        height, width, channels = image_shape
        sizes = halvings(height, width, limit=len(widths))
        layers: list[nn.Module] = []
        scratch = Scratch()
        for stage, (before, after) in enumerate(pairwise((channels, *widths))):
            layers.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
            if stage + 1 < len(sizes):
                # Two layers in one; the empty place keeps the numbers by which files name layers.
                layers += [BatchNormMaxPool(after, scratch), nn.Identity()]
            else:
                layers.append(nn.BatchNorm2d(after))
            # The maximum of ReLUs is the ReLU of the maximum, on a quarter of the numbers.
            layers.append(nn.ReLU(inplace=True))
        self.features = nn.Sequential(*layers)
        self.n_features = widths[-1]
        narrow = tuple(max(8, w // decoder_divisor) for w in (widths[0], *widths))[: len(sizes)]
        self.decoder = UpsamplingDecoder(self.n_features, sizes, narrow, channels)


def build(
    image_shape: tuple[int, int, int],
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256),
    decoder_divisor: int = 2,
) -> VGG:
    """Make one for images ``image_shape`` (H, W, C).

    Args:
        image_shape: (H, W, C).
        widths: channels of each convolution; the last is the length of the code.
        decoder_divisor: how much narrower than the encoder the decoder is.

    >>> import torch
    >>> autoencoder = build((32, 32, 3))
    >>> tuple(autoencoder.encode(torch.rand(2, 3, 32, 32)).shape)
    (2, 256)
    """
    for value in widths:
        check_interval("encoder.widths", value, 1, 8192, RecipeError)
    check_interval("encoder.decoder_divisor", decoder_divisor, 1, 64, RecipeError)
    return VGG(image_shape, widths, decoder_divisor)
