"""How well an exported model agrees with `pipeline.predict`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shoal import pipeline
from shoal.embedding.embed import batches
from shoal.images.originals import PixelOriginals
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.portable.model import Pixels
from shoal.portable.onnx_file import Run
from shoal.protocols import Array, ImageSource, Originals

TOLERANCE = 1e-3
"""A difference of an embedding, as a share of its largest number, or of a confidence, above which a
model is not written. Rounding alone stays far below."""
_BATCH = 32


@dataclass(frozen=True)
class Agreement:
    """The largest differences between a model and `pipeline.predict` over some images."""

    n_images: int
    embedding: float
    """Of a number of the embedding."""
    largest: float
    """The largest number of the embedding, for comparison."""
    confidence: float
    n_same: int
    """Images in the same cluster."""
    n_ties: int
    """Images in another cluster that is as likely."""

    @property
    def good(self) -> bool:
        """Whether the differences are no more than rounding."""
        same = self.n_same + self.n_ties == self.n_images
        near = self.embedding <= TOLERANCE * max(1.0, self.largest)
        return same and near and self.confidence <= TOLERANCE

    def __str__(self) -> str:
        """The differences in words.

        >>> print(Agreement(64, 2.4e-6, 3.0, 1e-7, 64, 0))
        embedding differs by at most 2.4e-06, confidence by 1.0e-07; the same cluster for 64 of 64
        images
        """
        ties = f" ({self.n_ties} of the others are ties)" if self.n_ties else ""
        return (
            f"embedding differs by at most {self.embedding:.1e}, confidence by "
            f"{self.confidence:.1e}; the same cluster for {self.n_same:,} of "
            f"{counted(self.n_images, 'image')}{ties}"
        )


def compare(
    run: Run, source: ImageSource, checkpoint: Checkpoint, pixels: Pixels, split: int = 1
) -> Agreement:
    """Compare a model with `pipeline.predict` on the images of a source.

    Args:
        run: the model.
        source: images of the checkpoint's shape.
        checkpoint: what the model was made of.
        pixels: what it takes.
        split: which way to divide the pile.
    """
    table = pipeline.predict(source, checkpoint, split=split)
    parts = [run(pixels.from_levels(source.read(rows))) for rows in batches(source, _BATCH)]
    embedding, cluster, confidence, probabilities = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    same = cluster == table.labels
    rows = np.arange(len(cluster))
    gap = np.abs(probabilities[rows, cluster] - probabilities[rows, table.labels])
    sure = np.abs(confidence - table.confidence)[same | (gap < TOLERANCE)]
    return Agreement(
        n_images=len(source),
        embedding=float(np.abs(embedding - table.embedding).max()),
        largest=float(np.abs(table.embedding).max()),
        confidence=float(sure.max(initial=0.0)),
        n_same=int(same.sum()),
        n_ties=int((~same & (gap < TOLERANCE)).sum()),
    )


class RandomImages:
    """An `ImageSource` of smooth random images: soft spots of every size, from black to white."""

    ids: Sequence[str]
    skipped: Sequence[tuple[str, str]] = ()

    def __init__(self, n: int, shape: tuple[int, int, int], pixels: Pixels, seed: int = 0) -> None:
        from scipy.ndimage import gaussian_filter

        draw = np.random.default_rng(seed)
        sizes = draw.uniform(0.0, max(shape[:2]) / 4, n)
        noise = draw.normal(size=(n, *shape))
        smooth = np.stack(
            [
                gaussian_filter(image, (size, size, 0))
                for image, size in zip(noise, sizes, strict=True)
            ]
        )
        low, high = smooth.min((1, 2, 3), keepdims=True), smooth.max((1, 2, 3), keepdims=True)
        kind = np.uint8 if pixels.white == 255.0 else np.uint16
        shares = (smooth - low) / np.maximum(high - low, 1e-12)
        self.images = np.rint(shares * pixels.white).astype(kind)
        self.shape, self.ids = shape, [str(number) for number in range(n)]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def originals(self) -> Originals:
        return PixelOriginals(self, None)

    def read(self, indices: Array) -> Array:
        return self.images[indices]

    def digest(self) -> str:
        return ""
