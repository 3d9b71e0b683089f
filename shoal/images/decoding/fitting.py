"""Bringing an image to a shape that it does not have: crop, pad or stretch.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, ImageOps

CROP, PAD, STRETCH = FITS = ("crop", "pad", "stretch")
"""crop: scaled to cover the shape, and cut to its centre. pad: scaled to lie within the shape, and
framed. stretch: each side is scaled by itself."""
EFFORT_NAMES = ("quick", "default", "thorough")
SMALL_SIDE, LARGE_SIDE = 32, 64
_FINE = 192
"""Images of so many pixels a side, by the median of the shorter, have detail that 32 pixels do not
show and that tells kinds apart (benchmarks/LOG.md)."""
_MOST = 6000
"""So many images of 64 pixels a side are learned from in some ten minutes on two cores."""
_FEW = 10
"""The shapes of fewer images say nothing of a pile: they are cropped."""
_LITTLE = 0.1
"""Where a crop loses less than this share of an image, on average, it is taken."""
_MUCH = 0.5
"""A share that is too much to lose even of photographs, whose edges show little."""
_OFTEN = 0.2
"""Photographs share a side: so many have the same one, at least."""


def fitted(image: Image.Image, size: tuple[int, int], fit: str = CROP) -> Image.Image:
    """The image at ``size`` (width, height), by an antialiased bicubic filter.

    A frame has the median of the image's border, so that no edge appears where there is none.

    >>> tall = Image.new("L", (20, 40), 7)
    >>> tall.putpixel((10, 20), 200)
    >>> [fitted(tall, (10, 10), fit).getpixel((0, 0)) for fit in FITS]
    [7, 7, 7]
    """
    if image.size == size:
        return image
    if fit == CROP:
        return ImageOps.fit(image, size, Image.Resampling.BICUBIC)
    if fit == STRETCH:
        return image.resize(size, Image.Resampling.BICUBIC)
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (
        min(size[0], max(1, round(image.width * scale))),
        min(size[1], max(1, round(image.height * scale))),
    )
    framed = Image.new(image.mode, size, border_of(image))
    place = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    framed.paste(image.resize(inner, Image.Resampling.BICUBIC), place)
    return framed


def border_of(image: Image.Image) -> Any:
    """The median of the pixels at the image's border, as Pillow takes a colour."""
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    middle = np.median(border, axis=0)
    if pixels.dtype.kind == "f":
        return float(middle)
    levels = np.rint(middle).astype(int)
    return tuple(levels.tolist()) if levels.ndim else int(levels)


def choose_fit(sizes: Sequence[tuple[int, int]], shape: tuple[int, int]) -> str:
    """How images of these sizes should be brought to ``shape``, both (height, width).

    Photographs have a few shapes, and show little at their edges: they are cut, unless half of them
    would be lost. Cut-outs, such as single organisms or objects, have each a size of its own that
    the thing fills: they are stretched. So are strips, which all have one shape: all are distorted
    alike. Framed images were never the best (benchmarks/LOG.md).

    >>> choose_fit([(60, 80)] * 9 + [(80, 60)] * 9, (32, 32))
    'crop'
    >>> choose_fit([(30 + 7 * i, 120 - 3 * i) for i in range(20)], (32, 32))
    'stretch'
    >>> choose_fit([(50, 400)] * 20, (32, 32))
    'stretch'
    """
    if len(sizes) < _FEW:
        return CROP
    lost = sum(share_outside(size, shape) for size in sizes) / len(sizes)
    if lost < _LITTLE:
        return CROP
    return STRETCH if lost >= _MUCH or _are_cut_outs(sizes) else CROP


def choose_side(sizes: Sequence[tuple[int, int]], n_images: int, effort: str = "default") -> int:
    """The side at which images of these sizes (height, width) are seen: 32 or 64 pixels.

    Args:
        sizes: of a sample of the pile.
        n_images: how many images the pile has.
        effort: quick, default or thorough.

    >>> [choose_side([(400, 400)] * 20, 2000, effort) for effort in EFFORT_NAMES]
    [32, 64, 64]
    >>> [choose_side([(400, 400)] * 20, 50_000, effort) for effort in EFFORT_NAMES]
    [32, 32, 64]
    >>> [choose_side([(100, 100)] * 20, 2000, effort) for effort in EFFORT_NAMES]
    [32, 32, 32]
    """
    if effort == "quick" or len(sizes) < _FEW or median(map(min, sizes)) < _FINE:
        return SMALL_SIDE
    return LARGE_SIDE if effort == "thorough" or n_images <= _MOST else SMALL_SIDE


def _are_cut_outs(sizes: Sequence[tuple[int, int]]) -> bool:
    """Whether each image has a size of its own, as no camera and no website makes them."""

    def share_of_most(values: Iterable[float], most: int = 1) -> float:
        return sum(n for _, n in Counter(values).most_common(most)) / len(sizes)

    ratios = (round(max(size) / min(size), 2) for size in sizes)
    return (
        share_of_most(map(max, sizes)) < _OFTEN
        and share_of_most(map(min, sizes)) < _OFTEN
        and share_of_most(ratios, 4) < 0.5
    )


def share_outside(size: tuple[int, int], shape: tuple[int, int]) -> float:
    """The share of an image, in [0, 1), that a crop to ``shape`` loses; both (height, width).

    >>> share_outside((320, 32), (32, 32))
    0.9
    """
    scale = max(shape[0] / size[0], shape[1] / size[1])
    return 1.0 - shape[0] * shape[1] / (scale**2 * size[0] * size[1])
