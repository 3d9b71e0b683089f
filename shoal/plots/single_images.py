"""Figures of single images: those similar to a query, copies, and outliers.

All tiles are drawn from the originals, 140 pixels wide in a .png file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from shoal.images.vectors.source import noun_held
from shoal.plots.lettering import legible, letter
from shoal.plots.strips import drawable, enlarged, proportion
from shoal.plots.thumbnails import thumbnails, thumbnails_of_lists
from shoal.plural import counted
from shoal.protocols import Array, ImageSource, Track, silent
from shoal.search.copy_groups import Duplicates
from shoal.search.outliers import Outliers
from shoal.search.similar import Similar

_COLUMNS = 13
"""Tiles side by side: a query and twelve images like it."""
_TILE = 1.0
"""Inches."""
_MOST_QUERIES = 20
_MOST_SIMILAR = 60
_MOST_GROUPS = 60
_MOST_OUTLIERS = 104
_CAPTION = 0.22
"""The height of the line above a tile, as a share of the tile's width."""
_FRAME = "#0072B2"


@dataclass(frozen=True)
class _Tile:
    column: float
    line: int
    image: Array
    """uint8 (h, w, C)."""
    caption: str
    framed: bool = False


def similar(source: ImageSource, result: Similar, *, track: Track = silent) -> Figure:
    """Each query on the left, and the images most similar to it, by rank.

    Args:
        source: the pile.
        result: 20 queries are drawn at most, and 60 images similar to each.
        track: shows progress.
    """
    queries = result.queries[:_MOST_QUERIES]
    answers = result.answers[: len(queries)]
    lists = [rows[:_MOST_SIMILAR] for _, rows, _ in answers]
    tiles: list[_Tile] = []
    line = 0
    shown = thumbnails_of_lists(source, lists, track=track)
    for (query, _, values), images in zip(answers, shown, strict=True):
        (image,) = thumbnails(query.source, np.array([query.row]))
        tiles.append(_Tile(0, line, image, _short(query.name), framed=True))
        for place, (image, value) in enumerate(zip(images, values, strict=False)):
            below, column = divmod(place, _COLUMNS - 1)
            tiles.append(
                _Tile(column + 1, line + below, image, f"{place + 1}: {result.in_words(value)}")
            )
        line += max(1, -(-len(images) // (_COLUMNS - 1)))
    n_hidden = len(result.queries) - len(queries)
    more = f"; {counted(n_hidden, 'more query', 'more queries')} not drawn" if n_hidden else ""
    noun = noun_held(source)
    return _page(
        tiles,
        f"each query (framed) and the most similar {noun}s, with their {result.measure}{more}",
    )


def duplicates(source: ImageSource, result: Duplicates, *, track: Track = silent) -> Figure:
    """Groups of copies: the image to keep, framed, and its copies with their distances.

    A copy that is kept as well is framed, too.

    Args:
        source: the pile.
        result: 60 groups are drawn at most, and 12 copies of each.
        track: shows progress.
    """
    groups = result.groups[:_MOST_GROUPS]
    lists = [
        np.concatenate([[group.kept], group.others[: _COLUMNS - 1]]).astype(np.int64)
        for group in groups
    ]
    tiles: list[_Tile] = []
    line, column = 0, 0.0
    for group, images in zip(groups, thumbnails_of_lists(source, lists, track=track), strict=True):
        if column + len(images) > _COLUMNS:
            line, column = line + 1, 0.0
        n_more = len(group.others) + 1 - len(images)
        captions = [f"keep; {n_more:,} more" if n_more else "keep"]
        kinds = zip(group.exact, group.also_kept, group.distances, strict=True)
        captions += [
            "exact" if exact else f"{'keep: ' if keep else ''}{distance:.2f}"
            for exact, keep, distance in kinds
        ]
        framed = [True, *group.also_kept.tolist()]
        for place, image in enumerate(images):
            tiles.append(_Tile(column + place, line, image, captions[place], framed[place]))
        column += len(images) + 0.5
    noun = noun_held(source)
    if not groups:
        return _page([], f"no copies among {counted(len(result.ids), noun)}")
    more = f"; the {_MOST_GROUPS} largest groups" if len(result.groups) > _MOST_GROUPS else ""
    return _page(
        tiles,
        f"{counted(result.n_copies, 'copy', 'copies')} in {counted(len(result.groups), 'group')}: "
        f"the {noun}s to keep (framed) and their copies, with their distances{more}",
    )


def outliers(source: ImageSource, result: Outliers, *, track: Track = silent) -> Figure:
    """The outliers by rank, each with its weightiest reason in the words of the table.

    Args:
        source: the pile.
        result: 104 outliers are drawn at most.
        track: shows progress.
    """
    rows = result.rows[:_MOST_OUTLIERS]
    tiles = []
    for place, (image, reasons) in enumerate(
        zip(thumbnails(source, rows, track=track), result.reasons, strict=False)
    ):
        line, column = divmod(place, _COLUMNS)
        reason = reasons[0].partition(" (")[0]  # as the table has it, without the numbers
        tiles.append(_Tile(column, line, image, f"{place + 1}: {reason}"))
    noun = noun_held(source)
    which = noun if len(rows) == 1 else f"{len(rows)} {noun}s"
    return _page(tiles, f"the most unusual {which} of {len(result.ids):,}, by rank")


def _page(tiles: Sequence[_Tile], title: str) -> Figure:
    """Tiles on a grid; the unit of the axes is the width of a tile."""
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
            drawable(enlarged(tile.image[None])[0]), extent=(left, far, low, top), cmap="gray",
            vmin=0, vmax=255, interpolation="antialiased",
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
    """The end of a name, which tells more than its beginning, in letters that can be drawn."""
    text = legible(name)
    return text if len(text) <= most else f"…{text[1 - most :]}"
