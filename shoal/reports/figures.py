"""The figures of a report: each a function from data to a matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from shoal.embedding.table import NOWHERE_NAME
from shoal.plots.colours import colour, key_columns
from shoal.plots.lettering import legible, letter
from shoal.plots.maps import number_clusters
from shoal.plots.strips import drawable, proportion
from shoal.protocols import Array, FloatArray, IntArray
from shoal.reports.wording import Wording

if TYPE_CHECKING:
    from shoal.reports.measurements import Point

WIDTH = 7.0
"""Inches: the width of a page's text, so that letters are drawn at the size they are read."""
ENGLISH = Wording()
_MOST_VECTORS = 20_000
_ENLARGED = 8


def embeddings(
    maps: Sequence[tuple[str, FloatArray]], labels: IntArray, kind: str = "label", *,
    apart: npt.NDArray[np.bool_] | None = None, wording: Wording = ENGLISH,
) -> Figure:  # fmt: skip
    """Maps of the same images side by side, coloured by label or by cluster, on like axes.

    Each map is centred and scaled so that 99 % of its images lie within the frame: units of a map
    have no meaning, so none are drawn.

    Args:
        maps: for each a title and the places of the images, float32 (n, 2).
        labels: int64 (n,).
        kind: what the labels are, for the legend.
        apart: bool (n,), which images belong nowhere, in the cluster of these; None: none.
        wording: the language.
    """
    names = np.unique(labels)
    aside = np.zeros(len(labels), dtype=bool) if apart is None else apart
    no_cluster = set(labels[aside].tolist())
    called = [wording(NOWHERE_NAME) if n in no_cluster else str(n) for n in names.tolist()]
    width = WIDTH if len(maps) > 1 else 0.55 * WIDTH
    columns = key_columns(called, width - 0.3, 8)
    rows_of_keys = -(-len(names) // columns)
    figure = Figure(
        figsize=(width, 0.45 + 0.17 * rows_of_keys + width / len(maps)), layout="constrained"
    )
    axes = np.atleast_1d(figure.subplots(1, len(maps)))
    order = np.random.default_rng(0).permutation(len(labels))  # none hides the others
    for ax, (title, xy) in zip(axes, maps, strict=True):
        low, high = np.percentile(xy, (0.5, 99.5), axis=0)
        scale = max(float((high - low).max()), 1e-9) / 2
        placed = np.clip((xy - (low + high) / 2) / scale, -1.05, 1.05)
        for place, name in enumerate(names):
            rows = order[labels[order] == name]
            ax.scatter(
                *placed[rows].T, s=float(np.clip(4000 / len(labels), 2, 14)), linewidths=0,
                color=colour(place, len(names)), alpha=0.8,
                rasterized=len(labels) > _MOST_VECTORS,
            )  # fmt: skip
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=[], yticks=[])
        ax.set_title(title, fontsize=9, wrap=True)
        if kind == "cluster" and len(names) > 8:
            number_clusters(ax, placed[~aside], labels[~aside])
        ax.set_xlabel(wording("map axis 1 (no unit)"), fontsize=8)
        ax.set_ylabel(wording("map axis 2 (no unit)"), fontsize=8)
    keys = [  # as large for a thousand dots as for ten
        Line2D([], [], linestyle="", marker="o", markersize=6, label=legible(name),
               color=colour(place, len(names)))
        for place, name in enumerate(called)
    ]  # fmt: skip
    figure.legend(
        handles=keys, title=wording(kind), loc="outside lower center", frameon=False,
        ncols=columns, fontsize=8, title_fontsize=8,
    )  # fmt: skip
    return letter(figure)


def reconstructions(
    images: Array,
    rebuilt: Array,
    titles: Sequence[str],
    errors: FloatArray,
    *,
    wording: Wording = ENGLISH,
) -> Figure:
    """Images above their reconstructions, enlarged without smoothing.

    Args:
        images: uint8 (m, H, W, 1 or 3).
        rebuilt: uint8 of the same shape.
        titles: what stands above each image.
        errors: float (m,), the mean squared errors of the pixels in 0 to 1.
        wording: the language.
    """
    columns = min(6, len(images))
    lines = -(-len(images) // columns)
    figure = Figure(
        figsize=(WIDTH, lines * (_pair_height(images.shape[1:], columns) + 0.7)),
        layout="constrained",
    )
    axes = figure.subplots(2 * lines, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (image, again) in enumerate(zip(images, rebuilt, strict=True)):
        line, column = 2 * (i // columns), i % columns
        _picture(axes[line][column], image, titles[i])
        _picture(axes[line + 1][column], again, f"MSE {errors[i]:.4f}")
    for line in range(0, 2 * lines, 2):
        for ax, name in zip(
            axes[line : line + 2, 0], (wording("original"), wording("rebuilt")), strict=True
        ):
            ax.axis("on")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            ax.set_ylabel(name, fontsize=8)
    return letter(figure)


def progression(points: Sequence[Point], *, wording: Wording = ENGLISH) -> Figure:
    """Reconstruction error, accuracy and label-free scores against epoch, one above the other.

    Args:
        points: of the checkpoint history, oldest first; those without labels have no accuracy.
        wording: the language.
    """
    epochs, names = [point.epoch for point in points], list(points[0].label_free)
    labelled = points[0].accuracy is not None
    count = 3 if labelled else 2
    figure = Figure(figsize=(WIDTH, 1.35 * count + 0.6), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True)
    error, *middle, scores = axes
    error.plot(epochs, [point.mse for point in points], "o-", color="#D55E00", markersize=4)
    error.set_ylabel(wording("reconstruction MSE\n(pixels in 0 to 1)"), fontsize=8)
    for ax in middle:
        ax.plot(epochs, [point.accuracy or 0 for point in points], "o-", color="#0072B2",
                markersize=4)  # fmt: skip
        low = [point.interval[0] for point in points if point.interval]
        high = [point.interval[1] for point in points if point.interval]
        ax.fill_between(epochs, low, high, color="#0072B2", alpha=0.15, linewidth=0)
        ax.set_ylabel(wording("accuracy\n(95 % interval)"), fontsize=8)
    for place, name in enumerate(names):
        scores.plot(
            epochs, [point.label_free[name] for point in points], marker="osDv^"[place % 5],
            markersize=4, color=colour(place, len(names)), label=wording(name),
        )  # fmt: skip
    scores.set_ylabel(wording("label-free scores"), fontsize=8)
    scores.set_xlabel(wording("epoch (passes over all images)"), fontsize=8)
    handles, texts = scores.get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    per_epoch = points[-1].step / max(points[-1].epoch, 1e-9)
    top = error.secondary_xaxis(
        "top", functions=(lambda x: np.multiply(x, per_epoch), lambda x: np.divide(x, per_epoch))
    )
    top.set_xlabel(wording("step (batches)"), fontsize=8)
    for ax in (*axes, top):
        ax.tick_params(labelsize=8)
    for ax in axes:
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.margins(y=0.12)
    return letter(figure)


def confidences(confidence: FloatArray, labels: IntArray, *, wording: Wording = ENGLISH) -> Figure:
    """How sure the clusters are of their images: a histogram, a line a cluster.

    Lines rather than bars on top of one another, whose heights a log scale would distort.

    Args:
        confidence: float32 (n,) in [0, 1].
        labels: int64 (n,), clusters.
        wording: the language.
    """
    n_clusters = int(labels.max()) + 1
    shown = min(n_clusters, 10)
    values = [confidence[labels == cluster] for cluster in range(shown)]
    colours = [colour(cluster, n_clusters) for cluster in range(shown)]
    names = [str(cluster) for cluster in range(shown)]
    if n_clusters > shown:
        values.append(confidence[labels >= shown])
        colours.append((0.6, 0.6, 0.6))
        names.append(wording("the others"))
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    ax: Axes = figure.subplots()
    low = min(0.95, float(np.floor(confidence.min() * 20) / 20))
    for name, part, shade in zip(names, values, colours, strict=True):
        ax.hist(part, bins=np.linspace(low, 1.0, 41).tolist(), histtype="step", linewidth=1.4,
                color=shade, label=name)  # fmt: skip
    ax.set_yscale("log")
    # Plain numbers: a log scale's own labels are markup, which `letter` turns off.
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(bottom=0.7)
    ax.set_xlabel(wording("confidence"), fontsize=8)
    ax.set_ylabel(wording("images (log scale)"), fontsize=8)
    ax.tick_params(labelsize=8)
    keys = [Line2D([], [], linewidth=3, color=shade, label=name)
            for name, shade in zip(names, colours, strict=True)]  # fmt: skip
    figure.legend(handles=keys, title=wording("cluster"), loc="outside right center",
                  frameon=False, fontsize=8, title_fontsize=8)  # fmt: skip
    return letter(figure)


def confusion(counts: IntArray, names: Sequence[str], *, wording: Wording = ENGLISH) -> Figure:
    """A confusion matrix: labels downward, clusters across.

    Args:
        counts: int64 (kinds, clusters).
        names: of the labels.
        wording: the language.
    """
    kinds, clusters = counts.shape
    side = float(np.clip(0.55 * max(kinds, clusters) + 1.2, 2.6, WIDTH))
    figure = Figure(figsize=(side, side * 0.95), layout="constrained")
    ax: Axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.0)
    size = 9 if max(counts.shape) <= 12 else 6
    for row in range(kinds):
        for column in range(clusters):
            ink = "white" if shares[row, column] > 0.55 else "black"
            ax.text(column, row, f"{counts[row, column]:,}", ha="center", va="center",
                    color=ink, fontsize=size)  # fmt: skip
    ax.set_xticks(range(clusters), [str(cluster) for cluster in range(clusters)], fontsize=8)
    ax.set_yticks(range(kinds), [legible(name) for name in names], fontsize=8)
    ax.set_xlabel(wording("cluster"), fontsize=8)
    ax.set_ylabel(wording("label"), fontsize=8)
    return letter(figure)


def _shortened(title: str, most: int = 16) -> str:
    """A title no wider than its picture; the end of a name tells more than its beginning."""
    text = legible(title)
    return text if len(text) <= most else f"{text[:5]}…{text[6 - most :]}"


def _pair_height(shape: tuple[int, ...], columns: int) -> float:
    """Inches that an image and its reconstruction take below one another."""
    return 2 * float(np.clip((WIDTH - 0.6) / max(columns, 4) * proportion(shape), 0.3, 3.2))


def _picture(ax: Axes, image: Array, title: str) -> None:
    # Several readers of PDF smooth what they enlarge, whatever the file asks for; not so much what
    # comes enlarged.
    large = drawable(image).repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
    ax.imshow(large, interpolation="none", cmap="gray", vmin=0, vmax=255)
    ax.set_title(_shortened(title), fontsize=8)
