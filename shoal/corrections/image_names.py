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
    without the suffix, if no other image of the pile has the same. A file that was written of an
    image, such as a frame, is called by the whole id and a suffix.

    Args:
        ids: of the n images of the pile.

    >>> names = ImageNames(["a/x.jpg", "a/y.jpg", "b/y.jpg"])
    >>> [names.row(name) for name in ("a/x.jpg", "/home/me/a/y.jpg", "x.jpg", "x", "y.jpg", "z")]
    [0, 1, 0, 0, -2, -1]
    >>> frames = ImageNames(["x.gif#t=0", "x.gif#t=0.7", "x.gif#t=0.9"])
    >>> [frames.row(name) for name in ("x.gif#t=0.7.png", "x.gif#t=0.9", "x.gif#t=0.8", "x.gif")]
    [1, 2, -1, -1]
    """

    def __init__(self, ids: Sequence[str]) -> None:
        rows = {key: _rows_by(ids, key) for key in (_whole, _last, without_suffix, _last_without)}
        self._by = [
            (_whole, rows[_whole]),
            (_last, rows[_last]),
            (without_suffix, rows[_whole]),
            (_last_without, rows[_last]),
            (without_suffix, rows[without_suffix]),
            (_last_without, rows[_last_without]),
        ]

    def row(self, name: str) -> int:
        """The row of an image; `SEVERAL` if it may be several, `UNKNOWN` if it is none."""
        found = UNKNOWN
        for spelled in _spellings(as_text(name)):
            parts = [part for part in spelled.split("/") if part not in ("", ".")]
            for key, rows in self._by:
                tails = range(len(parts)) if key in (_whole, without_suffix) else range(1)
                for start in tails:
                    row = rows.get(key("/".join(parts[start:])))
                    if row is not None and row != SEVERAL:
                        return row
                    found = SEVERAL if row == SEVERAL else found
        return found


def _spellings(name: str) -> Iterator[str]:
    """A name as it is; as a path, if it is an address; and as it was before it was uploaded."""
    yield name
    if "\\" in name:  # it may spell out what is no text, or stand between folders
        name = name.replace("\\", "/")
        yield name
    try:
        address = urlsplit(name)
    except ValueError:
        return
    paths = [*parse_qs(address.query).get("d", ()), unquote(address.path)]
    if address.fragment:  # of a file that holds several images it says which; in the web, not so
        whole = f"{paths[-1]}#{unquote(address.fragment)}"
        paths[-1:] = [whole, paths[-1]] if address.scheme else [whole]
    for path in paths:
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


def without_suffix(name: str) -> str:
    """A name without what follows its last dot, if that is a suffix.

    >>> without_suffix("a/x.jpg"), without_suffix("p.tif#3"), without_suffix("x.gif#t=0.7")
    ('a/x', 'p.tif#3', 'x.gif#t=0.7')
    """
    folder, slash, last = name.rpartition("/")
    stem, _, suffix = last.rpartition(".")
    is_suffix = stem and "#" not in suffix and not ("#" in stem and suffix.isdecimal())
    return folder + slash + (stem if is_suffix else last)


def _last_without(name: str) -> str:
    return without_suffix(_last(name))
