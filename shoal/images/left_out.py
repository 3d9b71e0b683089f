"""Files that are left out of a pile, each with its reason.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shoal.images.file_kinds import (
    NO_IMAGE,
    image_suffix,
    reason_by_content,
    reason_by_suffix,
    suffix_of,
)
from shoal.images.file_names import is_archive, is_image

MANY = 20
"""More files than this, with one suffix or folder and one reason, share one row."""

MARK = "shoal.json"
"""The file by which a folder that shoal wrote is known."""
LONGEST_MARK = 2**24

HIDDEN = "hidden"
SERVICE = "in a folder of thumbnails, backups or deleted files that a program keeps"
OF_SHOAL = "in a folder that shoal wrote"
DRAWN = "a picture that shoal drew"
INNER = "an archive within the archive, which is not opened; unpack it first"

_SERVICE = frozenset((
    "@eadir", ".@__thumb", "@__thumb", "_thumb", "_thumbs", ".thumb", ".thumbs", ".thumbnails",
    ".picasaoriginals", ".picasa", ".dtrash", ".xvpics", ".pics", ".comments", "__macosx",
    ".appledouble", "$recycle.bin", "#recycle", "@recycle", "@recently-snapshot", "#snapshot",
    ".trash", ".trashes", ".stversions", "lost+found", "system volume information",
))  # fmt: skip
_SERVICE_ENDINGS = (".lrdata", ".lrcat-data", ".cocatalog", ".aplibrary")
"""Previews of Lightroom and Capture One."""


_EXPECTED = frozenset((NO_IMAGE, HIDDEN, SERVICE, OF_SHOAL, DRAWN))


class LeftOut(NamedTuple):
    """A file that is left out."""

    name: str
    reason: str
    group: str = ""
    """The name under which many such files are counted: ``*.psd``, ``folder/``; or empty."""


class Count(NamedTuple):
    """The number of files left out for one reason, for a message."""

    n_files: int
    what: str
    """The name of the file; the suffix or the folder of several files."""
    reason: str

    @property
    def expected(self) -> bool:
        """Whether nobody would take these files for images of the pile."""
        return self.reason in _EXPECTED


def service_folder(name: str) -> str:
    """Why the files of a folder with this name are left out; empty if they are not.

    >>> service_folder("@eaDir")[:23], service_folder(".git"), service_folder("cats")
    ('in a folder of thumbnai', 'hidden', '')
    """
    lowered = name.lower()
    if lowered in _SERVICE or lowered.endswith(_SERVICE_ENDINGS) or lowered.startswith(".trash-"):
        return SERVICE
    return HIDDEN if name.startswith(".") else ""


def by_name(name: str, *, within: bool = False) -> LeftOut | None:
    """Why a file is left out, by its path (with ``/``); None if the path does not tell.

    Left out are hidden files and folders, folders that other programs keep, and suffixes that are
    not those of images. For a file with an unknown suffix ask `by_content`.

    >>> by_name("a/b.PSD").group, by_name("a/.b/c.png").group, by_name("a/b.jpg"), by_name("a/b")
    ('*.psd', 'a/.b/', None, None)
    """
    folders = name.split("/")[:-1]
    for depth, folder in enumerate(folders):
        if folder in ("", ".") or folder.startswith(".."):
            continue
        reason = service_folder(folder)
        if reason:
            return LeftOut(name, reason, "/".join(folders[: depth + 1]) + "/")
    base = name[name.rfind("/") + 1 :]
    if base.startswith(".") and not base.startswith(".."):
        return LeftOut(name, HIDDEN, "hidden files")
    if is_image(name):
        return None
    if within and is_archive(name):
        return LeftOut(name, INNER)
    suffix = suffix_of(base)
    reason = reason_by_suffix(suffix)
    return LeftOut(name, reason, f"*{suffix}") if reason else None


def by_content(name: str, head: bytes) -> LeftOut | None:
    """Why a file of an unknown suffix is left out, by its first `HEAD` bytes; None for an image."""
    if image_suffix(head):
        return None
    reason = reason_by_content(head) or ("empty" if not head else NO_IMAGE)
    suffix = suffix_of(name[name.rfind("/") + 1 :])
    return LeftOut(name, reason, f"*{suffix}" if suffix else "files without a suffix")


def is_mark_of_shoal(content: bytes) -> bool:
    """Whether a file ``shoal.json`` says that shoal wrote the folder it is in.

    >>> is_mark_of_shoal(b'{"format": "shoal run"}'), is_mark_of_shoal(b'[1]')
    (True, False)
    """
    try:
        record = json.loads(content)
    except ValueError:
        return False
    return isinstance(record, dict) and str(record.get("format", "")).startswith("shoal ")


def as_rows(left: Iterable[LeftOut]) -> list[tuple[str, str]]:
    """(name, reason) of each file; one row for a group of more than `MANY` files."""
    left = list(left)
    sizes: dict[tuple[str, str], int] = {}
    for entry in left:
        sizes[entry.group, entry.reason] = sizes.get((entry.group, entry.reason), 0) + 1
    rows: list[tuple[str, str]] = []
    reported: set[tuple[str, str]] = set()
    for entry in left:
        key = entry.group, entry.reason
        if not entry.group or sizes[key] <= MANY:
            rows.append((entry.name, entry.reason))
        elif key not in reported:
            reported.add(key)
            rows.append((entry.group, f"{sizes[key]:,} files: {entry.reason}"))
    return rows


def as_counts(left: Sequence[LeftOut]) -> list[Count]:
    """The number of files for each reason, unexpected reasons first; together all files.

    Where there would be too many lines, files of one reason share one.

    >>> many = [LeftOut(f"{number}.tif", "4 channels") for number in range(44)]
    >>> as_counts([*many, LeftOut("a.png", "empty")])[0][:2]
    (44, 'such as 0.tif')
    """
    sums: dict[tuple[str, str], list[str]] = {}
    for entry in left:
        sums.setdefault((entry.group or entry.name, entry.reason), []).append(entry.name)
    counts = [
        Count(len(names), what.removeprefix("*") if len(names) > 1 else names[0], reason)
        for (what, reason), names in sums.items()
    ]
    if len(counts) > MANY:
        counts = _by_reason(counts)
    counts.sort(key=lambda entry: entry.expected)
    if len(counts) <= MANY:
        return counts
    # Of a million broken files nobody reads the names here: they are in the list of all.
    shown, rest = counts[: MANY - 2], counts[MANY - 2 :]
    for expected, reason in ((False, "for other reasons"), (True, NO_IMAGE)):
        n_more = sum(entry.n_files for entry in rest if entry.expected == expected)
        if n_more:
            shown.append(Count(n_more, "more", reason))
    return shown


def _by_reason(counts: Sequence[Count]) -> list[Count]:
    """One count for each reason, the most frequent first."""
    same: dict[str, list[Count]] = {}
    for count in counts:
        same.setdefault(count.reason, []).append(count)
    joined = [
        each[0]
        if len(each) == 1
        else Count(sum(count.n_files for count in each), f"such as {each[0].what}", reason)
        for reason, each in same.items()
    ]
    return sorted(joined, key=lambda count: -count.n_files)
