"""Figures of single images: those most like one asked about, copies, and odd ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from shoal.plots.lettering import legible, letter
from shoal.plots.strips import drawable, proportion
from shoal.plural import counted
from shoal.protocols import Array, ImageSource
from shoal.search.duplicates import Duplicates
from shoal.search.outliers import Outliers
from shoal.search.similar import Similar

_COLUMNS = 13
"""Tiles side by side: one asked about and twelve like it."""
_TILE = 1.0
"""Inches."""
_MOST_QUERIES = 20
_MOST_SIMILAR = 60
_MOST_GROUPS = 60
_MOST_OUTLIERS = 104
_CAPTION = 0.22
"""Of a tile's width: the room for one line above it."""
_FRAME = "#0072B2"
_SHORT = {
    "far from every neighbour in the embedding": "far from all",
    "poorly reconstructed": "poorly rebuilt",
    "nearly uniform": "uniform",
    "very dark": "dark",
    "very bright": "bright",
}


@dataclass(frozen=True)
class _Tile:
    column: float
    line: int
    image: Array
    """uint8 (H, W, C)."""
    caption: str
    framed: bool = False


def similar(source: ImageSource, found: Similar) -> Figure:
    """Each image asked about, on the left, and those most like it, by rank.

    Args:
        source: the pile.
        found: what was found in it; at most 20 images asked about and 60 like each are drawn.
    """
    tiles: list[_Tile] = []
    line = 0
    shown = min(len(found.queries), _MOST_QUERIES)
    for number in range(shown):
        name = _short(found.queries[number].name)
        tiles.append(_Tile(0, line, found.queries[number].read(), name, framed=True))
        images = source.read(found.indices[number, :_MOST_SIMILAR])
        alike = found.similarity[number]
        for place, (image, value) in enumerate(zip(images, alike, strict=False)):
            below, column = divmod(place, _COLUMNS - 1)
            tiles.append(_Tile(column + 1, line + below, image, f"{place + 1}: {value:.2f}"))
        line += max(1, -(-len(images) // (_COLUMNS - 1)))
    hidden = len(found.queries) - shown
    more = f"; {hidden:,} more were asked about" if hidden else ""
    return _page(tiles, f"asked about (framed) and the most similar, with their similarity{more}")


def duplicates(source: ImageSource, found: Duplicates) -> Figure:
    """Groups of copies, the one to keep framed, with their distances from it.

    Args:
        source: the pile.
        found: what was found in it; at most 60 groups and 12 copies of each are drawn.
    """
    tiles: list[_Tile] = []
    line, column = 0, 0.0
    for group in found.groups[:_MOST_GROUPS]:
        others = group.others[: _COLUMNS - 1]
        if column + 1 + len(others) > _COLUMNS:
            line, column = line + 1, 0.0
        more = len(group.others) - len(others)
        captions = [f"keep; {more:,} more" if more else "keep"]
        kinds = zip(group.exact, group.distances, strict=True)
        captions += ["exact" if exact else f"{far:.2f}" for exact, far in kinds]
        images = source.read(np.concatenate([[group.kept], others]))
        for place, image in enumerate(images):
            tiles.append(_Tile(column + place, line, image, captions[place], framed=place == 0))
        column += len(images) + 0.5
    hidden = len(found.groups) - _MOST_GROUPS
    more_groups = f"; the {_MOST_GROUPS} largest groups" if hidden > 0 else ""
    return _page(
        tiles,
        f"{counted(found.n_copies, 'copy', 'copies')} in {counted(len(found.groups), 'group')}: "
        f"the one to keep (framed) and its copies, with their distance{more_groups}",
    )


def outliers(source: ImageSource, found: Outliers) -> Figure:
    """The oddest images by rank, each with its weightiest reason in a word or two.

    Args:
        source: the pile.
        found: what was found in it; at most 104 are drawn.
    """
    rows = found.rows[:_MOST_OUTLIERS]
    tiles = []
    for place, (image, reasons) in enumerate(zip(source.read(rows), found.reasons, strict=False)):
        line, column = divmod(place, _COLUMNS)
        reason = _SHORT[reasons[0].partition(" (")[0]]
        tiles.append(_Tile(column, line, image, f"{place + 1}: {reason}"))
    return _page(
        tiles,
        f"the {'' if len(rows) == 1 else f'{len(rows)} '}oddest of "
        f"{counted(len(found.ids), 'image')}, by rank",
    )


def _page(tiles: Sequence[_Tile], title: str) -> Figure:
    """Tiles on a grid, enlarged without smoothing, in units of a tile's width."""
    if not tiles:
        figure = Figure(figsize=(8.0, 1.0), layout="constrained")
        figure.suptitle(title, fontsize=11)
        return letter(figure)
    tall = proportion(tiles[0].image.shape)
    bottom = (max(tile.line for tile in tiles) + 1) * (tall + _CAPTION)
    right = max(8.0, *(tile.column + 1 for tile in tiles))  # a title has to fit
    figure = Figure(figsize=(right * _TILE, 0.5 + bottom * _TILE), layout="constrained")
    ax = figure.subplots()
    for tile in tiles:
        left, top = tile.column + 0.03, tile.line * (tall + _CAPTION) + _CAPTION
        low, far = top + 0.94 * tall, left + 0.94
        ax.imshow(
            drawable(tile.image), extent=(left, far, low, top), cmap="gray", vmin=0, vmax=255,
            interpolation="nearest",
        )  # fmt: skip
        ax.text(left, top - 0.03, tile.caption, fontsize=7.5, va="bottom")
        if tile.framed:
            corners = [left, far, far, left, left], [top, top, low, low, top]
            ax.plot(*corners, color=_FRAME, linewidth=3, solid_joinstyle="miter")
    ax.set_xlim(0, right)
    ax.set_ylim(bottom, 0)
    ax.set_aspect("equal")
    ax.axis("off")
    figure.suptitle(title, fontsize=11)
    return letter(figure)


def _short(name: str, most: int = 15) -> str:
    """The end of a name, which tells more than its beginning, without what cannot be drawn."""
    text = legible(name)
    return text if len(text) <= most else f"…{text[1 - most :]}"
