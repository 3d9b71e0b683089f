"""Augmented views of a batch, as batched tensor operations on whatever device holds it.

Each image of a view draws its own parameters. Geometry is one affine resampling; colour is one
3×3 matrix an image, so that a view costs a few percent of a training step (per-image Pillow
augmentation costs more than the step itself). A view draws random numbers only for what its
settings ask for: a setting that is off changes no other's draws.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.images.levels import LUMA
from shoal.protocols import Workers
from shoal.recipes.augmentation import Views
from shoal.training.randomness import Draws
from shoal.training.workers import ALONE


def augment(
    views: Views, images: Tensor, generator: torch.Generator, workers: Workers = ALONE
) -> tuple[Tensor, Tensor]:
    """Draw the views.

    Args:
        images: float (b, C, H, W) in [0, 1], any C.
        generator: the only source of randomness; it lives on the CPU, so that a device
            draws the same parameters as the CPU.
        workers: those that hold the rest of the batch.

    Returns:
        ``views`` and ``targets``, float (n_views, b, C, H, W) in [0, 1]: the augmented
        images, smaller by ``resolution``, and the same after the geometric part alone.
    """
    draws = _draws(images, generator, workers)
    targets = torch.stack([_geometry(views, images, draws) for _ in range(views.n_views)])
    seen = torch.stack([_appearance(views, _shrink(views, x), draws) for x in targets])
    return seen, targets


def local_crops(
    views: Views, images: Tensor, generator: torch.Generator, workers: Workers = ALONE
) -> Tensor:
    """Draw the local crops. They cost little and show less, so that more must be guessed.

    Multi-crop (Caron et al. 2020, arXiv:2006.09882, section 3.2). Each is the inner part of a
    view of its own, so that things are as large in it as in the global views.

    Args:
        images: float (b, C, H, W) in [0, 1], any C.
        generator, workers: as of the other views.

    Returns:
        Float (n_local_crops, b, C, h, w) in [0, 1].
    """
    if views.n_local_crops == 0:
        return images.new_empty(0, *images.shape)
    draws = _draws(images, generator, workers)
    inner = [
        _geometry(views, images, draws, views.local_crop_side) for _ in range(views.n_local_crops)
    ]
    return torch.stack([_appearance(views, _shrink(views, x), draws) for x in inner])


def _draws(images: Tensor, generator: torch.Generator, workers: Workers) -> Draws:
    return Draws(generator, workers.n_images or len(images), workers.own)


def symmetries(x: Tensor) -> list[Tensor]:
    """The images in each orientation that `Views.free_orientation` draws from.

    Args:
        x: images (b, C, H, W).

    Returns:
        The eight symmetries of square images, the four of others that keep their shape. The first
        is ``x`` itself; the first four keep rows and columns.

    >>> x = torch.arange(4.0).reshape(1, 1, 2, 2)
    >>> [view.flatten().int().tolist() for view in symmetries(x)][:4]
    [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    >>> len(symmetries(x)), len(symmetries(torch.zeros(1, 1, 2, 3)))
    (8, 4)
    """
    turned = [x, x.transpose(2, 3)] if x.shape[2] == x.shape[3] else [x]
    return [y.flip(axes) if axes else y for y in turned for axes in ((), (3,), (2,), (2, 3))]


def _geometry(views: Views, images: Tensor, draws: Draws, inner: float = 1.0) -> Tensor:
    moves = (views.rotation, views.zoom, views.shear, views.shift)
    turns = views.horizontal_flip or views.free_orientation
    if views.min_crop >= 1 and not turns and not any(moves) and inner >= 1:
        return images
    n, channels, *sides = images.shape
    kept = [max(1, round(side * inner)) for side in sides]
    theta = _affine(views, n, draws)
    if views.free_orientation:
        square = sides[0] == sides[1]
        theta[:, :, :2] = theta[:, :, :2] @ _orientations(n, square, draws)
    theta[:, :, :2] *= torch.tensor([kept[1] / sides[1], kept[0] / sides[0]])
    grid = F.affine_grid(theta.to(images.device), [n, channels, *kept], align_corners=False)
    return F.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _shrink(views: Views, x: Tensor) -> Tensor:
    if views.resolution >= 1:
        return x
    size = [max(1, round(side * views.resolution)) for side in x.shape[2:]]
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)


def _affine(views: Views, n: int, draws: Draws) -> Tensor:
    """Maps from view to image coordinates, both in [-1, 1]: float (n, 2, 3)."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * draws.uniform(*shape)

    # A crop of area a and aspect ratio r spans sqrt(a r) × sqrt(a / r) of the image; it is
    # cut to fit, and its centre may lie wherever it stays inside.
    area = uniform(views.min_crop, 1.0)
    ratio = torch.exp(uniform(-1.0, 1.0) * math.log(4 / 3)) if views.min_crop < 1 else 1.0
    span = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1).clamp(max=1.0)
    centre = uniform(-1.0, 1.0, 2) * (1.0 - span)
    span = span / uniform(1.0 - views.zoom, 1.0 + views.zoom, 2)
    centre = centre + 2.0 * views.shift * uniform(-1.0, 1.0, 2)

    angle = uniform(-1.0, 1.0) * math.radians(views.rotation)
    cos, sin = angle.cos(), angle.sin()
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shear = torch.eye(2).repeat(n, 1, 1)
    shear[:, 0, 1] = 2.0 * views.shear * uniform(-1.0, 1.0)
    linear = rotation @ shear * span[:, None, :]
    if views.horizontal_flip:
        flip = draws.integers(2) * 2.0 - 1.0
        linear = torch.cat([linear[:, :, :1] * flip[:, None, None], linear[:, :, 1:]], dim=2)
    return torch.cat([linear, centre[:, :, None]], dim=2)


def _orientations(n: int, square: bool, draws: Draws) -> Tensor:
    """Symmetries of the square, drawn at random, as maps of coordinates: float (n, 2, 2).

    Without ``square`` only those that exchange no rows and columns.
    """
    signs = draws.integers(2, 2) * 2.0 - 1.0
    matrix = torch.diag_embed(signs)
    if not square:
        return matrix
    turned = draws.integers(2, 1, 1) == 1
    return torch.where(turned, matrix.flip(2), matrix)


def _appearance(views: Views, x: Tensor, draws: Draws) -> Tensor:
    if any((views.brightness, views.contrast, views.saturation, views.hue, views.grey_probability)):
        x = _colour(views, x, draws)
    if any((views.channel_gain, views.channel_offset, views.channel_gamma)):
        x = _levels(views, x, draws)
    if views.noise:
        x = _noisy(x, views.noise, 1, draws)
    if views.channel_noise:
        x = _noisy(x, views.channel_noise, x.shape[1], draws)
    if views.channel_drop and x.shape[1] > 1:
        x = x * _kept(views, x, draws)
    return x.clamp(0.0, 1.0)


def _colour(views: Views, x: Tensor, draws: Draws) -> Tensor:
    """Brightness and contrast, and of colour images saturation and hue."""
    n, channels = x.shape[:2]

    def factor(strength: float) -> Tensor:
        drawn = 1.0 + strength * (2.0 * draws.uniform() - 1.0)
        return torch.where(touched, drawn, torch.ones(n))

    touched = draws.uniform() < views.colour_probability
    brightness, contrast = factor(views.brightness)[:, None, None, None], factor(views.contrast)
    scale = contrast.to(x.device, x.dtype)[:, None, None, None]
    if channels != 3:  # contrast keeps the mean of each channel
        x = x * brightness.to(x.device, x.dtype)
        return x * scale + x.mean(dim=(2, 3), keepdim=True) * (1.0 - scale)
    chroma = _chroma(views, factor(views.saturation), factor(views.hue), draws)
    matrix = brightness[:, :, :, 0] * torch.eye(3) @ chroma
    x = torch.einsum("nij,njhw->nihw", matrix.to(x.device, x.dtype), x)
    # Contrast keeps the mean grey of the image (as Pillow's ImageEnhance.Contrast).
    weights = torch.tensor(LUMA, device=x.device)
    mean = torch.einsum("j,njhw->n", weights.to(x.dtype), x) / (x.shape[2] * x.shape[3])
    return x * scale + mean[:, None, None, None] * (1.0 - scale)


def _levels(views: Views, x: Tensor, draws: Draws) -> Tensor:
    """Gamma, gain and offset of each channel by itself."""

    def uniform(largest: float) -> Tensor:
        drawn = 2.0 * draws.uniform(x.shape[1], 1, 1) - 1.0
        return (largest * drawn).to(x.device, x.dtype)

    if views.channel_gamma:
        x = x.clamp(0.0, 1.0) ** uniform(math.log1p(views.channel_gamma)).exp()
    if views.channel_gain:
        x = x * (1.0 + uniform(views.channel_gain))
    if views.channel_offset:
        x = x + uniform(views.channel_offset)
    return x


def _noisy(x: Tensor, largest: float, channels: int, draws: Draws) -> Tensor:
    """Gaussian noise, with 1 or ``channels`` standard deviations an image."""
    deviation = largest * draws.uniform(channels, 1, 1)
    noise = deviation * draws.normal(*x.shape[1:])
    return x + noise.to(x.device, x.dtype)


def _kept(views: Views, x: Tensor, draws: Draws) -> Tensor:
    """0 for a channel that is emptied and 1 for all others: (n, C, 1, 1)."""
    channels = x.shape[1]
    dropped = draws.uniform() < views.channel_drop
    which = draws.integers(channels)
    kept = 1.0 - F.one_hot(which, channels) * dropped[:, None]
    return kept[:, :, None, None].to(x.device, x.dtype)


def _chroma(views: Views, saturation: Tensor, hue: Tensor, draws: Draws) -> Tensor:
    """Saturation, then hue as a rotation about the grey axis: float (n, 3, 3)."""
    n = len(saturation)
    grey = torch.tensor(LUMA).expand(3, 3)
    drained = draws.uniform() < views.grey_probability
    saturation = torch.where(drained, torch.zeros(n), saturation)[:, None, None]
    saturate = saturation * torch.eye(3) + (1.0 - saturation) * grey
    angle = ((hue - 1.0) * 2.0 * math.pi)[:, None, None]
    ones = torch.full((3, 3), 1.0 / 3.0)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    rotate = ones + angle.cos() * (torch.eye(3) - ones) + angle.sin() * cross  # Rodrigues
    return saturate @ rotate
