"""Sheets of images that show how far a training has come: reconstructions and clusters."""

from __future__ import annotations

import numpy as np
import torch

from shoal import pipeline
from shoal.images.pictures import composite_of, read_pictures, to_pictures
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.tensors import to_float, to_pixels
from shoal.models.checkpoint import Checkpoint
from shoal.plots.strips import contact_sheet
from shoal.protocols import Array, ImageSource

_SHOWN = 10
"""Images side by side."""
_CLUSTERED = 1000
"""Images, at most, that are clustered for a sheet: a second or two."""
_MOST_CLUSTERS = 20


@torch.inference_mode()
def reconstructions(source: ImageSource, checkpoint: Checkpoint) -> Array:
    """Some images, and below them what the autoencoder gives back: uint8 (h, w, 3)."""
    images = source.read(sample_rows(len(source), _SHOWN))
    rebuilt = checkpoint.build_encoder()(to_float(images, "cpu")).clamp(0.0, 1.0)
    both = np.concatenate([images, to_pixels(rebuilt, images.dtype)])
    return on_white(contact_sheet(to_pictures(both, composite_of(source)), len(images), 2))


def cluster_members(source: ImageSource, checkpoint: Checkpoint, seed: int = 0) -> Array:
    """Random members of clusters, a row for each cluster, the largest first: uint8 (h, w, 3).

    The clusters are those of at most 1,000 images by the encoder as it is now.
    """
    some = Subset(source, sample_rows(len(source), _CLUSTERED))
    table = pipeline.cluster(some, checkpoint, thorough=False)[1]
    draw, rows = np.random.default_rng(seed), []
    sizes = np.bincount(table.labels)
    for cluster in np.argsort(-sizes, kind="stable")[:_MOST_CLUSTERS]:
        members = np.flatnonzero(table.labels == cluster)
        rows.append(draw.permutation(members)[:_SHOWN])
    rows = [row for row in rows if len(row)]
    height, width, n_channels = read_pictures(some, np.arange(1)).shape[1:]
    pictures = np.full((len(rows) * _SHOWN, height, width, n_channels), 255, np.uint8)
    for line, row in enumerate(rows):
        pictures[line * _SHOWN : line * _SHOWN + len(row)] = read_pictures(some, row)
    return on_white(contact_sheet(pictures, _SHOWN, len(rows)))


def on_white(sheet: Array) -> Array:
    """A sheet with transparent gaps, uint8 (h, w, 4), on white: uint8 (h, w, 3)."""
    return np.where(sheet[..., 3:] == 0, np.uint8(255), sheet[..., :3])
