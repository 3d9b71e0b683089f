"""A pile in shards: what is missing is done by workers, and the parts are put together in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.distributed.engine import Engine
from shoal.distributed.opening import Order, Shard, shard_digest
from shoal.distributed.parts import Parts
from shoal.distributed.pieces import pieces_of, pieces_with
from shoal.distributed.tasks import predict_shard
from shoal.embedding.table import ROW_GROUP, ImageTable
from shoal.export.large_tables import LargeTable
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.scoring.assignment import with_nowhere
from shoal.search.copies import Seen
from shoal.search.pixel_distance import PixelDistance


def do_missing(
    source: ImageSource, order: Order, parts: Parts, engine: Engine, *,
    work: Callable[[Order, Parts, Shard], float | None] = predict_shard,
    what: str = "embedding in shards", track: Track = silent,
) -> float | None:  # fmt: skip
    """Let workers write the parts that are missing.

    Args:
        source: the pile, as the command sees it.
        order: how the workers open it.
        parts: of the output.
        engine: who does it.
        work: what is done with a shard.
        what: the same in words, for progress.
        track: shows progress.

    Returns:
        The most memory that a worker used, in GB; None if nothing was missing.

    Raises:
        DistributedError: a worker sees other files, or died again and again.
    """
    missing = parts.missing()
    order = replace(order, device=engine.device)
    pieces = [] if order.vectors else pieces_of(order.data, source)

    def tasks() -> Iterator[tuple[Order, Parts, Shard]]:
        for number in missing:
            start, stop = parts.rows(number)
            digest = shard_digest(source, start, stop)
            yield order, parts, Shard(number, start, stop, digest, pieces_with(pieces, start, stop))

    peaks = [
        peak for _, peak in track(engine.do(work, tasks()), what, len(missing)) if peak is not None
    ]
    return max(peaks, default=None)


@dataclass(frozen=True)
class ShardedTable(LargeTable):
    """The table of a pile whose embedding lies in parts: 16 bytes an image are in memory."""

    table: ImageTable
    """Without the embedding."""
    parts: Parts

    @property
    def names(self) -> Sequence[str] | None:
        """See `ImageTable`."""
        return self.table.names

    def sample(self, rows: IntArray) -> ImageTable:
        """The table of images ``rows`` int64 (m,), ascending, with their embedding."""
        z = []
        for start, stop, part in self.parts.read(["embedding"]):
            first, last = np.searchsorted(rows, [start, stop])
            z.append(_numbers(part, "embedding")[rows[first:last] - start])
        return replace(_taken(self.table, rows), embedding=np.concatenate(z))

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """See `ImageTable.to_csv`."""
        self.table.to_csv(path, force=force)

    def whole(self) -> ImageTable:
        """The table with its embedding, float32 (n, d), in memory."""
        z: FloatArray | None = None
        for start, stop, part in self.parts.read(["embedding"]):
            rows = _numbers(part, "embedding")
            if z is None:
                z = np.empty((len(self.table), rows.shape[1]), np.float32)
            z[start:stop] = rows
        assert z is not None
        return replace(self.table, embedding=z)

    def to_parquet(
        self,
        path: str | Path,
        metadata: Mapping[bytes, bytes] | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Write what `ImageTable.to_parquet` writes, byte for byte, a group of rows at a time.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        import pyarrow.parquet as pq

        check_free(Path(path), force=force)
        with atomic_path(Path(path)) as temporary:
            writer: Any = None
            try:
                for start, z in _groups(self.parts):
                    rows = _taken(self.table, np.arange(start, start + len(z)))
                    group = replace(rows, embedding=z).to_arrow(metadata)
                    writer = writer or pq.ParquetWriter(temporary, group.schema)
                    writer.write_table(group, row_group_size=ROW_GROUP)
            finally:
                if writer is not None:
                    writer.close()


def gathered(source: ImageSource, parts: Parts, n_clusters: int) -> ShardedTable:
    """The table of the whole pile from all its parts, without the embedding.

    Args:
        source: the pile.
        parts: all of them.
        n_clusters: how many clusters there are, without the group of what belongs nowhere.
    """
    labels = np.empty(len(source), np.int64)
    confidence = np.empty(len(source), np.float32)
    familiarity: FloatArray | None = None
    for start, stop, part in parts.read(["label", "confidence", *_familiar(parts)]):
        labels[start:stop] = part["label"].to_numpy()
        confidence[start:stop] = part["confidence"].to_numpy()
        if "familiarity" in part.column_names:
            if familiarity is None:
                familiarity = np.empty(len(source), np.float32)
            familiarity[start:stop] = part["familiarity"].to_numpy()
    nothing = np.zeros((len(source), 0), np.float32)
    table = ImageTable(source.ids, labels, nothing, confidence, familiarity=familiarity)
    table = with_nowhere(table, n_clusters)
    return ShardedTable(source.ids, labels, confidence, table, parts)


def seen_of(source: ImageSource, parts: Parts) -> Seen:
    """What `compare_shard` saw of all images."""
    side = PixelDistance(source.shape).sketches(source.read(np.arange(1))).shape[1:]
    digests: list[bytes] = []
    outlines, sketches, z = [], [], []
    for _, _, part in parts.read():
        digests += part["digest"].to_pylist()
        outlines.append(_numbers(part, "outline"))
        sketches.append(_numbers(part, "sketch").reshape(-1, *side))
        if "embedding" in part.column_names:
            z.append(_numbers(part, "embedding"))
    return Seen(
        digests, np.concatenate(outlines), np.concatenate(sketches),
        np.concatenate(z) if z else None,
    )  # fmt: skip


def _familiar(parts: Parts) -> list[str]:
    import pyarrow.parquet as pq

    return [name for name in pq.read_schema(parts.path(0)).names if name == "familiarity"]


def _numbers(part: Any, column: str) -> Array:
    """The lists of a column as rows (n, d)."""
    numbers: Array = part[column].combine_chunks().flatten().to_numpy()
    return numbers.reshape(part.num_rows, -1)


def _groups(parts: Parts) -> Iterator[tuple[int, FloatArray]]:
    """The embedding, the rows of a group of a Parquet file at a time, and the first row of each."""
    held: list[FloatArray] = []
    first = n = 0
    for _, _, part in parts.read(["embedding"]):
        rows = _numbers(part, "embedding")
        while n + len(rows) >= ROW_GROUP:
            cut = ROW_GROUP - n
            yield first, np.concatenate([*held, rows[:cut]])
            held, rows, first, n = [], rows[cut:], first + ROW_GROUP, 0
        held.append(rows)
        n += len(rows)
    if n:
        yield first, np.concatenate(held)


def _taken(table: ImageTable, rows: IntArray) -> ImageTable:
    """Some rows of a table, int64 (m,)."""
    familiarity = None if table.familiarity is None else table.familiarity[rows]
    names = None if table.names is None else [table.names[row] for row in rows]
    return replace(
        table, ids=[table.ids[row] for row in rows], labels=table.labels[rows],
        embedding=table.embedding[rows], confidence=table.confidence[rows],
        familiarity=familiarity, names=names,
    )  # fmt: skip
