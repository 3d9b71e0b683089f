"""Embeddings: every image as a vector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.embedding.pixel_components import JOINT_PIXELS, PIXELS, PixelComponents
from shoal.errors import DataError
from shoal.images.tensors import to_float
from shoal.images.vectors.source import n_dimensions_of
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import (
    FloatArray,
    ImageSource,
    IntArray,
    Track,
    silent,
)
from shoal.training.devices import reproducible

BATCH = 512
BLOCK = 32 * BATCH
"""Images whose embedding is in memory at a time where only what becomes of it is kept."""
_AT_ONCE = 128
"""Images the encoder sees at a time: their feature maps stay small enough for the allocator to keep
them, see `allocator.keep_large_buffers`, which saves a quarter of the processor's time."""


def batches(source: ImageSource, size: int = BATCH) -> Iterator[IntArray]:
    """Indices 0 to n - 1, ``size`` at a time."""
    for start in range(0, len(source), size):
        yield np.arange(start, min(start + size, len(source)))


def n_batches(source: ImageSource, size: int = BATCH) -> int:
    """How many `batches` there are."""
    return -(-len(source) // size)


def embed(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> FloatArray:
    """The embedding that the recipe clusters, before any reduction: float32 (n, d).

    By the recipe's ``embedding`` it is the encoder's code, the first projection head's output, or
    both, each scaled to unit length and joined: the mean over an image's `test_time_views`. The
    principal components of the pixels stand beside it, or in its place. It is
    computed in fp32 and in evaluation mode, so that an image's vector does not depend on the other
    images of its batch.
    """
    return gather(embed_blocks(source, checkpoint, device=device, track=track), len(source))


def gather(blocks: Iterable[FloatArray], n: int) -> FloatArray:
    """Blocks of rows as one array (n, …), without holding them twice as a concatenation would."""
    rows, start = None, 0
    for block in blocks:
        if rows is None:
            rows = np.empty((n, *block.shape[1:]), block.dtype)
        rows[start : start + len(block)] = block
        start += len(block)
    assert rows is not None  # a source has at least one image
    return rows


@torch.inference_mode()
def embed_blocks(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> Iterator[FloatArray]:
    """The rows of `embed`, `BLOCK` at a time: float32 (b, d)."""
    if checkpoint.n_dimensions:  # vectors from elsewhere: there is nothing to encode
        yield from _vectors(source, checkpoint)
        return
    embedder = Embedder(checkpoint).to(device)
    rows = []
    for indices in track(batches(source), "embedding", n_batches(source)):
        images = to_float(source.read(indices), device)
        with reproducible():
            embedded = [embedder(few).cpu() for few in images.split(_AT_ONCE)]
        rows.append(torch.cat(embedded).numpy())
        if len(rows) * BATCH == BLOCK:
            yield np.concatenate(rows)
            rows = []
    if rows:
        yield np.concatenate(rows)


class Embedder(torch.nn.Module):
    """From images to the embedding that a checkpoint's recipe clusters, see `embed`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        recipe = checkpoint.recipe
        self.encoder = checkpoint.build_encoder()
        objectives = checkpoint.build_objectives(self.encoder)
        self.heads = torch.nn.ModuleList(part for part in objectives if part.has_head)
        self.kind = recipe.embedding
        self.pixels: PixelComponents | None = None
        if self.kind in (PIXELS, JOINT_PIXELS):
            self.pixels = PixelComponents(checkpoint.pixels, recipe.views.free_orientation)
        self.flip = self.kind in ("joint", JOINT_PIXELS) and recipe.views.horizontal_flip
        self.times = recipe.embedding_resolution if self.encoder.any_size else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Images float (b, C, H, W) in [0, 1] to float32 (b, d)."""
        if self.pixels is None:
            return self._learned(x)
        pixels: Tensor = self.pixels(x)
        return pixels if self.kind == PIXELS else torch.cat([self._learned(x), pixels], dim=1)

    def _learned(self, x: Tensor) -> Tensor:
        seen = [
            share * self._of(view).float()
            for share, view in test_time_views(x, self.times, self.flip)
        ]
        return torch.stack(seen).sum(0)

    def _of(self, x: Tensor) -> Tensor:
        z = self.encoder.encode(x)
        if self.kind == "encoder" or not len(self.heads):
            return z
        projection: Tensor = self.heads[0].project(z)  # type: ignore[operator]
        if self.kind == "projection":
            return projection
        return torch.cat([F.normalize(z, dim=1), F.normalize(projection, dim=1)], dim=1)


def _vectors(source: ImageSource, checkpoint: Checkpoint) -> Iterator[FloatArray]:
    """The vectors of a `VectorSource`, `BLOCK` at a time, less the checkpoint's centre."""
    n_dimensions = n_dimensions_of(source)
    if n_dimensions != checkpoint.n_dimensions:
        got = f"vectors of {n_dimensions:,}" if n_dimensions else "images"
        raise DataError(
            f"the checkpoint takes vectors of {checkpoint.n_dimensions:,} numbers, got {got}."
        )
    for indices in batches(source, BLOCK):
        yield source.vectors(indices, checkpoint.centre)  # type: ignore[attr-defined]


def test_time_views(x: Tensor, times: float, flip: bool) -> list[tuple[float, Tensor]]:
    """The views of an image that its embedding is the mean over: enlarged, and as large as it is.

    The second view is flipped left and right if the encoder learned that this changes nothing:
    views that differ in two ways average better than views that differ in one, and a small one
    costs little (benchmarks/LOG.md). Each view counts by its share of the pixels.

    Args:
        x: images float (b, C, H, W) in [0, 1].
        times: how much longer the sides of the first view are, 1 or more.
        flip: whether the second view is flipped.

    Returns:
        Weights, which sum to 1, and images.

    >>> x = torch.zeros(5, 3, 8, 8)
    >>> [(round(share, 2), tuple(view.shape)) for share, view in test_time_views(x, 1.5, True)]
    [(0.69, (5, 3, 12, 12)), (0.31, (5, 3, 8, 8))]
    >>> len(test_time_views(x, 1, flip=False))  # a second one would be equal to the first
    1
    """
    if times == 1 and not flip:
        return [(1.0, x)]
    views = [enlarge(x, times), x.flip(3) if flip else x]
    pixels = [view.shape[2] * view.shape[3] for view in views]
    return [(n / sum(pixels), view) for n, view in zip(pixels, views, strict=True)]


def enlarge(x: Tensor, times: float) -> Tensor:
    """Images float (b, C, H, W) in [0, 1] with sides ``times`` as long, by cubic interpolation."""
    if times == 1:
        return x
    size = [round(side * times) for side in x.shape[2:]]
    larger = F.interpolate(x, size, mode="bicubic", align_corners=False)
    return larger.clamp(0.0, 1.0)  # cubic curves overshoot
