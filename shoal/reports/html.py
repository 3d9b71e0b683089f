"""A document as one HTML page that needs nothing else: no file beside it and no network."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text as MatplotlibText

from shoal.plots.colours import on_page
from shoal.reports import columns, templates
from shoal.reports.document import (
    Block,
    Bullets,
    Code,
    Document,
    Gallery,
    Heading,
    Paragraph,
    PhotoRow,
    Picture,
    Table,
)
from shoal.reports.originals import link
from shoal.reports.wording import Wording

_MANY_MARKS = 2_000
"""A collection of more dots than this is drawn as pixels, its axes and words still as lines."""
_ANY_INK = "#7b7f85"
"""A grey whose contrast is 4 to 1 both with white and with the darkest ground of a page."""
_PLAIN = " \n!$&'()*+,-./:;=?@[]^_`{|}~"
"""Characters that a data URI may hold as they are; base64 would take a third more room."""
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="9" cy="11" r="5" fill="#0072B2"/><circle cx="22" cy="9" r="4" fill="#E69F00"/>'
    '<circle cx="13" cy="23" r="4" fill="#009E73"/><circle cx="24" cy="21" r="5" fill="#CC79A7"/>'
    "</svg>"
)


def render(
    document: Document, *, explorer: str | None, wording: Wording, folder: str | None = None
) -> str:
    """The page: a table of contents, what comes first, the map, then the blocks in their order.

    Args:
        document: what the page says; its figures are drawn here, and are afterwards as before.
        explorer: the map, from `explorer.fragment`; None leaves it out.
        wording: the page's language.
        folder: the URL of the folder that holds the images, from the page; see `originals`.

    >>> from shoal.reports.document import Paragraph
    >>> document = Document("Fish", "of the sea", blocks=[Paragraph("a < b")])
    >>> page = render(document, explorer=None, wording=Wording("en"))
    >>> "<p>a &lt; b</p>" in page
    True
    """
    whole = [*document.first, *document.blocks]
    blocks = [_prepare(block, number, folder) for number, block in enumerate(whole, start=1)]
    first, blocks = blocks[: len(document.first)], blocks[len(document.first) :]
    for block in blocks:
        block["hidden"] = explorer is not None and block.get("without_scripts", False)
    contents = [block for block in blocks if block["kind"] == "heading" and not block["hidden"]]
    scripts = {name: templates.text(f"{name}.js") for name in ("theme", "page", "viewer")}
    style = templates.text("page.css")
    if explorer is not None:
        scripts["explorer"] = templates.explorer_script()
        style += templates.text("explorer.css")
        title = wording("Map of the images")
        contents.insert(0, {"kind": "heading", "level": 1, "anchor": "explorer", "text": title})
    contents = [block for block in first if block["kind"] == "heading"] + contents
    say = {
        "contents": wording("Contents"),
        "dark": wording("Dark page"),
        "skip": wording("To the text"),
        "enlarged": wording("The enlarged picture"),
        "original": wording("Open the original file"),
        "close": wording("Close"),
    }
    return templates.load("page.html.j2").render(
        document=document,
        first=first,
        blocks=blocks,
        contents=contents,
        explorer=Markup(explorer or ""),
        icon=f"data:image/svg+xml,{urllib.parse.quote(_ICON)}",
        policy=_policy(list(scripts.values()), files=folder is not None),
        say=say,
        scripts={name: Markup(text) for name, text in scripts.items()},
        style=Markup(style),
    )


def _policy(scripts: list[str], *, files: bool) -> str:
    """What a browser lets the page do: run these scripts, show pictures, nothing else.

    The pictures are its own, and if ``files`` those that lie beside it.
    """
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    beside = " 'self' file:" if files else ""
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        f"img-src data: blob:{beside}; base-uri 'none'; form-action 'none'"
    )


def _prepare(block: Block, number: int, folder: str | None) -> dict[str, Any]:
    """A block as the template sets it."""
    match block:
        case Heading(text, level, without_scripts):
            return {
                "kind": "heading", "text": text, "level": level, "anchor": f"part-{number}",
                "without_scripts": without_scripts,
            }  # fmt: skip
        case Paragraph(text):
            return {"kind": "paragraph", "text": text}
        case Bullets(items):
            return {"kind": "bullets", "items": items}
        case Table():
            return _table(block)
        case Picture(figure, caption, without_scripts):
            width, height = (round(96 * inches) for inches in figure.get_size_inches())
            source = f"data:image/svg+xml,{urllib.parse.quote(_svg(figure), safe=_PLAIN)}"
            return {
                "kind": "picture", "source": source, "caption": caption,
                "width": width, "height": height, "without_scripts": without_scripts,
                "look": "photos" if _photographic(figure) else "chart",
            }  # fmt: skip
        case Gallery(rows, caption, learned):
            beside = folder if learned else None
            return {
                "kind": "gallery", "rows": [_photo_row(row, beside) for row in rows],
                "caption": caption, "learned": learned,
            }  # fmt: skip
        case Code(text):
            return {"kind": "code", "text": text}


def _photo_row(row: PhotoRow, folder: str | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "colours": on_page(row.colour),
        "photos": [
            {
                "row": photo.row, "name": photo.name, "width": photo.width, "height": photo.height,
                "link": link(folder, photo.name),
                "source": f"data:{photo.mime};base64,{base64.b64encode(photo.content).decode()}",
            }
            for photo in row.photos
        ],
    }  # fmt: skip


def _table(table: Table) -> dict[str, Any]:
    kinds = columns.kinds(table.rows, len(table.header))
    return {
        "kind": "table",
        "label": ", ".join(table.header),
        "header": list(zip(table.header, kinds, strict=True)),
        "rows": [list(zip(row, kinds, strict=True)) for row in table.rows],
    }


def _svg(figure: Figure) -> bytes:
    """A figure as SVG, text as outlines: the same bytes for the same figure."""
    file = io.BytesIO()
    with (
        mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "shoal"}),
        _lean(figure),
        _on_any_ground(figure),
    ):
        # Constrained layout may cut titles above square axes at first; drawn again, it does not.
        figure.draw_without_rendering()
        figure.savefig(file, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    # matplotlib names clip paths after all digits of their places, the last of which vary.
    names = dict.fromkeys(re.findall(rb'<clipPath id="(\w+)"', file.getvalue()))
    numbers = {name: f"clip{number}".encode() for number, name in enumerate(names)}
    return re.sub(rb"\bp[0-9a-f]{10}\b", lambda m: numbers.get(m[0], m[0]), file.getvalue())


def _photographic(figure: Figure) -> bool:
    """Whether it shows images of the pile, whose colours no page may change."""
    return any(
        isinstance(artist, AxesImage)
        and (np.ndim(np.asarray(artist.get_array())) == 3 or artist.get_cmap().name == "gray")
        for artist in figure.findobj(AxesImage)
    )


@contextlib.contextmanager
def _on_any_ground(figure: Figure) -> Iterator[None]:
    """While it lasts, nothing is drawn in white behind it: the page's own ground shows.

    Around images of the pile letters are of a grey that is read on light and on dark ground; the
    style turns the lights of all other figures around where the page is dark.
    """
    changed: list[tuple[Any, str, Any]] = []

    def change(artist: Any, name: str, value: Any) -> None:
        changed.append((artist, f"set_{name}", getattr(artist, f"get_{name}")()))
        getattr(artist, f"set_{name}")(value)

    try:
        change(figure.patch, "alpha", 0.0)
        for ax in figure.axes:
            change(ax.patch, "alpha", 0.0)
        if _photographic(figure):
            for artist in figure.findobj(MatplotlibText):
                change(artist, "color", _ANY_INK)
                if (box := artist.get_bbox_patch()) is not None:
                    change(box, "facecolor", "none")
        yield
    finally:
        for artist, setter, value in reversed(changed):
            getattr(artist, setter)(value)


@contextlib.contextmanager
def _lean(figure: Figure) -> Iterator[None]:
    """While it lasts, images keep their own pixels and very many dots are drawn as pixels."""
    changed: list[tuple[Any, str, Any]] = []
    try:
        for artist in figure.findobj(include_self=False):
            if isinstance(artist, AxesImage) and artist.get_interpolation() == "nearest":
                changed.append((artist, "set_interpolation", "nearest"))
                artist.set_interpolation("none")
            elif isinstance(artist, Collection) and np.shape(artist.get_offsets())[0] > _MANY_MARKS:
                changed.append((artist, "set_rasterized", artist.get_rasterized()))
                artist.set_rasterized(True)
        yield
    finally:
        for artist, setter, value in changed:
            getattr(artist, setter)(value)
