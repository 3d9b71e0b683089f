"""`pipeline.predict`, and then what a person said."""

from __future__ import annotations

import numpy as np

from shoal import pipeline
from shoal.corrections.division import Division
from shoal.corrections.honoured import Corrections, Honoured, honour
from shoal.embedding.table import ImageTable
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource, Track, silent


def predict_corrected(
    source: ImageSource, checkpoint: Checkpoint, corrections: Corrections, *,
    n_clusters: int | None = None, split: int | None = None, familiarity: bool = False,
    device: str = "cpu", track: Track = silent,
) -> Honoured:  # fmt: skip
    """Assign each image to a group, as a person corrected them.

    Args:
        source: the corrected images or new ones.
        checkpoint: a finished one.
        corrections: see `load_corrections`.
        n_clusters: another number of clusters than the person corrected; what was said is carried
            over to these.
        split: another way to divide the pile, likewise.
        familiarity: see `pipeline.predict`.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: see `pipeline.predict` and `honour`.
    """
    asked = n_clusters is not None or split is not None
    division = (
        Division(n_clusters, 1 if split is None else split) if asked else corrections.division
    )
    table = pipeline.predict(
        source, checkpoint, n_clusters=division.n_clusters, split=division.split,
        familiarity=familiarity, device=device, track=track,
    )  # fmt: skip
    return honour(table, corrections, checkpoint, division=division, images=source.digest())


def honour_embedding(
    source: ImageSource, z: FloatArray, checkpoint: Checkpoint, corrections: Corrections
) -> Honoured:
    """The same of images that are embedded already.

    Args:
        source: n images.
        z: float32 (n, d), their reduced embedding by ``checkpoint``.
        checkpoint: a finished one.
        corrections: see `load_corrections`.

    Raises:
        DataError: see `honour`.
    """
    labels = corrections.division.labels(z, checkpoint)
    table = ImageTable(source.ids, labels, z, np.ones(len(labels), dtype=np.float32))
    return honour(table, corrections, checkpoint, images=source.digest())
