"""The fonts of a report, all of which come with shoal or with matplotlib: none is looked for."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib import font_manager

CHINESE = Path(__file__).parent / "typefaces" / "droid-sans-fallback-subset.ttf"
"""The Chinese characters of the fixed wording alone: scripts/subset_font.py made it."""
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
    """Text as reportlab's markup, its Chinese in the Chinese font.

    >>> mark("a < b: 影像")
    'a &lt; b: <font name="Chinese">影像</font>'
    """
    return _RUNS.sub(lambda run: f'<font name="{_CHINESE}">{run.group()}</font>', escape(text))


def is_chinese(text: str) -> bool:
    """Whether some of it is, so that its lines may be broken between any two characters.

    >>> is_chinese("MSE 最低者"), is_chinese("0.761 – 0.831")
    (True, False)
    """
    return _RUNS.search(text) is not None


def width(text: str, font: str, size: float) -> float:
    """How wide a line of text is set, in points."""
    from reportlab.pdfbase import pdfmetrics

    chinese = "".join(_RUNS.findall(text))
    latin = _RUNS.sub("", text)
    return sum(
        pdfmetrics.stringWidth(part, name, size)
        for part, name in ((latin, font), (chinese, _CHINESE))
    )


def in_figures(language: str) -> AbstractContextManager[None]:
    """A context in which matplotlib's figures are drawn and written in a language."""
    family = ["DejaVu Sans"]
    if language == "zh-TW":
        font_manager.fontManager.addfont(CHINESE)
        family.append(font_manager.FontProperties(fname=CHINESE).get_name())
    return mpl.rc_context({"font.family": family})
