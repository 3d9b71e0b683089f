"""Which images a TIFF holds: its pages by their axes, each an image, or channels of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

from shoal.images.readers._planes import are_channels
from shoal.images.readers.raw import MOST_CHANNELS, Pages, ReasonError

PALETTE = 3
"""What a page of palette colours calls itself."""
_UNKNOWN_AXES = "QI"
"""Axes of which the file does not say what they are."""


@dataclass(frozen=True)
class Image:
    """One image of a file: planes of a series of pages, each a page or its samples."""

    series: int
    planes: tuple[int, ...]
    """Which pages of the series."""
    last_is_channels: bool = False
    """The whole series is one array (H, W, C), though the file has a page for each row."""


def image_of(tiff: Any, member: str) -> Image:
    """The image of that name.

    Raises:
        ValueError: there is none.
    """
    if not member:
        images = images_of(tiff, "auto")
        if len(images) > 1:
            images = images_of(tiff, "channels")
        if len(images) > 1:
            raise ReasonError(f"{len(images):,} images of several shapes in one file")
        return next(iter(images.values()))
    ways: tuple[Pages, ...] = ("auto", "images")
    for pages in ways:
        images = images_of(tiff, pages)
        if member in images:
            return images[member]
    raise ReasonError(f"no image {member} in it")


def images_of(tiff: Any, pages: Pages) -> dict[str, Image]:
    """The images of a file by their names."""
    known: dict[str, dict[str, Image]] = tiff.__dict__.setdefault("_shoal_images", {})
    if pages in known:
        return known[pages]
    series = [(at, one) for at, one in enumerate(tiff.series) if not one.keyframe.is_reduced]
    if not series:
        raise ReasonError("a TIFF without pages")
    images: dict[str, Image] = {}
    for at, one in series:
        images |= _images_in(at, one, pages, len(series) > 1)
    known[pages] = images
    return images


def _images_in(at: int, series: Any, pages: Pages, is_one_of_several: bool) -> dict[str, Image]:
    """The images of a series by their names."""
    page = series.keyframe
    depth = len(page.shape)
    if not series.axes.endswith(page.axes) or tuple(series.shape[-depth:]) != tuple(page.shape):
        raise ReasonError(f"a TIFF with axes {series.axes}")
    outer = series.axes[: len(series.axes) - depth]
    shape = series.shape[: len(outer)]
    n = math.prod(shape)
    if n > 10_000_000:
        raise ReasonError(f"{n:,} pages")
    if pages == "auto" and _is_array_of_rows(series, outer):
        return {"": Image(at, tuple(range(n)), last_is_channels=True)}
    unknown = math.prod(
        size for axis, size in zip(outer, shape, strict=True) if axis in _UNKNOWN_AXES
    )
    one_sample = (
        page.samplesperpixel == 1 and page.bitspersample > 1 and page.photometric != PALETTE
    )
    joined = pages == "channels" or (
        one_sample and not is_one_of_several and are_channels(unknown, pages)
    )
    into_one = [
        pages == "channels"
        or (axis == "C" and pages == "auto")
        or (axis in _UNKNOWN_AXES and joined)
        for axis in outer
    ]
    images: dict[str, list[int]] = {}
    for plane, place in enumerate(product(*map(range, shape))):
        parts = [
            f"{'page' if axis in _UNKNOWN_AXES else axis.lower()}={number}"
            for axis, number, is_channel in zip(outer, place, into_one, strict=True)
            if not is_channel
        ]
        if is_one_of_several:
            parts = _name_among(at, series, plane, parts)
        images.setdefault("_".join(parts), []).append(plane)
    if any(len(planes) * page.samplesperpixel > MOST_CHANNELS for planes in images.values()):
        n = max(map(len, images.values())) * page.samplesperpixel
        raise ReasonError(f"{n:,} channels, more than the {MOST_CHANNELS} an image may have")
    return {name: Image(at, tuple(planes)) for name, planes in images.items()}


def _name_among(at: int, series: Any, plane: int, parts: list[str]) -> list[str]:
    """The parts of an image's name in a file of several series."""
    if series.kind in ("generic", "uniform"):  # then the place in the file is all there is
        page = series.pages[plane] if plane < len(series.pages) else None
        return [f"page={at if page is None else page.index}"]
    return [f"series={at}", *parts]


def _is_array_of_rows(series: Any, outer: str) -> bool:
    """Whether an array (H, W, C) was written as H pages of W × C pixels, as tifffile does."""
    if series.kind != "shaped" or outer != "Q" or series.keyframe.axes != "YX":
        return False
    height, width, channels = series.shape
    return bool(channels <= MOST_CHANNELS and 2 * channels < min(height, width))


def n_joined_in(tiff: Any) -> int:
    """How many pages are joined to one image though the file does not say so; 0 if none are."""
    images = images_of(tiff, "auto")
    image = next(iter(images.values()))
    if len(images) > 1 or image.last_is_channels or len(image.planes) == 1:
        return 0
    series = tiff.series[image.series]
    outer = series.axes[: len(series.axes) - len(series.keyframe.shape)]
    sizes = zip(outer, series.shape, strict=False)
    n = math.prod(size for axis, size in sizes if axis in _UNKNOWN_AXES)
    return n if n > 1 else 0
