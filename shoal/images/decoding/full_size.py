"""What tells whether two images are the same: their files, and their pixels at full size.

A pile holds its images small, and mostly cut to their middle. Images that are the same there may
differ in their files.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from shoal.images.decoding.file import File, alone_if_large, ask, open_with_pillow
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.modes import exif_orientation, is_wide, raw_of
from shoal.images.decoding.raw_pixels import turned
from shoal.images.readers import channel_files
from shoal.images.readers.raw import MOST_PIXELS, Raw, bomb

_BLOCK = 2**20
_ANY_NAME = "surrogateescape"
_OF_COLOURS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
"""Modes whose pixels are the same, or not, whatever the mode: each has a place among RGBA."""


class Stored(NamedTuple):
    """What an image is before it is decoded."""

    digest: bytes | None = None
    """Of its file, and of its name in the file if that holds several; None of a folder."""
    sides: tuple[int, int] | None = None
    """Its shorter and its longer side, in pixels, where the head of the file tells them."""
    by_reader: bool = False
    """Whether a reader of `shoal.images.readers` decodes it, whose library may crash."""
    among_others: bool = False
    """Whether its file holds other images, too: then equal pixels do not make the file a copy."""


def look_at_file(content: Encoded) -> Stored | Unreadable:
    """What an image is before it is decoded; or why it cannot be read."""
    if isinstance(content, Unreadable):
        return content
    try:
        file = File.of(content)
        if file.reader is channel_files:  # several files are one image
            return Stored(by_reader=True)
        digest = _file_digest(file.given)
        if file.member:
            within = None if digest is None else digest + file.member.encode("utf-8", _ANY_NAME)
            return Stored(within, by_reader=True, among_others=True)
        if file.reader is not None:
            return Stored(digest, by_reader=True)
        with open_with_pillow(file) as opened:
            return Stored(digest, (min(opened.size), max(opened.size)))
    except Exception as error:  # noqa: BLE001 - of a damaged file, anything
        return Unreadable(str(error) or type(error).__name__)


def pixel_digest(content: Encoded) -> bytes | Unreadable | None:
    """A digest of an image upright at its own size: equal for equal pixels of equal meaning.

    The format of the file plays no part, nor does grey that is saved as colours. The colour profile
    does. None: the file holds more than this image, such as the other frames of an animation, so
    that equal pixels do not make it the same.

    >>> import io
    >>> files = [io.BytesIO() for _ in range(2)]
    >>> grey = Image.new("L", (4, 5), 7)
    >>> grey.save(files[0], "png"); grey.convert("RGB").save(files[1], "bmp")
    >>> len({pixel_digest(file.getvalue()) for file in files})
    1
    """
    return ask(content, _of_raw, _of_opened)


def _file_digest(given: Path | bytes) -> bytes | None:
    if isinstance(given, bytes):
        return hashlib.blake2b(given, digest_size=16).digest()
    if given.is_dir():  # a Zarr store
        return None
    about = given.stat()
    return _digest_of_file(given, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=4)  # the frames of a video come one after the other
def _digest_of_file(path: Path, size: int, changed: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def _of_raw(raw: Raw) -> bytes | None:
    if raw.among_others:
        return None
    missing = None if raw.missing is None else turned(raw.missing, raw.orientation)
    return _digest("", turned(raw.pixels, raw.orientation), missing)


def _of_opened(opened: ImageFile.ImageFile) -> bytes | None:
    if getattr(opened, "n_frames", 1) > 1:
        return None
    if opened.height * opened.width > MOST_PIXELS:
        raise ValueError(bomb(opened.height, opened.width))
    profile = opened.info.get("icc_profile") or b""
    with alone_if_large(opened.width * opened.height):
        opened.load()
        orientation = exif_orientation(opened)
        if is_wide(opened):
            return _of_raw(raw_of(opened, orientation))
        mode, pixels = _pixels_of(opened)
        return _digest(mode, turned(pixels, orientation), None, profile)


def _pixels_of(image: Image.Image) -> tuple[str, npt.NDArray[Any]]:
    """Pixels (H, W, C), and the mode if they are other than grey, RGB or RGBA."""
    if image.mode not in _OF_COLOURS:
        pixels = np.asarray(image)
        return image.mode, pixels.reshape(*pixels.shape[:2], -1)
    may_show_through = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    pixels = np.asarray(image.convert("RGBA" if may_show_through else "RGB"))
    if may_show_through and (pixels[..., 3] == 255).all():
        pixels = pixels[..., :3]
    return "", pixels


def _digest(
    mode: str, pixels: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None,
    profile: bytes = b"",
) -> bytes:  # fmt: skip
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.shape[2] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    about = (mode, pixels.dtype.str, pixels.shape, hashlib.blake2b(profile).hexdigest())
    digest = hashlib.blake2b(repr(about).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    if missing is not None and missing.any():
        digest.update(np.ascontiguousarray(missing).data)
    return digest.digest()
