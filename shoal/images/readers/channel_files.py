"""One image whose channels are files of their own: ``A_Ch1.tif``, ``A_Ch2.tif``.

`shoal.images.decoding.channel_files` finds the files that belong together, and names them: the
folder is the content, their names, joined, are the member.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from shoal.images.readers._planes import check_size
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError

SUFFIXES = frozenset((".channels",))
"""No file has it: it stands for files that belong together."""
EXTRA = ""
BETWEEN = "\0"
"""Between the names of the files; no name can hold it."""


def recognises(head: bytes) -> bool:
    """Never: no single file is of this kind."""
    return False


def members(content: Content, pages: Pages = "auto") -> list[str]:
    """One image: which files are its channels is known before."""
    return [""]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """The files as the channels of one image, in the order of their names in ``member``."""
    if isinstance(content, bytes):
        raise ReasonError("channels in files of their own are not in an archive")
    from shoal.images.decoding.file import reason_of  # which imports this package

    raws: list[Raw] = []
    for name in member.split(BETWEEN):
        try:
            raw = _read(content / name)
        except (OSError, ValueError) as error:
            raise ReasonError(f"{name}: {reason_of(error, content / name)}") from None
        if raws and raw.pixels.shape[:2] != raws[0].pixels.shape[:2]:
            height, width = raw.pixels.shape[:2]
            raise ReasonError(f"{name} is {width} × {height} pixels, unlike the first channel")
        raws.append(raw)
    pixels = np.concatenate([raw.pixels for raw in raws], axis=2)
    check_size(pixels.shape[0], pixels.shape[1], pixels.shape[2], pixels.dtype.itemsize)
    missing = None
    if any(raw.missing is not None for raw in raws):
        missing = np.concatenate([_missing(raw) for raw in raws], axis=2)
    return Raw(pixels, colour=False, missing=missing, orientation=raws[0].orientation)


def _missing(raw: Raw) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.zeros(raw.pixels.shape, bool) if raw.missing is None else raw.missing


def _read(path: Path) -> Raw:
    """One channel; three of a picture in colour."""
    from shoal.images.decoding.file import File, open_with_pillow
    from shoal.images.decoding.modes import is_wide, raw_of

    file = File.of(path)
    if file.reader is not None:
        return file.read(None)
    with open_with_pillow(file) as opened:
        check_size(opened.height, opened.width, 1, 1)
        opened.load()
        if is_wide(opened):
            return raw_of(opened)
        return Raw(_eight_bits(opened))


def _eight_bits(opened: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if opened.mode in ("1", "L"):
        return np.asarray(opened.convert("L"))[..., None]
    return np.asarray(opened.convert("RGB"))
