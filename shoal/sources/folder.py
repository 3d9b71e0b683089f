"""A folder of image files, nested to any depth."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shoal.errors import DataError
from shoal.protocols import Array, ImageSource
from shoal.sources.array import ArraySource

SUFFIXES = frozenset(
    f".{kind}"
    for kind in "jpg jpeg png webp bmp gif tif tiff ppm pgm".split()  # noqa: SIM905
)
NATIVE_LIMIT = 96
"""Images that all have one size, at most this on the longer side, keep it."""
DEFAULT_SIDE = 32
"""Any other pile is brought to squares of this side: what a laptop trains on in minutes."""


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``."""
    return path.is_dir()


def open_images(path: Path, image_shape: tuple[int, int, int] | None) -> ImageSource:
    """Decode a folder's images to one uint8 array; unreadable files are skipped, and listed.

    Ids are the paths relative to the folder, in sorted order. Images of several sizes are scaled
    to cover a square and cut to its centre. A pile without one coloured image stays grey.

    Raises:
        DataError: no image files, or none that can be read.
    """
    files = _find(path)
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise DataError(f"{path}: a folder with images ({kinds}) is expected, and it has none.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        if image_shape is None:
            image_shape = _common_shape(list(pool.map(_probe, files)))
        shape = image_shape
        decoded = list(pool.map(lambda file: _decode(file, shape), files))
    names = [file.relative_to(path).as_posix() for file in files]
    kept = [
        (name, image)
        for name, image in zip(names, decoded, strict=True)
        if not isinstance(image, str)
    ]
    skipped = [
        (name, reason)
        for name, reason in zip(names, decoded, strict=True)
        if isinstance(reason, str)
    ]
    if not kept:
        raise DataError(
            f"{path}: images are expected, and none of its {len(files)} image files can be read "
            f"({skipped[0][0]}: {skipped[0][1]})."
        )
    return ArraySource(
        np.stack([image for _, image in kept]),
        ids=[name for name, _ in kept],
        skipped=skipped,
        name=str(path),
    )


def _find(folder: Path) -> list[Path]:
    """Image files below ``folder``, sorted; links to folders are not followed, so no loops."""
    found = [
        Path(base) / name
        for base, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    ]
    return sorted(found)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


# What Pillow raises on a broken file depends on the format and the fault.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


def _open(file: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(file)


def _probe(file: Path) -> tuple[int, int, bool] | None:
    """(width, height, is it grey) from the header alone; None if unreadable."""
    try:
        with _open(file) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # the camera was on its side
                width, height = height, width
            return width, height, image.mode in ("1", "L", "I;16", "I", "F")
    except _BROKEN:
        return None


def _common_shape(probes: list[tuple[int, int, bool] | None]) -> tuple[int, int, int]:
    known = [probe for probe in probes if probe is not None]
    channels = 1 if known and all(grey for _, _, grey in known) else 3
    sizes = Counter((height, width) for width, height, _ in known)
    if len(sizes) == 1:
        height, width = next(iter(sizes))
        if max(height, width) <= NATIVE_LIMIT:
            return height, width, channels
    return DEFAULT_SIDE, DEFAULT_SIDE, channels


def _decode(file: Path, shape: tuple[int, int, int]) -> Array | str:
    """The image as uint8 ``shape``, or the reason why there is none."""
    height, width, channels = shape
    try:
        with _open(file) as opened:
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
