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


def without_opacity(pixels: Any, *, grey: bool) -> tuple[Any, bool]:
    """Pixels (H, W) or (H, W, 1 to 4) on white, with 1 or 3 channels; and whether they are colours.

    Args:
        pixels: of uint8 or uint16.
        grey: whether all of their channels but the opacity are the same.
    """
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if pixels.shape[2] in (2, 4):
        pixels = on_white(pixels)
    if grey:
        pixels = pixels[..., :1]
    return np.ascontiguousarray(pixels), pixels.shape[2] == 3
