"""Which reader reads a file: the first bytes tell, then the suffix."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import cast

from shoal.images import readers
from shoal.images.file_kinds import head_of, image_suffix
from shoal.images.readers.raw import Content, Reader


@cache
def all_readers() -> tuple[Reader, ...]:
    """Every reader: the modules of this package that name suffixes, sorted by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(readers.__path__))
    modules = (
        importlib.import_module(f"{readers.__name__}.{name}") for name in names if name[0] != "_"
    )
    return tuple(cast(Reader, module) for module in modules if hasattr(module, "SUFFIXES"))


def find(suffix: str, head: bytes) -> Reader | None:
    """The reader of a file; None if no reader knows it, or Pillow reads all files of its kind.

    The first bytes decide. Where no reader recognises them, and Pillow does not either, the suffix
    decides. A file that begins as a TIFF does is the reader's that claims its suffix: cameras write
    their raw files as TIFF.

    Args:
        suffix: of the file's name, in lower case, with the dot; may be empty.
        head: the first `shoal.images.file_kinds.HEAD` bytes of the file, or more.

    >>> find(".jpg", b"\\xff\\xd8\\xff") is None, find(".fits", b"\\xff\\xd8\\xff") is None
    (True, True)
    """
    claim = [reader for reader in all_readers() if suffix in reader.SUFFIXES]
    know = [reader for reader in all_readers() if reader.recognises(head)]
    kind = image_suffix(head)
    if kind == ".tif":
        candidates = claim + know
    elif know:
        candidates = [reader for reader in claim if reader in know] + know
    else:
        candidates = [] if kind else claim
    return candidates[0] if candidates else None


def reader_of(content: Content, suffix: str = "") -> Reader | None:
    """The reader of a file that is there; None leaves it to Pillow.

    Beside `find`, this asks the reader whether Pillow reads this very file right.

    Args:
        content: the file, or what it holds.
        suffix: of the file's name; that of the path if left out.

    Raises:
        OSError: the file cannot be opened, or is a pipe or a device.
    """
    if isinstance(content, Path) and content.is_dir():
        return find(suffix or content.suffix.lower(), b"")
    if isinstance(content, Path):
        head, suffix = head_of(content), suffix or content.suffix.lower()
    else:
        head = content
    reader = find(suffix, head)
    return None if reader is None or is_plain(reader, content) else reader


def is_plain(reader: Reader, content: Content) -> bool:
    """Whether Pillow reads this very file right, so that its reader leaves it to Pillow.

    A reader says so by a function ``is_plain(content)``; those without one take all their files.
    """
    asked = getattr(reader, "is_plain", None)
    return asked is not None and asked(content)


@cache
def installed() -> str:
    """The libraries of readers that are installed: without them other files can be read."""
    from importlib.util import find_spec

    wanted = {name for reader in all_readers() for name in getattr(reader, "LIBRARIES", ())}
    return " ".join(sorted(name for name in wanted if find_spec(name) is not None))
