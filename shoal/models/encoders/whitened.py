"""An encoder whose first layer whitens patches and learns nothing else."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from shoal.errors import RecipeError
from shoal.images.checks import check_interval
from shoal.models.encoders._pooling import MaxPool
from shoal.models.encoders._upsampling import MeanCoder, UpsamplingDecoder, halvings

_SIDE = 3
_AT_ONCE = 32
"""Images whose patches are in memory at a time."""
_COMPONENTS = 16
"""Of images of three channels, whose patches have 27 numbers."""
_MOST_COMPONENTS = 48
_LEAST = 0.01
"""Variances are raised by this share of their mean, so that noise is not blown up."""


class Whitening(nn.Module):
    """A fixed convolution: the leading whitened components of patches, and their negatives.

    The first layer of airbench (Jordan 2024, arXiv:2404.00498, section 3.2), of 3 × 3 patches. The
    first batch in training decides the components. No gradient is computed for maps as large as
    the image, which are the dearest.
    """

    weight: Tensor
    is_fitted: Tensor
    is_shared = False
    """Whether all workers fit it together, each on its share of the first batch."""

    def __init__(self, channels: int, n_components: int) -> None:
        super().__init__()
        n_pixels = channels * _SIDE**2
        self.n_components = min(n_components, n_pixels)
        self.n_channels = 2 * self.n_components
        # Scaled such that an encoder that never trained keeps the range of its input.
        drawn = torch.randn(self.n_channels, channels, _SIDE, _SIDE) / n_pixels**0.5
        self.register_buffer("weight", drawn)
        self.register_buffer("is_fitted", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        """Images float (b, C, H, W) to maps float (b, 2 · components, H, W)."""
        if self.training and not bool(self.is_fitted):
            self.fit(x)
        return F.conv2d(_padded(x), self.weight)

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Learn the components from images float (n, C, H, W).

        Workers that train together each see a share of them, and learn the same from all.
        """
        d = self.weight[0].numel()
        sums = torch.zeros(d + 1, d + 1, dtype=torch.float64, device=x.device)
        for few in x.float().split(_AT_ONCE) if len(x) else ():
            patches = F.unfold(_padded(few), _SIDE).transpose(1, 2).flatten(0, 1)
            with torch.autocast(x.device.type, enabled=False):
                # A column of ones counts and sums as well. In double precision the order in which
                # images are added up, another for other workers, changes nothing that is seen.
                patches = F.pad(patches, (0, 1), value=1.0).double()
                sums += patches.T @ patches
        if self.is_shared:
            dist.all_reduce(sums)
        mean = sums[-1, :-1] / sums[-1, -1]
        covariance = sums[:-1, :-1] / sums[-1, -1] - torch.outer(mean, mean)
        values, vectors = torch.linalg.eigh(covariance)
        values = values.clamp(min=0) + _LEAST * values.mean() + 1e-8
        white = (vectors * values.rsqrt()).T.flip(0)[: self.n_components]
        kernels = white.reshape(-1, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([kernels, -kernels]))
        self.is_fitted.fill_(True)


class WhitenedAutoencoder(MeanCoder):
    """`Whitening` and max-pooling, then 3 × 3 convolution, max-pooling and batch norm per width.

    A step of training takes seven tenths of the time of one with `vgg`. Batch norm comes behind
    pooling, on a quarter of the numbers.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], widths: tuple[int, ...], n_components: int
    ) -> None:
        super().__init__()
        height, width, channels = image_shape
        first = Whitening(channels, n_components)
        sizes = halvings(height, width, limit=len(widths) + 1)
        layers: list[nn.Module] = [first]
        for stage, (before, after) in enumerate(pairwise((first.n_channels, *widths, 0)), 1):
            if stage < len(sizes):
                layers.append(MaxPool())
            if stage > 1:
                layers.append(nn.BatchNorm2d(before))
            layers.append(nn.ReLU(inplace=True))
            if after:
                layers.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
        self.features = nn.Sequential(*layers)
        self.n_features = widths[-1]
        narrow = [max(8, w // 2) for w in (widths[0] // 2, widths[0] // 2, *widths)]
        self.decoder = UpsamplingDecoder(
            self.n_features, sizes, tuple(narrow[: len(sizes)]), channels
        )


def build(
    image_shape: tuple[int, int, int],
    *,
    widths: tuple[int, ...] = (64, 128, 256),
    n_components: int = 0,
) -> WhitenedAutoencoder:
    """Make one for images ``image_shape`` (H, W, C).

    Args:
        image_shape: (H, W, C).
        widths: channels of each 3 × 3 convolution that learns; the last is the code's length.
        n_components: components of the first layer, at most 9 C. It has twice as many channels.
            0: 16, and of more than three channels 16 for three of them, at most 48.

    >>> autoencoder = build((32, 32, 3))
    >>> tuple(autoencoder.encode(torch.rand(2, 3, 32, 32)).shape)
    (2, 256)
    """
    for value in widths:
        check_interval("encoder.widths", value, 1, 8192, RecipeError)
    check_interval("encoder.n_components", n_components, 0, 8192, RecipeError)
    if n_components == 0:
        n_components = min(max(_COMPONENTS, _COMPONENTS * image_shape[2] // 3), _MOST_COMPONENTS)
    return WhitenedAutoencoder(image_shape, widths, n_components)


def _padded(x: Tensor) -> Tensor:
    return F.pad(x, (1, 1, 1, 1), mode="replicate")
