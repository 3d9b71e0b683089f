"""The map of a pile as a figure."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shoal.embedding.table import NOWHERE_NAME, ImageTable
from shoal.images.pictures import read_pictures
from shoal.images.vectors.source import has_pictures
from shoal.plots.colours import PALETTE, colour, key_columns
from shoal.plots.strips import drawable
from shoal.protocols import Array, FloatArray, ImageSource, IntArray


def map_of(source: ImageSource, table: ImageTable) -> Figure:
    """The map twice: as dots, coloured by cluster, and as pictures where there is room.

    Of vectors without images as dots alone.

    Args:
        source: the images of ``table``.
        table: with places ``xy``, see `shoal.plots.layout`.
    """
    assert table.xy is not None  # the caller lays out the map
    n_clusters = int(table.labels.max()) + 1
    sizes = np.bincount(table.labels, minlength=n_clusters)
    clusters, aside = np.flatnonzero(sizes), set(table.labels[table.nowhere].tolist())
    called = [f"{NOWHERE_NAME if c in aside else c}: {sizes[c]:,}" for c in clusters.tolist()]
    width = 14.5 if has_pictures(source) else 7.5
    columns = key_columns(called, width, 10)
    n_panels = 2 if has_pictures(source) else 1
    height = 8.1 + 0.22 * -(-len(clusters) // columns)
    figure = Figure(figsize=(15 if n_panels == 2 else 8, height), layout="constrained")
    panels = figure.subplots(1, n_panels, squeeze=False)[0]
    dots = panels[0]
    centre, half = _square(table.xy)
    for ax in panels:
        ax.set_xlim(centre[0] - half, centre[0] + half)
        ax.set_ylim(centre[1] - half, centre[1] + half)
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
    order = np.random.default_rng(0).permutation(len(table.labels))  # no cluster hides another
    colours = np.array([colour(c, n_clusters) for c in range(n_clusters)])
    size = float(np.clip(20_000 / len(order), 2.0, 20.0))
    dots.scatter(*table.xy[order].T, c=colours[table.labels[order]], s=size, linewidths=0)
    keys = [
        mpl.patches.Patch(color=colours[cluster], label=name)
        for cluster, name in zip(clusters, called, strict=True)
    ]
    if len(clusters) > len(PALETTE):
        number_clusters(dots, table.xy[~table.nowhere], table.labels[~table.nowhere])
    each = "image" if n_panels == 2 else "vector"
    figure.legend(
        handles=keys, title=f"cluster: {each}s", loc="outside lower center",
        ncols=columns, frameon=False, fontsize=10,
    )  # fmt: skip
    dots.set_title(f"a dot for each {each}: t-SNE of the embedding", fontsize=12)
    for ax in panels[1:]:
        ax.set_title("an image at each place, framed in the colour of its cluster", fontsize=12)
        _thumbnails(ax, source, table, centre, half, colours)
    return figure


def number_clusters(ax: Axes, xy: FloatArray, labels: IntArray) -> None:
    """Write the number of each cluster at its median, for maps with too many colours to tell."""
    for cluster in np.unique(labels):
        x, y = np.median(xy[labels == cluster], axis=0)
        ax.text(
            x, y, str(cluster), fontsize=8, ha="center", va="center",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none",
                  "alpha": 0.75},
        )  # fmt: skip


def _square(xy: FloatArray) -> tuple[FloatArray, float]:
    low, high = xy.min(axis=0), xy.max(axis=0)
    return (low + high) / 2, float((high - low).max()) * 0.53 + 1e-6


def _thumbnails(
    ax: Axes, source: ImageSource, table: ImageTable, centre: FloatArray, half: float,
    colours: Array,
) -> None:  # fmt: skip
    assert table.xy is not None
    cells = 36
    step = 2 * half / cells
    place = np.floor((table.xy - (centre - half)) / step).astype(np.int64)
    _, first = np.unique(place[:, 0] * cells + place[:, 1], return_index=True)
    images = read_pictures(source, first)
    for image, index in zip(images, first, strict=True):
        x, y = centre - half + place[index] * step
        extent = (x + 0.04 * step, x + 0.96 * step, y + 0.04 * step, y + 0.96 * step)
        ax.imshow(
            drawable(image), extent=extent, cmap="gray", vmin=0, vmax=255,
            interpolation="nearest", zorder=2,
        )  # fmt: skip
        ax.add_patch(
            mpl.patches.Rectangle(
                (x, y), step, step, facecolor=colours[table.labels[index]], linewidth=0, zorder=1
            )
        )
    ax.set_xlim(centre[0] - half, centre[0] + half)
    ax.set_ylim(centre[1] - half, centre[1] + half)
