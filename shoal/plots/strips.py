"""Images in rows: as pixels, and as a figure with a name for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from shoal.plots.lettering import legible, letter
from shoal.plots.thumbnails import SIDE
from shoal.protocols import Array

MOST_ELONGATED = 8
"""The greatest ratio of the sides of a drawn image, so that a line of pixels can be seen."""


def widened(images: Array) -> Array:
    """Images (m, H, W, C), their shorter side repeated until the longer is at most 8 times as long.

    >>> widened(np.zeros((2, 1, 200, 3))).shape, widened(np.zeros((2, 9, 8, 3))).shape
    ((2, 25, 200, 3), (2, 9, 8, 3))
    """
    height, width = images.shape[1:3]
    down, across = (
        max(1, -(-longer // (MOST_ELONGATED * side)))
        for side, longer in ((height, width), (width, height))
    )
    return images.repeat(down, axis=1).repeat(across, axis=2)


def enlarged(images: Array) -> Array:
    """Images (m, H, W, C), each pixel repeated as often as the larger side stays within 192.

    So the pixels of tiny images stay squares wherever the picture is scaled.

    >>> enlarged(np.zeros((1, 8, 32, 3))).shape, enlarged(np.zeros((1, 150, 90, 3))).shape
    ((1, 48, 192, 3), (1, 150, 90, 3))
    """
    times = max(1, SIDE // max(images.shape[1:3]))
    return images.repeat(times, axis=1).repeat(times, axis=2) if times > 1 else images


def proportion(shape: tuple[int, ...]) -> float:
    """Height by width at which images (H, W, C) are drawn, see `widened`."""
    height, width = widened(np.empty((0, *shape))).shape[1:3]
    return float(height / width)


def n_columns(columns: int, shape: tuple[int, ...]) -> int:
    """How many tall images stand where ``columns`` square ones do: up to four times as many.

    >>> n_columns(6, (32, 32, 3)), n_columns(6, (96, 32, 3)), n_columns(6, (32, 96, 3))
    (6, 18, 6)
    """
    return round(columns * float(np.clip(proportion(shape), 1.0, 4.0)))


def drawable(image: Array) -> Array:
    """An image (H, W, C) as matplotlib takes it, (h, w) if grey, see `widened`."""
    wide = widened(image[None])[0]
    return wide[..., 0] if wide.shape[2] == 1 else wide


def strips(
    rows: Sequence[tuple[str, Array, tuple[float, float, float]]],
    *,
    columns: int = 12,
    width: float = 7.0,
) -> Figure:
    """Rows of images, each with a name in a coloured frame on its left.

    Args:
        rows: for each row a name, images uint8 (m, H, W, C), and a colour, RGB in [0, 1].
        columns: images side by side; a longer row goes on in the next line.
        width: of the figure, in inches.
    """
    lines = [max(1, -(-len(images) // columns)) for _, images, _ in rows]
    cell = (width - 1.0) / columns * proportion(rows[0][1].shape[1:])
    cell = max(cell, 0.32)  # the name beside it may have two lines
    figure = Figure(figsize=(width, sum(lines) * cell + 0.1 * len(rows)), layout=framed_layout())
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=lines)[:, 0]
    for ax, (name, images, frame), count in zip(axes, rows, lines, strict=True):
        sheet = contact_sheet(images, columns, count)
        ax.imshow(sheet, interpolation="antialiased", cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[], anchor="W")  # all rows begin at the left
        ax.spines[:].set_visible(False)
        ax.set_ylabel(
            "\n".join(map(legible, name.split("\n"))),
            rotation=0, ha="right", va="center", fontsize=8, labelpad=6,
            bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "edgecolor": frame},
        )  # fmt: skip
    return letter(figure)


def framed_layout() -> ConstrainedLayoutEngine:
    """A layout with room for the frames around names on the left, which it does not count."""
    return ConstrainedLayoutEngine(rect=(0.005, 0.0, 0.99, 1.0))


def contact_sheet(images: Array, columns: int, lines: int) -> Array:
    """Images uint8 (m, H, W, C), m ≤ columns × lines, in rows with lines between them.

    Images with a very short side are widened, see `widened`; tiny ones are `enlarged`.

    Returns:
        uint8 (h, w, 4), red, green, blue and opacity: the gaps are transparent.
    """
    images = enlarged(widened(images))
    _, height, width, _ = images.shape
    gap = max(1, width // 16)
    shape = (lines * (height + gap) - gap, columns * (width + gap) - gap, 4)
    sheet = np.full(shape, (255, 255, 255, 0), dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width, :3] = image
        sheet[top : top + height, left : left + width, 3] = 255
    return sheet
