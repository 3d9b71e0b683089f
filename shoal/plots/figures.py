"""Figures of clusters: members of each, other splits, and the calibration of the confidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shoal import __version__
from shoal.clustering.partitions import largest
from shoal.embedding.neighbours import most_typical
from shoal.embedding.table import NOWHERE_NAME, ImageTable, equally_sure
from shoal.images.files import atomic_path
from shoal.images.pictures import describe_composite
from shoal.images.vectors.source import noun_held
from shoal.plots.colours import colour
from shoal.plots.lettering import letter
from shoal.plots.strips import contact_sheet, framed_layout, n_columns, proportion, strips
from shoal.plots.thumbnails import thumbnails_of_lists
from shoal.plural import apart, counted
from shoal.protocols import ImageSource, IntArray, Track, silent

if TYPE_CHECKING:
    from shoal.scoring.evaluation import ConfidenceBin

_MOST_CLUSTERS = 20
_WIDTH = 18.0
"""Inches of the picture of clusters: 2,700 pixels."""


def write(figure: Figure, path: str | Path) -> None:
    """Write a figure to a .png, .pdf or .svg file, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(Path(path)) as temporary:
        # Pictures with this mark are left out when a folder is opened as a pile of images.
        png = Path(path).suffix.lower() == ".png"
        mark = {"Software": f"shoal {__version__}"} if png else None
        letter(figure).savefig(temporary, dpi=150, metadata=mark)


def clusters(
    source: ImageSource, table: ImageTable, *, columns: int = 6, seed: int = 0,
    track: Track = silent,
) -> Figure:  # fmt: skip
    """Members of each cluster: the most typical, a random sample, and the least certain.

    Images that belong nowhere have a row of their own, without a number. Of a cluster whose members
    are all equally certain none is drawn as the least certain.

    Judge a cluster by the random sample: typical members always look good. Members are drawn from
    their originals, about 130 pixels wide in a .png file.

    Args:
        source: the images of ``table``.
        table: labels and confidence. The 20 largest clusters are drawn.
        columns: images side by side in each of the three groups; more if they are tall.
        seed: of the random sample.
        track: shows progress.
    """
    sizes, aside = np.bincount(table.labels), set(table.labels[table.nowhere].tolist())
    drawn = largest(sizes, _MOST_CLUSTERS)
    lines = int(np.clip(14 // len(drawn), 1, 4))  # few clusters have room for more members
    columns = n_columns(columns, source.shape)
    lists = [
        members for cluster in drawn for members in _members(table, cluster, columns * lines, seed)
    ]
    row_height = lines * _WIDTH / 3.3 / columns * proportion(source.shape) + 0.08
    row_height = max(row_height, 0.4)  # the number and the size beside it have two lines
    figure = Figure(figsize=(_WIDTH, 0.9 + row_height * len(drawn)), layout=framed_layout())
    axes = figure.subplots(len(drawn), 3, squeeze=False, gridspec_kw={"wspace": 0.03})
    for ax, images in zip(axes.flat, thumbnails_of_lists(source, lists, track=track), strict=True):
        sheet = contact_sheet(images, columns, lines)
        ax.imshow(sheet, interpolation="antialiased", cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if not len(images):
            ax.text(0.5, 0.5, "all are equally certain", ha="center", va="center", fontsize=12,
                    transform=ax.transAxes)  # fmt: skip
    for ax, title in zip(axes[0], ("most typical", "at random", "least certain"), strict=True):
        ax.set_title(title, fontsize=13)
    for ax, cluster in zip(axes[:, 0], drawn, strict=True):
        name = NOWHERE_NAME.replace(" ", "\n") if cluster in aside else str(cluster)
        _name(ax, f"{name}\n{sizes[cluster]:,}", colour(int(cluster), len(sizes)))
    n_smaller = int(np.count_nonzero(sizes)) - len(drawn)
    n_clusters = int(np.count_nonzero(sizes)) - len(aside)
    smaller = counted(n_smaller, "smaller cluster is", "smaller clusters are")
    note = f"; {smaller} not shown" if n_smaller else ""
    shown = describe_composite(source)
    note += f"; pictures show {shown}" if shown else ""
    figure.suptitle(
        f"{counted(len(table.labels), noun_held(source))} in {counted(n_clusters, 'cluster')}"
        f"{apart(int(table.nowhere.sum()))} (number and size on the left{note})",
        fontsize=14,
    )
    return figure


def splits(
    source: ImageSource, tables: Sequence[ImageTable], *, columns: int = 12, seed: int = 0,
    track: Track = silent,
) -> Figure:  # fmt: skip
    """A strip of members of each cluster, for each way to divide the same pile.

    Members are drawn at random from the surer half of the cluster, so that they are typical but not
    hand-picked. They are drawn from their originals, about 130 pixels wide in a .png file.

    Args:
        source: the images.
        tables: a table of all images of ``source`` for each split. Of each, the first 10 clusters
            are drawn.
        columns: images in a strip; more if they are tall.
        seed: of the random members.
        track: shows progress.
    """
    generator = np.random.default_rng(seed)
    columns = n_columns(columns, source.shape)
    names, lists, frames = [], [], []
    for number, table in enumerate(tables, start=1):
        for cluster in range(min(10, int(table.labels[~table.nowhere].max(initial=-1)) + 1)):
            members = np.flatnonzero(table.labels == cluster)
            names.append(f"split {number}\n{cluster}: {len(members):,}")
            # Two colours in turn, to tell the splits apart.
            frames.append(mpl.colors.to_rgb("black" if number % 2 else "#0072B2"))
            if len(members):
                sure = table.confidence[members] >= np.median(table.confidence[members])
                members = np.sort(generator.permutation(members[sure])[:columns])
            lists.append(members)
    pictures = thumbnails_of_lists(source, lists, track=track)
    figure = strips(list(zip(names, pictures, frames, strict=True)), columns=columns, width=12.5)
    figure.suptitle(
        f"{counted(len(tables), 'way')} to divide {counted(len(source), noun_held(source))}; "
        "members from the surer half of each cluster",
        fontsize=12,
    )
    return figure


def calibration(bins: Sequence[ConfidenceBin]) -> Figure:
    """The reliability curve: confidence and accuracy of each bin, the least confident on the left.

    The bins stand at equal distances: on a scale of confidence most would crowd near 1.

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


def _name(ax: Axes, name: str, frame: tuple[float, float, float]) -> None:
    """Write a name in a frame on the left."""
    ax.set_ylabel(
        name, rotation=0, ha="right", va="center", fontsize=11, labelpad=8,
        bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "linewidth": 2,
              "edgecolor": frame},
    )  # fmt: skip


def _members(table: ImageTable, cluster: int, count: int, seed: int) -> list[IntArray]:
    """Rows of a cluster: the most typical, a random sample, and the least certain, if any are."""
    members = np.flatnonzero(table.labels == cluster)
    sample = np.random.default_rng(seed).permutation(members)
    least_certain = members[np.argsort(table.confidence[members], kind="stable")]
    if equally_sure(table.confidence[members]):  # the first of them would be no less certain
        least_certain = members[:0]
    typical = most_typical(table.embedding, members)
    return [typical[:count], sample[:count], least_certain[:count]]
