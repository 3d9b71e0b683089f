"""The fonts of a report, all of which come with shoal or with matplotlib: none is looked for."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib import font_manager

from shoal.plots.lettering import CHINESE, face_of, legible

PLAIN, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
_CHINESE = "Chinese"
# Ideographs, their punctuation and full-width forms; the Chinese font has nothing else.
_RUNS = re.compile("[\u2e80-\u9fff\uff00-\uffef]+")


def register(metrics: Any, make: Any) -> None:
    """Register the fonts with reportlab: DejaVuSans, -Bold, DejaVuSansMono, and Chinese."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in (PLAIN, BOLD, MONO):
        metrics.registerFont(make(name, str(folder / f"{name}.ttf")))
    metrics.registerFont(make(_CHINESE, str(CHINESE)))


def mark(text: str) -> str:
    """Text as reportlab's markup, its Chinese in the Chinese font, other letters where they are.

    >>> mark("a < b: 影像")
    'a &lt; b: <font name="Chinese">影像</font>'
    """
    marked = []
    spelled = "".join(c if c == "\n" else legible(c) for c in text)
    for name, run in groupby(spelled, _registered):
        words = escape("".join(run))
        marked.append(words if name is None else f'<font name="{name}">{words}</font>')
    return "".join(marked)


def _registered(character: str) -> str | None:
    """The name of the font that draws a character, known to reportlab; None if any of its own."""
    if character.isascii() or (face := face_of(character)) is None or face.stem == PLAIN:
        return None
    if face == CHINESE:
        return _CHINESE
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    if face.stem not in pdfmetrics.getRegisteredFontNames():
        try:
            pdfmetrics.registerFont(TTFont(face.stem, str(face)))
        except TTFError:
            return None
    return face.stem


def is_chinese(text: str) -> bool:
    """Whether some of it is, so that its lines may be broken between any two characters.

    >>> is_chinese("MSE 最低者"), is_chinese("0.761 – 0.831")
    (True, False)
    """
    return _RUNS.search(text) is not None


def width(text: str, font: str, size: float) -> float:
    """How wide a line of text is set, in points."""
    from reportlab.pdfbase import pdfmetrics

    return sum(
        float(pdfmetrics.stringWidth("".join(run), name or font, size))
        for name, run in groupby(text, _registered)
    )


def in_figures(language: str) -> AbstractContextManager[None]:
    """A context in which matplotlib's figures are drawn and written in a language."""
    family = ["DejaVu Sans"]
    if language == "zh-TW":
        font_manager.fontManager.addfont(CHINESE)
        family.append(font_manager.FontProperties(fname=CHINESE).get_name())
    return mpl.rc_context({"font.family": family})
