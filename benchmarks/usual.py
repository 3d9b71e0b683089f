"""Training the recipe `best` as it is usually written: what shoal's speed is measured against.

The same model, objectives, optimiser and schedule, taken from shoal itself so that nothing else
can differ, but in fp32, in PyTorch's own memory layout (NCHW), with malloc as the system has it;
and augmented either image by image with Pillow in a DataLoader, or by shoal's batched views.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from shoal.images.tensors import to_float
from shoal.protocols import ImageSource
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe
from shoal.training.augment import augment, local_crops
from shoal.training.schedule import batch_size
from shoal.training.start import start_run

WORKERS = 2
Drawn = tuple[Tensor, Tensor, Tensor]
"""Views and targets, float32 (n_views, b, C, H, W), and local crops (n_local_crops, b, C, h, w)."""


class PillowViews(Dataset[Drawn]):
    """`Views` of each image, one at a time: crop, flip, colours, grey, drawn alike."""

    def __init__(self, images: np.ndarray, views: Views) -> None:
        self.images, self.views = images, views

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Drawn:
        image = Image.fromarray(self.images[index])
        targets = [self.geometry(image) for _ in range(self.views.n_views)]
        views = [self.appearance(self.shrink(target)) for target in targets]
        side = self.views.local_crop_side
        inner = [self.geometry(image, side) for _ in range(self.views.n_local_crops)]
        crops = [self.appearance(self.shrink(x)) for x in inner]
        return stack(views), stack(targets), stack(crops)

    def geometry(self, image: Image.Image, inner: float = 1.0) -> Image.Image:
        """A crop of 20 to 100 % of the area, resized, or its inner part; every second flipped."""
        area = random.uniform(self.views.min_crop, 1.0)
        ratio = math.exp(random.uniform(-1.0, 1.0) * math.log(4 / 3))
        width = min(1.0, math.sqrt(area * ratio)) * image.width
        height = min(1.0, math.sqrt(area / ratio)) * image.height
        left = random.uniform(0.0, image.width - width)
        top = random.uniform(0.0, image.height - height)
        across, down = inner * width / 2, inner * height / 2
        x, y = left + width / 2, top + height / 2
        box = (x - across, y - down, x + across, y + down)
        size = (max(1, round(inner * image.width)), max(1, round(inner * image.height)))
        image = image.resize(size, Image.Resampling.BILINEAR, box=box)
        if self.views.horizontal_flip and random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image

    def shrink(self, image: Image.Image) -> Image.Image:
        """To the resolution of the views."""
        size = [max(1, round(side * self.views.resolution)) for side in image.size]
        return image.resize((size[0], size[1]), Image.Resampling.BILINEAR)

    def appearance(self, image: Image.Image) -> Image.Image:
        """Brightness, contrast, saturation and hue, in four of five; grey, in one of five."""
        views = self.views
        if random.random() < views.colour_probability:
            for enhance, strength in (
                (ImageEnhance.Brightness, views.brightness),
                (ImageEnhance.Contrast, views.contrast),
                (ImageEnhance.Color, views.saturation),
            ):
                image = enhance(image).enhance(1.0 + random.uniform(-strength, strength))
            hue, saturation, value = image.convert("HSV").split()
            turn = round(255 * random.uniform(-views.hue, views.hue)) % 256
            turned = Image.fromarray(np.asarray(hue) + np.uint8(turn))
            image = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
        if random.random() < views.grey_probability:
            image = image.convert("L").convert("RGB")
        return image


def stack(images: list[Image.Image]) -> Tensor:
    """float32 (n, C, H, W) in [0, 1], contiguous; of none at all (0,)."""
    pixels = [torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous() for image in images]
    return torch.stack([x.float() / 255.0 for x in pixels]) if pixels else torch.empty(0)


class UsualRun:
    """Steps of a plain fp32 run; ``pillow`` chooses between the two augmentations."""

    def __init__(self, source: ImageSource, recipe: Recipe, *, pillow: bool) -> None:
        self.source, self.recipe, self.pillow = source, recipe, pillow
        self.run = start_run(source, replace(recipe, precision="fp32"), "cpu")
        for module in (self.run.encoder, *self.run.objectives):
            module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.step = 0

    def batches(self) -> Generator[Drawn]:
        """Without end."""
        size = batch_size(self.recipe, len(self.source))
        if not self.pillow:
            generator = torch.Generator().manual_seed(0)
            while True:
                order = torch.randperm(len(self.source), generator=generator).numpy()
                for start in range(0, len(order) - size + 1, size):
                    pixels = self.source.read(order[start : start + size])
                    images = to_float(pixels, "cpu").contiguous()
                    views = self.recipe.views
                    yield (
                        *augment(views, images, generator),
                        local_crops(views, images, generator),
                    )
        everything = self.source.read(np.arange(len(self.source)))
        loader = DataLoader(
            PillowViews(everything, self.recipe.views), size, shuffle=True, drop_last=True,
            num_workers=WORKERS,
        )  # fmt: skip
        while True:
            for views, targets, small in loader:
                yield views.transpose(0, 1), targets.transpose(0, 1), small.transpose(0, 1)

    def take_step(self, batches: Iterator[Drawn]) -> None:
        """One optimiser step on the next batch."""
        self.step += 1
        self.run._views = lambda source, rows, step: next(batches)  # type: ignore[method-assign]
        self.run.take_step(self.source, self.step)
