"""Pairs of images: do both show the same kind of thing? Decided without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.corrections.honoured import Corrections
from shoal.corrections.predict import honour_embedding
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.csv_files import look_up, read_rows, write_rows
from shoal.images.output_checks import check_free
from shoal.images.vectors.source import noun_held
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.search.similarity import check_metric, similarity
from shoal.search.thresholds import (
    Threshold,
    check_space,
    check_threshold,
    in_space,
    learn_threshold,
    random_pairs,
)

_COMPARED_WITH = 100_000
"""Random pairs of the images, from which percentiles are computed."""


@dataclass(frozen=True)
class Pairs:
    """m pairs of images, with the decision on each pair."""

    ids: tuple[Sequence[str], Sequence[str]]
    """The names of the first images, and of the second images."""
    similarity: FloatArray
    """float32 (m,), larger is more alike; see `similarity.similarity`."""
    percentile: FloatArray
    """float32 (m,), the percentage of random pairs that are less alike; ties count half."""
    same: IntArray
    """int64 (m,): 1 if both images show the same kind, 0 if not."""
    agreement: float
    """The share of pairs that are the same exactly if both images are in one cluster, in [0, 1]; of
    the pairs that similarity decided. NaN if there are none."""
    threshold: Threshold
    n_by_hand: int = 0
    """How many pairs a person decided: both images, or that the two are apart."""
    n_by_groups: int = 0
    """How many others the corrected groups decided, which are a guess there."""

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write columns a, b, similarity, percentile and same; atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        columns = zip(*self.ids, self.similarity, self.percentile, self.same, strict=True)
        write_rows(
            path,
            ["a", "b", "similarity", "percentile", "same"],
            ([a, b, f"{alike:.6f}", f"{rank:.3f}", same] for a, b, alike, rank, same in columns),
        )


def decide_pairs(
    source: ImageSource, checkpoint: Checkpoint, pairs: Array, *, metric: str = "cosine",
    threshold: float | None = None, space: str = "clusters", corrections: Corrections | None = None,
    seed: int = 0, device: str = "cpu", track: Track = silent,
) -> Pairs:  # fmt: skip
    """Decide which pairs of images show the same kind of thing.

    The two images are the same if their similarity reaches a threshold. The vectors compared are
    the square roots of the cluster memberships: their cosine is the Bhattacharyya coefficient
    (1943), their distance √2 times Hellinger's. With ``space="embedding"`` the reduced embedding is
    compared. It tells how alike two images are, not whether they are of one kind, as training pulls
    even images of one kind apart. `learn_threshold` has measurements of both.

    Args:
        source: the images of the training, or new images.
        checkpoint: a finished checkpoint.
        pairs: int (m, 2), rows of ``source``.
        metric: ``cosine`` or ``euclidean``.
        threshold: by default learned, without labels.
        space: ``clusters`` or ``embedding``.
        corrections: by a person. Where they decided one of the two images, or their groups have the
            two otherwise than the clusters, the two are the same if they are in one group, whatever
            their similarity. That a group has a name says nothing of pairs.
        seed: of the random pairs.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: an unknown metric or space, a threshold out of range, or fewer than 2 images.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    check_metric(metric)
    check_space(space)
    check_threshold(threshold, metric)
    if len(source) < 2:
        raise DataError(f"comparing needs at least 2 {noun_held(source)}s, got 1.")
    clustering = clustering_of(checkpoint)
    learned = learn_threshold(clustering, metric, space=space, seed=seed, value=threshold)
    z = reduce(source, checkpoint, device=device, track=track)
    x, labels = in_space(clustering, z, space)
    alike = similarity(x[pairs[:, 0]], x[pairs[:, 1]], metric)
    others = random_pairs(len(source), _COMPARED_WITH, np.random.default_rng(seed))
    usual = np.sort(similarity(x[others[:, 0]], x[others[:, 1]], metric))
    below = np.searchsorted(usual, alike, "left") + np.searchsorted(usual, alike, "right")
    same = (alike >= learned.value).astype(np.int64)
    told = guessed = np.zeros(len(pairs), dtype=bool)
    if corrections is not None:
        honoured = honour_embedding(source, z, checkpoint, corrections)
        told, guessed, together = honoured.says(pairs[:, 0], pairs[:, 1])
        same = np.where(told | guessed, together, same).astype(np.int64)
        labels = honoured.group
    agree = same == (labels[pairs[:, 0]] == labels[pairs[:, 1]])
    agree = agree[~(told | guessed)]  # the groups would be compared with themselves
    first, second = ([source.ids[row] for row in column] for column in pairs.T.tolist())
    return Pairs(
        ids=(first, second),
        similarity=alike,
        percentile=(50.0 * below / len(usual)).astype(np.float32),
        same=same,
        agreement=float(agree.mean()) if len(agree) else float("nan"),
        threshold=learned,
        n_by_hand=int(told.sum()),
        n_by_groups=int(guessed.sum()),
    )


def read_pairs(path: str | Path, ids: Sequence[str]) -> IntArray:
    """Read pairs of images from a CSV file.

    The columns ``a`` and ``b`` hold the ids, or the first two columns do. A first line that names
    no image is taken for a header.

    Args:
        path: the file.
        ids: the names of the images.

    Returns:
        int64 (m, 2), rows of ``ids``.

    Raises:
        DataError: another kind of file, or an id that no image has.
    """
    path = Path(path)
    rows = read_rows(path, "a CSV file with two columns of ids")
    header = rows[0]
    a, b = (header.index("a"), header.index("b")) if {"a", "b"} <= set(header) else (0, 1)
    short = next((row for row in rows if len(row) <= max(a, b)), None)
    if short is not None:
        raise DataError(
            f"{path}: every row must have two ids, such as 12,57; got {','.join(short)[:40]!r}."
        )
    pairs = [(row[a], row[b]) for row in rows]
    if {"a", "b"} <= set(header) or not {header[0], header[1]} & set(ids):
        pairs = pairs[1:]
    if not pairs:
        raise DataError(f"{path}: no pairs; write two ids such as {ids[0]!r} into each row.")
    listed = look_up([name for pair in pairs for name in pair], ids, path)
    return np.array(listed, dtype=np.int64).reshape(-1, 2)
