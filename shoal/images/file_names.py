"""What the name of a file tells: whether it is an image, its id, its place and its class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

BY_PILLOW = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".apng", ".webp", ".avif", ".avifs",
    ".bmp", ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k",
    ".jpf", ".jpx", ".jpc", ".qoi",
))  # fmt: skip
BY_READERS = frozenset((
    ".heic", ".heif", ".hif", ".heics", ".heifs", ".jxl", ".3fr", ".arw", ".cr2", ".cr3", ".crw",
    ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw",
    ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f", ".mp4", ".mov",
    ".avi", ".mkv", ".webm", ".m4v", ".mts", ".m2ts", ".3gp", ".3g2", ".mpg", ".mpeg", ".wmv",
    ".asf", ".flv", ".ogv", ".mxf", ".btf", ".tf8", ".lsm", ".fits", ".fit", ".fts", ".fz", ".dcm",
    ".dicom", ".ima", ".zarr",
))  # fmt: skip
"""Those that the modules of `shoal.images.readers` read, beside Pillow's."""
SUFFIXES = BY_PILLOW | BY_READERS
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
KINDS = (
    "bmp, gif, jpg, png, tif, webp, avif, heic, jxl, jp2, ppm, qoi, cameras' raw files, videos, "
    "fits, dcm, zarr"
)
"""The kinds of images, for messages."""


def is_image(name: str) -> bool:
    """Whether a file of this name is taken for an image; hidden ones are not.

    >>> is_image("a/b.JPG"), is_image("a/.b.jpg"), is_image("a/b.txt"), is_image("__MACOSX/._b.jpg")
    (True, False, False, False)
    """
    ending = name[name.rfind(".") :].lower()  # of a million names, pathlib would take seconds
    if ending not in SUFFIXES:
        return False
    return not any(part[0] == "." != part and part[:2] != ".." for part in name.split("/") if part)


def is_archive(name: str) -> bool:
    """Whether a file of this name is taken for an archive."""
    return name.lower().endswith(ARCHIVES)


def safe_id(name: str) -> str | None:
    """The id of an archive's member: its path, if it stays within the archive.

    A leading slash goes, as ``tar`` removes it; None if the path leaves its folder, or would on
    Windows.

    >>> safe_id("./cats//1.jpg"), safe_id("/home/me/1.jpg")
    ('cats/1.jpg', 'home/me/1.jpg')
    >>> safe_id("../1.jpg"), safe_id("cats\\\\..\\\\..\\\\1.jpg"), safe_id("C:1.jpg")
    (None, None, None)
    """
    if ".." in re.split(r"[/\\]", name) or re.match(r"[A-Za-z]:", name):
        return None
    return "/".join(part for part in name.split("/") if part not in ("", ".")).lstrip("\\") or None


def order(name: str) -> tuple[str, ...]:
    """The key that sorts ids folder by folder, so that the images of a folder stay together.

    >>> sorted(["a-b/1.png", "a/1.png", "a.png"], key=order)
    ['a/1.png', 'a-b/1.png', 'a.png']
    """
    return tuple(name.split("/"))


def classes_of(names: Sequence[str]) -> list[str] | None:
    """The class of each image, if the images are sorted into folders; else None.

    The class is the first folder in which they differ.

    >>> classes_of(["pile/cat/1.png", "pile/cat/2.png", "pile/dog/old/1.png"])
    ['cat', 'cat', 'dog']
    >>> classes_of(["cat/1.png", "2.png"]) is None, classes_of(["cat/1.png"]) is None
    (True, True)
    """
    folders = [name.split("/")[:-1] for name in names]
    if not folders:
        return None
    # What the first and the last in order share all share, and all are longer than that.
    pairs = zip(min(folders), max(folders), strict=False)
    depth = next((depth for depth, (low, high) in enumerate(pairs) if low != high), None)
    return None if depth is None else [folder[depth] for folder in folders]


def found_instead(names: Sequence[str], kinds: tuple[str, ...], at_most: int = 3) -> str:
    """The first few of ``names`` that end in one of ``kinds``, for a message; empty if none.

    >>> found_instead(["a.zip", "b.txt"], (".zip",))
    'a.zip'
    """
    matching = sorted(name for name in names if name.lower().endswith(kinds))
    more = f" and {len(matching) - at_most:,} more" if len(matching) > at_most else ""
    return ", ".join(PurePath(name).name for name in matching[:at_most]) + more
