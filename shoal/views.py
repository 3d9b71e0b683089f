"""Augmented views of a batch, as batched tensor operations on whatever device holds it.

Each image of a view draws its own parameters. Geometry is one affine resampling; colour is one
3×3 matrix an image, so that a view costs a few percent of a training step (per-image Pillow
augmentation costs more than the step itself).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.checks import check_interval
from shoal.errors import RecipeError
from shoal.protocols import Array

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's "L"


@dataclass(frozen=True)
class Views:
    """What may happen to a view. The defaults change nothing.

    The ranges follow SimCLR (Chen et al. 2020, arXiv:2002.05709, appendix A) where it has them.
    """

    n_views: int = 1
    """How many views of each image."""
    min_crop: float = 1.0
    """Smallest area of a random crop, as a fraction of the image, in (0, 1]; 1: no crop."""
    mirror: bool = False
    """Flip left and right every second time."""
    rotation: float = 0.0
    """Largest rotation, degrees."""
    zoom: float = 0.0
    """Scale drawn from [1 - zoom, 1 + zoom], each axis for itself, in [0, 1)."""
    shear: float = 0.0
    """Largest shear, as a fraction of the side."""
    shift: float = 0.0
    """Largest shift, as a fraction of the side."""
    brightness: float = 0.0
    """Factor drawn from [1 - brightness, 1 + brightness], in [0, 1]."""
    contrast: float = 0.0
    """Factor about the mean, drawn likewise."""
    saturation: float = 0.0
    """Factor about grey, drawn likewise; colour images only."""
    hue: float = 0.0
    """Largest rotation of the hue, as a fraction of the circle, in [0, 0.5]; colour only."""
    colour_probability: float = 0.8
    """How often an image's colours (the four above) are touched at all."""
    grey_probability: float = 0.0
    """How often a colour image turns grey."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise, in units of the pixel range."""
    resolution: float = 1.0
    """Side of a view, as a fraction of the image's, in (0, 1]. Smaller views take less time, and
    crops that show things larger than the whole image does show them as large again (Touvron et
    al. 2019, arXiv:1906.06423). Targets keep the image's size. Reconstructions suffer."""
    n_small: int = 0
    """How many small views besides, see `small`: for objectives that learn from them, and encoders
    that take images of any size; with others there are none."""
    small_side: float = 0.625
    """Side of a small view, as a fraction of a view's, in (0, 1]."""

    def check(self) -> None:
        """Raise `RecipeError` on a value out of range."""
        limits = {
            "n_views": (1, 8), "rotation": (0, 180), "zoom": (0, 0.9), "shear": (0, 1),
            "shift": (0, 1), "brightness": (0, 1), "contrast": (0, 1), "saturation": (0, 1),
            "hue": (0, 0.5), "colour_probability": (0, 1), "grey_probability": (0, 1),
            "noise": (0, 1), "n_small": (0, 8),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            check_interval(f"views.{name}", getattr(self, name), low, high, RecipeError)
        for name in ("min_crop", "resolution", "small_side"):
            check_interval(f"views.{name}", getattr(self, name), 0, 1, RecipeError, open_low=True)

    def __call__(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the views.

        Args:
            images: float (b, C, H, W) in [0, 1], C 1 or 3.
            generator: the only source of randomness; it lives on the CPU, so that a device
                draws the same parameters as the CPU.

        Returns:
            ``views`` and ``targets``, float (n_views, b, C, H, W) in [0, 1]: the augmented
            images, smaller by ``resolution``, and the same after the geometric part alone.
        """
        targets = torch.stack([self._geometry(images, generator) for _ in range(self.n_views)])
        views = torch.stack([self._appearance(self._shrink(x), generator) for x in targets])
        return views, targets

    def small(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the small views: they cost little, and show less, so that more must be guessed.

        Multi-crop (Caron et al. 2020, arXiv:2006.09882, section 3.2). Each is the inner part of a
        view of its own, so that things are as large in it as in the others.

        Args:
            images: float (b, C, H, W) in [0, 1], C 1 or 3.
            generator: as of the other views.

        Returns:
            Float (n_small, b, C, h, w) in [0, 1].
        """
        if self.n_small == 0:
            return images.new_empty(0, *images.shape)
        inner = [self._geometry(images, generator, self.small_side) for _ in range(self.n_small)]
        return torch.stack([self._appearance(self._shrink(x), generator) for x in inner])

    def _geometry(self, images: Tensor, generator: torch.Generator, inner: float = 1.0) -> Tensor:
        moves = (self.rotation, self.zoom, self.shear, self.shift)
        if self.min_crop >= 1 and not self.mirror and not any(moves) and inner >= 1:
            return images
        n, channels, *sides = images.shape
        kept = [max(1, round(side * inner)) for side in sides]
        theta = self._affine(n, generator)
        theta[:, :, :2] *= torch.tensor([kept[1] / sides[1], kept[0] / sides[0]])
        grid = F.affine_grid(theta.to(images.device), [n, channels, *kept], align_corners=False)
        return F.grid_sample(
            images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )

    def _shrink(self, x: Tensor) -> Tensor:
        if self.resolution >= 1:
            return x
        size = [max(1, round(side * self.resolution)) for side in x.shape[2:]]
        return F.interpolate(x, size=size, mode="bilinear", antialias=True)

    def _affine(self, n: int, generator: torch.Generator) -> Tensor:
        """Maps from view to image coordinates, both in [-1, 1]: float (n, 2, 3)."""

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand((n, *shape), generator=generator)

        # A crop of area a and aspect ratio r spans sqrt(a r) × sqrt(a / r) of the image; it is
        # cut to fit, and its centre may lie wherever it stays inside.
        area = uniform(self.min_crop, 1.0)
        ratio = torch.exp(uniform(-1.0, 1.0) * math.log(4 / 3)) if self.min_crop < 1 else 1.0
        span = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1).clamp(max=1.0)
        centre = uniform(-1.0, 1.0, 2) * (1.0 - span)
        span = span / uniform(1.0 - self.zoom, 1.0 + self.zoom, 2)
        centre = centre + 2.0 * self.shift * uniform(-1.0, 1.0, 2)

        angle = uniform(-1.0, 1.0) * math.radians(self.rotation)
        cos, sin = angle.cos(), angle.sin()
        rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        shear = torch.eye(2).repeat(n, 1, 1)
        shear[:, 0, 1] = 2.0 * self.shear * uniform(-1.0, 1.0)
        linear = rotation @ shear * span[:, None, :]
        if self.mirror:
            flip = torch.randint(0, 2, (n,), generator=generator) * 2.0 - 1.0
            linear = torch.cat([linear[:, :, :1] * flip[:, None, None], linear[:, :, 1:]], dim=2)
        return torch.cat([linear, centre[:, :, None]], dim=2)

    def _appearance(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, channels = x.shape[:2]

        def factor(strength: float) -> Tensor:
            drawn = 1.0 + strength * (2.0 * torch.rand(n, generator=generator) - 1.0)
            return torch.where(touched, drawn, torch.ones(n))

        if any((self.brightness, self.contrast, self.saturation, self.hue, self.grey_probability)):
            touched = torch.rand(n, generator=generator) < self.colour_probability
            brightness, contrast = factor(self.brightness), factor(self.contrast)
            matrix = brightness[:, None, None] * torch.eye(channels)
            if channels == 3:
                matrix = matrix @ self._chroma(factor(self.saturation), factor(self.hue), generator)
            x = torch.einsum("nij,njhw->nihw", matrix.to(x.device, x.dtype), x)
            # Contrast keeps the mean grey of the image (as Pillow's ImageEnhance.Contrast).
            weights = torch.tensor(_LUMA if channels == 3 else (1.0,), device=x.device)
            mean = torch.einsum("j,njhw->n", weights.to(x.dtype), x) / (x.shape[2] * x.shape[3])
            scale = contrast.to(x.device, x.dtype)
            x = x * scale[:, None, None, None] + (mean * (1.0 - scale))[:, None, None, None]
        if self.noise:
            deviation = self.noise * torch.rand((n, 1, 1, 1), generator=generator)
            noise = deviation * torch.randn(x.shape, generator=generator)
            x = x + noise.to(x.device, x.dtype)
        return x.clamp(0.0, 1.0)

    def _chroma(self, saturation: Tensor, hue: Tensor, generator: torch.Generator) -> Tensor:
        """Saturation, then hue as a rotation about the grey axis: float (n, 3, 3)."""
        n = len(saturation)
        grey = torch.tensor(_LUMA).expand(3, 3)
        drained = torch.rand(n, generator=generator) < self.grey_probability
        saturation = torch.where(drained, torch.zeros(n), saturation)[:, None, None]
        saturate = saturation * torch.eye(3) + (1.0 - saturation) * grey
        angle = ((hue - 1.0) * 2.0 * math.pi)[:, None, None]
        ones = torch.full((3, 3), 1.0 / 3.0)
        cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
        rotate = ones + angle.cos() * (torch.eye(3) - ones) + angle.sin() * cross  # Rodrigues
        return saturate @ rotate


def to_float(pixels: Array, device: str) -> Tensor:
    """uint8 (b, H, W, C) to float32 (b, C, H, W) in [0, 1], channels last in memory."""
    # (b, H, W, C) seen as (b, C, H, W) already is channels_last; pooling anything else is slow.
    pixels = np.ascontiguousarray(pixels)
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255.0)


def to_pixels(x: Tensor) -> Array:
    """float (b, C, H, W) in [0, 1] to uint8 (b, H, W, C), the inverse of `to_float`.

    >>> to_pixels(torch.tensor([0.0, 0.2, 1.0]).reshape(1, 1, 1, 3)).tolist()
    [[[[0], [51], [255]]]]
    """
    return (x * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
