"""The files that a path or a pattern names, and digests that change when the files do."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from shoal.errors import DataError
from shoal.images.remote import listing, store
from shoal.images.remote.location import Location, split_name

_MOST = 100_000
"""Braces may stand for this many names; more is a typing mistake."""
_ENDS, _SAMPLE, _SAMPLES = 2**16, 2**12, 32


def shards(pattern: Path) -> list[Path]:
    """The file with this name; or the files that match it as a pattern, here or in a store.

    ``data-{000..099}.tar`` and ``{a,b}.tar`` mean all of these files, in this order. ``*``, ``?``
    and ``[…]`` mean the files that exist, sorted. A path without a pattern is returned as it is,
    even if there is no such file.

    Raises:
        DataError: nothing matches, or one of the files between braces is missing.
    """
    if isinstance(pattern, Location):
        return listing.matching(pattern, _expand)
    if pattern.exists():
        return [pattern]
    files: list[Path] = []
    for name in _expand(str(pattern)):
        name = _literal_parents(name)
        if glob.has_magic(name):
            matching = sorted(glob.glob(name, recursive=True))
            if not matching:
                raise DataError(f"{pattern}: no file matches this pattern; check the path.")
            files += map(Path, matching)
        else:
            files.append(Path(name))
    if len(files) > 1:
        missing = [path for path in files if not path.exists()]
        if missing:
            raise DataError(
                f"{pattern} means {len(files):,} files, but {len(missing):,} of them "
                f"{'does' if len(missing) == 1 else 'do'} not exist (the first is "
                f"{missing[0].name}); check the pattern."
            )
    return list(dict.fromkeys(files))


def check_there(path: Path) -> None:
    """Raise unless a path that was typed means something: a file, a folder, files of a pattern.

    A store is not asked. A name after a colon, which picks an array of a file, is left out.

    Raises:
        DataError: nothing is there, or a URL is of no store.
    """
    if isinstance(path, Location):
        store.check_known(path)
        return
    named = path if path.exists() else split_name(path, (".npz", ".parquet"))[0]
    for file in shards(named):
        if not file.exists():
            what = "file" if file.suffix else "file or folder"
            raise DataError(f"{file}: no such {what}; check the path.")


def is_there(path: Path) -> bool:
    """Whether `check_there` finds something at a path; of a store it is believed."""
    try:
        check_there(path)
    except DataError:
        return False
    return True


def _literal_parents(name: str) -> str:
    """A pattern in which the folders that are there by their own names mean themselves.

    So ``scans [2024]/*.tar`` finds the files of that very folder.
    """
    if not glob.has_magic(name):
        return name
    parts = Path(name).parts
    for depth in range(len(parts) - 1, 0, -1):
        parent = Path(*parts[:depth])
        if parent.is_dir():
            if not glob.has_magic(str(parent)):
                return name
            return os.path.join(glob.escape(str(parent)), *parts[depth:])
    return name


def _expand(pattern: str) -> list[str]:
    """The names that a pattern with braces stands for.

    >>> _expand("a-{08..10}.tar"), _expand("{a,b}-{0..1}"), _expand("a{b}c")
    (['a-08.tar', 'a-09.tar', 'a-10.tar'], ['a-0', 'a-1', 'b-0', 'b-1'], ['a{b}c'])
    """
    match = re.search(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}", pattern)
    if match is None:
        return [pattern]
    first, last, listed = match.groups()
    if listed is not None:
        parts = listed.split(",")
    else:
        width = max(len(first), len(last)) if "0" in (first[0], last[0]) else 0
        parts = [f"{number:0{width}d}" for number in range(int(first), int(last) + 1)[: _MOST + 1]]
    rests = _expand(pattern[match.end() :])
    if not 0 < len(parts) * len(rests) <= _MOST:
        raise DataError(
            f"{pattern}: braces must stand for 1 to {_MOST:,} files, from the lower number to the "
            f"higher, such as {{000..099}}, got {match[0]}."
        )
    before = pattern[: match.start()]
    return [before + part + rest for part in parts for rest in rests]


def prefixes(files: Sequence[Path]) -> list[str]:
    """How the ids of each file's images begin: empty, or the path if there are several files.

    The path is relative to the folder that all share, so that no two are the same.

    >>> prefixes([Path("d/a.tar")]), prefixes([Path("d/a.tar"), Path("d/b.tar")])
    ([''], ['a.tar/', 'b.tar/'])
    """
    if isinstance(files[0], Location):
        return [file.prefix for file in files if isinstance(file, Location)]
    if len(files) == 1:
        return [""]
    absolute = [Path(os.path.abspath(file)) for file in files]
    shared = os.path.commonpath([file.parent for file in absolute])
    return [f"{file.relative_to(shared).as_posix()}/" for file in absolute]


def stamp(kind: str, files: Sequence[Path]) -> str:
    """A digest of the names, sizes, times and sampled bytes of the files.

    Raises:
        DataError: a file cannot be read.
    """
    if isinstance(files[0], Location):
        return listing.stamp(kind, files)
    digest = hashlib.sha256(kind.encode())
    for file, prefix in zip(files, prefixes(files), strict=True):
        check_file(file)
        with file.open("rb") as opened:
            about = os.fstat(opened.fileno())
            size = about.st_size
            digest.update(os.fsencode(f"{prefix}\0{size}\0{about.st_mtime_ns}\0"))
            digest.update(opened.read(_ENDS))
            for sample in range(1, _SAMPLES):
                opened.seek(size * sample // _SAMPLES)
                digest.update(opened.read(_SAMPLE))
            opened.seek(max(0, size - _ENDS))
            digest.update(opened.read(_ENDS))
    return digest.hexdigest()


def bytes_of(file: Path) -> int:
    """The size of a file, 0 where a store does not tell."""
    return listing.size_of(file) if isinstance(file, Location) else file.stat().st_size


def check_file(file: Path) -> None:
    """Raise unless ``file`` is a regular file that can be read, or one in a store.

    Raises:
        DataError: it is not there, something else, or may not be read.
    """
    if isinstance(file, Location):
        return  # whoever lists it knows
    try:
        if not file.exists():
            raise DataError(f"{file}: no such file; check the path.")
        if not file.is_file():  # opening a pipe would wait for ever
            raise DataError(f"{file} is not a file; check the path.")
        with file.open("rb"):
            pass
    except PermissionError:
        raise DataError(f"{file}: permission denied; make it readable.") from None
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}.") from error
