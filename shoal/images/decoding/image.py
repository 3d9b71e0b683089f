"""One encoded image to pixels, whatever its format, its mode and its soundness.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

import io
import os
import re
import stat
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np

# Pillow knows a format once its plugin is imported. Asked for a format by name, it would import
# all plugins, which takes each worker some 0.1 s.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shoal.images.decoding.form import Chunk, Decoded, Encoded, Facts, Form, Member, Unreadable
from shoal.images.decoding.modes import (
    bring,
    by_range,
    exif_orientation,
    is_grey,
    is_wide,
    numbers,
)
from shoal.images.file_kinds import HEAD, head_of, reason_by_content
from shoal.images.left_out import DRAWN
from shoal.images.pixel_range import Numbers, spread
from shoal.images.readers.raw import MOST_PIXELS, bomb

try:
    from PIL import AvifImagePlugin  # since Pillow 11.3
except ImportError:
    AvifImagePlugin = None  # type: ignore[assignment]
_MORE = () if AvifImagePlugin is None else (AvifImagePlugin.AvifImageFile,)

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile,
        BmpImagePlugin.BmpImageFile, GifImagePlugin.GifImageFile, TiffImagePlugin.TiffImageFile,
        PpmImagePlugin.PpmImageFile, Jpeg2KImagePlugin.Jpeg2KImageFile,
        QoiImagePlugin.QoiImageFile, *_MORE,
    )
)  # fmt: skip
"""No others: a PostScript file called photo.jpg would be handed to Ghostscript and run."""
_LARGE = 16_000_000
"""Images of more pixels than this are decoded one at a time, so that threads share the memory."""
_READ_WHOLE = 16 * 2**20
"""Files up to this many bytes are read at once; of larger ones Pillow reads what it needs."""
_SAMPLE = 4096
"""Pixels of an image, about, from which the range of its pile is learned."""
_one_large = threading.Lock()
_TURNED = (5, 6, 7, 8)
"""EXIF orientations of a camera held on its side."""


def decode_chunk(contents: Sequence[Encoded], form: Form) -> Chunk:
    """Decode several images to one form; whatever is in them, no error is raised."""
    pixels = np.empty((len(contents), *form.shape), dtype=np.uint8)
    reasons: list[str] = []
    kept, shortest, longest = 0, 2**31, 0
    missing = [0, 0]
    outside, n_larger = 0.0, 0
    for content in contents:
        decoded = decode(content, form)
        if isinstance(decoded, str):
            reasons.append(decoded)
            continue
        image, facts, n_missing, unknown = decoded
        if image is None:
            return Chunk(pixels[:0], [], (0, 0), facts, unknown=unknown)
        pixels[kept] = image
        missing[0] += n_missing
        missing[1] += n_missing > 0
        kept += 1
        reasons.append("")
        shortest = min(shortest, facts.height, facts.width)
        longest = max(longest, facts.height, facts.width)
        outside += facts.outside(form)
        n_larger += facts.is_larger(form)
    return Chunk(
        pixels[:kept], reasons, (shortest, longest), None, (missing[0], missing[1]),
        outside=outside, n_larger=n_larger,
    )  # fmt: skip


def look(content: Encoded) -> Facts | str:
    """The size and the colours of an image that can be read; or why it cannot be read."""
    decoded = decode(content, Form(0, 0, 3, same_size=True))
    return decoded if isinstance(decoded, str) else decoded[1]


def decode(content: Encoded, form: Form) -> Decoded | str:
    """The image as uint8 (H, W, C), and its facts; or the reason why it cannot be read.

    There are no pixels where the image does not fit the form. Of several frames or pages, the first
    is taken. For modes and sizes see `bring`.
    """
    if isinstance(content, Unreadable):
        return content.reason
    if isinstance(content, Member):
        content = content.content
    try:
        with _open(content) as opened:
            height, width = opened.height, opened.width
            if height * width > MOST_PIXELS:
                return bomb(height, width)
            if str(opened.info.get("Software", "")).startswith("shoal "):
                return DRAWN
            if not form.same_size:
                # A JPEG is decoded at a half, a quarter or an eighth of its size, as long as that
                # is at least twice the size wanted. This is several times as fast, and hardly to be
                # seen. Its orientation is not known yet, so both sides have the longer one's limit.
                side = 2 * max(form.height, form.width)
                opened.draft(None, (side, side))
            with _one_large if opened.width * opened.height > _LARGE else nullcontext():
                opened.load()
                if opened.format == "TIFF":  # Pillow has turned it upright by itself
                    height, width = opened.height, opened.width
                orientation = exif_orientation(opened)
                if orientation in _TURNED:
                    height, width = width, height
                facts = Facts(height, width, is_grey(opened))
                if form.same_size and (height, width) != (form.height, form.width):
                    return Decoded(None, facts)
                if form.all_grey and not facts.grey:
                    return Decoded(None, facts)
                image: Image.Image = opened
                n_missing = 0
                if is_wide(opened) and form.pixel_range is not None:
                    kind = np.dtype(np.float32 if opened.mode == "F" else np.int32)
                    bounds = form.pixel_range.of(kind)
                    if bounds is None:
                        return Decoded(None, facts, unknown=kind.kind)
                    image, n_missing = by_range(opened, bounds)
                return Decoded(bring(image, orientation, form.shape), facts, n_missing)
    except Exception as error:  # noqa: BLE001 - what a broken file raises depends on the plugin
        return _reason(error, content)


class Measured(NamedTuple):
    """Pixels of an image of more than 8 bits, from which its pile's range is learned."""

    kind: str
    """f or i, as NumPy's types have it."""
    extremes: tuple[float, float]
    values: Numbers
    """Some thousand of its pixels."""


def measure(content: Encoded) -> Measured | str:
    """Pixels of an image of more than 8 bits; "8 bits", or "" for an image that cannot be read."""
    if isinstance(content, Unreadable):
        return ""
    if isinstance(content, Member):
        content = content.content
    try:
        with _open(content) as opened:
            if not is_wide(opened):
                return "8 bits"
            if opened.height * opened.width > MOST_PIXELS:
                return ""
            with _one_large if opened.width * opened.height > _LARGE else nullcontext():
                opened.load()
                pixels, missing = numbers(opened)
        finite = pixels[~missing]
        if not len(finite):
            return ""
        kind = "f" if pixels.dtype.kind == "f" else "i"
        return Measured(kind, (float(finite.min()), float(finite.max())), spread(finite, _SAMPLE))
    except Exception:  # noqa: BLE001 - it will be decoded, and its reason given, later
        return ""


def _open(content: Path | bytes) -> Image.Image:
    if isinstance(content, Path):
        status = os.stat(content)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ValueError("a folder, a pipe or a device, not a file")
        if status.st_size > _READ_WHOLE:
            return Image.open(content, formats=FORMATS)
        with open(content, "rb", buffering=0) as file:
            content = file.read()
    if not content:
        raise ValueError("empty")
    return Image.open(io.BytesIO(content), formats=FORMATS)


def _reason(error: Exception, content: Path | bytes) -> str:
    """An error of Pillow in a few words, on one line."""
    if isinstance(error, UnidentifiedImageError):
        try:
            head = content[:HEAD] if isinstance(content, bytes) else head_of(content)
        except OSError:
            head = b""
        return reason_by_content(head) or "not an image"
    if isinstance(error, Image.DecompressionBombError):
        announced = re.search(r"\d+", str(error))
        return f"{int(announced[0]):,} pixels: too many" if announced else "too many pixels"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
