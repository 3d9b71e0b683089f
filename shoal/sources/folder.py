"""A folder of image files, nested to any depth."""

from __future__ import annotations

import os
from pathlib import Path

from shoal.errors import DataError
from shoal.protocols import ImageSource
from shoal.sources._decoding import decode_pile

SUFFIXES = frozenset(
    f".{kind}"
    for kind in "jpg jpeg png webp bmp gif tif tiff ppm pgm".split()  # noqa: SIM905
)


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``."""
    return path.is_dir()


def open_images(path: Path, image_shape: tuple[int, int, int] | None) -> ImageSource:
    """Decode a folder's images to one uint8 array; unreadable files are skipped, and listed.

    Ids are the paths relative to the folder, in sorted order. For sizes and modes see
    `decode_pile`.

    Raises:
        DataError: no image files, or none that can be read.
    """
    files = _find(path)
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise DataError(f"{path}: a folder with images ({kinds}) is expected, and it has none.")
    names = [file.relative_to(path).as_posix() for file in files]
    return decode_pile(lambda: files, names, image_shape, where=str(path))


def _find(folder: Path) -> list[Path]:
    """Image files below ``folder``, sorted; links to folders are not followed, so no loops."""
    found = [
        Path(base) / name
        for base, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    ]
    return sorted(found)
