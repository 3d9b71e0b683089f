"""Names of files that are valid on every operating system, made from any ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

_LONGEST = 150
"""The bytes of a name; with a suffix and a number it stays below the 255 of file systems."""
# Windows does not allow these as names, with any suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(text: str) -> str:
    """``text`` as one part of a path; characters that some system forbids become ``_``.

    >>> safe_name("a/b: c?"), safe_name("con.png"), safe_name(".."), safe_name("caf\\udce9")
    ('a_b_ c_', '_con.png', '_', 'caf_')
    """
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in text)
    text = text.strip(" ").rstrip(". ") or "_"
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    encoded = text.encode()
    if len(encoded) > _LONGEST:
        end = PurePosixPath(text).suffix if len(PurePosixPath(text).suffix) < 10 else ""
        short = encoded[: _LONGEST - 20].decode("utf-8", "ignore")
        text = f"{short}_{hashlib.sha256(encoded).hexdigest()[:12]}{end}"
    return text


def distinct_names(names: Sequence[str]) -> list[str]:
    """Different names made safe so that they stay different, upper and lower case aside.

    >>> distinct_names(["Cat", "cat", "a/b", "a:b"])
    ['Cat', 'cat-2', 'a_b', 'a_b-2']
    """
    taken: set[str] = set()
    return [_free(PurePosixPath(safe_name(name)), taken).as_posix() for name in names]


def places(folders: Sequence[str], ids: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """The paths of images in a new folder, all different, upper and lower case aside.

    Folders within an id stay folders. No file gets the name of a folder.

    Args:
        folders: for each of n images the folder to put it in, a safe name.
        ids: the ids of the images.
        suffixes: the suffixes of their files.

    >>> places(["x", "x", "y"], ["a/1.JPG", "A/1.jpg", "7"], [".JPG", ".jpg", ".png"])
    ['x/a/1.JPG', 'x/A/1-2.jpg', 'y/7.png']
    """
    wanted = []
    for folder, name, suffix in zip(folders, ids, suffixes, strict=True):
        *parents, last = [safe_name(part) for part in name.split("/") if part] or ["_"]
        if not last.lower().endswith(suffix.lower()):
            last += suffix
        wanted.append(PurePosixPath(folder, *parents, last))
    taken = {_key(parent) for path in wanted for parent in path.parents}
    return [_free(path, taken).as_posix() for path in wanted]


def _free(path: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """``path``, with a number if it is taken; adds the result to ``taken``."""
    free, number = path, 1
    while _key(free) in taken:
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    taken.add(_key(free))
    return free


def _key(path: PurePosixPath) -> str:
    """The path as systems compare it that ignore case and the composition of letters."""
    return unicodedata.normalize("NFKC", path.as_posix()).casefold()
