"""An encoded image as a file: who decodes it, and why it cannot be decoded.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

import io
import os
import re
import stat
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, TypeVar

# Pillow knows a format once its plugin is imported. Asked for a format by name, it would import
# all plugins, which takes each worker some 0.1 s.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shoal.images import readers
from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.time_limit import limited
from shoal.images.file_kinds import HEAD, head_of, reason_by_content
from shoal.images.readers import png, video
from shoal.images.readers.raw import Raw, Reader

try:
    from PIL import AvifImagePlugin  # since Pillow 11.3
except ImportError:
    AvifImagePlugin = None  # type: ignore[assignment]
_MORE = () if AvifImagePlugin is None else (AvifImagePlugin.AvifImageFile,)

Told = TypeVar("Told")

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
_one_large = threading.Lock()
_READ_WHOLE = 16 * 2**20
"""Files up to this many bytes are read at once; of larger ones Pillow reads what it needs."""
_BANDS = 277
"""The TIFF tag with the number of bands."""


class File(NamedTuple):
    """An encoded image before it is decoded, and who decodes it."""

    content: Path | bytes
    """The file, or what it holds: as far as Pillow needs it."""
    given: Path | bytes
    """The file, or what it holds, as a reader wants it."""
    member: str
    reader: Reader | None
    """None: Pillow."""

    @staticmethod
    def of(content: Path | bytes | Member, *, wide: bool = True) -> File:
        """Read as much as tells what the file is.

        ``wide`` is false for older checkpoints, which saw a PNG of 16-bit colours with 8 bits.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        member = content if isinstance(content, Member) else Member(content)
        given = whole = member.content
        if isinstance(given, bytes):
            head = given
        else:
            status = os.stat(given)
            if stat.S_ISDIR(status.st_mode) and (reader := readers.find(member.suffix, b"")):
                return File(given, given, member.member, reader)
            if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
                raise ValueError("a folder, a pipe or a device, not a file")
            with open(given, "rb", buffering=0) as file:
                head = file.read(HEAD)
                if status.st_size <= _READ_WHOLE and not member.member:
                    head = whole = head + file.read()
        if not head:
            raise ValueError("empty")
        found = readers.find(member.suffix, head[:HEAD])
        if member.member:
            return File(given, given, member.member, found or video)
        if found is not None and (readers.is_plain(found, whole) or (found is png and not wide)):
            found = None
        return File(whole, given, "", found)

    def read(self, side: int | None) -> Raw:
        """The image, by its reader.

        Raises:
            ValueError: it cannot be read.
            ModuleNotFoundError: the reader's library is not installed.
        """
        assert self.reader is not None
        size = len(self.given) if isinstance(self.given, bytes) else _size(self.given)
        with alone_if_large(size):
            return self.reader.read(self.given, self.member, side=side)


def _size(path: Path) -> int:
    return path.stat().st_size


def ask(
    content: Encoded,
    by_reader: Callable[[Raw], Told],
    by_pillow: Callable[[ImageFile.ImageFile], Told],
    side: int | None = None,
    *,
    wide: bool = True,
) -> Told | Unreadable:
    """What an image tells, or why it cannot be read; whatever is in it, no error is raised.

    Args:
        content: the image.
        by_reader: tells it from what a reader has read.
        by_pillow: tells it from an image that Pillow has opened, and not decoded yet.
        side: see `File.read`.
        wide: see `File.of`.
    """
    if isinstance(content, Unreadable):
        return content
    try:
        file = File.of(content, wide=wide)
        if file.reader is video:  # decodes all frames before the one in question
            return by_reader(file.read(side))
        with limited():
            if file.reader is not None:
                return by_reader(file.read(side))
            with open_with_pillow(file) as opened:
                return by_pillow(opened)
    except Exception as error:  # noqa: BLE001 - what a broken file raises depends on who reads it
        return Unreadable(reason_of(error, content))


def alone_if_large(size: int) -> AbstractContextManager[object]:
    """A block in which an image of so many pixels, or bytes, is decoded."""
    return _one_large if size > _LARGE else nullcontext()


def open_with_pillow(file: File) -> ImageFile.ImageFile:
    """The image, not decoded yet.

    Raises:
        OSError, ValueError: it is none, or none that Pillow gives as a whole.
    """
    content = file.content if isinstance(file.content, Path) else io.BytesIO(file.content)
    opened = Image.open(content, formats=FORMATS)
    if opened.format == "TIFF":
        n_bands = int(opened.tag_v2.get(_BANDS, 1))  # type: ignore[attr-defined]
        if n_bands > len(opened.getbands()):
            opened.close()
            raise ValueError(
                f"a TIFF of {n_bands} bands needs an extra: pip install 'shoal[scientific]'"
            )
    return opened


def reason_of(error: Exception, content: Path | bytes | Member) -> str:
    """An error of Pillow, or of a reader, in a few words, on one line."""
    if isinstance(content, Member):
        content = content.content
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
