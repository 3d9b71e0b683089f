"""Completing a checkpoint of vectors from elsewhere, of which there are no pixels and no views."""

from __future__ import annotations

import numpy as np

from shoal.embedding.embed import embed
from shoal.embedding.out_of_distribution import without_direction
from shoal.images.subset import Subset
from shoal.images.vectors.source import centre_of
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted, fill, of_vectors
from shoal.protocols import ImageSource, IntArray
from shoal.scoring.evidence import MEANINGLESS
from shoal.scoring.group_sizes import (
    empty_clusters,
    few_different,
    mostly_copies,
    single_images,
    tiny_clusters,
)


def identities(source: ImageSource, rows: IntArray) -> IntArray:
    """Which of the vectors ``rows`` int64 (m,) are the same: equal numbers, int64 (m,).

    As `appearance.identities` does for images.
    """
    vectors = source.vectors(rows, centre_of(source))  # type: ignore[attr-defined]
    _, first, place = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    found: IntArray = first[place.reshape(-1)].astype(np.int64)
    return found


def diagnose(
    source: ImageSource, checkpoint: Checkpoint, rows: IntArray, sizes: IntArray,
    identity: IntArray,
) -> list[str]:  # fmt: skip
    """All warnings about clusters of vectors; see `warnings.diagnose`.

    Args:
        source: the vectors.
        checkpoint: a finished one.
        rows: int64 (m,), the vectors to look at.
        sizes: int64 (k,), how many vectors each cluster holds.
        identity: int64 (m,), see `identities`.
    """
    z = embed(Subset(source, rows), checkpoint)
    if len(z) > 1 and (z == z[0]).all():
        return [
            f"all {counted(len(z), 'vector')} that were compared are the same, so the clusters "
            f"{MEANINGLESS}; check the file."
        ]
    if alone := single_images(sizes):
        return list(map(of_vectors, alone))
    if same := mostly_copies(identity, checkpoint.recipe.n_clusters):
        return list(map(of_vectors, [*same, *empty_clusters(sizes)]))
    return [
        *map(of_vectors, few_different(identity)),
        *warn_without_direction(Subset(source, rows), checkpoint),
        *map(of_vectors, tiny_clusters(sizes)),
    ]


def first_with_direction(source: ImageSource, checkpoint: Checkpoint, rows: IntArray) -> str | None:
    """The id of the first of the images ``rows`` int64 (m,) that others can be compared with."""
    lost = without_direction(Subset(source, rows), checkpoint)
    return None if lost.all() else str(source.ids[int(rows[np.argmin(lost)])])


def warn_without_direction(
    source: ImageSource, checkpoint: Checkpoint, rows: IntArray | None = None
) -> list[str]:
    """Warn of vectors of length 0 where directions are compared.

    Args:
        source: the vectors.
        checkpoint: by which they are compared.
        rows: int64 (m,), those that may be of length 0; by default any.
    """
    some = source if rows is None else Subset(source, rows)
    n_gone = int(without_direction(some, checkpoint).sum()) if len(some) else 0
    if not n_gone:
        return []
    return [
        fill(
            "{n:,} of {all:,} {all:vector|vectors} {n:has|have} length 0 and so no direction, and "
            "directions are compared (cosine): nothing tells where {n:it belongs|they belong}.",
            n=n_gone, all=len(source),
        )
    ]  # fmt: skip
