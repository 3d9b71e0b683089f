"""``shoal.json``: what a folder that shoal wrote holds, so that nothing in it is lost.

It says which run the folder is of and what each file was when shoal wrote it. A later command sees
by it that a person has changed a file, and a pile leaves the folder out. It holds no absolute path.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shoal import __version__
from shoal.errors import OutputError
from shoal.images.files import atomic_path, digest_of
from shoal.images.left_out import MARK

NAME = MARK
RUN, EXPORT = "shoal run", "shoal export"
_VERSION = 1


@dataclass(frozen=True)
class Record:
    """What is known of a folder that shoal wrote."""

    kind: str
    """`RUN` or `EXPORT`."""
    command: str = ""
    """As it was typed; of absolute paths the last part."""
    identity: dict[str, Any] = field(default_factory=dict)
    """What makes this run this run: the images' digest and the settings, as JSON values."""
    finished: bool = False
    """Whether all files are written."""
    result: str = ""
    """See `result_digest`; empty until it is known."""
    files: dict[str, str] = field(default_factory=dict)
    """The sha256 of each file as shoal wrote it, by its name in the folder."""

    def edited(self, folder: Path) -> list[str]:
        """Names of the files that are no longer as shoal wrote them; missing ones are not named."""
        return [
            name for name, digest in self.files.items()
            if (folder / name).is_file() and digest_of(folder / name) != digest
        ]  # fmt: skip

    def missing(self, folder: Path) -> list[str]:
        """Names of the files that are gone."""
        return [name for name in self.files if not (folder / name).exists()]

    def with_files(self, folder: Path, names: Iterable[str]) -> Record:
        """The record of a finished folder that holds ``names``; those that are not there are left
        out."""
        digests = {name: digest_of(folder / name) for name in names if (folder / name).is_file()}
        return replace(self, finished=True, files=digests)

    def save(self, folder: Path) -> None:
        """Write ``shoal.json``, atomically.

        Raises:
            OutputError: it cannot be written.
        """
        content = {
            "format": self.kind,
            "format_version": _VERSION,
            "shoal": __version__,
            "command": self.command,
            "identity": self.identity,
            "finished": self.finished,
            "result": self.result,
            "files": self.files,
        }
        with atomic_path(folder / NAME) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_record(folder: Path) -> Record | None:
    """The record of ``folder``; None where there is none.

    Raises:
        OutputError: ``shoal.json`` is there and is no record, or one of a newer shoal.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kind, version = content["format"], content["format_version"]
        if kind not in (RUN, EXPORT) or not isinstance(version, int):
            raise ValueError(kind)
        if version > _VERSION:
            raise OutputError(f"{path} is of a newer shoal; upgrade shoal, or name another folder.")
        identity, files = dict(content["identity"]), dict(content["files"])
        if not all(_is_name(name) and isinstance(digest, str) for name, digest in files.items()):
            raise ValueError("files")
        return Record(
            kind, str(content["command"]), identity, bool(content["finished"]),
            str(content["result"]), files,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} is damaged, and says no longer what the folder holds; name another folder."
        ) from error


def _is_name(name: Any) -> bool:
    """Whether this is the name of a file in the folder itself, and leads nowhere else."""
    return isinstance(name, str) and name == Path(name).name and name not in ("", ".", "..")
