"""Cards: what is shown for a vector that has no image, its id in letters."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

CARD = (64, 64)
"""Height and width of a card, in pixels."""
_LETTERS, _LINES, _POINTS = 10, 5, 11
_SHORT, _LARGE = 5, 20
"""A name of so few letters is drawn in larger ones."""
_GROUND, _INK = 238, 40


def draw_cards(ids: Sequence[str]) -> npt.NDArray[np.uint8]:
    """A card for each id, uint8 (n, 64, 64, 1).

    >>> draw_cards(["a.png", "b.png"]).shape
    (2, 64, 64, 1)
    """
    from PIL import Image, ImageDraw

    cards = np.empty((len(ids), *CARD, 1), np.uint8)
    for place, name in enumerate(ids):
        card = Image.new("L", CARD[::-1], _GROUND)
        if len(name) <= _SHORT:
            at = (CARD[1] / 2, CARD[0] / 2)
            ImageDraw.Draw(card).text(at, _printable(name), _INK, _font(_LARGE), anchor="mm")
        else:
            text = "\n".join(_lines(name))
            ImageDraw.Draw(card).multiline_text(
                (3, 2), text, fill=_INK, font=_font(_POINTS), spacing=1
            )
        cards[place, :, :, 0] = np.asarray(card)
    return cards


def _lines(name: str) -> list[str]:
    """The end of a name on at most five lines: names of one pile mostly begin alike.

    >>> _lines("2019/holiday/beach-0001.jpg")
    ['2019/', 'holiday/', 'beach-0001', '.jpg']
    """
    shown = _printable(name)
    parts = [line for part in shown.replace("/", "/\n").split("\n")
             for line in textwrap.wrap(part, _LETTERS, break_on_hyphens=False) or [""]]  # fmt: skip
    parts = [part for part in parts if part] or ["?"]
    return parts if len(parts) <= _LINES else ["…" + parts[-_LINES][1:], *parts[1 - _LINES :]]


@functools.cache
def _font(points: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(points)


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)
