"""A document as a PDF: A4, selectable text, embedded fonts, vector plots, page numbers.

reportlab sets the text; the figures, which matplotlib draws as PDF, are laid into the places left
for them, see `plates`, so that their lines stay lines and their letters letters.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pypdf import PdfWriter
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    SimpleDocTemplate,
    Spacer,
)
from reportlab.platypus import Paragraph as Text

from shoal.images.files import atomic_path
from shoal.reports import columns, fonts
from shoal.reports.document import (
    Block,
    Bullets,
    Code,
    Document,
    Gallery,
    Heading,
    Paragraph,
    Picture,
    Table,
)
from shoal.reports.fonts import BOLD, MONO, PLAIN, mark
from shoal.reports.photo_grid import photo_grid
from shoal.reports.plates import Place, Plate, Room, Rows, lay_in
from shoal.reports.wording import Wording

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_HEIGHT = A4[1] - 2 * _MARGIN - 14 * mm
_PADDING = 6.0  # reportlab's frames keep this free on each side
_SHORT = 15
"""Rows of a table that is never divided over two pages."""
_INK = colors.HexColor("#1a1a1a")
_QUIET = colors.HexColor("#5f6368")
_RULE = colors.HexColor("#d0d4d9")
_WORD = re.compile("[\u2e80-\u9fff\uff00-\uffef]|(?:[^\\s\u2e80-\u9fff\uff00-\uffef]|\u00a0)+")
"""A word, or a Chinese character: lines are broken only between these."""


def write(document: Document, path: Path, wording: Wording) -> None:
    """Set a document as a PDF and write it, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    setter = _Setter(document, wording)
    text = setter.text()
    with atomic_path(path) as temporary:
        temporary.write_bytes(setter.with_figures(text))


@dataclass
class _Setter:
    document: Document
    wording: Wording
    places: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        fonts.register(pdfmetrics, TTFont)
        common = {"bulletFontName": PLAIN}  # not Helvetica, which would not be embedded
        common |= {"wordWrap": "CJK"} if self.document.language == "zh-TW" else {}
        self.styles = {
            name: ParagraphStyle(name, **{"fontName": PLAIN, "textColor": _INK} | common | more)
            for name, more in {
                "title": {"fontName": BOLD, "fontSize": 19, "leading": 24, "spaceAfter": 4},
                "subtitle": {"fontSize": 10, "leading": 14, "textColor": _QUIET, "spaceAfter": 10},
                "heading1": {"fontName": BOLD, "fontSize": 14, "leading": 18, "spaceBefore": 16,
                             "spaceAfter": 6, "keepWithNext": 1},
                "heading2": {"fontName": BOLD, "fontSize": 10.5, "leading": 14, "spaceBefore": 10,
                             "spaceAfter": 4, "keepWithNext": 1},
                "text": {"fontSize": 9, "leading": 13, "spaceAfter": 6},
                "bullet": {"fontSize": 9, "leading": 13, "spaceAfter": 4, "leftIndent": 11},
                "caption": {"fontSize": 8, "leading": 11, "textColor": _QUIET, "spaceAfter": 8},
                "page": {"fontSize": 8, "leading": 11, "textColor": _QUIET, "alignment": TA_RIGHT},
                "cell": {"fontSize": 7.5, "leading": 9.5},
                "number": {"fontSize": 7.5, "leading": 9.5, "alignment": TA_RIGHT},
                "head": {"fontName": BOLD, "fontSize": 7.5, "leading": 9.5},
                "head number": {"fontName": BOLD, "fontSize": 7.5, "leading": 9.5,
                                "alignment": TA_RIGHT},
                "photo": {"fontSize": 5, "leading": 6, "textColor": _QUIET, "wordWrap": "CJK"},
                "row": {"fontName": BOLD, "fontSize": 8, "leading": 11, "spaceBefore": 6,
                        "spaceAfter": 2},
                "code": {"fontName": MONO, "fontSize": 7.5, "leading": 10.5, "wordWrap": "CJK",
                         "backColor": colors.HexColor("#f3f4f6"), "borderPadding": 5,
                         "leftIndent": 5, "rightIndent": 5,
                         "spaceBefore": 6, "spaceAfter": 12},
            }.items()
        }  # fmt: skip

    def text(self) -> bytes:
        """All but the figures, whose places are noted on the way."""
        story: list[Flowable] = [
            Text(mark(self.document.title), self.styles["title"]),
            Text(mark(self.document.subtitle), self.styles["subtitle"]),
        ]
        headings: list[Flowable] = []
        blocks = [*self.document.first, *self.document.blocks]
        below_its_plot: Block | None = None
        for block, after in zip(blocks, [*blocks[1:], None], strict=True):
            if block is below_its_plot:
                continue
            if isinstance(block, Heading):
                headings.append(Text(mark(block.text), self.styles[f"heading{block.level}"]))
                continue
            if headings and isinstance(block, Paragraph) and _is_short(after):
                headings += self._set(block)  # says what the table is of
                continue
            if isinstance(block, Picture):  # 'keepWithNext' does not reach into a plate
                below_its_plot = after if _is_short(after) else None
                below = [] if below_its_plot is None else self._set(below_its_plot)
                story.append(Plate([*headings, *self._set(block), *below]))
            elif _is_short(block):
                story.append(KeepTogether([*headings, *self._set(block)]))
            elif isinstance(block, Gallery):
                caption = Text(mark(block.caption), self.styles["caption"])
                rows = photo_grid(block.rows, _WIDTH, self.styles)
                story.append(KeepTogether([*headings, *rows[0]]))
                story += [KeepTogether(row) for row in rows[1:-1]]
                story.append(KeepTogether([*(rows[-1] if len(rows) > 1 else []), caption]))
            else:
                story += [*headings, *self._set(block)]
            headings = []
        story += headings
        out = io.BytesIO()
        template = SimpleDocTemplate(
            out, pagesize=A4, leftMargin=_MARGIN - _PADDING, rightMargin=_MARGIN - _PADDING,
            topMargin=_MARGIN, bottomMargin=_MARGIN, title=self.document.title, author="shoal",
            lang=self.document.language, subject=self.document.subtitle, invariant=1,
            initialFontName=PLAIN,
        )  # fmt: skip
        template.build(story, onFirstPage=self._foot, onLaterPages=self._foot)
        return out.getvalue()

    def with_figures(self, text: bytes) -> bytes:
        """The same with every figure in its place."""
        writer = PdfWriter(clone_from=io.BytesIO(text))
        for number, place in enumerate(self.places, start=1):
            lay_in(writer, f"/Figure{number}", place)
        writer.compress_identical_objects()
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    def _foot(self, canvas: Canvas, template: SimpleDocTemplate) -> None:
        number = self.wording("page {n}", n=canvas.getPageNumber())
        for text, style in (("shoal", "caption"), (number, "page")):
            line = Text(mark(text), self.styles[style])
            line.wrap(_WIDTH, 10 * mm)
            line.drawOn(canvas, _MARGIN, 9 * mm)

    def _set(self, block: Block) -> list[Flowable]:
        styles = self.styles
        if isinstance(block, Paragraph):
            return [Text(mark(block.text), styles["text"])]
        if isinstance(block, Code):
            lines = "<br/>".join(mark(line) for line in block.text.splitlines())
            return [Text(lines, styles["code"])]
        if isinstance(block, Bullets):
            return [Text(mark(item), styles["bullet"], bulletText="•") for item in block.items]
        if isinstance(block, Table):
            return [self._grid(block), Spacer(1, 8)]
        if isinstance(block, Picture):
            caption = Text(mark(block.caption), styles["caption"])
            room = Room(block.figure, self.places, highest=_HEIGHT - 20 * mm)
            return [room, Spacer(1, 3), caption]
        raise TypeError(f"a {type(block).__name__} is set in `text`")

    def _grid(self, table: Table) -> Rows:
        numeric = [kind == "number" for kind in columns.kinds(table.rows, len(table.header))]
        head = [self._cell(text, "head number" if numeric[c] else "head")
                for c, text in enumerate(table.header)]  # fmt: skip
        cells = [
            [self._cell(text, "number" if numeric[c] else "cell") for c, text in enumerate(row)]
            for row in table.rows
        ]
        grid = Rows([head, *cells], colWidths=self._widths(table), repeatRows=1, hAlign="LEFT")
        grid.setStyle(
            [
                ("FONTNAME", (0, 0), (-1, -1), PLAIN),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, _RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
        return grid

    def _cell(self, text: str, name: str) -> Text:
        style = self.styles[name]
        if not fonts.is_chinese(text):  # a setting is not broken as Chinese is
            style = ParagraphStyle(f"{name} of words", parent=style, wordWrap=None)
        return Text(mark(text), style)

    def _widths(self, table: Table) -> list[float]:
        """As wide as the longest text wants; where the page is too narrow, the long texts wrap.

        No column gets less than its longest word, if the page has as much.
        """
        style = self.styles["head"]

        def width(text: str) -> float:
            return max(fonts.width(text, style.fontName, style.fontSize) + 10, 24.0)

        cells = list(zip(table.header, *table.rows, strict=True))
        wanted = [max(map(width, texts)) for texts in cells]
        if sum(wanted) <= _WIDTH:
            return wanted
        words = [chain.from_iterable(map(_WORD.findall, texts)) for texts in cells]
        least = [max(map(width, column), default=24.0) for column in words]
        if sum(least) > _WIDTH:  # then words must be broken, too
            return [_WIDTH * width / sum(least) for width in least]
        part = (_WIDTH - sum(least)) / (sum(wanted) - sum(least))
        return [low + part * (high - low) for low, high in zip(least, wanted, strict=True)]


def _is_short(block: Block | None) -> bool:
    """Whether a block is a table that is kept on one page."""
    return isinstance(block, Table) and len(block.rows) <= _SHORT
