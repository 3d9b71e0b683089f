"""An image as its file holds it, any numbers in any number of channels, to one form.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.images.decoding.fitting import fitted
from shoal.images.decoding.form import Decoded, Facts, Form
from shoal.images.levels import LUMA, Pixels, fill, is_beyond, to_shares, white_of, widen
from shoal.images.pixel_range import ChannelBounds, Numbers, pairs, type_of
from shoal.images.readers.raw import Raw
from shoal.plural import counted

_LUMA = np.array(LUMA, np.float32)
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations of a camera held on its side."""
_TOPS = (1.0, 255.0, 65535.0)


def bring_raw(raw: Raw, form: Form) -> Decoded | str:
    """The image as ``form`` wants it, and its facts; or the reason why it has no place in the pile.

    Numbers of more than 8 bits become levels by the range of their pile, missing ones get the
    median of their image and channel. The image is turned upright and brought to the form's shape,
    each channel by itself, see `fitted`.

    Raises:
        ValueError: all pixels are missing.
    """
    facts = facts_of(raw)
    if form.same_size and (facts.height, facts.width) != (form.height, form.width):
        return Decoded(None, facts)
    if form.all_grey and not facts.grey:
        return Decoded(None, facts)
    if not fits(facts.channels, form.channels):
        return wrong_channels(facts.channels, form.channels)
    missing = missing_of(raw)
    n_missing = int(missing.sum())
    if n_missing == raw.pixels.size:
        raise ValueError("no pixel of it is a number")
    if is_eight_bit(raw):
        return Decoded(_eight_bits(raw, missing, form), facts, n_missing)
    bounds, kind = bounds_for(raw, missing, form), kind_of(raw)
    known = form.pixel_range
    if bounds is None or not (form.wide or known is None or known.keeps_eight_bits(kind)):
        return Decoded(None, facts, unknown=kind.kind)
    if len(pairs(bounds)) not in (1, facts.channels):
        return wrong_channels(facts.channels, len(pairs(bounds)))
    pixels = fill(raw.pixels, missing, bounds) if n_missing else raw.pixels
    shares = to_shares(pixels, bounds, white_of(form.dtype)).astype(np.float32, copy=False)
    brought = _fit(turned(_with_channels(shares, form.channels), raw.orientation), form)
    levels: Pixels = np.rint(brought.clip(0, white_of(form.dtype))).astype(form.dtype)
    return Decoded(levels, facts, n_missing, beyond=is_beyond(pixels, bounds))


def facts_of(raw: Raw) -> Facts:
    """The size of the image, upright, and its channels."""
    n_channels = raw.pixels.shape[2]
    height, width = raw.size or raw.pixels.shape[:2]
    if raw.orientation in SIDEWAYS:
        height, width = width, height
    colour = raw.colour if n_channels == 3 else False
    return Facts(height, width, n_channels == 1, n_channels, colour)


def missing_of(raw: Raw) -> npt.NDArray[np.bool_]:
    """Which pixels stand for no data or are not finite, bool (H, W, C)."""
    missing = np.zeros(raw.pixels.shape, bool) if raw.missing is None else raw.missing
    return missing | ~np.isfinite(raw.pixels) if raw.pixels.dtype.kind == "f" else missing


def is_eight_bit(raw: Raw) -> bool:
    """Whether the numbers are 8-bit levels, or black and white."""
    return raw.pixels.dtype.kind == "b" or raw.pixels.dtype == np.uint8


def kind_of(raw: Raw) -> np.dtype[Any]:
    """A type of the kind that the numbers are of: floats or integers."""
    return type_of(raw.pixels.dtype.kind)


def bounds_for(raw: Raw, missing: npt.NDArray[np.bool_], form: Form) -> ChannelBounds | None:
    """What is black and white in the image; None: its pile's range is not known yet."""
    if form.pixel_range is not None:
        return form.pixel_range.of(kind_of(raw))
    high = float(raw.pixels.max(where=~missing, initial=0))  # each image by itself, as it was
    tops = _TOPS if raw.pixels.dtype.kind == "f" else _TOPS[-1:]
    return 0.0, next((top for top in tops if high <= top), high)


def turned(pixels: Numbers, orientation: int) -> Numbers:
    """An image (H, W, C) upright, by its EXIF orientation from 1 to 8.

    >>> turned(np.array([[[1], [2]]]), 6)[..., 0].tolist()
    [[1], [2]]
    """
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


OTHER_CHANNELS = re.compile(r"(\d+) channels?, where the pile has \d+")
"""What `wrong_channels` says."""


def wrong_channels(n_channels: int, wanted: int) -> str:
    """Why an image is not in a pile of other channels."""
    return f"{counted(n_channels, 'channel')}, where the pile has {wanted}"


def fits(n_channels: int, wanted: int) -> bool:
    """Whether an image can be shown in so many channels: grey in colours, and the other way."""
    return n_channels == wanted or {n_channels, wanted} == {1, 3}


def _with_channels(pixels: Numbers, wanted: int) -> Numbers:
    if pixels.shape[2] == wanted:
        return pixels
    if wanted == 3:
        return pixels.repeat(3, axis=2)
    grey: Numbers = (pixels @ _LUMA)[..., None]
    return np.rint(grey).astype(np.uint8) if pixels.dtype == np.uint8 else grey


def _eight_bits(raw: Raw, missing: npt.NDArray[np.bool_], form: Form) -> Pixels:
    pixels = raw.pixels
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if missing.any():
        pixels = np.rint(fill(pixels, missing, (0.0, 255.0))).astype(np.uint8)
    brought = _fit(turned(_with_channels(pixels, form.channels), raw.orientation), form)
    return widen(brought) if form.wide else brought


def _fit(pixels: Numbers, form: Form) -> Numbers:
    """The image (h, w, C), uint8 or float32, brought to (H, W), each channel by itself."""
    height, width = form.height, form.width
    if pixels.shape[:2] == (height, width):
        return pixels
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(pixels, 2, 0)]
    brought = [fitted(plane, (width, height), form.fit) for plane in planes]
    return np.stack([np.asarray(plane) for plane in brought], axis=2)
