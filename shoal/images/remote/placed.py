"""The originals of images in shards of a store whose places in these are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shoal.images.decoding.listing import Listing
from shoal.images.originals import EncodedOriginals
from shoal.images.remote.location import Location
from shoal.protocols import Track


class PlacedOriginals(EncodedOriginals):
    """The originals of tar files in a store: of each its own bytes are fetched.

    Without the places, which the cache of pixels keeps, a shard would be read from its beginning.

    Args:
        path: the archive, or a pattern for several.
        files: the shards.
        names: of the images.
        places: the first byte of each in its shard, and the number of bytes.
    """

    def __init__(
        self,
        path: Path,
        files: Sequence[Location],
        names: Sequence[str],
        places: Sequence[tuple[int, int]],
    ) -> None:
        super().__init__(path, self._list, names)
        self._files = {file.prefix: file for file in files}
        self._places = places

    def _list(self, track: Track) -> Listing:
        return Listing(self._names, lambda: map(self._fetch, range(len(self._names))), self._fetch)

    def _fetch(self, row: int) -> bytes:
        name = self._names[row]
        prefix = next(prefix for prefix in self._files if name.startswith(prefix))
        start, length = self._places[row]
        with self._files[prefix].open() as file:
            file.seek(start)
            return bytes(file.read(length))
