"""Do two images show the same kind of thing? A similarity against a threshold, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.fitted import fitted_clusterer
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.csv_files import look_up, read_rows, write_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.search.similarity import check_metric, similarity
from shoal.search.thresholds import (
    Threshold,
    check_space,
    check_threshold,
    compared,
    learn_threshold,
    random_pairs,
)

_COMPARED_WITH = 100_000
"""Random pairs of the images at hand among which a pair's percentile is taken."""


@dataclass(frozen=True)
class Pairs:
    """m pairs of images, and what is decided of each."""

    ids: tuple[Sequence[str], Sequence[str]]
    """Names of the m first and the m second images."""
    similarity: FloatArray
    """float32 (m,), larger is more alike; see `similarity.similarity`."""
    percentile: FloatArray
    """float32 (m,) in [0, 100]: how many of 100 random pairs are less alike; of ties, half."""
    same: IntArray
    """int64 (m,): 1 if they show the same kind, 0 if not."""
    agreement: float
    """Share of the pairs that both or neither lie in one cluster as this says, in [0, 1]."""
    threshold: Threshold

    def to_csv(self, path: str | Path) -> None:
        """Write columns a, b, similarity, percentile and same; atomically.

        Raises:
            OutputError: the file cannot be written.
        """
        columns = zip(*self.ids, self.similarity, self.percentile, self.same, strict=True)
        write_rows(
            path,
            ["a", "b", "similarity", "percentile", "same"],
            ([a, b, f"{alike:.6f}", f"{rank:.3f}", same] for a, b, alike, rank, same in columns),
        )


def decide_pairs(
    source: ImageSource, checkpoint: Checkpoint, pairs: Array, *, metric: str = "cosine",
    threshold: float | None = None, space: str = "clusters", seed: int = 0, device: str = "cpu",
    track: Track = silent,
) -> Pairs:  # fmt: skip
    """Say of pairs of images whether they show the same kind, by a similarity above a threshold.

    What is compared is each image's memberships of the clusters, as square roots: their cosine is
    the Bhattacharyya coefficient of the two (1943), their distance is √2 times Hellinger's. Or, by
    ``space="embedding"``, the reduced embedding itself, which tells how alike two images are, not
    whether they are of a kind: training pulls even images of one kind apart. See `learn_threshold`
    for both, measured.

    Args:
        source: the images, those trained on or new ones.
        checkpoint: a finished one.
        pairs: int (m, 2), rows of ``source``.
        metric: ``cosine`` or ``euclidean``.
        threshold: None: learned, without labels.
        space: ``clusters`` or ``embedding``.
        seed: of the random pairs.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: an unknown metric or space, a threshold that no similarity has, or one image.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    check_metric(metric)
    check_space(space)
    check_threshold(threshold, metric)
    if len(source) < 2:
        raise DataError("at least 2 images are expected to compare, and 1 came; give more.")
    clusterer = fitted_clusterer(checkpoint)
    found = learn_threshold(clusterer, metric, space=space, seed=seed, value=threshold)
    z = reduce(source, checkpoint, device=device, track=track)
    x, labels = compared(clusterer, z, space)
    alike = similarity(x[pairs[:, 0]], x[pairs[:, 1]], metric)
    by_chance = random_pairs(len(source), _COMPARED_WITH, np.random.default_rng(seed))
    usual = np.sort(similarity(x[by_chance[:, 0]], x[by_chance[:, 1]], metric))
    below = np.searchsorted(usual, alike, "left") + np.searchsorted(usual, alike, "right")
    same = (alike >= found.value).astype(np.int64)
    agree = same == (labels[pairs[:, 0]] == labels[pairs[:, 1]])
    first, second = ([source.ids[row] for row in column] for column in pairs.T.tolist())
    return Pairs(
        ids=(first, second),
        similarity=alike,
        percentile=(50.0 * below / len(usual)).astype(np.float32),
        same=same,
        agreement=float(agree.mean()) if len(agree) else 1.0,
        threshold=found,
    )


def read_pairs(path: str | Path, ids: Sequence[str]) -> IntArray:
    """Pairs of images from a CSV file, as rows of ``ids``: int64 (m, 2).

    They are its columns ``a`` and ``b``, or else its first two; a first line that names no images
    is a header.

    Raises:
        DataError: not such a file, or an image that is not there.
    """
    path = Path(path)
    rows = read_rows(path, "a CSV file with two columns of ids")
    header = rows[0]
    a, b = (header.index("a"), header.index("b")) if {"a", "b"} <= set(header) else (0, 1)
    short = next((row for row in rows if len(row) <= max(a, b)), None)
    if short is not None:
        raise DataError(
            f"{path}: two ids in every row are expected, and {','.join(short)[:40]!r} came; "
            "write a line a pair, as in 12,57."
        )
    pairs = [(row[a], row[b]) for row in rows]
    if {"a", "b"} <= set(header) or not {header[0], header[1]} & set(ids):
        pairs = pairs[1:]
    if not pairs:
        raise DataError(
            f"{path}: pairs of ids such as {ids[0]!r} are expected, and there are none; "
            "write a line a pair."
        )
    named = look_up([name for pair in pairs for name in pair], ids, path)
    return np.array(named, dtype=np.int64).reshape(-1, 2)
