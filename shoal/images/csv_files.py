"""CSV files: written whole or not at all, and read in one way."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shoal.errors import DataError
from shoal.images.files import atomic_path

_NO_TEXT = re.compile("[\ud800-\udfff]")


def write_rows(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file, atomically; bytes of names that are no text are written as they are.

    Raises:
        OutputError: the file cannot be written.
    """
    with (
        atomic_path(Path(path)) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_rows(path: Path, expected: str) -> list[list[str]]:
    """The rows of a CSV file, without empty ones; bytes that are no text are kept as they are.

    Args:
        path: the file.
        expected: what it should hold, for messages.

    Raises:
        DataError: missing, unreadable, empty, or not a CSV file.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder; name {expected}.")
    try:
        rows = parse_rows(decode_text(path.read_bytes()), strict=True)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{path}: permission denied; make it readable.") from None
    except (csv.Error, OSError) as error:
        raise DataError(f"cannot read {path} as {expected}: {error}.") from error
    if any("\0" in cell for row in rows for cell in row):
        raise DataError(f"{path} is not {expected}: it is not text; check the path.")
    if not rows:
        raise DataError(f"{path} is not {expected}: it is empty.")
    return rows


def parse_rows(text: str, delimiter: str = ",", *, strict: bool = False) -> list[list[str]]:
    """The rows of a table, without empty ones.

    Raises:
        csv.Error: a cell is too long, or, if ``strict``, a quote stands in the wrong place.

    >>> parse_rows("id;label\\n\\n1;0\\n", ";")
    [['id', 'label'], ['1', '0']]
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    try:
        return [row for row in reader if any(row)]
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from error


def decode_text(content: bytes) -> str:
    """Text as UTF-8 or, as spreadsheets write it, UTF-16; bytes that are no text are escaped.

    >>> decode_text("id,label".encode("utf-16")), decode_text(b"caf\\xe9")
    ('id,label', 'caf\\udce9')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    start = content[:200]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(zeros) > 2 and zeros.count(0) > 0.7 * len(zeros):
            return content.decode(encoding, "replace")
    return content.decode("utf-8-sig", "surrogateescape")


def columns(
    path: Path, expected: str, *wanted: Sequence[str], optional: str | None = None
) -> list[list[str]]:
    """The columns of a CSV file with a header, one for each of ``wanted``.

    Args:
        path: the file.
        expected: what it should hold, for messages.
        wanted: for each column, the names that it may have; the first that is there counts.
        optional: the name of one more column, which may be missing.

    Raises:
        DataError: see `read_rows`; or a column is missing; or a row is shorter than the header.
    """
    header, *rows = read_rows(path, expected)
    if optional is not None and optional in header:
        wanted = (*wanted, (optional,))
    places = []
    for names in wanted:
        place = next((header.index(name) for name in names if name in header), None)
        if place is None:
            raise DataError(
                f"{path} is not {expected}: it has no column {names[0]!r}, only "
                f"{', '.join(header[:8])}; name its columns in the first line."
            )
        places.append(place)
    for number, row in enumerate(rows, start=2):
        if len(row) <= max(places):
            raise DataError(
                f"{path}: row {number} has {len(row)} of {len(header)} cells; complete it."
            )
    return [[row[place] for row in rows] for place in places]


def column_if_there(path: Path, name: str) -> list[str]:
    """The cells of a column, without rows that are too short; empty if there is no such column.

    Raises:
        DataError: see `read_rows`.
    """
    header, *rows = read_rows(path, "a CSV file")
    place = header.index(name) if name in header else None
    return [] if place is None else [row[place] for row in rows if len(row) > place]


def look_up(names: Sequence[str], ids: Sequence[str], path: Path) -> list[int]:
    """The row of each of ``names`` among ``ids``, which they may spell as text, see `as_text`.

    Raises:
        DataError: one of them is not there; ``path`` is the file that named it.
    """
    places = places_of(ids)
    unknown = next((name for name in names if name not in places), None)
    if unknown is not None:
        raise DataError(
            f"{path} names {quoted(unknown)}, which is not in the pile; ids there are such as "
            f"{ids[0]!r}."
        )
    return [places[name] for name in names]


def places_of(ids: Sequence[str]) -> dict[str, int]:
    """The row of each id, as it is and as files spell it where it is no text.

    >>> places_of(["a.png", "caf\\udce9.png"])["caf\\\\xe9.png"]
    1
    """
    places = {name: row for row, name in enumerate(ids)}
    odd = [row for row, name in enumerate(ids) if _NO_TEXT.search(name)]
    for row in odd:
        places.setdefault(as_text(ids[row]), row)
    # Older files hold "?" for each such byte, which several names may share.
    before = [ids[row].encode("utf-8", "replace").decode() for row in odd]
    times = Counter(before)
    for row, name in zip(odd, before, strict=True):
        if times[name] == 1:
            places.setdefault(name, row)
    return places


def as_text(name: str) -> str:
    """``name`` for a file that holds only text: bytes that are no text are spelled out.

    So names that differ in such bytes alone stay different.

    >>> as_text("caf\\udce9.png"), as_text("café.png")
    ('caf\\\\xe9.png', 'café.png')
    """
    return name if name.isascii() else _NO_TEXT.sub(_spelled, name)


def check_as_text(ids: Sequence[str], path: str | Path) -> None:
    """Raise if two ids are the same as text.

    Raises:
        DataError: one spells out what is no text in the other; ``path`` is the pile.
    """
    odd = {as_text(name) for name in ids if _NO_TEXT.search(name)}
    text = next((name for name in ids if name in odd), None) if odd else None
    if text is not None:
        raise DataError(
            f"{path}: one file is called {text}, and the name of another, which is no UTF-8, is "
            "written in the same way; rename one of them."
        )


def _spelled(found: re.Match[str]) -> str:
    """A byte that is no text, which Python holds as half of a surrogate pair; or another half."""
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def quoted(name: str, longest: int = 100) -> str:
    """``name`` in quotes for a message, shortened if it is too long for one.

    >>> quoted("a.png"), quoted("x" * 200, longest=4)
    ("'a.png'", "'xxxx…'")
    """
    return repr(name if len(name) <= longest else name[:longest] + "…")


def printable(text: str) -> str:
    """``text`` with line breaks, a terminal's commands and bytes that are no text spelled out.

    >>> printable("caf\\udce9\\n.png")
    'caf\\\\udce9\\\\n.png'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
