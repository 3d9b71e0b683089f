"""Transparent pixels on a white page, as `shoal.images.decoding.modes.bring` shows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def on_white(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Pixels uint8 or uint16 (H, W, 2 or 4), the last channel their opacity, without it.

    >>> on_white(np.array([[[0, 0, 0, 0], [9, 9, 9, 255]]], np.uint8)).tolist()
    [[[255, 255, 255], [9, 9, 9]]]
    """
    white = int(np.iinfo(pixels.dtype).max)
    opacity = pixels[..., -1:]
    if opacity.min() == white:
        return pixels[..., :-1]
    share = opacity.astype(np.uint32)
    shown = pixels[..., :-1] * share + white * (white - share)
    return ((shown + white // 2) // white).astype(pixels.dtype)
