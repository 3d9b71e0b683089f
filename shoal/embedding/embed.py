"""Embeddings: every image as a vector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shoal.images.tensors import to_float
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import (
    Encoder,
    FloatArray,
    ImageSource,
    IntArray,
    Objective,
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
    both, each scaled to unit length and joined: the mean over `looks` at an image. Always in fp32
    and in evaluation mode, so that an image's vector does not depend on its neighbours in the
    batch.
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
    encoder = checkpoint.build_encoder().to(device)
    heads = [
        objective.to(device)
        for objective in checkpoint.build_objectives(encoder)
        if objective.has_head
    ]
    kind = checkpoint.recipe.embedding
    mirror = kind == "joint" and checkpoint.recipe.views.mirror
    times = checkpoint.recipe.embedding_resolution if encoder.any_size else 1.0
    rows = []
    for indices in track(batches(source), "embedding", n_batches(source)):
        images = to_float(source.read(indices), device)
        embedded = []
        with reproducible():
            for few in images.split(_AT_ONCE):
                seen = [
                    share * _embed(encoder, heads, kind, look).float()
                    for share, look in looks(few, times, mirror)
                ]
                embedded.append(torch.stack(seen).sum(0).cpu())
        rows.append(torch.cat(embedded).numpy())
        if len(rows) * BATCH == BLOCK:
            yield np.concatenate(rows)
            rows = []
    if rows:
        yield np.concatenate(rows)


def looks(x: Tensor, times: float, mirror: bool) -> list[tuple[float, Tensor]]:
    """What an image's embedding is the mean over: itself enlarged, and as large as it is.

    The second look is at the mirror image where the encoder learned that mirroring changes nothing:
    looks that differ in two ways average better than such as differ in one, and a small one costs
    little (benchmarks/LOG.md). Each counts by its share of the pixels.

    Args:
        x: images float (b, C, H, W) in [0, 1].
        times: how much longer the sides of the first look are, 1 or more.
        mirror: whether the second look is at the mirror image.

    Returns:
        Weights, which sum to 1, and images.

    >>> x = torch.zeros(5, 3, 8, 8)
    >>> [(round(share, 2), tuple(look.shape)) for share, look in looks(x, 1.5, mirror=True)]
    [(0.69, (5, 3, 12, 12)), (0.31, (5, 3, 8, 8))]
    >>> len(looks(x, 1, mirror=False))  # the same again would tell no more
    1
    """
    if times == 1 and not mirror:
        return [(1.0, x)]
    seen = [enlarge(x, times), x.flip(3) if mirror else x]
    pixels = [look.shape[2] * look.shape[3] for look in seen]
    return [(n / sum(pixels), look) for n, look in zip(pixels, seen, strict=True)]


def enlarge(x: Tensor, times: float) -> Tensor:
    """Images float (b, C, H, W) in [0, 1] with sides ``times`` as long, by cubic interpolation."""
    if times == 1:
        return x
    size = [round(side * times) for side in x.shape[2:]]
    larger = F.interpolate(x, size, mode="bicubic", align_corners=False)
    return larger.clamp(0.0, 1.0)  # cubic curves overshoot


def _embed(encoder: Encoder, heads: list[Objective], kind: str, x: Tensor) -> Tensor:
    z = encoder.encode(x)
    if kind == "encoder" or not heads:
        return z
    projection = heads[0].project(z)
    if kind == "projection":
        return projection
    return torch.cat([F.normalize(z, dim=1), F.normalize(projection, dim=1)], dim=1)
