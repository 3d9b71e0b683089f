"""An image of any of Pillow's modes, held in any way, to 8-bit pixels of one shape.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.images.decoding.fitting import CROP, fitted
from shoal.images.levels import fill, to_levels
from shoal.images.pixel_range import ChannelBounds
from shoal.images.readers.raw import Raw

Pixels: TypeAlias = npt.NDArray[np.uint8]

_TELL_ORIENTATION = (
    "exif", "xmp", "XML:com.adobe.xmp",
    # As ImageMagick writes them into a PNG: text in hexadecimal.
    "Raw profile type exif", "Raw profile type APP1", "Raw profile type xmp",
)  # fmt: skip
_NO_DATA = 42113
"""The TIFF tag in which GDAL notes the number that stands for no data."""
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def is_grey(image: Image.Image) -> bool:
    """Whether the mode has no colours; a grey picture saved in colour counts as coloured."""
    return image.mode in ("1", "L", "LA", "La") or is_wide(image)


def is_wide(image: Image.Image) -> bool:
    """Whether the pixels are numbers of more than 8 bits."""
    return image.mode == "F" or image.mode.startswith("I")  # I;16, I;16B, I


def exif_orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none or none that can be understood."""
    if not any(name in image.info for name in _TELL_ORIENTATION):
        return 1  # for most; asking for the tags costs as much as decoding a small image
    if image.format == "AVIF" and "exif" not in image.info:
        return 1  # Pillow puts there how AVIF itself says to turn it, which goes before XMP
    try:
        return int(image.getexif().get(0x0112, 0)) or _in_text(image)
    except Exception:  # noqa: BLE001 - broken tags are no reason to lose the image
        return 1


def _in_text(image: Image.Image) -> int:
    """The orientation in text chunks of a PNG that Pillow does not look into; else 1."""
    for name in ("Raw profile type APP1", "Raw profile type xmp"):
        content = bytes.fromhex("".join(str(image.info.get(name, "")).split("\n")[3:]))
        if content.startswith((b"Exif\0\0", b"II*\0", b"MM\0*")):
            exif = Image.Exif()
            exif.load(content)
            if 0x0112 in exif:
                return int(exif[0x0112])
        match = re.search(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])", content)
        if match:
            return int(match[1])
    return 1


def bring(
    image: Image.Image, orientation: int, shape: tuple[int, int, int], fit: str = CROP
) -> Pixels:
    """A loaded image as uint8 ``shape`` (H, W, C), C 1 or 3: upright, and without transparency.

    Transparency shows white, as on a page, so that the colour that a transparent pixel happens to
    hide plays no part. Other sizes are brought to the shape by ``fit``, see `fitted`.

    Raises:
        ValueError: pixels that are not numbers.
    """
    height, width, channels = shape
    if is_wide(image):
        image = _by_itself(image)
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        # Multiplied by alpha before anything is mixed: hidden colours count nothing.
        image = (image if image.mode == "RGBa" else image.convert("RGBA")).convert("RGBa")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    if image.size != (width, height):
        image = fitted(image, (width, height), fit)
    if image.mode == "RGBa":
        parts = np.asarray(image).astype(np.int16)
        page = np.minimum(parts[..., :3] + 255 - parts[..., 3:], 255).astype(np.uint8)
        image = Image.fromarray(page)
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    return np.asarray(image).reshape(shape)


def numbers(image: Image.Image) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The pixels (H, W) of a wide image, and which of them stand for nothing."""
    pixels: npt.NDArray[Any] = np.asarray(image)
    missing = ~np.isfinite(pixels) if image.mode == "F" else np.zeros(pixels.shape, bool)
    if image.format == "TIFF":
        try:
            marked = float(str(image.tag_v2[_NO_DATA]).strip("\0 "))  # type: ignore[attr-defined]
            with np.errstate(over="ignore"):
                missing = missing | (pixels == np.float64(marked).astype(pixels.dtype))
        except (KeyError, ValueError, OverflowError):
            pass  # nothing is marked
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        missing = missing | (pixels == hidden)
    return pixels, missing


def raw_of(image: Image.Image, orientation: int = 1) -> Raw:
    """A wide image as numbers."""
    pixels, missing = numbers(image)
    return Raw(pixels[..., None], missing=missing[..., None], orientation=orientation)


def by_range(image: Image.Image, bounds: ChannelBounds) -> tuple[Image.Image, int]:
    """A wide image with 8 bits, as checkpoints written before there were 16 see it.

    Its pile's range is ``bounds``. Also given is how many pixels were missing.

    Raises:
        ValueError: all are.
    """
    pixels, missing = numbers(image)
    n_missing = int(missing.sum())
    if n_missing == missing.size:
        raise ValueError("no pixel of it is a number")
    if n_missing:
        pixels = fill(pixels[..., None], missing[..., None], bounds)[..., 0]
    return Image.fromarray(to_levels(pixels, bounds)), n_missing


def _by_itself(image: Image.Image) -> Image.Image:
    """Numbers wider than 8 bits as 8 bits, as it was before ranges were learned.

    Integers are 16-bit, 65535 white. Floats in [0, 1] are shares of white, in [0, 255] 8-bit
    levels, in [0, 65535] 16-bit ones. What goes beyond is scaled by the image's own maximum;
    negative numbers are black.
    """
    pixels: npt.NDArray[Any] = np.asarray(image)
    hidden = image.info.get("transparency")
    low, high = pixels.min(), pixels.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("pixels that are not numbers")
    tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    top = next((top for top in tops if high <= top), float(high))
    levels = np.rint(np.clip(pixels.astype(np.float32) / top, 0, 1) * 255).astype(np.uint8)
    if isinstance(hidden, int):
        levels[pixels == hidden] = 255
    return Image.fromarray(levels)
