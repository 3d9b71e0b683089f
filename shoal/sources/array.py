"""Images already in memory, or in a memory map."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shoal.checks import check_images
from shoal.protocols import Array


class ArraySource:
    """An `ImageSource` over an array (N, H, W, C) or (N, H, W); see `checks.check_images`.

    >>> source = ArraySource(np.zeros((3, 8, 8), dtype=np.uint8))
    >>> len(source), source.shape, source.ids
    (3, (8, 8, 1), ['0', '1', '2'])
    """

    def __init__(
        self,
        images: Array,
        *,
        ids: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        name: str = "array",
    ) -> None:
        self.images = check_images(images, name)
        self.ids: Sequence[str] = (
            [str(i) for i in range(len(self.images))] if ids is None else list(ids)
        )
        self.skipped: Sequence[tuple[str, str]] = list(skipped)
        height, width, channels = (int(side) for side in self.images.shape[1:])
        self.shape = (height, width, channels)

    def __len__(self) -> int:
        return len(self.images)

    def read(self, indices: Array) -> npt.NDArray[np.uint8]:
        return np.ascontiguousarray(self.images[indices])

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr(self.images.shape).encode())
        for start in range(0, len(self), 4096):
            digest.update(np.ascontiguousarray(self.images[start : start + 4096]).data)
        return digest.hexdigest()
