"""Plates: blocks that a PDF keeps together. A figure gets room first, and is laid in afterwards."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
)
from reportlab.platypus import Flowable, KeepTogether, Table

_GIVEN_UP = 0.2
"""The share of a figure's size that it gives up to stay on a page: 8 points become 6.4."""

_FEWEST = 3
"""Rows of a divided table on a page."""


@dataclass(frozen=True)
class Place:
    """Where a figure is to be laid in."""

    page: int
    """Counted from 1."""
    x: float
    y: float
    """Its lower left corner, points from that of the page."""
    scale: float
    drawn: bytes
    """The figure as a PDF of one page."""


class Room(Flowable):  # type: ignore[misc]
    """Room for a figure, and a note of where it is.

    Args:
        figure: drawn when the room has been given to it.
        places: where the note goes.
        highest: points; a higher figure is shrunk.
    """

    def __init__(self, figure: Figure, places: list[Place], *, highest: float) -> None:
        super().__init__()
        self.figure, self.places, self.highest = figure, places, highest
        self.size = [inches * 72 for inches in figure.get_size_inches()]

    def give_up(self, points: float) -> None:
        """Be lower by so much than it was wrapped, if the figure can still be read then."""
        height = self.scale * self.size[1]
        if 0 < points <= _GIVEN_UP * height:
            self.highest = height - points

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """The room it takes: as wide as the text at most, and no higher than a page."""
        width, height = self.size
        self.scale = min(1.0, available_width / width, self.highest / height)
        return width * self.scale, height * self.scale

    def draw(self) -> None:
        """Note page and place; the figure itself is laid in afterwards."""
        canvas: Any = self.canv
        x, y = canvas.absolutePosition(0, 0)
        out = io.BytesIO()
        with mpl.rc_context({"pdf.fonttype": 42}):
            self.figure.draw_without_rendering()  # the first layout cuts titles off
            self.figure.savefig(out, format="pdf", metadata={"CreationDate": None})
        self.places.append(Place(canvas.getPageNumber(), x, y, self.scale, out.getvalue()))


class Plate(KeepTogether):  # type: ignore[misc]
    """Headings, a figure's room and its caption on one page, on this one if it nearly fits."""

    def __init__(self, content: list[Flowable]) -> None:
        super().__init__(content)
        self.rooms = [part for part in content if isinstance(part, Room)]

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """The room it takes; reportlab asks before it decides for this page or the next."""
        super().wrap(available_width, available_height)
        for room in self.rooms:
            room.give_up(self._H - available_height)
        wanted: tuple[float, float] = super().wrap(available_width, available_height)
        return wanted


class Rows(Table):  # type: ignore[misc]
    """A table of which at least three rows stand on each page that it is divided over."""

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        """The part for this page and the rest; nothing where all of it belongs on the next."""
        parts: list[Flowable] = super().split(available_width, available_height)
        if len(parts) < 2:
            return parts
        lacking = _FEWEST + 1 - len(parts[1]._cellvalues)  # its header is repeated
        if lacking > 0:
            height = sum(parts[0]._rowHeights[-lacking:])
            parts = super().split(available_width, sum(parts[0]._rowHeights) - height + 0.1)
        if len(parts) < 2 or len(parts[0]._cellvalues) < _FEWEST + 1:
            return []
        return parts


def lay_in(writer: PdfWriter, name: str, place: Place) -> None:
    """Draw a figure in its place, as the form ``name`` (PDF 1.7, section 8.10).

    A form's drawing is copied as it is. Merging pages instead would read every one of thousands of
    dots, which takes longer than drawing them did.
    """
    page, drawn = writer.pages[place.page - 1], PdfReader(io.BytesIO(place.drawn)).pages[0]
    content = drawn.get_contents()
    assert content is not None  # matplotlib draws at least the figure's background
    plain = DecodedStreamObject()
    plain.set_data(content.get_data())
    form = plain.flate_encode()
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/BBox")] = ArrayObject(FloatObject(side) for side in drawn.mediabox)
    for key in ("/Resources", "/Group"):  # the second: how what can be seen through is mixed
        if key in drawn:
            form[NameObject(key)] = drawn[key].clone(writer)
    resources = page["/Resources"].get_object()
    assert isinstance(resources, DictionaryObject)
    forms = resources.setdefault(NameObject("/XObject"), DictionaryObject()).get_object()
    forms[NameObject(name)] = writer._add_object(form)
    call = DecodedStreamObject()
    scale = f"{place.scale:.5f}"
    call.set_data(f"\nq {scale} 0 0 {scale} {place.x:.3f} {place.y:.3f} cm {name} Do Q".encode())
    earlier = page.raw_get("/Contents")
    contents = earlier if isinstance(earlier, ArrayObject) else ArrayObject([earlier])
    page[NameObject("/Contents")] = ArrayObject([*contents, writer._add_object(call)])
