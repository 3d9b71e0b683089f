"""Figures of the number of clusters, with its evidence, and of a tree with its images."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.n_clusters import CLEAR
from shoal.clustering.tree import Tree
from shoal.images.vectors.source import noun_held
from shoal.plots.lettering import letter
from shoal.plots.strips import contact_sheet, drawable, enlarged, n_columns, proportion
from shoal.plots.thumbnails import thumbnails_of_lists
from shoal.plural import counted
from shoal.protocols import Array, ImageSource, IntArray, Track, silent

_CHOICE = "#D55E00"
_LINE = "#0072B2"
_WIDTH = 18.0
"""Inches."""
_MEMBERS = 6
"""Images of a cluster side by side, if they are square."""
_MOST_CLUSTERS = 12
_STRIP = 8
"""Images of a leaf side by side."""


def n_clusters(
    source: ImageSource, result: NumberOfClusters, *, seed: int = 0, track: Track = silent
) -> Figure:
    """The evidence for each number of clusters, and random members for the leading numbers.

    Args:
        source: the images.
        result: the evidence. For each leading number, the 12 largest clusters are drawn.
        seed: of the random members.
        track: shows progress.
    """
    columns = n_columns(_MEMBERS, source.shape)
    lines = [min(k, _MOST_CLUSTERS) for k in result.leading]
    images_high = max(lines) * 5.6 / columns * proportion(source.shape) + 0.4
    figure = Figure(figsize=(_WIDTH, 4.2 + images_high), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[4.2, images_high])
    above, below = parts
    _evidence(above.subplots(1, 3), result, noun_held(source))
    clear = "" if result.clear else ", but not clearly"
    if result.tied:
        clear = f"; {', '.join(map(str, result.tied))} would do as well"
    figure.suptitle(f"how many clusters? {result.n_clusters}{clear}", fontsize=13)
    generator = np.random.default_rng(seed)
    lists = [
        result.rows[_members(result.groups[k] == cluster, columns, generator)]
        for k, n_drawn in zip(result.leading, lines, strict=True)
        for cluster in range(n_drawn)
    ]
    pictures = iter(thumbnails_of_lists(source, lists, track=track))
    for ax, k, n_drawn in zip(
        below.subplots(1, len(lines), squeeze=False)[0], result.leading, lines, strict=True
    ):
        sheet = _sheet([next(pictures) for _ in range(n_drawn)], columns)
        tall = max(lines) * (sheet.shape[0] / n_drawn)  # blank below: all have the same scale
        ax.imshow(sheet, interpolation="antialiased", cmap="gray", vmin=0, vmax=255)
        ax.set_ylim(tall, -0.5)
        ax.set_anchor("N")
        ax.axis("off")
        largest = f", the {n_drawn} largest" if n_drawn < k else ""
        chosen = k == result.n_clusters
        ax.set_title(
            f"{counted(k, 'cluster')}{largest}" + (" (the choice)" if chosen else ""),
            fontsize=11, color=_CHOICE if chosen else "black",
        )  # fmt: skip
    return letter(figure)


def tree(source: ImageSource, tree: Tree, *, track: Track = silent) -> Figure:
    """The tree with the numbers of its nodes, and the most typical images of each leaf.

    In a .png file the images are 130 pixels high, and smaller in a tree of more than 30 leaves: 60
    pixels for 100 leaves.

    Args:
        source: the images of the tree, by the same rows.
        tree: the tree.
        track: shows progress.
    """
    row = float(np.clip(28.0 / tree.n_leaves, 0.45, 0.92))
    strip = _STRIP * row / proportion(source.shape)
    across = 6.5 + strip
    figure = Figure(figsize=(across, row * tree.n_leaves + 0.9), layout="constrained")
    left, right = figure.subplots(
        1, 2, sharey=True, gridspec_kw={"width_ratios": [across - strip, strip]}
    )
    _dendrogram(left, tree, noun_held(source))
    gap = 0.06
    lists = [np.array(rows[:_STRIP], dtype=np.int64) for rows in tree.typical]
    for leaf, images in enumerate(thumbnails_of_lists(source, lists, track=track)):
        for column, image in enumerate(enlarged(images)):
            right.imshow(
                drawable(image), extent=(column, column + 1 - gap, leaf + 0.47, leaf - 0.47),
                cmap="gray", vmin=0, vmax=255, interpolation="antialiased", aspect="auto",
            )  # fmt: skip
    right.set_xlim(0, _STRIP)
    right.set_ylim(tree.n_leaves - 0.5, -0.5)
    right.axis("off")
    right.set_title(f"most typical {noun_held(source)}s", fontsize=10)
    return letter(figure)


def _dendrogram(ax: Axes, tree: Tree, noun: str) -> None:
    sizes, n_leaves = tree.sizes(), tree.n_leaves
    heights = [0.0] * n_leaves + list(tree.heights)
    middle = [float(leaf) for leaf in range(n_leaves)]
    top = max(heights) or 1.0
    for node, (a, b) in enumerate(tree.merges, start=n_leaves):
        high = heights[node]
        corners = [heights[a], high, high, heights[b]], [middle[a], middle[a], middle[b], middle[b]]
        ax.plot(*corners, color=_LINE, linewidth=1.2)
        middle.append((middle[a] + middle[b]) / 2)
        # In the corner between its own line and the one that leads on, which it must not cover.
        ax.annotate(
            str(node), (high, middle[node]), xytext=(-1.5, 1.0), textcoords="offset points",
            fontsize=7.5, ha="right", va="bottom", zorder=5,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )  # fmt: skip
    ax.set_yticks(range(n_leaves), [f"{leaf} ({sizes[leaf]:,})" for leaf in range(n_leaves)])
    ax.tick_params(axis="y", labelsize=8, length=0, labelleft=False, labelright=True)
    ax.set_xlim(top * 1.06, 0.0)
    ax.set_xlabel("how different (Ward)", fontsize=9)
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)
    ax.set_title(f"nodes for shoal cut --at; leaves with their {noun}s", fontsize=10)


def _evidence(axes: Array, result: NumberOfClusters, noun: str) -> None:
    numbers = [evidence.n_clusters for evidence in result.evidence]
    titles = {
        f"found again in other {noun}s": [
            ("strength", "strength (prediction strength)", _LINE, "o-"),
            ("stability", "stability (adjusted Rand index)", "0.6", "--"),
        ],
        "silhouette (in the diffusion map)": [("silhouette", "", _LINE, "o-")],
        "eigengap (of the neighbour graph)": [("eigengap", "", _LINE, "o-")],
    }  # fmt: skip
    for ax, (title, series) in zip(axes, titles.items(), strict=True):
        for name, label, colour, style in series:
            values = [getattr(evidence, name) for evidence in result.evidence]
            ax.plot(numbers, values, style, color=colour, label=label, markersize=4)
        ax.axvline(result.n_clusters, color=_CHOICE, linewidth=1, zorder=0)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("number of clusters")
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
    spread = [evidence.spread for evidence in result.evidence]
    strength = [evidence.strength for evidence in result.evidence]
    stability = [evidence.stability for evidence in result.evidence]
    axes[0].errorbar(numbers, strength, spread, fmt="none", color=_LINE, capsize=2)
    axes[0].axhline(CLEAR, color="0.5", linewidth=0.8, linestyle=":", label=f"clear: {CLEAR:g}")
    axes[0].set_ylim(min(0.0, *stability) - 0.02, 1.05)
    axes[0].legend(fontsize=8, loc="best")


def _members(chosen: Array, count: int, generator: np.random.Generator) -> IntArray:
    return np.sort(generator.permutation(np.flatnonzero(chosen))[:count])


def _sheet(lines: list[Array], columns: int) -> Array:
    """A line of images uint8 (m, h, w, C) for each cluster; short lines end in white."""
    images = np.full((len(lines), columns, *lines[0].shape[1:]), 255, dtype=np.uint8)
    for line, members in enumerate(lines):
        images[line, : len(members)] = members
    return contact_sheet(images.reshape(-1, *images.shape[2:]), columns, len(lines))
