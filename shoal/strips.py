"""Images in rows: as pixels, and as a figure with a name for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from shoal.protocols import Array


def strips(
    rows: Sequence[tuple[str, Array, tuple[float, float, float]]],
    *,
    columns: int = 12,
    width: float = 7.0,
) -> Figure:
    """Rows of images, each with a name in a coloured frame on its left.

    Args:
        rows: for each a name, images uint8 (m, H, W, C), and a colour, RGB in [0, 1].
        columns: images side by side; a row with more goes on below.
        width: of the figure, in inches.
    """
    lines = [max(1, -(-len(images) // columns)) for _, images, _ in rows]
    tall, wide = rows[0][1].shape[1:3]
    cell = (width - 1.0) / columns * tall / wide
    figure = Figure(figsize=(width, sum(lines) * cell + 0.1 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=lines)[:, 0]
    for ax, (name, images, frame), count in zip(axes, rows, lines, strict=True):
        sheet = contact_sheet(images, columns, count)
        ax.imshow(sheet, interpolation="none", cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[], anchor="W")  # all rows begin below one another
        ax.spines[:].set_visible(False)
        ax.set_ylabel(
            name, rotation=0, ha="right", va="center", fontsize=8, labelpad=6,
            bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "edgecolor": frame},
        )  # fmt: skip
    return figure


def contact_sheet(images: Array, columns: int, lines: int) -> Array:
    """Images uint8 (m, H, W, C), m ≤ columns × lines, in rows with white lines between them.

    Returns:
        uint8 (h, w, C), or (h, w) if grey.
    """
    _, height, width, channels = images.shape
    gap = max(1, width // 16)
    shape = (lines * (height + gap) - gap, columns * (width + gap) - gap, channels)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet.squeeze(axis=2) if channels == 1 else sheet
