"""From a clustering to a table: the label of each image, and how far to trust it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shoal.clustering.clustering import Clustering, clustering_of
from shoal.clustering.noise import is_noise
from shoal.embedding.table import NOWHERE_NAME, ImageTable, result_digest
from shoal.errors import CheckpointError
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource
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
    likely = clustering.most_likely(z)
    if likely is not None:  # of thousands of groups the other memberships would fill the memory
        labels, own = likely
        sure = own if calibrated is None else calibrated.confidence(own, labels)
        return ImageTable(ids=source.ids, embedding=z, labels=labels, confidence=sure)
    membership = clustering.predict_proba(z, candidate)
    labels = membership.argmax(axis=1).astype(np.int64)
    worth = membership if calibrated is None else calibrated.apply(membership)
    confidence = worth[np.arange(len(labels)), labels]
    return ImageTable(ids=source.ids, embedding=z, labels=labels, confidence=confidence)


def set_aside(table: ImageTable, checkpoint: Checkpoint, n_clusters: int) -> ImageTable:
    """The table with images that belong nowhere in a group of their own, the last one.

    They are those that the checkpoint calls noise. Nothing is known of how often that is right:
    their confidence is 0.5. The group's name is the one that corrections have for it.
    """
    nowhere = is_noise(table.embedding, checkpoint.noise)
    if not nowhere.any():
        return table
    labels = np.where(nowhere, n_clusters, table.labels)
    confidence = np.where(nowhere, np.float32(0.5), table.confidence)
    return with_nowhere(replace(table, labels=labels, confidence=confidence), n_clusters)


def with_nowhere(table: ImageTable, n_clusters: int) -> ImageTable:
    """The table with the name of the group ``n_clusters``, if an image is in it."""
    nowhere = table.labels == n_clusters
    if not nowhere.any():
        return table
    names = [NOWHERE_NAME if one else "" for one in nowhere.tolist()]
    return replace(table, names=names, named_for=result_digest(table.ids, table.labels))


def unsure_of(unlike_any: Array, confidence: FloatArray, n_clusters: int) -> FloatArray:
    """The confidence (n,), that of chance for images ``unlike_any`` bool (n,) that was learned.

    Those are images of familiarity 0, see `far_off`, and vectors without a direction. Whatever
    their memberships say, nothing like them was learned.
    """
    return np.where(unlike_any, by_chance(n_clusters), confidence)


def by_chance(n_clusters: int) -> np.float32:
    """The confidence of what nothing is known of: hardly above chance."""
    return np.float32(min(1.0, (1.0 + calibration.MARGIN) / n_clusters))


def probabilities(
    z: FloatArray, checkpoint: Checkpoint, familiarity: FloatArray | None = None
) -> FloatArray:
    """How likely each cluster is for each row of ``z`` float32 (n, d): float32 (n, k).

    Rows sum to 1; the largest number of a row is the confidence, at the cluster assigned. Where the
    ``familiarity`` (n,) is known to be 0, it is hardly larger than the others.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    calibrated = calibration_of(checkpoint)
    membership = clustering_of(checkpoint).predict_proba(z)
    found = membership if calibrated is None else calibrated.apply(membership)
    k = found.shape[1]
    if familiarity is None or k < 2:
        return found
    far = familiarity == 0
    labels = found[far].argmax(axis=1)
    sure = (1.0 + calibration.MARGIN) / k
    found[far] = (1.0 - sure) / (k - 1)
    found[np.flatnonzero(far), labels] = sure
    return found
