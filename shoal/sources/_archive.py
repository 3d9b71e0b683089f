"""What all archives have in common: which of their members are the images, and under which ids.

Nothing is ever unpacked to where a member's name says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from shoal.errors import DataError
from shoal.sources._decoding import Listing
from shoal.sources._image import Encoded
from shoal.sources._naming import (
    ARCHIVES,
    KINDS,
    classes_of,
    found_instead,
    is_archive,
    is_image,
    order,
    safe_id,
)
from shoal.sources._shards import prefixes

MOST_BYTES = 256 * 2**20
"""An encoded image larger than this is taken for a bomb."""
TOO_LARGE = f"larger than {MOST_BYTES // 2**20} MB"
ENCRYPTED = "encrypted with a password"
_OUTSIDE = "its path leads out of the archive"
_INNER = "an archive within the archive, which is not opened; unpack it first"
_REPLACED = "a later file of the archive has the same name, and that one counts"


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name, and, by ``place``, how its archive finds it again.

    ``fault`` says why it cannot be an image of the pile; ``label`` is its class, if one was beside.
    """

    name: str
    place: Any = None
    fault: str = ""
    label: str = ""


Read: TypeAlias = Callable[[Path, Member], Encoded]
"""Gives the content of a member of an archive."""


def list_archives(
    where: Path, archives: Sequence[tuple[Path, Sequence[Member]]], read: Read
) -> Listing:
    """The images in one archive or several.

    Ids are the members' paths; of several archives, with the archive's name before. They come
    archive by archive and there sorted folder by folder, as a folder's do. Of two members of one
    name the later counts, as when they are unpacked.

    Raises:
        DataError: there are no images in them, or none that may be read.
    """
    chosen: list[tuple[Path, Member]] = []
    ids: list[str] = []
    skipped: list[tuple[str, str]] = []
    files = [file for file, _ in archives]
    for (file, members), prefix in zip(archives, prefixes(files), strict=True):
        found, faults = _images(members)
        names = sorted(found, key=order)
        chosen += [(file, found[name]) for name in names]
        ids += [prefix + name for name in names]
        skipped += [(prefix + name, fault) for name, fault in sorted(faults)]
    if not ids:
        raise _nothing(where, archives, skipped)

    return Listing(
        ids,
        lambda: (read(file, member) for file, member in chosen),
        lambda row: read(*chosen[row]),
        skipped,
        _classes([member for _, member in chosen]),
        "images",
    )


def _images(members: Sequence[Member]) -> tuple[dict[str, Member], list[tuple[str, str]]]:
    """The members that are images, by their ids; and (name, reason) of those left out."""
    found: dict[str, Member] = {}
    faults: list[tuple[str, str]] = []
    for member in members:
        if not is_image(member.name):
            if is_archive(member.name) and not PurePosixPath(member.name).name.startswith("."):
                faults.append((member.name, _INNER))
            continue
        name = safe_id(member.name)
        if name is None or member.fault:
            faults.append((name or member.name, member.fault or _OUTSIDE))
            continue
        if name in found:
            faults.append((name, _REPLACED))
        found[name] = member
    return found, faults


def _classes(members: Sequence[Member]) -> list[str] | None:
    labels = [member.label for member in members]
    return labels if all(labels) else classes_of([safe_id(one.name) or "" for one in members])


def _nothing(
    where: Path,
    archives: Sequence[tuple[Path, Sequence[Member]]],
    skipped: Sequence[tuple[str, str]],
) -> DataError:
    expected = f"{where}: an archive with images ({KINDS}) is expected, and"
    names = [member.name for _, members in archives for member in members]
    if any(reason == ENCRYPTED for _, reason in skipped):
        return DataError(
            f"{expected} this one is {ENCRYPTED}; unpack it, for instance with 7z x, and give the "
            "folder."
        )
    inner = found_instead(names, ARCHIVES)
    if inner:
        return DataError(f"{expected} it has {inner} instead; unpack it and give what is in it.")
    if skipped:
        name, reason = skipped[0]
        return DataError(f"{expected} none of its {len(skipped)} can be used ({name}: {reason}).")
    other = found_instead(names, ("",))
    return DataError(f"{expected} it has none{f', but {other}' if other else ''}; check the path.")
