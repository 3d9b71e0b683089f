"""A document as a PDF: A4, selectable text, embedded fonts, vector plots, page numbers.

reportlab sets the text; the figures, which matplotlib draws as PDF, are laid into the places left
for them by pypdf, so that their lines stay lines and their letters letters.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from pypdf import PdfReader, PdfWriter, Transformation
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
from reportlab.platypus import Table as Grid

from shoal.files import atomic_path
from shoal.reporting import fonts
from shoal.reporting.document import (
    Block,
    Bullets,
    Code,
    Document,
    Heading,
    Paragraph,
    Table,
)
from shoal.reporting.fonts import BOLD, MONO, PLAIN, mark
from shoal.reporting.wording import Wording

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_HEIGHT = A4[1] - 2 * _MARGIN - 14 * mm
_INK = colors.HexColor("#1a1a1a")
_QUIET = colors.HexColor("#5f6368")
_RULE = colors.HexColor("#d0d4d9")
_NUMBER = re.compile(r"[-+–]?[\d,.]+\s?(%|min|GB|s)?( – [\d.]+)?|–")


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
class _Place:
    page: int
    x: float
    y: float
    scale: float
    drawn: bytes


@dataclass
class _Setter:
    document: Document
    wording: Wording
    places: list[_Place] = field(default_factory=list)

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
                "code": {"fontName": MONO, "fontSize": 7.5, "leading": 10.5, "wordWrap": "CJK",
                         "backColor": colors.HexColor("#f3f4f6"), "borderPadding": 5,
                         "spaceBefore": 6, "spaceAfter": 12},
            }.items()
        }  # fmt: skip

    def text(self) -> bytes:
        """All but the figures, whose places are noted on the way."""
        story: list[Flowable] = [
            Text(mark(self.document.title), self.styles["title"]),
            Text(mark(self.document.subtitle), self.styles["subtitle"]),
        ]
        for block in self.document.blocks:
            story += self._set(block)
        out = io.BytesIO()
        template = SimpleDocTemplate(
            out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
            bottomMargin=_MARGIN, title=self.document.title, author="shoal",
            lang=self.document.language, subject=self.document.subtitle, invariant=1,
            initialFontName=PLAIN,
        )  # fmt: skip
        template.build(story, onFirstPage=self._foot, onLaterPages=self._foot)
        return out.getvalue()

    def with_figures(self, text: bytes) -> bytes:
        """The same with every figure in its place."""
        writer = PdfWriter(clone_from=io.BytesIO(text))
        for place in self.places:
            figure = PdfReader(io.BytesIO(place.drawn)).pages[0]
            move = Transformation().scale(place.scale).translate(place.x, place.y)
            writer.pages[place.page - 1].merge_transformed_page(figure, move)
        for page in writer.pages:
            page.compress_content_streams()
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
        if isinstance(block, Heading):
            return [Text(mark(block.text), styles[f"heading{block.level}"])]
        if isinstance(block, Paragraph):
            return [Text(mark(block.text), styles["text"])]
        if isinstance(block, Code):
            lines = "<br/>".join(mark(line) for line in block.text.splitlines())
            return [Text(lines, styles["code"])]
        if isinstance(block, Bullets):
            return [Text(mark(item), styles["bullet"], bulletText="•") for item in block.items]
        if isinstance(block, Table):
            return [self._grid(block), Spacer(1, 8)]
        caption = Text(mark(block.caption), styles["caption"])
        return [KeepTogether([_Drawing(block.figure, self.places), Spacer(1, 3), caption])]

    def _grid(self, table: Table) -> Grid:
        columns = range(len(table.header))
        numeric = [
            bool(table.rows) and all(_NUMBER.fullmatch(row[c]) for row in table.rows)
            for c in columns
        ]
        head = [Text(mark(text), self.styles["head number" if numeric[c] else "head"])
                for c, text in enumerate(table.header)]  # fmt: skip
        cells = [
            [Text(mark(text), self.styles["number" if numeric[c] else "cell"])
             for c, text in enumerate(row)] for row in table.rows
        ]  # fmt: skip
        grid = Grid([head, *cells], colWidths=self._widths(table), repeatRows=1, hAlign="LEFT")
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

    def _widths(self, table: Table) -> list[float]:
        """As wide as the longest text wants, shrunk in proportion where the page is too narrow."""
        style = self.styles["head"]
        wanted = []
        for cells in zip(table.header, *table.rows, strict=True):
            widths = [fonts.width(text, style.fontName, style.fontSize) + 10 for text in cells]
            wanted.append(max(max(widths), 24.0))
        if sum(wanted) <= _WIDTH:
            return wanted
        # Narrow columns keep what they want; the wide ones share the rest and wrap.
        room, left = _WIDTH, sorted(range(len(wanted)), key=lambda c: wanted[c])
        given = dict.fromkeys(left, 0.0)
        while left:
            share = room / len(left)
            column = left.pop(0)
            given[column] = min(wanted[column], share)
            room -= given[column]
        return [given[column] for column in range(len(wanted))]


class _Drawing(Flowable):  # type: ignore[misc]
    """Room for a figure, and a note of where it is."""

    def __init__(self, figure: Figure, places: list[_Place]) -> None:
        super().__init__()
        self.figure, self.places = figure, places
        self.size = [inches * 72 for inches in figure.get_size_inches()]

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """The room it takes: as wide as the text at most, and no higher than a page."""
        width, height = self.size
        self.scale = min(1.0, available_width / width, (_HEIGHT - 20 * mm) / height)
        return width * self.scale, height * self.scale

    def draw(self) -> None:
        """Note page and place; the figure itself is laid in afterwards."""
        canvas: Any = self.canv
        x, y = canvas.absolutePosition(0, 0)
        out = io.BytesIO()
        with mpl.rc_context({"pdf.fonttype": 42}):
            self.figure.draw_without_rendering()  # the first layout cuts titles off
            self.figure.savefig(out, format="pdf", metadata={"CreationDate": None})
        self.places.append(_Place(canvas.getPageNumber(), x, y, self.scale, out.getvalue()))
