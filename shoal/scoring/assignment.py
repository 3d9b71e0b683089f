"""From a clustering to a table: the label of each image, and how far to trust it."""

from __future__ import annotations

import numpy as np

from shoal.clustering.clustering import Clustering, clustering_of
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource
from shoal.scoring import calibration
from shoal.scoring.calibration import Calibration


def calibration_of(checkpoint: Checkpoint, candidate: int = 0) -> Calibration | None:
    """What memberships are worth under a candidate, counted from 0.

    None in a checkpoint of an older shoal: its memberships are all that is known.
    """
    try:
        return calibration.from_arrays(checkpoint.calibration, candidate)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint's calibration is damaged ({error}); train again or restore the file "
            "from a copy."
        ) from error


def assign(
    source: ImageSource, z: FloatArray, clustering: Clustering, calibrated: Calibration | None,
    candidate: int = 0,
) -> ImageTable:  # fmt: skip
    """Label each row of ``z`` float32 (n, d); clusters are numbered by size in training.

    The confidence is calibrated, or where there is no calibration the membership as it is.
    """
    membership = clustering.predict_proba(z, candidate)
    labels = membership.argmax(axis=1).astype(np.int64)
    worth = membership if calibrated is None else calibrated.apply(membership)
    confidence = worth[np.arange(len(labels)), labels]
    return ImageTable(ids=source.ids, embedding=z, labels=labels, confidence=confidence)


def probabilities(z: FloatArray, checkpoint: Checkpoint) -> FloatArray:
    """How likely each cluster is for each row of ``z`` float32 (n, d): float32 (n, k).

    Rows sum to 1; the largest number of a row is the confidence, at the cluster assigned.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    calibrated = calibration_of(checkpoint)
    membership = clustering_of(checkpoint).predict_proba(z)
    return membership if calibrated is None else calibrated.apply(membership)
