"""Figures: each a function from data to a matplotlib figure, usable in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shoal import __version__
from shoal.embedding.neighbours import most_typical
from shoal.embedding.table import ImageTable
from shoal.images.files import atomic_path
from shoal.plots.lettering import letter
from shoal.plots.strips import contact_sheet, drawable, proportion, strips
from shoal.plural import counted
from shoal.protocols import Array, FloatArray, ImageSource, IntArray

if TYPE_CHECKING:
    from shoal.scoring.evaluation import ConfidenceBin

# Okabe and Ito (2008): told apart by every kind of colour vision. More clusters than these fall
# back to matplotlib's tab10 and tab20; the numbers then tell what the colours cannot.
_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
_MOST_ROWS = 20


def write(figure: Figure, path: str | Path) -> None:
    """Write a figure to a .png, .pdf or .svg file, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(Path(path)) as temporary:
        # By this mark a picture that lies in a pile is known as one that shoal drew.
        png = Path(path).suffix.lower() == ".png"
        mark = {"Software": f"shoal {__version__}"} if png else None
        letter(figure).savefig(temporary, dpi=150, metadata=mark)


def colour(cluster: int, n_clusters: int) -> tuple[float, float, float]:
    """The colour of a cluster, RGB in [0, 1]."""
    if n_clusters <= len(_PALETTE):
        return mpl.colors.to_rgb(_PALETTE[cluster])
    if n_clusters <= 10:
        return mpl.colors.to_rgb(mpl.colormaps["tab10"](cluster))
    if n_clusters <= 20:
        return mpl.colors.to_rgb(mpl.colormaps["tab20"](cluster))
    # Hues a golden section apart, in three shades: neighbours in number are far apart in colour.
    hue = cluster * 0.61803398875 % 1.0
    saturation, value = ((0.85, 0.85), (0.55, 0.95), (0.9, 0.55))[cluster % 3]
    red, green, blue = mpl.colors.hsv_to_rgb((hue, saturation, value)).tolist()
    return red, green, blue


def clusters(source: ImageSource, table: ImageTable, *, columns: int = 10, seed: int = 0) -> Figure:
    """Members of each cluster: the most typical, a random sample, the least certain.

    The random sample is the one to judge a cluster by; typical members always look good.

    Args:
        source: the images of ``table``.
        table: clusters and confidence; at most 20 clusters are drawn, the largest.
        columns: images side by side in each of the three groups.
        seed: of the random sample.
    """
    sizes = np.bincount(table.labels)
    shown = np.argsort(-sizes, kind="stable")[:_MOST_ROWS]
    shown = np.sort(shown[sizes[shown] > 0])
    groups = ("most typical", "at random", "least certain")
    lines = int(np.clip(10 // len(shown), 1, 4))  # few clusters have room for more members each
    row_height = lines * 13.0 / 3.3 / columns * proportion(source.shape) + 0.08
    row_height = max(row_height, 0.35)  # the number and the size beside it have two lines
    figure = Figure(figsize=(13.0, 0.8 + row_height * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), 3, squeeze=False, gridspec_kw={"wspace": 0.05})
    for row, cluster in enumerate(shown):
        picks = _pick(table, int(cluster), columns * lines, seed)
        for column, (name, indices) in enumerate(zip(groups, picks, strict=True)):
            ax: Axes = axes[row][column]
            sheet = contact_sheet(source.read(indices), columns, lines)
            ax.imshow(sheet, interpolation="nearest", cmap="gray", vmin=0, vmax=255)
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_visible(False)
            if row == 0:
                ax.set_title(name, fontsize=11)
            if column == 0:
                ax.set_ylabel(
                    f"{cluster}\n{sizes[cluster]:,}",
                    rotation=0, ha="right", va="center", fontsize=9, labelpad=8,
                    bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "linewidth": 2,
                          "edgecolor": colour(int(cluster), len(sizes))},
                )  # fmt: skip
    hidden = np.count_nonzero(sizes) - len(shown)
    smaller = counted(int(hidden), "smaller cluster is", "smaller clusters are")
    note = f"; {smaller} not shown" if hidden else ""
    found = counted(int(np.count_nonzero(sizes)), "cluster")
    figure.suptitle(
        f"{counted(len(table.labels), 'image')} in {found} (number and size on the left{note})",
        fontsize=12,
    )
    return figure


def splits(
    source: ImageSource, tables: Sequence[ImageTable], *, columns: int = 16, seed: int = 0
) -> Figure:
    """A strip of members of each cluster, for each way to divide the same pile.

    Members are drawn at random from the surer half of the cluster: typical, yet not a choice of
    the prettiest.

    Args:
        source: the images.
        tables: one for each way, all of the images of ``source``.
        columns: images in a strip.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    rows = []
    for number, table in enumerate(tables, start=1):
        for cluster in range(min(10, int(table.labels.max()) + 1)):
            members = np.flatnonzero(table.labels == cluster)
            picks = members
            if len(members):
                sure = table.confidence[members] >= np.median(table.confidence[members])
                picks = np.sort(generator.permutation(members[sure])[:columns])
            name = f"split {number}\n{cluster}: {len(members):,}"
            frame = mpl.colors.to_rgb("black" if number % 2 else "#0072B2")  # tell splits apart
            rows.append((name, source.read(picks), frame))
    figure = strips(rows, columns=columns, width=12.0)
    figure.suptitle(
        f"{counted(len(tables), 'way')} to divide {counted(len(source), 'image')}; "
        "members from the surer half of each cluster",
        fontsize=12,
    )
    return figure


def map_of(source: ImageSource, table: ImageTable) -> Figure:
    """The map twice: every image a dot coloured by its cluster; and pictures where there is room.

    Args:
        source: the images of ``table``.
        table: with ``xy``.
    """
    assert table.xy is not None  # the caller lays out the map
    n_clusters = int(table.labels.max()) + 1
    sizes = np.bincount(table.labels, minlength=n_clusters)
    found = np.flatnonzero(sizes)
    columns = key_columns([f"{cluster}: {sizes[cluster]:,}" for cluster in found], 14.5, 10)
    figure = Figure(figsize=(15, 8.1 + 0.22 * -(-len(found) // columns)), layout="constrained")
    dots, pictures = figure.subplots(1, 2)
    centre, half = _square(table.xy)
    for ax in (dots, pictures):
        ax.set_xlim(centre[0] - half, centre[0] + half)
        ax.set_ylim(centre[1] - half, centre[1] + half)
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
    order = np.random.default_rng(0).permutation(len(table.labels))  # none hides the others
    colours = np.array([colour(c, n_clusters) for c in range(n_clusters)])
    size = float(np.clip(20_000 / len(order), 2.0, 20.0))
    dots.scatter(*table.xy[order].T, c=colours[table.labels[order]], s=size, linewidths=0)
    keys = [
        mpl.patches.Patch(color=colours[cluster], label=f"{cluster}: {sizes[cluster]:,}")
        for cluster in found
    ]
    if len(found) > len(_PALETTE):
        number_clusters(dots, table.xy, table.labels)
    figure.legend(
        handles=keys, title="cluster: images", loc="outside lower center",
        ncols=columns, frameon=False, fontsize=10,
    )  # fmt: skip
    dots.set_title("every image a dot: t-SNE of the embedding", fontsize=12)
    pictures.set_title("one image a place, framed in its cluster's colour", fontsize=12)
    _thumbnails(pictures, source, table, centre, half, colours)
    return figure


def key_columns(names: Sequence[str], inches: float, points: float) -> int:
    """How many keys of a legend fit side by side, each as wide as the longest name."""
    each = max(map(len, names)) * points * 0.62 / 72 + points * 4.5 / 72
    return int(np.clip(inches / each, 1, len(names)))


def number_clusters(ax: Axes, xy: FloatArray, labels: IntArray) -> None:
    """Write the number of each cluster at its median: many colours are too many to look up."""
    for cluster in np.unique(labels):
        x, y = np.median(xy[labels == cluster], axis=0)
        ax.text(
            x, y, str(cluster), fontsize=8, ha="center", va="center",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none",
                  "alpha": 0.75},
        )  # fmt: skip


def calibration(bins: Sequence[ConfidenceBin]) -> Figure:
    """The reliability curve: confidence and accuracy of each bin, the least confident on the left.

    Equal counts stand at equal distances: confidences crowd near 1, and would hide one another.

    Args:
        bins: from `evaluation.calibration`.
    """
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    ax: Axes = figure.subplots()
    place = np.arange(1, len(bins) + 1)
    n_images = sum(bin.n_images for bin in bins)
    accuracy = float(np.average([bin.accuracy for bin in bins], weights=[b.n_images for b in bins]))
    ax.bar(place, [bin.accuracy for bin in bins], color="#56B4E9", label="accuracy")
    ax.plot(place, [bin.confidence for bin in bins], "o-", color="#D55E00", label="mean confidence")
    ax.axhline(accuracy, color="black", linestyle=":", label=f"accuracy of all, {accuracy:.3f}")
    ax.set_xticks(place)
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel(f"parts of {n_images / len(bins):,.0f} images, the least confident first")
    ax.set_title(f"is confidence right? {n_images:,} labelled images", fontsize=12)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return figure


def _pick(table: ImageTable, cluster: int, count: int, seed: int) -> list[IntArray]:
    members = np.flatnonzero(table.labels == cluster)
    sample = np.random.default_rng(seed).permutation(members)
    least_certain = np.argsort(table.confidence[members], kind="stable")
    return [
        most_typical(table.embedding, members)[:count],
        sample[:count],
        members[least_certain][:count],
    ]


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
    images = source.read(first)
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
