"""Encoded images of any size, mode and soundness, to one uint8 array of one shape."""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shoal.errors import DataError
from shoal.protocols import Array, ImageSource
from shoal.sources.array import ArraySource

Encoded: TypeAlias = Path | bytes | None
"""A file, or its content, or None where there should be one and is none."""
Probe: TypeAlias = tuple[int, int, bool] | None
_Result = TypeVar("_Result")

NATIVE_LIMIT = 96
"""Images that all have one size, at most this on the longer side, keep it."""
DEFAULT_SIDE = 32
"""Any other pile is brought to squares of this side: what a laptop trains on in minutes."""

# What Pillow raises on a broken file depends on the format and the fault.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


def decode_pile(
    contents: Callable[[], Iterable[Encoded]],
    names: Sequence[str],
    image_shape: tuple[int, int, int] | None,
    *,
    where: str,
    kind: str = "image files",
) -> ImageSource:
    """Decode a pile to one uint8 array; what cannot be read is skipped, and listed.

    Images of several sizes are scaled to cover a square and cut to its centre. A pile without one
    coloured image stays grey.

    Args:
        contents: gives the n encoded images from the first on, at each call anew: they are gone
            through twice unless ``image_shape`` is given, so that they need not all be in memory.
        names: their n ids.
        image_shape: the (H, W, C) to bring them to; None: as they are, if they all have one size.
        where: where they come from, for messages.
        kind: what they are, for messages.

    Raises:
        DataError: none can be read.
    """
    if image_shape is None:
        image_shape = _common_shape(list(_in_threads(_probe, contents())))
    shape = image_shape
    pixels = np.empty((len(names), *shape), dtype=np.uint8)
    kept: list[str] = []
    skipped: list[tuple[str, str]] = []
    decoded = _in_threads(lambda content: _decode(content, shape), contents())
    for name, image in zip(names, decoded, strict=True):
        if isinstance(image, str):
            skipped.append((name, image))
        else:
            pixels[len(kept)] = image
            kept.append(name)
    if not kept:
        raise DataError(
            f"{where}: images are expected, and none of its {len(names)} {kind} can be read "
            f"({skipped[0][0]}: {skipped[0][1]})."
        )
    return ArraySource(pixels[: len(kept)], ids=kept, skipped=skipped, name=where)


def _in_threads(work: Callable[[Encoded], _Result], items: Iterable[Encoded]) -> Iterator[_Result]:
    """``map`` on all cores, in order, holding a bounded number of items at a time."""
    block: list[Encoded] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for item in items:
            block.append(item)
            if len(block) == 1024:
                yield from pool.map(work, block)
                block = []
        yield from pool.map(work, block)


def _open(content: Encoded) -> Image.Image:
    if content is None:
        raise ValueError("no image in it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(io.BytesIO(content) if isinstance(content, bytes) else content)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _probe(content: Encoded) -> Probe:
    """(width, height, is it grey) from the header alone; None if unreadable."""
    try:
        with _open(content) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # the camera was on its side
                width, height = height, width
            return width, height, image.mode in ("1", "L", "I;16", "I", "F")
    except _BROKEN:
        return None


def _common_shape(probes: list[Probe]) -> tuple[int, int, int]:
    known = [probe for probe in probes if probe is not None]
    channels = 1 if known and all(grey for _, _, grey in known) else 3
    sizes = Counter((height, width) for width, height, _ in known)
    if len(sizes) == 1:
        height, width = next(iter(sizes))
        if max(height, width) <= NATIVE_LIMIT:
            return height, width, channels
    return DEFAULT_SIDE, DEFAULT_SIDE, channels


def _decode(content: Encoded, shape: tuple[int, int, int]) -> Array | str:
    """The image as uint8 ``shape``, or the reason why there is none."""
    height, width, channels = shape
    try:
        with _open(content) as opened:
            image = ImageOps.exif_transpose(opened)
            image = _eight_bits(image)
            if image.mode in ("RGBA", "LA", "PA", "P"):
                image = image.convert("RGBA")  # transparency shows white, as on a page
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = image.convert("L" if channels == 1 else "RGB")
            if image.size != (width, height):
                image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
            return np.asarray(image, dtype=np.uint8).reshape(shape)
    except _BROKEN as error:
        return _reason(error)


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and float images stretched to 8 bits; all others as they are."""
    if image.mode not in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        return image
    pixels = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode.startswith("I") else max(float(pixels.max(initial=0.0)), 1e-12)
    return Image.fromarray(np.clip(pixels / top * 255.0, 0, 255).astype(np.uint8))
