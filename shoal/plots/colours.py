"""Colours of clusters, and the keys that name them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito (2008): distinct for every kind of colour vision.

More clusters have matplotlib's tab10 and tab20; then numbers distinguish what colours cannot."""


def colour(cluster: int, n_clusters: int) -> tuple[float, float, float]:
    """The colour of a cluster, RGB in [0, 1]."""
    if n_clusters <= len(PALETTE):
        return mpl.colors.to_rgb(PALETTE[cluster])
    if n_clusters <= 10:
        return mpl.colors.to_rgb(mpl.colormaps["tab10"](cluster))
    if n_clusters <= 20:
        return mpl.colors.to_rgb(mpl.colormaps["tab20"](cluster))
    # Hues a golden section apart, in three shades: neighbouring numbers differ much in colour.
    hue = cluster * 0.61803398875 % 1.0
    saturation, value = ((0.85, 0.85), (0.55, 0.95), (0.9, 0.55))[cluster % 3]
    red, green, blue = mpl.colors.hsv_to_rgb((hue, saturation, value)).tolist()
    return red, green, blue


def on_page(rgb: tuple[float, float, float]) -> tuple[str, str]:
    """A colour on a light and on a dark page.

    >>> on_page((0, 0, 0))
    ('#000000', '#ffffff')
    """
    light = mpl.colors.to_hex(rgb)
    return light, "#ffffff" if light == "#000000" else light


def key_columns(names: Sequence[str], inches: float, points: float) -> int:
    """How many keys of a legend fit side by side if each is as wide as the longest name.

    Args:
        names: of the keys.
        inches: the width of the legend.
        points: the size of the letters.
    """
    widest = max(map(len, names)) * points * 0.62 / 72 + points * 4.5 / 72
    return int(np.clip(inches / widest, 1, len(names)))
