"""A finished checkpoint as one PyTorch module: pixels in, embedding, cluster and confidence out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from shoal.clustering.clustering import Clustering, check_split, clustering_of
from shoal.embedding.embed import Embedder
from shoal.errors import CheckpointError, DataError
from shoal.images.pixel_range import Bounds, ChannelBounds, pairs
from shoal.models.checkpoint import Checkpoint
from shoal.models.encoders._pooling import BatchNormMaxPool, MaxPool
from shoal.portable.calibrated import CalibrationModule
from shoal.portable.clusterers import clusterer_module
from shoal.portable.pixels import AreaPixels, Resize, Shares
from shoal.portable.reducers import reducer_module
from shoal.protocols import Array, IntArray
from shoal.scoring.assignment import calibration_of

OUTPUTS = ("embedding", "cluster", "confidence", "probabilities")
"""The names of what comes out, in this order."""
NUMBERS = ("8-bit", "integers", "floats")


@dataclass(frozen=True)
class Pixels:
    """What a model takes: which numbers, and what is black and white in them."""

    numbers: str
    """8-bit, integers or floats."""
    bounds: tuple[Bounds, ...]
    """A pair for all channels, or one for each."""
    white: float
    """The level that is white, 255 or 65535."""

    @property
    def dtype(self) -> torch.dtype:
        return torch.uint8 if self.numbers == "8-bit" else torch.float32

    @property
    def type_name(self) -> str:
        """What a person calls the type."""
        return "uint8" if self.numbers == "8-bit" else "float32"

    def from_levels(self, levels: Array) -> Array:
        """Levels uint8 or uint16, as an `ImageSource` reads them, as numbers that a model takes."""
        if self.numbers == "8-bit":
            return levels.astype(np.uint8)
        white = 255.0 if levels.dtype == np.uint8 else 65535.0
        low, high = np.array(self.bounds).T
        return (low + levels / white * (high - low)).astype(np.float32)


def pixels_of(checkpoint: Checkpoint, numbers: str | None = None) -> Pixels:
    """The pixels that a model of a checkpoint takes.

    Args:
        checkpoint: the checkpoint.
        numbers: one of `NUMBERS`; None: 8-bit if it learned from such images, else what it
            learned from.

    Raises:
        DataError: it has learned no range for such numbers, or ``numbers`` is another word.
    """
    if numbers not in (None, *NUMBERS):
        raise DataError(
            f"numbers must be {', '.join(NUMBERS[:-1])} or {NUMBERS[-1]}, got {numbers!r}."
        )
    known = checkpoint.pixel_range
    ranges: dict[str, ChannelBounds] = {}
    if known is None or known.eight_bit:
        ranges["8-bit"] = (0.0, 255.0)
    for kind in NUMBERS[1:]:
        bounds = None if known is None else getattr(known, kind)
        if bounds is not None:
            ranges[kind] = bounds
    if ranges.get("integers") == (0.0, 255.0):
        ranges = {"8-bit": ranges["integers"], **ranges}
    numbers = next(iter(ranges)) if numbers is None else numbers
    if numbers not in ranges:
        raise DataError(
            f"numbers must be {' or '.join(ranges)} with this checkpoint, which has learned no "
            f"range for others, got {numbers!r}."
        )
    bounds = ranges[numbers]
    dtype = np.dtype(np.float32 if numbers == "floats" else np.int64)
    eight = numbers == "8-bit" or known is None or known.keeps_eight_bits(dtype)
    return Pixels(numbers, pairs(bounds), 255.0 if eight else 65535.0)


def check_takes_images(checkpoint: Checkpoint) -> None:
    """Check whether a model can take what the checkpoint takes, before any work.

    Raises:
        CheckpointError: it takes vectors.
    """
    if checkpoint.n_dimensions:
        raise CheckpointError(
            "this checkpoint takes vectors from elsewhere, and a model takes images; "
            "'shoal predict' assigns vectors."
        )


class PortableModel(nn.Module):
    """What `pipeline.predict` computes of an image, in one module.

    Args:
        checkpoint: a finished one.
        split: which of the ways to divide the pile, counted from 1.
        numbers: see `pixels_of`.

    Raises:
        CheckpointError: the checkpoint has no clusters, or a part that cannot be exported.
        DataError: there is no such split, or no range for such numbers.
    """

    order: Tensor

    def __init__(self, checkpoint: Checkpoint, split: int = 1, numbers: str | None = None) -> None:
        super().__init__()
        check_takes_images(checkpoint)
        clustering = clustering_of(checkpoint)
        check_split(split, clustering.n_candidates)
        self.pixels = pixels_of(checkpoint, numbers)
        height, width, _ = checkpoint.image_shape
        exact = self.pixels.dtype == torch.uint8
        self.shares = nn.Identity() if exact else Shares(self.pixels.bounds, self.pixels.white)
        self.resize = Resize(height, width, self.pixels.white, eight_bit=exact, fit=checkpoint.fit)
        embedder = Embedder(checkpoint)
        if embedder.pixels is not None:
            embedder.pixels = AreaPixels(embedder.pixels, height, width)  # type: ignore[assignment]
        embedder.encoder.decoder = nn.Identity()  # not needed, and half of the weights
        self.embedder = exportable(embedder)
        self.reducers = nn.ModuleList(
            reducer_module(part, arrays)
            for part, arrays in zip(checkpoint.recipe.reducers, checkpoint.reducers, strict=True)
        )
        self.clusterer = clusterer_module(clustering.clusterer, split - 1)
        self.register_buffer("order", torch.from_numpy(_order(clustering, split - 1)))
        calibration = calibration_of(checkpoint, split - 1)
        self.calibration: nn.Module = nn.Identity()
        if calibration is not None and calibration.n_clusters > 1:
            self.calibration = CalibrationModule(calibration)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images (b, h, w, C) of any size, uint8 or float32 as `pixels` says.

        Returns:
            The embedding float32 (b, d), the cluster int64 (b,), the confidence float32 (b,) and
            the probabilities of all clusters float32 (b, k).
        """
        levels = self.resize(self.shares(images.float()))
        x = levels.permute(0, 3, 1, 2) / self.pixels.white
        z = self.embedder(x)
        for reducer in self.reducers:
            z = reducer(z)
        membership = self.clusterer(z)[:, self.order]
        cluster = membership.argmax(1)
        worth = self.calibration(membership)
        return z, cluster, worth.gather(1, cluster[:, None])[:, 0], worth


def exportable(module: nn.Module) -> nn.Module:
    """A module whose layers do not look at weights or sizes, which a graph cannot do."""
    for name, child in module.named_children():
        if isinstance(child, BatchNormMaxPool):
            norm = nn.BatchNorm2d(child.num_features, eps=child.eps)
            norm.load_state_dict(child.state_dict())
            setattr(module, name, nn.Sequential(norm, nn.MaxPool2d(2, ceil_mode=True)).eval())
        elif isinstance(child, MaxPool):
            setattr(module, name, nn.MaxPool2d(2, ceil_mode=True).eval())
        else:
            exportable(child)
    return module


def _order(clustering: Clustering, candidate: int) -> IntArray:
    """The clusterer's own number of each cluster, int64 (k,)."""
    return np.array(clustering.numbering(candidate), np.int64)
