"""Images as a person wants to see them: scaled down from their originals.

The encoder sees 32 pixels of a photograph that has 4,000. A picture for a person shows the same
part of it, with as many pixels as there is room for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.errors import DataError
from shoal.images.decoding.image import Decoded, Form, decode
from shoal.images.decoding.parallel import n_cores
from shoal.protocols import Array, ImageSource, Originals

SIDE = 192
"""The longer side of a thumbnail, in pixels, at most."""

Pixels = npt.NDArray[np.uint8]


def thumbnails(source: ImageSource, rows: Array, *, side: int = SIDE) -> Pixels:
    """The originals of some images, scaled down to one size.

    A thumbnail shows the part of the original that the encoder sees: upright, cut to the centre,
    in the colours and the pixel range of the source. An image without an original, or whose
    original is as small as what the encoder sees or cannot be read any more, is shown by the
    encoder's own pixels. If that holds for all of them, they are returned as they are.

    Args:
        source: the images.
        rows: int (m,), which of them.
        side: pixels of the longer side, at most.

    Returns:
        uint8 (m, h, w, C), in the proportions of the source's (H, W, C).

    >>> from shoal import ArraySource
    >>> thumbnails(ArraySource(np.zeros((3, 8, 8), np.uint8)), np.array([2, 0])).shape
    (2, 8, 8, 1)
    """
    rows = np.asarray(rows, dtype=np.int64)
    seen = source.read(rows)
    decoded = _decode(source, rows, _form(source, side))
    own = _largest_side([image for image in decoded if image is not None], source.shape)
    if own <= max(source.shape[:2]):
        return seen
    if own < side:  # so small that decoding them once more costs little
        side = own
        decoded = _decode(source, rows, _form(source, side))
    form = _form(source, side)
    pictures = np.empty((len(rows), *form.shape), dtype=np.uint8)
    for place, image in enumerate(decoded):
        enough = image is not None and _side(image, source.shape) > max(source.shape[:2])
        if enough and image is not None and image.pixels is not None:
            pictures[place] = image.pixels
        else:
            pictures[place] = _enlarged(seen[place], form)
    return pictures


def _form(source: ImageSource, side: int) -> Form:
    """The shape of the source, its longer side ``side`` pixels long."""
    height, width, channels = source.shape
    scale = side / max(height, width)
    h, w = (max(1, round(length * scale)) for length in (height, width))
    return Form(h, w, channels, pixel_range=getattr(source, "pixel_range", None))


def _decode(source: ImageSource, rows: Array, form: Form) -> list[Decoded | None]:
    """The originals brought to a form; None for those that are not there or cannot be read."""
    decoded: list[Decoded | None] = []
    cores = n_cores()
    originals = source.originals
    with warnings.catch_warnings(), ThreadPoolExecutor(cores) as pool:
        warnings.simplefilter("ignore")  # a faulty tag, of which the user was told already
        for block in _blocks(rows.tolist(), 4 * cores):  # few encoded images in memory at a time
            contents = [_original(originals, row) for row in block]
            decoded += pool.map(lambda content: _decode_one(content, form), contents)
    return decoded


def _decode_one(content: Path | bytes | None, form: Form) -> Decoded | None:
    image = None if content is None else decode(content, form)
    return image if isinstance(image, Decoded) and image.pixels is not None else None


def _original(originals: Originals, row: int) -> Path | bytes | None:
    """The file of an image or its content; None if it moved since the images were opened."""
    try:
        return originals.file(row) or originals.content(row)
    except DataError:
        return None


def _largest_side(images: Sequence[Decoded], shape: tuple[int, int, int]) -> int:
    return max((_side(image, shape) for image in images), default=0)


def _side(image: Decoded, shape: tuple[int, int, int]) -> int:
    """Pixels of the original on the longer side of the part that is shown."""
    scale = min(image.facts.height / shape[0], image.facts.width / shape[1])
    return round(max(shape[:2]) * scale)


def _enlarged(image: Array, form: Form) -> Array:
    """An image uint8 (H, W, C) in the size of a form, without smoothing."""
    grey = image.shape[2] == 1
    picture = Image.fromarray(image[..., 0] if grey else image)
    large = picture.resize((form.width, form.height), Image.Resampling.NEAREST)
    return np.asarray(large).reshape(form.shape)


def _blocks(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
