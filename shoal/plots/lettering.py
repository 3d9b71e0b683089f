"""Names in pictures: in any script, without markup, and without boxes in place of letters.

The letters come from matplotlib's own typeface, from that of Chinese reports, or from a typeface of
the system. Characters in none of them are spelled out, as U+4E2D.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from shoal.images.csv_files import printable

CHINESE = Path(__file__).parent / "typefaces" / "droid-sans-fallback-subset.ttf"
"""The Chinese characters of the fixed wording alone: scripts/subset_font.py made it."""
_OWN = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
_WIDE = ("fallback", "unicode", "noto", "cjk", "gothic", "malgun", "hei", "song", "ming", "nirmala")
"""Parts of the names of typefaces with many letters, which are tried first."""


def legible(text: str) -> str:
    """``text`` with the characters spelled out that no typeface can draw.

    >>> legible("a$b\\n.png")
    'a$b\\\\n.png'
    """
    return "".join(map(_legible, text))


def _legible(character: str) -> str:
    if unicodedata.category(character) == "Zs":  # a space that breaks no line is one, too
        return character
    spelled = printable(character)
    return spelled if face_of(character) or spelled != character else f"U+{ord(character):04X}"


def letter(figure: Figure) -> Figure:
    """The figure, its texts without markup and in typefaces that can draw them."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
        content = text.get_text()
        if not content.isascii():
            lines = content.split("\n")
            text.set_text("\n".join(map(legible, lines)))
            text.set_fontfamily(_families(text.get_text()))
    return figure


def _families(text: str) -> list[str]:
    """The names of the typefaces that draw ``text``, matplotlib's own first."""
    names = [_name(_OWN)]
    for character in text:
        face = face_of(character)
        if face is not None and _name(face) not in names:
            names.append(_name(face))
    return names


@lru_cache(maxsize=4096)
def face_of(character: str) -> Path | None:
    """The file of a TrueType face that can draw a character; None if there is none."""
    if character.isspace() or ord(character) in _letters(_OWN):
        return _OWN
    return next((face for face in _faces() if ord(character) in _letters(face)), None)


@cache
def _faces() -> tuple[Path, ...]:
    """Typefaces besides matplotlib's own, the likeliest first: TrueType only, for PDF files."""
    files = {Path(entry.fname) for entry in font_manager.fontManager.ttflist}
    files = {file for file in files if file.suffix.lower() == ".ttf" and file.is_file()}

    def rank(file: Path) -> tuple[bool, bool, str]:
        name = file.stem.lower()
        plain = not any(style in name for style in ("bold", "italic", "oblique", "mono", "light"))
        return not any(part in name for part in _WIDE), not plain, name

    return (CHINESE, *sorted(files, key=rank))


@cache
def _letters(face: Path) -> frozenset[int]:
    try:
        return frozenset(FT2Font(str(face)).get_charmap())
    except (OSError, RuntimeError):  # a damaged face draws nothing
        return frozenset()


@cache
def _name(face: Path) -> str:
    """The family under which matplotlib knows a face."""
    font_manager.fontManager.addfont(face)
    return font_manager.FontProperties(fname=face).get_name()
