"""``shoal.json``: the record of a folder that shoal wrote, so that nothing in it is lost.

It says which run wrote the folder, and holds a digest of each file. Later commands see from it that
a person has changed a file. A pile that contains such a folder leaves it out. The record holds no
absolute path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shoal import __version__
from shoal.errors import OutputError
from shoal.images.files import atomic_path, digest_of
from shoal.images.left_out import MARK
from shoal.images.remote.location import is_remote

NAME = MARK
RUN, EXPORT = "shoal run", "shoal export"
_VERSION = 1


@dataclass(frozen=True)
class Record:
    """A record of the files that shoal wrote into a folder."""

    kind: str
    """`RUN` or `EXPORT`."""
    command: str = ""
    """The command line as it was typed; absolute paths are shortened to their last part."""
    identity: dict[str, Any] = field(default_factory=dict)
    """The digest of the images and the settings, as JSON values: they tell this run from others."""
    finished: bool = False
    """Whether all files have been written."""
    result: str = ""
    """The `result_digest` of the clusters; empty until they are known."""
    files: dict[str, str] = field(default_factory=dict)
    """The SHA-256 digest of each file as shoal wrote it, by the file's name."""
    named: tuple[str, ...] = ()
    """The names of the files in which a person named clusters."""
    data: str = ""
    """Where the images are from this folder, if they lie in it, beside it or one level above."""
    images: str = ""
    """The same of the images that are shown for vectors, where ``data`` are vectors."""
    before: Record | None = None
    """The finished run that this one is to replace, until it writes its first result."""

    def edited(self, folder: Path) -> list[str]:
        """The names of the files that are there and have changed since shoal wrote them."""
        return [
            name for name, digest in self.files.items()
            if (folder / name).is_file() and digest_of(folder / name) != digest
        ]  # fmt: skip

    def worked_on(self, folder: Path) -> list[str]:
        """The names of the files that are there and hold a person's work: names, or changes."""
        edited = self.edited(folder)
        named = [name for name in self.named if (folder / name).is_file() and name not in edited]
        return edited + named

    def missing(self, folder: Path) -> list[str]:
        """The names of the files that are not there any more."""
        return [name for name in self.files if not (folder / name).exists()]

    def save(self, folder: Path) -> None:
        """Write ``shoal.json``, atomically.

        Raises:
            OutputError: it cannot be written.
        """
        with atomic_path(folder / NAME) as temporary:
            temporary.write_text(json.dumps(self._to_json(), indent=1) + "\n", encoding="utf-8")

    def _to_json(self) -> dict[str, Any]:
        return {
            "format": self.kind,
            "format_version": _VERSION,
            "shoal": __version__,
            "command": self.command,
            "identity": self.identity,
            "finished": self.finished,
            "result": self.result,
            "files": self.files,
            "named": list(self.named),
            "data": self.data,
            **({"images": self.images} if self.images else {}),
            **({"before": self.before._to_json()} if self.before else {}),
        }


def digests_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 digest of each of the files ``names`` that exists."""
    return {name: digest_of(folder / name) for name in names if (folder / name).is_file()}


def read_record(folder: Path) -> Record | None:
    """The record of ``folder``; None if it has none.

    Raises:
        OutputError: ``shoal.json`` is damaged, or a newer version of shoal wrote it.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return _from_json(path, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} is damaged, so shoal cannot tell what the folder holds; name another folder."
        ) from error


def _from_json(path: Path, content: dict[str, Any]) -> Record:
    kind, version = content["format"], content["format_version"]
    if kind not in (RUN, EXPORT) or not isinstance(version, int):
        raise ValueError(kind)
    if version > _VERSION:
        raise OutputError(
            f"{path} was written by a newer version of shoal; upgrade shoal, or name another "
            "folder."
        )
    identity, files = dict(content["identity"]), dict(content["files"])
    named = tuple(content.get("named", ()))  # missing in older records
    if not all(_is_name(name) and isinstance(digest, str) for name, digest in files.items()):
        raise ValueError("files")
    if not all(map(_is_name, named)):
        raise ValueError("named")
    before = content.get("before")
    return Record(
        kind, str(content["command"]), identity, bool(content["finished"]),
        str(content["result"]), files, named, str(content.get("data", "")),
        str(content.get("images", "")), None if before is None else _from_json(path, before),
    )  # fmt: skip


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A block in which shoal writes names into a file, which the record of its folder then knows.

    A file that a person had changed before still counts as changed.
    """
    folder, name = path.parent, path.name
    try:
        record = read_record(folder)
    except OutputError:  # a damaged record says nothing of the file
        record = None
    edited = record is not None and name in record.edited(folder)
    yield
    if record is None or name not in record.files:
        return
    files = record.files if edited else record.files | {name: digest_of(path)}
    replace(record, files=files, named=(*sorted({*record.named, name}),)).save(folder)


def way_to(data: Path | None, folder: Path) -> str:
    """The way from a folder to what lies in it, beside it or one level above; else nothing.

    A longer way would tell whoever gets the folder how this machine is laid out. Of what lies in a
    store it is the URL, without anything secret.

    >>> way_to(Path("photos"), Path("found")), way_to(Path("/photos"), Path("a/b/c/found"))
    ('../photos', '')
    """
    if data is None:
        return ""
    if is_remote(data):
        return str(data)
    try:
        way = Path(os.path.relpath(os.path.abspath(data), os.path.abspath(folder)))
    except ValueError:  # on another drive
        return ""
    return way.as_posix() if way.parts.count(os.pardir) <= 1 else ""


def _is_name(name: Any) -> bool:
    """Whether this is the name of a file in the folder itself, and not a path elsewhere."""
    return isinstance(name, str) and name == Path(name).name and name not in ("", ".", "..")
