"""Scores that need no labels."""

from __future__ import annotations

import torch

from shoal.checkpoint import Checkpoint
from shoal.embedding import batches, n_batches
from shoal.protocols import ImageSource, Track, silent
from shoal.views import to_float


@torch.inference_mode()
def reconstruction_mse(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> float:
    """Mean squared error between images and reconstructions, in [0, 1] pixel units.

    The mean runs over all images, pixels and channels of ``source``.
    """
    encoder = checkpoint.build_encoder().to(device)
    total = 0.0
    for indices in track(batches(source), "reconstructing", n_batches(source)):
        x = to_float(source.read(indices), device)
        total += float((encoder(x) - x).square().double().sum())
    height, width, channels = source.shape
    return total / (len(source) * height * width * channels)
