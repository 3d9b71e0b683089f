"""Which division of the pile a person corrects: one of the splits, or a number of clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.clustering.clustering import clustering_of, divide_anew
from shoal.corrections.history import History
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, IntArray


@dataclass(frozen=True)
class Division:
    """A way to divide a pile.

    >>> str(Division()), str(Division(split=4)), str(Division(7))
    ('split 1', 'split 4', '7 clusters')
    """

    n_clusters: int | None = None
    """None: as many as the recipe says."""
    split: int = 1
    """Which of the ways to divide the pile, counted from 1."""

    def __str__(self) -> str:
        return f"split {self.split}" if self.n_clusters is None else f"{self.n_clusters} clusters"

    def of(self, checkpoint: Checkpoint) -> Division:
        """The same division, its number of clusters None if it is the recipe's."""
        own = self.n_clusters == checkpoint.recipe.n_clusters
        return Division(None, self.split) if own else self

    def labels(self, z: FloatArray, checkpoint: Checkpoint) -> IntArray:
        """The clusters of points ``z`` float32 (n, d) of the checkpoint's reduced embedding."""
        return self.memberships(z, checkpoint).argmax(axis=1).astype(np.int64)

    def memberships(self, z: FloatArray, checkpoint: Checkpoint) -> FloatArray:
        """Their memberships in the clusters, float32 (n, k); rows sum to 1."""
        clustering = clustering_of(checkpoint)
        if self.n_clusters not in (None, checkpoint.recipe.n_clusters):
            clustering = divide_anew(clustering, checkpoint.recipe, int(self.n_clusters or 0))
        return clustering.predict_proba(z, self.split - 1)


def division_of(history: History) -> Division:
    """The division that a person chose last; the result's own if none was chosen."""
    for entry in reversed([history.began, *history.done]):
        chosen = entry.about.get("division")
        if isinstance(chosen, dict):
            which = int(chosen.get("which", 1))
            return Division(which) if chosen.get("kind") == "n_clusters" else Division(split=which)
    return Division()


def n_corrections(history: History) -> int:
    """How many things a person said, without those that were undone."""
    ops = [entry.op for entry in history.entries]
    said = sum(op not in ("start", "carry", "undo", "redo") for op in ops)
    return said - ops.count("undo") + ops.count("redo")
