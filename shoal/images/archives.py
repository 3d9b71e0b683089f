"""What all archives share: which members are the images, and their ids.

Nothing is ever unpacked to where a member's name says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from shoal.errors import DataError
from shoal.images.decoding.form import Encoded
from shoal.images.decoding.listing import Listing
from shoal.images.file_names import (
    ARCHIVES,
    KINDS,
    classes_of,
    found_instead,
    is_image,
    order,
    safe_id,
)
from shoal.images.left_out import OF_SHOAL, LeftOut, by_content, by_name
from shoal.images.shards import prefixes
from shoal.plural import counted

MOST_BYTES = 256 * 2**20
"""An encoded image larger than this is taken for a bomb."""
TOO_LARGE = f"larger than {MOST_BYTES // 2**20} MB"
ENCRYPTED = "encrypted with a password"
_OUTSIDE = "its path leads out of the archive"
_REPLACED = "a later file of the archive has the same name, and that one counts"


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name, and its ``place``, by which the archive reads it.

    ``fault`` says why it cannot be an image of the pile. ``label`` is its class, if known.
    """

    name: str
    place: Any = None
    fault: str = ""
    label: str = ""
    head: bytes = b""
    """Its first bytes, if its name does not tell what it is, see `needs_head`."""
    of_shoal: bool = False
    """Whether it says that shoal wrote its folder."""


def needs_head(name: str) -> bool:
    """Whether only the content of a member tells whether it is an image."""
    return not is_image(name) and by_name(name, within=True) is None


Read: TypeAlias = Callable[[Path, Member], Encoded]
"""Gives the content of a member of an archive."""


def list_archives(
    where: Path,
    files: Sequence[Path],
    archives: Sequence[tuple[Path, Sequence[Member]]],
    read: Read,
    left_out: Sequence[LeftOut] = (),
    place_of: Callable[[Any], tuple[int, int]] | None = None,
) -> Listing:
    """The images of one or several archives.

    Ids are the paths of the members, with the name of the archive before them if there are several.
    The order is archive by archive and, within an archive, folder by folder, as in a folder. If two
    members have the same name, the later one is taken, as when they are unpacked.

    Args:
        where: for messages.
        files: the archives of the pile, those that cannot be read as well.
        archives: each that can be read, with its members.
        read: gives the content of a member.
        left_out: archives that cannot be read.
        place_of: the first byte and the number of bytes of a member, by its place; None: unknown.

    Raises:
        DataError: there are no images in them, or none that may be read.
    """
    chosen: list[tuple[Path, Member]] = []
    ids: list[str] = []
    left = [*left_out]
    prefix_of = dict(zip(files, prefixes(files), strict=True))
    for file, members in archives:
        prefix = prefix_of[file]
        images, faults = _images(members)
        names = sorted(images, key=order)
        chosen += [(file, images[name]) for name in names]
        ids += [prefix + name for name in names]
        left += [
            entry._replace(name=prefix + entry.name, group=_with(prefix, entry.group))
            for entry in sorted(faults)
        ]
    if not ids:
        raise _nothing(where, archives, left)

    return Listing(
        ids,
        lambda: (read(file, member) for file, member in chosen),
        lambda row: read(*chosen[row]),
        left,
        _classes([member for _, member in chosen]),
        "image",
        places=None if place_of is None else [place_of(member.place) for _, member in chosen],
    )


def _with(prefix: str, group: str) -> str:
    return group if not group or group.startswith("*") or " " in group else prefix + group


def _images(members: Sequence[Member]) -> tuple[dict[str, Member], list[LeftOut]]:
    """The members that are images, by their ids; and those left out."""
    images: dict[str, Member] = {}
    left: list[LeftOut] = []
    of_shoal = {member.name.rpartition("/")[0] + "/" for member in members if member.of_shoal}
    of_shoal -= {"/", "./"}  # the archive as a whole is what was asked for
    for member in members:
        reason = _left_out(member, of_shoal)
        if reason is not None:
            left.append(reason)
            continue
        name = safe_id(member.name)
        if name is None or member.fault:
            left.append(LeftOut(name or member.name, member.fault or _OUTSIDE))
            continue
        if name in images:
            left.append(LeftOut(name, _REPLACED))
        images[name] = member
    return images, left


def _left_out(member: Member, of_shoal: set[str]) -> LeftOut | None:
    """Why a member is no image of the pile by its name or its first bytes; None if it may be."""
    name = member.name
    for folder in of_shoal:
        if name.startswith(folder):
            return LeftOut(name, OF_SHOAL, folder)
    known = by_name(name, within=True)
    if known is not None:
        return known
    if is_image(name):
        return None
    return LeftOut(name, member.fault) if member.fault else by_content(name, member.head)


def _classes(members: Sequence[Member]) -> list[str] | None:
    labels = [member.label for member in members]
    return labels if all(labels) else classes_of([safe_id(entry.name) or "" for entry in members])


def _nothing(
    where: Path,
    archives: Sequence[tuple[Path, Sequence[Member]]],
    left: Sequence[LeftOut],
) -> DataError:
    names = [member.name for _, members in archives for member in members]
    if any(entry.reason == ENCRYPTED for entry in left):
        return DataError(
            f"{where} is {ENCRYPTED}; unpack it, for instance with 7z x, and give the folder."
        )
    inner = found_instead(names, ARCHIVES)
    if inner:
        return DataError(
            f"{where} holds no images, but other archives ({inner}); unpack it and give those."
        )
    faults = [entry for entry in left if not entry.group]
    if faults:
        name, reason, _ = faults[0]
        return DataError(
            f"{where} holds no image that can be read; {counted(len(faults), 'file')} failed (the "
            f"first, {name}: {reason})."
        )
    other = found_instead(names, ("",))
    return DataError(
        f"{where} holds no images ({KINDS}){f', but {other}' if other else ''}; check the path."
    )
