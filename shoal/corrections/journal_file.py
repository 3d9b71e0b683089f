"""Where a journal lies, how it begins, and what its file holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.corrections.entry import NOWHERE, Entry, Whole
from shoal.corrections.history import History, replay
from shoal.embedding.table import NOWHERE_NAME, ImageTable
from shoal.errors import DataError, OutputError
from shoal.images.csv_files import as_text
from shoal.images.files import atomic_path, free
from shoal.protocols import IntArray
from shoal.scoring.training_command import command

SUFFIX = ".corrections.jsonl"
REVIEWED = ".reviewed.parquet"
FORMAT, VERSION = "shoal corrections", 1
_BEGINNING = b'{"n":1,"time":"'


def journal_beside(checkpoint: str | Path) -> Path:
    """Where the corrections of a checkpoint's clusters lie.

    >>> journal_beside("found/checkpoint.pth").name
    'checkpoint.corrections.jsonl'
    """
    return Path(checkpoint).with_suffix(SUFFIX)


def reviewed_beside(journal: str | Path) -> Path:
    """Where the table lies that a person saw when the journal began.

    >>> reviewed_beside("found/checkpoint.corrections.jsonl").name
    'checkpoint.reviewed.parquet'
    """
    path = Path(journal)
    stem = path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem
    return path.with_name(stem + REVIEWED)


def start_entry(
    ids: Sequence[str], labels: IntArray, *, about: Mapping[str, Any] | None = None,
    nowhere: int | None = None,
) -> Entry:  # fmt: skip
    """The first entry of a journal: the images and the clusters that a person begins with.

    Args:
        ids: of n images.
        labels: int64 (n,), their clusters. Cluster 0 becomes group 1, and so on.
        about: JSON values: the digest of the result and of the clustering.
        nowhere: the cluster of the images that belong nowhere, if there is one.
    """
    apart = None if nowhere is None else labels == nowhere
    groups = tuple((labels + 1 if apart is None else np.where(apart, NOWHERE, labels + 1)).tolist())
    names = tuple(as_text(name) for name in ids)
    about = {"format": FORMAT, "version": VERSION} | dict(about or {})
    whole = Whole(names, groups, next_group=max(groups, default=0) + 1)
    return Entry("start", f"Began with {len(names):,} images.", whole=whole, about=about)


def start_of(table: ImageTable, about: Mapping[str, Any]) -> Entry:
    """The first entry of a journal about the clusters in a table."""
    names = table.called().items()
    nowhere = next((label for label, name in names if name == NOWHERE_NAME), None)
    return start_entry(table.ids, table.labels, about=about, nowhere=nowhere)


def torn_beside(journal: Path) -> Path:
    """Where what is left of a line that was cut off is kept, when another is written in its place.

    >>> torn_beside(Path("found/checkpoint.corrections.jsonl")).name
    'checkpoint.corrections.jsonl.torn'
    """
    return free(journal.with_name(f"{journal.name}.torn"))


def cut_off(journal: Path) -> str:
    """What to say of a last line that is not whole; no more than its file can tell.

    Such a line was never written to its end, before it was shown as saved; or it was, and the file
    was cut later, with what may have followed.
    """
    return (
        f"the last line of {journal} is cut off and does not count; the file cannot tell whether "
        "it was shown as saved, or what came after it. What is left of it is kept as "
        f"{torn_beside(journal)} when the next correction is written"
    )


@dataclass(frozen=True)
class Read:
    """What a journal's file holds."""

    history: History
    n_bytes: int
    """Up to the end of the last whole line."""
    torn: bool
    """Whether a piece of a line follows it."""


def read_journal(path: str | Path) -> Read:
    """Read a journal; the file stays as it is.

    Raises:
        DataError: there is none, it is damaged, or a newer version of shoal wrote it.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file of corrections; check the path.") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    *lines, last = content.split(b"\n")
    entries = [_entry(path, number, lines) for number in range(1, len(lines) + 1)]
    if last and (whole := _whole_line(last, len(lines) + 1)):
        entries, last = [*entries, whole], b""  # all of it but the line's end
        length = len(content)
    else:
        length = len(content) - len(last)
    if not entries:
        raise DataError(_why_none(path, content))
    try:
        return Read(replay(entries), length, torn=bool(last))
    except DataError as error:
        raise _damaged(path, str(error)) from None


def begin_with(journal: str | Path, other: str | Path) -> None:
    """Begin a journal with all that another one holds; one that went on from it stays as it is.

    The table that was reviewed goes along: it shows where new images belong.

    Raises:
        DataError: the other one cannot be read.
        OutputError: the journal is there and does not go on from it, or cannot be written.
    """
    journal, other = Path(journal), Path(other)
    if journal.resolve() == other.resolve():
        return
    length = read_journal(other).n_bytes
    said = other.read_bytes()[:length]
    if not journal.exists():
        table = reviewed_beside(other)
        copies = [(journal, said)]
        if table.exists() and not reviewed_beside(journal).exists():
            copies.insert(0, (reviewed_beside(journal), table.read_bytes()))
        for file, content in copies:
            with atomic_path(file) as temporary:
                temporary.write_bytes(content)
    elif not journal.read_bytes().startswith(said):
        raise OutputError(
            f"{journal} holds other corrections than {other}; name another path to go on from "
            f"{other.name}."
        )


def check_journal(path: Path) -> None:
    """Raise, before anything else is read, unless a file begins as a journal does.

    Raises:
        DataError: it is of another kind, or cannot be read.
    """
    try:
        *lines, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    if lines:
        _entry(path, 1, lines)
    elif not begins(last):
        raise foreign(path)


def not_begun(path: Path) -> bool:
    """Whether not even the first line of a journal was written to its end."""
    with path.open("rb") as file:
        start = file.read(len(_BEGINNING))
        if start != _BEGINNING:
            return begins(start)
        rest = file.readline()
    return not rest.endswith(b"\n") and _whole_line(start + rest, 1) is None


def begins(first: bytes) -> bool:
    """Whether a piece of a first line begins as the first line of a journal does."""
    first = first.rstrip(b"\0")  # which a disk gives where nothing was written before it stopped
    return _BEGINNING.startswith(first) or first.startswith(_BEGINNING)


def foreign(path: Path) -> DataError:
    """The error of a file that is no journal."""
    return DataError(
        f"{path} is not a file of corrections that shoal wrote; name another, or move it away."
    )


def _damaged(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} is damaged: {what.rstrip('.')}. Restore it from a copy, or let "
        f"{command('mend', str(path))} keep it aside and go on with what can be read."
    )


def _why_none(path: Path, content: bytes) -> str:
    """Why a file without a whole line holds no corrections, and what `Journal` does with it."""
    if not content:
        return f"{path} is empty and holds no corrections; 'shoal review' begins it anew."
    if not begins(content):
        return str(foreign(path))
    return (
        f"{path} holds no corrections: not even its first line is whole; 'shoal review' of its "
        f"checkpoint begins a new one, and keeps what is there as {torn_beside(path).name}."
    )


def line_of(entry: Entry) -> bytes:
    """An entry as a line of the file, with its end."""
    line = json.dumps(entry.to_json(), ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "surrogateescape") + b"\n"


def entry_in(line: bytes) -> Entry | None:
    """The entry that a line holds, with or without its end; None if it holds none."""
    try:
        return Entry.from_json(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def check_beginning(path: Path, about: Mapping[str, Any]) -> None:
    """Raise unless a journal that this version of shoal reads begins with these facts.

    Raises:
        ValueError: no journal begins like this.
        DataError: a newer version of shoal wrote it.
    """
    if about.get("format") != FORMAT or not isinstance(about.get("version"), int):
        raise ValueError("no journal begins like this")
    if about["version"] > VERSION:
        raise DataError(f"{path} was written by a newer version of shoal; upgrade shoal.")


def _whole_line(line: bytes, number: int) -> Entry | None:
    entry = entry_in(line)
    return entry if entry is not None and entry.n == number else None


def _entry(path: Path, number: int, lines: Sequence[bytes]) -> Entry:
    """The entry of a line, from 1, of all that a file holds."""
    line = lines[number - 1]
    try:
        content = json.loads(line)
        if number == 1:
            check_beginning(path, content.get("about", {}))
        entry = Entry.from_json(content)
        if entry.n != number:
            raise _damaged(path, f"line {number} holds entry {entry.n}")
        return entry
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if number == 1 and not (begins(line) or any(map(entry_in, lines))):
            raise foreign(path) from error
        raise _damaged(path, f"line {number} cannot be read") from error
