"""Which image of the pile another tool means: it may know a part of its name, or an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.images.csv_files import as_text

SEVERAL = -2
UNKNOWN = -1
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of a file that was uploaded."""


class ImageNames:
    """Finds images of a pile by what other tools call them.

    An image goes by its id; or by the end of a longer path; or by the name of its file, with or
    without the suffix, if no other image of the pile has the same.

    Args:
        ids: of the n images of the pile.

    >>> names = ImageNames(["a/x.jpg", "a/y.jpg", "b/y.jpg"])
    >>> [names.row(name) for name in ("a/x.jpg", "/home/me/a/y.jpg", "x.jpg", "x", "y.jpg", "z")]
    [0, 1, 0, 0, -2, -1]
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self._by = [
            (key, _rows_by(ids, key)) for key in (_whole, _last, _without_suffix, _last_without)
        ]

    def row(self, name: str) -> int:
        """The row of an image; `SEVERAL` if it may be several, `UNKNOWN` if it is none."""
        found = UNKNOWN
        for spelled in _spellings(as_text(name)):
            parts = [part for part in spelled.split("/") if part not in ("", ".")]
            for key, rows in self._by:
                tails = range(len(parts)) if key in (_whole, _without_suffix) else range(1)
                for start in tails:
                    row = rows.get(key("/".join(parts[start:])))
                    if row is not None and row != SEVERAL:
                        return row
                    found = SEVERAL if row == SEVERAL else found
        return found


def _spellings(name: str) -> Iterator[str]:
    """A name as it is; as a path, if it is an address; and as it was before it was uploaded."""
    name = name.replace("\\", "/")
    yield name
    try:
        address = urlsplit(name)
    except ValueError:
        return
    for path in (*parse_qs(address.query).get("d", ()), unquote(address.path)):
        yield path
        folder, slash, last = path.rpartition("/")
        if _UPLOADED.match(last):
            yield folder + slash + _UPLOADED.sub("", last)


def _rows_by(ids: Sequence[str], key: Callable[[str], str]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for row, name in enumerate(map(as_text, ids)):
        known = key(name)
        rows[known] = SEVERAL if known in rows else row
    return rows


def _whole(name: str) -> str:
    return name


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _without_suffix(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return folder + slash + (stem if dot and stem else last)


def _last_without(name: str) -> str:
    return _without_suffix(_last(name))
