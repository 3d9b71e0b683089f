"""How the columns of a table are set: numbers to the right, words to the left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Kind = Literal["number", "long", "short"]

_NUMBER = re.compile(
    r"[<>≤≥≈~]? ?[+\-−±]?[\d,]*\.?\d+(e[+\-−]?\d+)?"  # 1,024  −0.5  3e-4
    r"( ?(%|×|x|ms|s|min|分鐘|h|B|kB|KB|MB|GB|KiB|MiB|GiB|points?|px))?"
    r"( ?(±|to|–|-) ?[+\-−]?[\d,]*\.?\d+ ?%?)?"
)
_LONG = 24
_NO_NUMBER = ("", "-", "–", "—", "n/a")


def kind(column: Sequence[str]) -> Kind:
    """What a column holds: numbers, if nearly all of its cells are some; short or long text.

    A few words among the numbers, as "not recorded", are set as the numbers are.

    >>> kind(["0.918", "1,024", "–"]), kind(["adam", "0.1"])
    ('number', 'short')
    """
    filled = [cell.strip() for cell in column if cell.strip() not in _NO_NUMBER]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in filled)
    if numbers > 0 and numbers >= 0.75 * len(filled):
        return "number"
    return "long" if any(len(cell) > _LONG for cell in filled) else "short"


def kinds(rows: Sequence[Sequence[str]], count: int) -> list[Kind]:
    """The `kind` of each of ``count`` columns, judged by the cells under the header."""
    return [kind([row[place] for row in rows]) for place in range(count)]
