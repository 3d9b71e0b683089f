"""Images as a person wants to see them: scaled down from their originals.

The encoder sees 32 pixels of a photograph that has 4,000. A picture for a person shows the same
part of it, with as many pixels as there is room for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.errors import DataError
from shoal.images.decoding.fitting import CROP
from shoal.images.decoding.form import Decoded, Form
from shoal.images.decoding.image import decode
from shoal.images.decoding.parallel import n_cores
from shoal.images.pictures import composite_of, read_pictures, to_pictures
from shoal.protocols import Array, ImageSource, Originals, Track, silent

SIDE = 192
"""The longer side of a thumbnail, in pixels, at most."""

Pixels = npt.NDArray[np.uint8]


def thumbnails(
    source: ImageSource, rows: Array, *, side: int = SIDE, track: Track = silent
) -> Pixels:
    """The originals of some images, scaled down to one size.

    A thumbnail shows the part of the original that the encoder sees: upright, cut to the centre,
    in the colours and the pixel range of the source. An image without an original, or whose
    original is as small as what the encoder sees or cannot be read any more, is shown by the
    encoder's own pixels. If that holds for all of them, they are returned as they are.

    Args:
        source: the images.
        rows: int (m,), which of them.
        side: pixels of the longer side, at most.
        track: shows progress: decoding a photograph takes some 0.05 s.

    Returns:
        uint8 (m, h, w, 1 or 3), in the proportions of the source's (H, W, C), see `pictures`.

    >>> from shoal import ArraySource
    >>> thumbnails(ArraySource(np.zeros((3, 8, 8), np.uint8)), np.array([2, 0])).shape
    (2, 8, 8, 1)
    """
    rows = np.asarray(rows, dtype=np.int64)
    seen, seen_side = read_pictures(source, rows), max(source.shape[:2])
    if seen_side >= side or not len(rows):
        return _resized(seen, _form(source, side), Image.Resampling.BOX)
    composite, fit = composite_of(source), getattr(source, "fit", CROP)
    decoded = _decode(source, rows, _form(source, side), track)
    own_side = max((_side(image, source.shape, fit) for image in decoded if image), default=0)
    if own_side <= seen_side:
        return seen
    if own_side < side:  # so small that decoding them once more costs little
        side = own_side
        decoded = _decode(source, rows, _form(source, side), silent)
    pictures = _resized(seen, _form(source, side), Image.Resampling.NEAREST)
    for place, image in enumerate(decoded):
        if image and image.pixels is not None and _side(image, source.shape, fit) > seen_side:
            pictures[place] = to_pictures(image.pixels[None], composite)[0]
    return pictures


def thumbnails_of_lists(
    source: ImageSource, lists: Sequence[Array], *, track: Track = silent
) -> list[Pixels]:
    """Thumbnails of several lists of images, all of one size; an image in several is drawn once.

    Args:
        source: the images.
        lists: each int (m,), rows of ``source``.
        track: shows progress.

    Returns:
        For each list uint8 (m, h, w, 1 or 3), see `thumbnails`.
    """
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *lists]))
    pictures = thumbnails(source, rows, track=track)
    return [pictures[np.searchsorted(rows, members)] for members in lists]


def _form(source: ImageSource, side: int) -> Form:
    """The shape of the source, its longer side ``side`` pixels long."""
    height, width, channels = source.shape
    scale = side / max(height, width)
    h, w = (max(1, round(length * scale)) for length in (height, width))
    wide = source.read(np.arange(1)).dtype != np.uint8
    return Form(
        h, w, channels, pixel_range=getattr(source, "pixel_range", None), wide=wide,
        fit=getattr(source, "fit", CROP),
    )  # fmt: skip


def _decode(source: ImageSource, rows: Array, form: Form, track: Track) -> list[Decoded | None]:
    """The originals brought to a form; None for those that are not there or cannot be read."""
    decoded: list[Decoded | None] = []
    cores = n_cores()
    originals = source.originals
    with warnings.catch_warnings(), ThreadPoolExecutor(cores) as pool:
        warnings.simplefilter("ignore")  # a faulty tag, of which the user was told already
        blocks = _blocks(rows.tolist(), 2 * cores)  # few encoded images in memory at a time
        for block in track(blocks, "drawing", len(blocks)):
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


def _side(image: Decoded, shape: tuple[int, int, int], fit: str) -> int:
    """Pixels of the original on the longer side of the part that is shown."""
    nearest = min if fit == CROP else max
    scale = nearest(image.facts.height / shape[0], image.facts.width / shape[1])
    return round(max(shape[:2]) * scale)


def _resized(images: Pixels, form: Form, resampling: Image.Resampling) -> Pixels:
    """Pictures uint8 (m, H, W, 1 or 3) in the size of a form."""
    shape = (form.height, form.width, images.shape[3])
    if images.shape[1:] == shape:
        return images
    resized = np.empty((len(images), *shape), dtype=np.uint8)
    for place, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        picture = picture.resize((form.width, form.height), resampling)
        resized[place] = np.asarray(picture).reshape(shape)
    return resized


def _blocks(rows: list[int], size: int) -> list[list[int]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
