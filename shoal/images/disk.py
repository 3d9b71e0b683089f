"""Folders for cache files and temporary files, and the room in them."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import platformdirs

from shoal.errors import OutputError
from shoal.images.files import reason_of

_SPARE = 256 * 2**20
"""Bytes that stay free on a disk."""


def folder() -> Path:
    """Where cache files are: ``shoal/images`` below the user's own folder for caches."""
    try:
        base = platformdirs.user_cache_path("shoal", appauthor=False, opinion=False)
    except RuntimeError:  # a user without a home, as in some containers
        base = Path()
    if not base.is_absolute():  # the same, in older versions of platformdirs
        base = temporary_folder() / "shoal"
    return base / "images"


def temporary_folder() -> Path:
    """Where temporary files are: ``TMPDIR`` if set; or ``/var/tmp``, as ``/tmp`` may be memory.

    Raises:
        OutputError: there is none that can be written.
    """
    durable = Path("/var/tmp")
    if not os.environ.get("TMPDIR") and durable.is_dir() and os.access(durable, os.W_OK):
        return durable
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise OutputError(
            "cannot write temporary files: there is no writable folder for them; let TMPDIR name "
            "one."
        ) from error


def shown(text: object) -> str:
    """``text`` with ``~`` or a variable in place of folders that tell who runs shoal.

    >>> shown(Path.home() / ".cache" / "shoal")
    '~/.cache/shoal'
    """
    shown_text = str(text)
    private = {os.path.expanduser("~"): "~"}
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "TMPDIR"):
        variable = f"%{name}%" if sys.platform == "win32" else f"${name}"
        private.setdefault(os.environ.get(name, ""), variable)
    for where, stands_for in private.items():
        where = where.rstrip(os.sep)
        if os.path.isabs(where):
            pattern = rf"(?<![\w.]){re.escape(where)}(?![\w.-])"
            shown_text = re.sub(pattern, stands_for, shown_text)
    return shown_text


def check_room(where: Path, n_bytes: int) -> None:
    """Raise unless ``where`` has room for so many bytes, and some to spare.

    Raises:
        OutputError: it has not, or it is not there.
    """
    try:
        free = shutil.disk_usage(where).free
    except OSError as error:
        raise OutputError(f"cannot write {where}: {reason_of(error)}") from error
    if free < n_bytes + _SPARE:
        raise OutputError(f"cannot write {where}: it has {size_of(free)} free")


def size_of(n_bytes: float) -> str:
    """A number of bytes for a reader.

    >>> size_of(3_072), size_of(2_500_000), size_of(20e9)
    ('3.1 kB', '2.5 MB', '20 GB')
    """
    for unit in ("kB", "MB"):
        n_bytes /= 1000
        if n_bytes < 1000:
            return f"{n_bytes:.2g} {unit}" if n_bytes < 10 else f"{n_bytes:.0f} {unit}"
    return f"{n_bytes / 1000:.3g} GB"
