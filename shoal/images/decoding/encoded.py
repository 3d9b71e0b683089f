"""Decoded images whose encoded originals lie in an archive, in a table or all over the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.decoding.image import Unreadable
from shoal.protocols import Track, silent

if TYPE_CHECKING:
    from shoal.images.decoding.pile import Listing


class EncodedSource(ArraySource):
    """An `ArraySource` that can also give each image as it was before it was decoded."""

    def __init__(self, images: Any, listing: Callable[[Track], Listing], **options: Any) -> None:
        super().__init__(images, **options)
        self.listing = listing
        self._names = self.ids  # as the listing has them, whatever somebody calls them later
        self._listed: tuple[Listing, dict[str, int]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_listed": None}  # listed anew where it is wanted

    def original(self, index: int) -> bytes:
        """The content of image ``index``'s file, of its member or of its row.

        Raises:
            DataError: it is not where it was when the images were opened.
        """
        if self._listed is None:  # images decoded before are opened without it
            pile = self.listing(silent)
            self._listed = pile, {name: row for row, name in enumerate(pile.names)}
        pile, rows = self._listed
        name = self._names[index]
        content = pile.fetch(rows[name]) if name in rows else Unreadable("no such image")
        if isinstance(content, Path):
            try:
                return content.read_bytes()
            except OSError as error:
                content = Unreadable(error.strerror or str(error))
        if isinstance(content, Unreadable):
            raise DataError(
                f"{name}: the image is expected where it was when it was decoded, and there is "
                f"{content.reason}; put it back, or run the command again."
            )
        return content
