"""Names of files that every operating system takes, from ids that may hold anything."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

_LONGEST = 150
"""Bytes of a name: with a suffix and a number added, below the 255 that file systems allow."""
# Windows takes none of these as a name, whatever suffix follows.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(text: str) -> str:
    """``text`` as one part of a path: what some system forbids becomes ``_``.

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
    """Each of ``names``, all different, made safe and still all different, case aside.

    >>> distinct_names(["Cat", "cat", "a/b", "a:b"])
    ['Cat', 'cat-2', 'a_b', 'a_b-2']
    """
    taken: set[str] = set()
    return [_free(PurePosixPath(safe_name(name)), taken).as_posix() for name in names]


def places(folders: Sequence[str], ids: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Where each image goes, as a path in a new folder: all different, case aside.

    The parts of an id that are folders stay folders. No file takes the name of a folder.

    Args:
        folders: for each of n images, the folder it goes to, a safe name.
        ids: their ids.
        suffixes: how their files are to end.

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
    """``path`` or, if something is called so, the same with a number; it is taken from now on."""
    free, number = path, 1
    while _key(free) in taken:
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    taken.add(_key(free))
    return free


def _key(path: PurePosixPath) -> str:
    """What a system that minds neither case nor composition of letters compares."""
    return unicodedata.normalize("NFKC", path.as_posix()).casefold()
