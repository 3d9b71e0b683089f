"""Figures of groups: the evidence for each number of clusters, and a tree with its images."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shoal.clustering.n_clusters import CLEAR, NumberOfClusters
from shoal.clustering.tree import Tree
from shoal.plots.lettering import letter
from shoal.plots.strips import contact_sheet, drawable, proportion
from shoal.plural import counted
from shoal.protocols import Array, ImageSource, IntArray

_CHOICE = "#D55E00"
_LINE = "#0072B2"
_MEMBERS = 9
"""Images side by side of each group of a leading candidate."""
_MOST_GROUPS = 12
_STRIP = 12
_ROW = 0.42
"""Inches of a leaf's strip."""


def n_clusters(source: ImageSource, found: NumberOfClusters, *, seed: int = 0) -> Figure:
    """The evidence for each number, and members of the groups of the leading ones, at random.

    Args:
        source: the images that were looked at.
        found: the evidence; of each leading number the 12 largest groups are drawn.
        seed: of the members drawn.
    """
    lines = [min(k, _MOST_GROUPS) for k in found.leading]
    images_high = max(lines) * 4.3 / _MEMBERS * proportion(source.shape) + 0.4
    figure = Figure(figsize=(14.0, 4.2 + images_high), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[4.2, images_high])
    above, below = parts
    _evidence(above.subplots(1, 3), found)
    title = f"how many clusters? {found.n_clusters}" + ("" if found.clear else ", but not clearly")
    figure.suptitle(title, fontsize=13)
    generator = np.random.default_rng(seed)
    for ax, k, shown in zip(
        below.subplots(1, len(lines), squeeze=False)[0], found.leading, lines, strict=True
    ):
        members = [_members(found.groups[k] == group, generator) for group in range(shown)]
        sheet = _sheet(source, [found.rows[each] for each in members], _MEMBERS)
        tall = max(lines) * (sheet.shape[0] / shown)  # blank below, so that all are to one scale
        ax.imshow(sheet, interpolation="nearest", cmap="gray", vmin=0, vmax=255)
        ax.set_ylim(tall, -0.5)
        ax.set_anchor("N")
        ax.axis("off")
        more = f", the {shown} largest" if shown < k else ""
        chosen = k == found.n_clusters
        ax.set_title(
            f"{counted(k, 'cluster')}{more}" + (" (the choice)" if chosen else ""),
            fontsize=11, color=_CHOICE if chosen else "black",
        )  # fmt: skip
    return letter(figure)


def tree(source: ImageSource, grown: Tree) -> Figure:
    """The tree with the numbers of its nodes, and beside each leaf its most typical images.

    Args:
        source: the images that the tree was grown of, or at least those by the same rows.
        grown: the tree.
    """
    strip = _STRIP * _ROW / proportion(source.shape)
    across = 6.5 + strip
    figure = Figure(figsize=(across, _ROW * grown.n_leaves + 0.9), layout="constrained")
    left, right = figure.subplots(
        1, 2, sharey=True, gridspec_kw={"width_ratios": [across - strip, strip]}
    )
    _dendrogram(left, grown)
    sheet_gap = 0.06
    for leaf, rows in enumerate(grown.typical):
        for column, image in enumerate(source.read(np.array(rows))):
            extent = (column, column + 1 - sheet_gap, leaf + 0.47, leaf - 0.47)
            right.imshow(
                drawable(image), extent=extent, cmap="gray", vmin=0, vmax=255,
                interpolation="nearest", aspect="auto",
            )  # fmt: skip
    right.set_xlim(0, _STRIP)
    right.set_ylim(grown.n_leaves - 0.5, -0.5)
    right.axis("off")
    right.set_title("most typical images", fontsize=10)
    return letter(figure)


def _dendrogram(ax: Axes, grown: Tree) -> None:
    sizes, n_leaves = grown.sizes(), grown.n_leaves
    heights = [0.0] * n_leaves + list(grown.heights)
    middle = [float(leaf) for leaf in range(n_leaves)]
    top = max(heights) or 1.0
    for node, (a, b) in enumerate(grown.merges, start=n_leaves):
        high = heights[node]
        corners = [heights[a], high, high, heights[b]], [middle[a], middle[a], middle[b], middle[b]]
        ax.plot(*corners, color=_LINE, linewidth=1.2)
        middle.append((middle[a] + middle[b]) / 2)
        ax.text(
            high + top * 0.008, middle[node], str(node), fontsize=7.5, ha="left", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )  # fmt: skip
    ax.set_yticks(range(n_leaves), [f"{leaf} ({sizes[leaf]:,})" for leaf in range(n_leaves)])
    ax.tick_params(axis="y", labelsize=8, length=0, labelleft=False, labelright=True)
    ax.set_xlim(top * 1.06, 0.0)
    ax.set_xlabel("how different (Ward)", fontsize=9)
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)
    ax.set_title("nodes for shoal cut --at; leaves with their images", fontsize=10)


def _evidence(axes: Array, found: NumberOfClusters) -> None:
    numbers = [each.n_clusters for each in found.evidence]
    titles = {
        "found again in other images": [("strength", "prediction strength", _LINE, "o-"),
                                        ("stability", "adjusted Rand index", "0.6", "--")],
        "silhouette in the diffusion map": [("silhouette", "", _LINE, "o-")],
        "eigengap of the neighbour graph": [("eigengap", "", _LINE, "o-")],
    }  # fmt: skip
    for ax, (title, series) in zip(axes, titles.items(), strict=True):
        for name, label, colour, style in series:
            values = [getattr(each, name) for each in found.evidence]
            ax.plot(numbers, values, style, color=colour, label=label, markersize=4)
        ax.axvline(found.n_clusters, color=_CHOICE, linewidth=1, zorder=0)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("number of clusters")
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
    spread = [each.spread for each in found.evidence]
    strength = [each.strength for each in found.evidence]
    axes[0].errorbar(numbers, strength, spread, fmt="none", color=_LINE, capsize=2)
    axes[0].axhline(CLEAR, color="0.5", linewidth=0.8, linestyle=":", label=f"clear: {CLEAR:g}")
    axes[0].set_ylim(min(0.0, *(each.stability for each in found.evidence)) - 0.02, 1.05)
    axes[0].legend(fontsize=8, loc="best")


def _members(chosen: Array, generator: np.random.Generator) -> IntArray:
    return np.sort(generator.permutation(np.flatnonzero(chosen))[:_MEMBERS])


def _sheet(source: ImageSource, rows: list[IntArray], columns: int) -> Array:
    """One line of images a group, short ones filled up with white."""
    height, width, channels = source.shape
    images = np.full((len(rows) * columns, height, width, channels), 255, dtype=np.uint8)
    for line, each in enumerate(rows):
        if len(each):
            images[line * columns : line * columns + len(each)] = source.read(each)
    return contact_sheet(images, columns, len(rows))
