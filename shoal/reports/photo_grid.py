"""Photos in a PDF: rows of them, each photo above its name."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from PIL import Image
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Spacer
from reportlab.platypus import Image as Embedded
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

from shoal.reports.document import Photo, PhotoRow
from shoal.reports.fonts import PLAIN, mark

_COLUMNS = 8
_GAP = 4.0
_HIGHEST = 110.0
"""Points of a photo's height, at most: a tall image does not push the row off the page."""
_LONGEST = 60
"""Letters of a name; of a longer one the beginning and the end are set."""
_SMALL = 160
"""Readers of PDF smooth what they enlarge, but less what comes with this many pixels a side."""


def photo_grid(
    rows: Sequence[PhotoRow], width: float, styles: Mapping[str, ParagraphStyle]
) -> list[list[Flowable]]:
    """For each row the parts that stay together on a page: its name and its photos.

    Args:
        rows: at least one.
        width: points of the page's text.
        styles: ``row`` for the names of the rows, ``photo`` for those of the photos.
    """
    column = width / _COLUMNS
    return [
        [_name(row, styles["row"]), _photos(row, column, styles["photo"]), Spacer(1, 4)]
        for row in rows
    ]


def _name(row: PhotoRow, style: ParagraphStyle) -> Text:
    square = f'<font color="{mpl.colors.to_hex(row.colour)}">■</font> '
    return Text(square + mark(row.name), style)


def _photos(row: PhotoRow, column: float, style: ParagraphStyle) -> Grid:
    cells: list[Any] = [[_embed(photo, column - _GAP), Text(mark(_short(photo.name)), style)]
             for photo in row.photos]  # fmt: skip
    lines = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    lines[-1] += [""] * (_COLUMNS - len(lines[-1])) if len(lines) > 1 else []
    grid = Grid(lines, colWidths=[column] * len(lines[0]), hAlign="LEFT")
    grid.setStyle(
        [
            ("FONTNAME", (0, 0), (-1, -1), PLAIN),  # not Helvetica, which is not embedded
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), _GAP),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return grid


def _embed(photo: Photo, width: float) -> Embedded:
    """A photo as wide as its column, in its proportions."""
    height = width * photo.height / photo.width
    scale = min(1.0, _HIGHEST / height)
    content = io.BytesIO(photo.content)
    times = _SMALL // max(photo.width, photo.height)
    if times > 1:
        content = _enlarged(photo, times)
    return Embedded(content, width=width * scale, height=height * scale, hAlign="LEFT")


def _enlarged(photo: Photo, times: int) -> io.BytesIO:
    image = Image.open(io.BytesIO(photo.content))
    size = (photo.width * times, photo.height * times)
    file = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(file, "PNG")
    file.seek(0)
    return file


def _short(name: str) -> str:
    """A name of at most 60 letters; the end of a long path tells more than its beginning.

    >>> _short("a" * 50 + "b" * 50)
    'aaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
    """
    return name if len(name) <= _LONGEST else f"{name[:19]}…{name[-(_LONGEST - 20) :]}"
