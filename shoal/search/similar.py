"""The images of a pile most similar to given ones, by what was learned and not by pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.vector_blocks import Reduced
from shoal.corrections.honoured import Corrections
from shoal.corrections.predict import honour_embedding
from shoal.embedding.neighbours import but_itself
from shoal.embedding.out_of_distribution import without_direction
from shoal.embedding.reduce import reduce, transform
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.csv_files import printable, write_rows
from shoal.images.levels import stacked
from shoal.images.output_checks import check_free
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.models.checkpoint import Checkpoint
from shoal.plural import fill
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.search.inverted_file import exact
from shoal.search.queries import Query, resolve
from shoal.search.similarity import Index, check_metric

_CHECKED = 16
"""Images that are embedded again to check a given embedding."""
_TOLERANCE = 0.01
"""Their greatest distance, as a share of their length. Other machines round differently."""


_AT_ONCE, _REDUCED = 2**30, 64
"""Bytes of vectors in memory from which they are searched in blocks; numbers of each, at most."""


@dataclass(frozen=True)
class Similar:
    """The m most similar images of a pile for each of q queries, the most similar first."""

    queries: Sequence[Query]
    """The images whose like was sought."""
    ids: Sequence[str]
    """The names of the images of the pile."""
    indices: IntArray
    """int64 (q, m): rows of the pile."""
    similarity: FloatArray
    """float32 (q, m), see `similarity.similarity`; of distances 1 / (1 + distance)."""
    names: Sequence[str] | None = None
    """The name of the group of each image of the pile, where a person corrected groups."""
    lost: Sequence[Query] = ()
    """Those queries that nothing can be compared with, see `without_direction`."""
    distance: FloatArray | None = None
    """float32 (q, m): the Euclidean distances; None where directions were compared."""

    @property
    def measure(self) -> str:
        """What the numbers of `answers` are: ``distance``, or ``similarity``."""
        return "similarity" if self.distance is None else "distance"

    def in_words(self, value: float) -> str:
        """A number of `answers` as it is shown; distances may be of any size."""
        return f"{value:.2f}" if self.distance is None else f"{value:.3g}"

    @property
    def answers(self) -> list[tuple[Query, IntArray, FloatArray]]:
        """Each query with the rows of what is like it, and how like it each is, see `measure`.

        There are none of what is lost.
        """
        values = self.similarity if self.distance is None else self.distance
        found = zip(self.queries, self.indices, values, strict=True)
        return [
            (query, rows[:0], values[:0]) if query in self.lost else (query, rows, values)
            for query, rows, values in found
        ]

    @property
    def warnings(self) -> list[str]:
        """A sentence on the queries that are lost, if there are any."""
        if not self.lost:
            return []
        names = ", ".join(printable(query.name) for query in self.lost)
        return [
            fill("{n:vector|vectors} {names} {n:has|have} length 0 and so no direction, and "
                 "directions are compared (cosine): nothing can be told to be like {n:it|them}.",
                 names=names, n=len(self.lost))
        ]  # fmt: skip

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write columns query, rank, id, similarity or distance and, if known, name; atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        names = self.names
        write_rows(
            path,
            ["query", "rank", "id", self.measure, *(["name"] if names is not None else [])],
            (
                [
                    query.name,
                    rank,
                    self.ids[row],
                    f"{value:.6f}" if self.distance is None else f"{value:.6g}",
                    *([names[row]] if names is not None else []),
                ]
                for query, rows, values in self.answers
                for rank, (row, value) in enumerate(zip(rows, values, strict=True), start=1)
            ),
        )


def find_similar(
    source: ImageSource, checkpoint: Checkpoint, queries: Sequence[str | Path], *, n: int = 12,
    metric: str | None = None, z: FloatArray | None = None, corrections: Corrections | None = None,
    device: str = "cpu", track: Track = silent,
) -> Similar:  # fmt: skip
    """Find the ``n`` images of ``source`` most similar to each query, in the reduced embedding.

    An image of the pile is never among its own results, but its copies are. The metric matters
    little. Of the 12 nearest neighbours among labelled photographs, so many are of the same kind:

    =============  ======  =========
    checkpoint     cosine  Euclidean
    =============  ======  =========
    best.pth       86.0 %  85.6 %
    improved.pth   83.2 %  82.4 %
    baseline.pth   72.3 %  73.8 %
    =============  ======  =========

    Args:
        source: the pile.
        checkpoint: a finished checkpoint.
        queries: ids of images of the pile, or paths of image files. A name that is an id is not
            taken for a path.
        n: how many images for each query; a smaller pile has fewer.
        metric: ``cosine`` or ``euclidean``; by default that by which vectors from elsewhere were
            clustered, and of images ``cosine``.
        z: float32 (n, d), the reduced embedding of ``source`` by ``checkpoint``, if you have it, as
            ``predict(…).embedding``. Then only the queries are embedded.
        corrections: by a person. Images that the person put elsewhere than a query are not among
            its results.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: a query that is neither an id nor an image file, an unknown metric, ``n`` below
            1, or a ``z`` that is not the embedding of these images by this checkpoint.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    check_queries(queries, n, metric)
    metric = metric or checkpoint.metric
    resolved = resolve(queries, source)
    lost = _lost(resolved, source, checkpoint)
    if z is None and corrections is None and _is_large(source, checkpoint):
        return _among_many(source, checkpoint, resolved, lost, n, metric, track)
    if z is None:
        z = reduce(source, checkpoint, device=device, track=track)
    else:
        check_embedding(z, source, checkpoint, device=device)
    index = Index(z, metric=metric, track=track)
    rows = np.array([query.row_in_pile for query in resolved], dtype=np.int64)
    if checkpoint.n_dimensions:  # every query is a vector of the pile
        points = z[rows]
    else:
        images = ArraySource(stacked([query.read() for query in resolved]), as_levels=True)
        points = reduce(images, checkpoint, device=device)
    points = np.where((rows >= 0)[:, None], z[rows], points)  # the same bits as the pile's
    n_others = len(source) - int((rows >= 0).any())
    if corrections is None:
        similarities, indices = index.search_others(points, rows, min(n, n_others))
        apart_by = _distances(points, z, indices, metric)
        return Similar(resolved, source.ids, indices, similarities, lost=lost, distance=apart_by)
    honoured = honour_embedding(source, z, checkpoint, corrections)
    elsewhere = [
        honoured.apart_from(row) if row >= 0 else np.zeros(len(source), dtype=bool)
        for row in rows.tolist()
    ]
    n_left_out = max(int(apart.sum()) for apart in elsewhere)
    found = index.search_others(points, rows, min(n + n_left_out, n_others))
    m = max(min(n, n_others - n_left_out), 0)
    places = [
        np.flatnonzero(~apart[images])[:m]
        for apart, images in zip(elsewhere, found[1], strict=True)
    ]
    similarities = np.take_along_axis(found[0], np.stack(places), axis=1)
    indices = np.take_along_axis(found[1], np.stack(places), axis=1)
    apart_by, names = _distances(points, z, indices, metric), honoured.table.names
    return Similar(resolved, source.ids, indices, similarities, names, lost, apart_by)


def _distances(
    points: FloatArray, z: FloatArray, indices: IntArray, metric: str
) -> FloatArray | None:
    """How far each of ``points`` (q, d) is from rows ``indices`` (q, m) of ``z``, see `Similar`.

    A similarity of 1 / (1 + distance) would have lost the last digits of small ones.
    """
    if metric == "cosine":
        return None
    between = points[:, None].astype(np.float64) - z[indices]
    return np.linalg.norm(between, axis=2).astype(np.float32)


def _lost(queries: Sequence[Query], source: ImageSource, checkpoint: Checkpoint) -> Sequence[Query]:
    """The queries without a direction, where vectors are compared by these."""
    if not checkpoint.n_dimensions:
        return ()
    rows = np.array([query.row_in_pile for query in queries], dtype=np.int64)
    gone = without_direction(Subset(source, rows), checkpoint)
    return [query for query, is_gone in zip(queries, gone, strict=True) if is_gone]


def _is_large(source: ImageSource, checkpoint: Checkpoint) -> bool:
    """Whether so many vectors are searched where they lie, a block at a time."""
    numbers = len(source) * min(checkpoint.n_dimensions, _REDUCED)
    return 4 * numbers > _AT_ONCE


def _among_many(
    source: ImageSource, checkpoint: Checkpoint, queries: Sequence[Query], lost: Sequence[Query],
    n: int, metric: str, track: Track,
) -> Similar:  # fmt: skip
    """See `find_similar`; each query is compared with every vector, and none is kept."""
    rows = np.array([query.row_in_pile for query in queries], dtype=np.int64)
    centre = checkpoint.centre
    points = transform(source.vectors(rows, centre), checkpoint)  # type: ignore[attr-defined]
    reduced = Reduced(source, lambda x: transform(x, checkpoint), points.shape[1], centre)  # type: ignore[arg-type]
    m = min(n, len(source) - 1)
    distances, found = exact(reduced, points, m + 1, cosine=metric == "cosine", track=track)
    others = but_itself(found, rows)
    distances, found = distances[others].reshape(-1, m), found[others].reshape(-1, m)
    if metric == "cosine":
        similarities: Array = np.clip(1.0 - np.square(distances) / 2.0, -1.0, 1.0)
        return Similar(queries, source.ids, found, similarities.astype(np.float32), lost=lost)
    similarities = 1.0 / (1.0 + distances)
    return Similar(
        queries, source.ids, found, similarities.astype(np.float32), lost=lost,
        distance=distances.astype(np.float32),
    )  # fmt: skip


def check_embedding(
    z: FloatArray, source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu"
) -> None:
    """Raise unless ``z`` is the embedding of ``source``; a few images are embedded again.

    Args:
        z: float32 (n, d).
        source: the pile.
        checkpoint: a finished checkpoint.
        device: where the encoder runs.

    Raises:
        DataError: another shape, or values that rounding does not explain.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    rows = sample_rows(len(source), _CHECKED)
    own = reduce(Subset(source, rows), checkpoint, device=device)
    if z.shape == (len(source), own.shape[1]):
        distances = np.linalg.norm(z[rows] - own, axis=1)
        if distances.max() <= _TOLERANCE * np.linalg.norm(own, axis=1).mean():
            return
    raise DataError(
        f"this is not the embedding of these {len(source):,} images by this checkpoint; write a "
        "new table with 'shoal predict --table', or leave the table out."
    )


def check_queries(queries: Sequence[str | Path], n: int, metric: str | None) -> None:
    """Raise `DataError` unless there are queries, ``n`` is 1 or more and the metric is known."""
    if metric is not None:
        check_metric(metric)
    if n < 1:
        raise DataError(f"n must be at least 1, got {n}.")
    if not queries:
        raise DataError("no query; name the id of an image or the path of an image file.")
