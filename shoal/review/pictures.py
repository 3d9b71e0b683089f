"""The pictures that the page shows: thumbnails of what is visible, and originals."""

from __future__ import annotations

import io
import threading
import warnings
from collections import OrderedDict

import numpy as np

from shoal.errors import DataError
from shoal.images.decoding.form import Member
from shoal.images.pictures import picture_shape, read_pictures
from shoal.images.whole_pictures import as_jpeg, to_png
from shoal.plots.sheets import LOSSLESS, Pictures, scaled, shrunk, webp, worth_reading
from shoal.plots.strips import widened
from shoal.plots.thumbnails import thumbnails
from shoal.protocols import ImageSource, IntArray

COLUMNS = 16
"""Thumbnails in a line of a sheet."""
MOST_IN_A_SHEET = 256
_SIDE = 128
"""The longer side of a thumbnail, in pixels, at most."""
_TINY = 24
"""Smaller thumbnails lose nothing: compressed ones would take colour from their neighbours."""
_KEPT_BYTES = 192 * 2**20
_LARGEST_SHOWN = 4096
"""Pixels along a side of an original that is drawn anew, at most."""
_SHOWN_AS_THEY_ARE = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}


class Thumbnails:
    """Thumbnails of a pile, side by side in one WebP picture for what the page shows at once.

    They are of the originals where those show more and can be read in little time, else of what
    the encoder sees. Those that took a while are kept.

    Args:
        source: the pile.
    """

    def __init__(self, source: ImageSource) -> None:
        self.source = source
        self.from_originals = worth_reading(source)
        height, width = widened(np.empty((0, *picture_shape(source)))).shape[1:3]
        side = _SIDE if self.from_originals else min(max(height, width), _SIDE)
        self.height, self.width = scaled(height, width, side)
        self._kept: OrderedDict[int, Pictures] = OrderedDict()
        self._lock = threading.Lock()

    def sheet(self, rows: IntArray) -> bytes:
        """Thumbnails of rows int64 (m,), m > 0, `COLUMNS` a line, as a WebP file."""
        tiles = self._tiles(rows)
        longer = max(self.height, self.width)
        quality = None if longer <= _TINY else 90 if longer <= LOSSLESS else 80
        return webp(tiles, min(COLUMNS, len(rows)), quality)

    def _tiles(self, rows: IntArray) -> Pictures:
        if not self.from_originals:
            return self._small(read_pictures(self.source, rows))
        with self._lock:
            kept = {row: self._kept[row] for row in rows.tolist() if row in self._kept}
        missing = np.array([row for row in np.unique(rows) if row not in kept], np.int64)
        if len(missing):
            drawn = self._small(thumbnails(self.source, missing, side=_SIDE))
            kept |= dict(zip(missing.tolist(), drawn, strict=True))
        with self._lock:
            for row, tile in kept.items():
                self._kept[row] = tile
                self._kept.move_to_end(row)
            most = max(1, _KEPT_BYTES // (self.height * self.width * 3))
            while len(self._kept) > most:
                self._kept.popitem(last=False)
        return np.stack([kept[row] for row in rows.tolist()])

    def _small(self, pictures: Pictures) -> Pictures:
        return shrunk(widened(pictures), self.height, self.width)


def original(source: ImageSource, row: int) -> tuple[bytes, str]:
    """Image ``row`` as it was before it was resized, and its media type.

    A format that browsers do not show becomes PNG or JPEG. An original that is gone, or that cannot
    be read any more, is shown by the pixels that the encoder sees.
    """
    try:
        content = source.originals.content(row)
    except DataError:
        return to_png(read_pictures(source, np.array([row]))[0]), "image/png"
    for beginning, kind in _SHOWN_AS_THEY_ARE.items():
        if content.startswith(beginning) and not _is_deep_png(content):
            return content, kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return content, "image/webp"
    suffix = source.originals.suffix(row).lower()
    try:
        drawn = as_jpeg(Member(content, suffix=suffix), _LARGEST_SHOWN)
    except Exception:  # noqa: BLE001 - damaged since it was opened: see below
        drawn = None
    if drawn is not None:
        return drawn, "image/jpeg"
    png = _as_png(content) if source.shape[2] in (1, 3) else None
    if png is None:  # other numbers or channels: as pictures show them
        png = to_png(thumbnails(source, np.array([row]), side=_LARGEST_SHOWN)[0])
    return png, "image/png"


def _is_deep_png(content: bytes) -> bool:
    """Whether a PNG has 16 bits a channel, which browsers show without the pile's range."""
    return content[:4] == b"\x89PNG" and content[24:25] == b"\x10"


def _as_png(content: bytes) -> bytes | None:
    from PIL import Image, ImageOps

    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                return None  # of more than 8 bits: the encoder's pixels show its range
            image.thumbnail((_LARGEST_SHOWN, _LARGEST_SHOWN))
            ImageOps.exif_transpose(image).save(file, "PNG")
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        return None
    return file.getvalue()
