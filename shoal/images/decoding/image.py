"""One encoded image to pixels, whatever its format, its mode and its soundness.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PIL import Image, ImageFile

from shoal.images.decoding.file import alone_if_large, ask
from shoal.images.decoding.form import Chunk, Decoded, Encoded, Facts, Form, Unreadable
from shoal.images.decoding.modes import (
    bring,
    by_range,
    exif_orientation,
    is_grey,
    is_wide,
    raw_of,
)
from shoal.images.decoding.raw_pixels import SIDEWAYS, bring_raw, wrong_channels
from shoal.images.left_out import DRAWN
from shoal.images.levels import is_beyond, widen
from shoal.images.pixel_range import type_of
from shoal.images.readers.raw import MOST_PIXELS, bomb


def decode_chunk(contents: Sequence[Encoded], form: Form) -> Chunk:
    """Decode several images to one form; whatever is in them, no error is raised."""
    pixels = np.empty((len(contents), *form.shape), dtype=form.dtype)
    reasons: list[str] = []
    kept, shortest, longest = 0, 2**31, 0
    missing = [0, 0]
    outside, n_larger, n_beyond = 0.0, 0, 0
    far_smaller: list[int] = []
    for place, content in enumerate(contents):
        decoded = decode(content, form)
        if isinstance(decoded, str):
            reasons.append(decoded)
            continue
        image, facts, n_missing, unknown, beyond = decoded
        if image is None:
            return Chunk(pixels[:0], [], (0, 0), facts, unknown=unknown)
        pixels[kept] = image
        missing[0] += n_missing
        missing[1] += n_missing > 0
        kept += 1
        reasons.append("")
        shortest = min(shortest, facts.height, facts.width)
        longest = max(longest, facts.height, facts.width)
        outside += facts.outside(form)
        n_larger += facts.is_larger(form)
        if facts.is_far_smaller(form):
            far_smaller.append(place)
        n_beyond += beyond
    return Chunk(
        pixels[:kept], reasons, (shortest, longest), None, (missing[0], missing[1]),
        outside=outside, n_larger=n_larger, n_beyond=n_beyond, far_smaller=far_smaller,
    )  # fmt: skip


def look(content: Encoded) -> Facts | str:
    """The size and the channels of an image that can be read; or why it cannot be read."""
    decoded = decode(content, Form(0, 0, 3, same_size=True))
    return decoded if isinstance(decoded, str) else decoded[1]


def decode(content: Encoded, form: Form) -> Decoded | str:
    """The image as levels (H, W, C), and its facts; or the reason why it cannot be read.

    There are no pixels where the image does not fit the form. Of several frames or pages, the first
    is taken. For modes and sizes see `bring`, for other numbers and channels `bring_raw`.
    """
    side = None if form.same_size else 2 * max(form.height, form.width)
    known = form.pixel_range
    decoded = ask(
        content, partial(bring_raw, form=form), partial(_decode_opened, form=form), side,
        wide=known is not None and known.levels > 8,
    )  # fmt: skip
    return decoded.reason if isinstance(decoded, Unreadable) else decoded


def _decode_opened(opened: ImageFile.ImageFile, form: Form) -> Decoded | str:
    height, width = opened.height, opened.width
    if height * width > MOST_PIXELS:
        return bomb(height, width)
    if str(opened.info.get("Software", "")).startswith("shoal "):
        return DRAWN
    if not form.same_size:
        # A JPEG is decoded at a half, a quarter or an eighth of its size, as long as that is at
        # least twice the size wanted. This is several times as fast, and hardly to be seen. Its
        # orientation is not known yet, so both sides have the longer one's limit.
        side = 2 * max(form.height, form.width)
        opened.draft(None, (side, side))
    with alone_if_large(opened.width * opened.height):
        opened.load()
        if opened.format == "TIFF":  # Pillow has turned it upright by itself
            height, width = opened.height, opened.width
        orientation = exif_orientation(opened)
        known = form.pixel_range
        if is_wide(opened) and known is not None and known.levels > 8:
            return bring_raw(raw_of(opened, orientation), form)
        if orientation in SIDEWAYS:
            height, width = width, height
        grey = is_grey(opened)
        facts = Facts(height, width, grey, 1 if grey else 3, not grey)
        if form.same_size and (height, width) != (form.height, form.width):
            return Decoded(None, facts)
        if form.all_grey and not facts.grey:
            return Decoded(None, facts)
        if form.channels not in (1, 3):
            return wrong_channels(facts.channels, form.channels)
        image: Image.Image = opened
        n_missing, beyond = 0, False
        if is_wide(opened) and known is not None:
            kind = type_of("f" if opened.mode == "F" else "i")
            bounds = known.of(kind)
            if bounds is None:
                return Decoded(None, facts, unknown=kind.kind)
            image, n_missing = by_range(opened, bounds)
            beyond = is_beyond(np.asarray(opened), bounds)
        pixels = bring(image, orientation, form.shape, form.fit)
        return Decoded(widen(pixels) if form.wide else pixels, facts, n_missing, beyond=beyond)
