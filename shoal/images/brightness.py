"""How bright images are, and how much contrast they have."""

from __future__ import annotations

import numpy as np

from shoal.images.levels import LUMA, in_grey_levels
from shoal.protocols import FloatArray, ImageSource, IntArray

_LUMA = np.array(LUMA, dtype=np.float32)
_BLOCK = 256
"""Images that are in memory at a time."""


def brightness_and_contrast(source: ImageSource, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the luma of the images ``rows``, float32 (m,) in [0, 1].

    Of other than three channels, it is their mean.
    """
    brightness, contrast = [], []
    for start in range(0, len(rows), _BLOCK):
        levels = in_grey_levels(source.read(rows[start : start + _BLOCK])) / 255.0
        luma = levels @ _LUMA if levels.shape[3] == 3 else levels.mean(axis=3)
        brightness.append(luma.mean(axis=(1, 2)))
        contrast.append(luma.std(axis=(1, 2)))
    return np.concatenate(brightness), np.concatenate(contrast)
