"""Warnings of piles whose images are of different scales: 8 and 16 bits, dark ones and bright ones.

No image decides by itself how it is seen. So an image of another scale makes all others look dark,
and a person should know of it.
"""

from __future__ import annotations

import numpy as np

from shoal.images.levels import white_of
from shoal.images.pixel_range import PixelRange, pairs
from shoal.images.sampling import sample_rows
from shoal.plural import counted
from shoal.protocols import ImageSource

_BLOCK = 512
_STRAYS = 0.02
"""So many images, at most, are strays."""
_DARK = 0.5
"""All others are dark if they reach no more than this share of white."""
_DIM = 0.07
"""Of a range that was learned at least a quarter is used; a sixteenth of it is what 12 bits are of
16."""
_FEWEST = 10
_OF_A_BYTE = 257
"""The levels of 8-bit images among wider ones are multiples of this, see `levels.widen`."""


def describe_mixture(source: ImageSource, pixel_range: PixelRange) -> list[str]:
    """Notes on a pile of 16-bit levels whose range was learned from it; none where all is well."""
    n, white = len(source), white_of(np.dtype(np.uint16))
    if n < _FEWEST:
        return []
    brightest, of_8_bits = np.empty(n), np.empty(n, bool)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        images = source.read(rows)
        if images.dtype == np.uint8:
            return []
        flat = images.reshape(len(images), -1)
        brightest[rows] = flat.max(axis=1)
        of_8_bits[rows] = (flat % _OF_A_BYTE == 0).all(axis=1) & (flat.max(axis=1) > 0)
    if pixel_range.eight_bit or of_8_bits.mean() > 0.5:
        n_wide = int((~of_8_bits).sum())
        has, seen = ("has", "is seen") if n_wide == 1 else ("have", "are seen")
        return [
            f"warning: {n_wide:,} of {counted(n, 'image')} {has} more than 8 bits and {seen} by "
            f"this range; the other {n - n_wide:,}, of 8 bits, are seen as they are"
        ] if 0 < n_wide < n else []  # fmt: skip
    return _strays(brightest / white, source, pixel_range)


def describe_dim(source: ImageSource) -> list[str]:
    """A warning of images that fill next to nothing of a range that other images have set.

    Of images that reach beyond it is said when they are opened, see `levels.is_beyond`.
    """
    known = getattr(source, "pixel_range", None)
    bounds = None if known is None else known.integers or known.floats
    if bounds is None:
        return []
    images = source.read(sample_rows(len(source), _BLOCK))
    reached = float(images.max()) / white_of(images.dtype)
    if not 0.0 < reached < _DIM:
        return []
    low, high = min(each[0] for each in pairs(bounds)), max(each[1] for each in pairs(bounds))
    return [
        f"the images reach no more than {reached:.1%} of the range of those that were learned from "
        f"({low:g} to {high:g}), and are nearly black: of another scale their clusters mean "
        "nothing; bring their numbers to the same scale."
    ]


def _strays(brightest: np.ndarray, source: ImageSource, pixel_range: PixelRange) -> list[str]:
    n = len(brightest)
    order = np.argsort(-brightest, kind="stable")
    most = max(1, int(_STRAYS * n))
    n_strays = next((m for m in range(1, most + 1) if brightest[order[m]] <= _DARK), 0)
    bounds = pixel_range.integers or pixel_range.floats
    if not n_strays or bounds is None:
        return []
    low, high = max(pairs(bounds), key=lambda pair: pair[1] - pair[0])
    reached = [low + share * (high - low) for share in brightest[order[[0, n_strays]]]]
    listed = ", ".join(str(source.ids[row]) for row in order[: min(n_strays, 3)])
    listed += ", …" if n_strays > 3 else ""
    per_channel = "" if len(pairs(bounds)) == 1 else " of their channel's range"
    are, they, them = ("is", "it does", "it") if n_strays == 1 else ("are", "they do", "them")
    in_8_bits = low == 0.0 and reached[1] <= 255.0 < high
    others = "if the others are 8-bit numbers, give" if in_8_bits else "or give"
    wanted = "0:255" if in_8_bits else f"{low:g}:{reached[1]:g}"
    return [
        f"warning: {n_strays:,} of {counted(n, 'image')} ({listed}) {are} far brighter than all "
        f"others (up to {reached[0]:g} where the others reach {reached[1]:g}{per_channel}). All "
        f"are taken for numbers of one scale, {low:g} to {high:g}, in which the others look dark: "
        f"if {they} not belong, leave {them} out; {others} --range {wanted}, which cuts {them} to "
        "white"
    ]
