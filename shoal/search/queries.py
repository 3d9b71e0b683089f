"""The images of a query: images of the pile by their ids, other images by their paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.csv_files import printable
from shoal.images.decoding.form import Form
from shoal.images.decoding.image import decode
from shoal.images.decoding.listing import Listing
from shoal.images.decoding.pile import with_range
from shoal.images.originals import FileOriginals
from shoal.images.pictures import composite_of
from shoal.images.pixel_range import PixelRange
from shoal.images.vectors.source import n_dimensions_of
from shoal.protocols import Array, ImageSource


@dataclass(frozen=True)
class Query:
    """An image whose like is sought."""

    name: str
    """The id or the path, as it was given."""
    source: ImageSource
    """Where the image is: the pile, or a source that holds this image alone."""
    row: int
    """Which image of ``source`` it is."""
    row_in_pile: int
    """The same for an image of the pile; -1 for an image file."""

    def read(self) -> Array:
        """The pixels (H, W, C), as the pile has them."""
        image: Array = self.source.read(np.array([self.row]))[0]
        return image


def resolve(queries: Sequence[str | Path], pile: ImageSource) -> list[Query]:
    """The images that are meant by ids of the pile or by paths of image files.

    A name that is an id is not taken for a path.

    Raises:
        DataError: a name is neither, or its file cannot be read.
    """
    wanted = set(map(str, queries))
    rows = {name: row for row, name in enumerate(pile.ids) if name in wanted}
    resolved = []
    for name in map(str, queries):
        row = rows.get(name, -1)
        if row >= 0:
            resolved.append(Query(name, pile, row, row))
            continue
        nested = [known for known in pile.ids if known.endswith(f"/{name}")]
        if nested and not Path(name).is_file():
            whose = "a vector" if n_dimensions_of(pile) else "an image"
            more = f", or another of {len(nested):,} with that name" if len(nested) > 1 else ""
            raise DataError(
                f"{printable(name)[:80]!r} is not the id of {whose}; did you mean "
                f"{printable(nested[0])!r}{more}?"
            )
        if n_dimensions_of(pile):
            why = f"no vector has the id {printable(name)[:80]!r}"
            if Path(name).is_file():
                why = (
                    "shoal cannot make a vector of an image file, as the program did that made "
                    "these"
                )
            raise DataError(
                f"{why}; give one of the {len(pile.ids):,} ids, {printable(pile.ids[0])!r} to "
                f"{printable(pile.ids[-1])!r}."
            )
        resolved.append(Query(name, open_image(Path(name), pile), 0, -1))
    return resolved


def open_image(path: Path, pile: ImageSource) -> ArraySource:
    """The image of a file, read just as the files of ``pile`` are.

    Raises:
        DataError: there is no such file, or it cannot be read as an image.
    """
    name = printable(str(path))
    if not path.is_file():
        raise DataError(
            f"{name[:80]!r} is neither the id of an image, such as {printable(pile.ids[0])!r}, nor "
            "an image file."
        )
    pixel_range: PixelRange | None = getattr(pile, "pixel_range", None)
    form = Form(*pile.shape, pixel_range=pixel_range, fit=getattr(pile, "fit", "crop"))
    decoded = decode(path, form)
    if not isinstance(decoded, str) and decoded.unknown and pixel_range is not None:
        # Of numbers as no image of the pile has them: only this image shows their range.
        alone = Listing([path.name], lambda: iter([path]), lambda row: path)
        form = with_range(alone, decoded.unknown, form)
        decoded = decode(path, form)
    if isinstance(decoded, str):
        raise DataError(f"cannot read {name} as an image: {decoded}.")
    assert decoded.pixels is not None  # its range is known by now
    composite = composite_of(pile)  # the query is shown as the pile is
    return ArraySource(
        decoded.pixels[None],
        as_levels=True,
        composite=None if composite is None else [channel + 1 for channel in composite],
        ids=[path.name],
        pixel_range=form.pixel_range,
        originals=FileOriginals(path.parent, [path.name]),
    )
