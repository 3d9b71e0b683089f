"""How well a checkpoint reconstructs images."""

from __future__ import annotations

import numpy as np
import torch

from shoal.embedding.embed import BATCH
from shoal.images.tensors import to_float
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource, IntArray, Track, silent
from shoal.training.devices import reproducible


def reconstruction_mse(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> float:
    """Mean squared error between images and reconstructions, in [0, 1] pixel units.

    The mean runs over all images, pixels and channels of ``source``.
    """
    rows = np.arange(len(source))
    errors = reconstruction_errors(source, checkpoint, rows=rows, device=device, track=track)
    return float(errors.mean(dtype=np.float64))


@torch.inference_mode()
def reconstruction_errors(
    source: ImageSource, checkpoint: Checkpoint, *, rows: IntArray, device: str = "cpu",
    track: Track = silent,
) -> FloatArray:  # fmt: skip
    """The mean squared error of each of the images ``rows`` int64 (m,): float32 (m,)."""
    encoder = checkpoint.build_encoder().to(device)
    starts = range(0, len(rows), BATCH)
    errors = []
    for start in track(starts, "reconstructing", len(starts)):
        x = to_float(source.read(rows[start : start + BATCH]), device)
        with reproducible():
            decoded = encoder(x)
        errors.append((decoded - x).square().mean(dim=(1, 2, 3)).cpu().numpy())
    return np.concatenate(errors)
