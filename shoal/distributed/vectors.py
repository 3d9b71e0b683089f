"""Vectors that do not fit into memory, read by the workers of a Ray, a part at a time."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce as fold
from operator import add
from typing import Any

from shoal.clustering import streamed
from shoal.clustering.centres import Centres
from shoal.clustering.vector_blocks import Reduced
from shoal.distributed.engine import Engine
from shoal.embedding.reduce import transform
from shoal.errors import DataError
from shoal.images.vectors.parts import Part, parts_of
from shoal.images.vectors.source import VectorSource
from shoal.large import Readers, Spread
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Track


def spread(engine: Engine, track: Track, *, column: str | None = None) -> Spread:
    """What `large.cluster` reads vectors by: the workers of ``engine``.

    Args:
        engine: see `connect`.
        track: shows progress.
        column: the column of a Parquet file that holds the vectors, where it was named.
    """

    def readers(source: VectorSource, checkpoint: Checkpoint) -> Readers:
        if source.path is None:
            raise DataError("workers can only read vectors that are in a file.")
        parts = parts_of(source.path, source.rows_left_out, column)
        return _Workers(engine, checkpoint, parts, track)

    return readers


@dataclass(frozen=True)
class _Workers:
    engine: Engine
    checkpoint: Checkpoint
    parts: list[Part]
    track: Track

    def sums(self, centres: Centres) -> streamed.Sums:
        """See `streamed.sums`; added up in the order of the parts, whoever is done first."""
        return fold(add, self._each(_sums, centres, "reading all vectors"))

    def assign(self, centres: Centres) -> streamed.Assignment:
        """See `streamed.assign`."""
        return streamed.joined(self._each(_assign, centres, "assigning"))

    def _each(self, function: Callable[..., Any], centres: Centres, said: str) -> list[Any]:
        order = pickle.dumps((centres.points, centres.coarse, self.checkpoint))
        tasks = ((order, place, part, part.name) for place, part in enumerate(self.parts))
        found: dict[int, Any] = {}
        done = self.engine.do(function, tasks)
        for task, result in self.track(done, said, len(self.parts)):
            found[task[1]] = result
        return [found[place] for place in range(len(self.parts))]


def _opened(order: bytes, part: Part) -> tuple[Reduced, Centres]:
    points, coarse, checkpoint = pickle.loads(order)
    vectors = part.open()
    return (
        Reduced(vectors, lambda x: transform(x, checkpoint), points.shape[1], checkpoint.centre),
        Centres(points, coarse),
    )


def _sums(order: bytes, place: int, part: Part, said: str) -> streamed.Sums:
    return streamed.sums(*_opened(order, part))


def _assign(order: bytes, place: int, part: Part, said: str) -> streamed.Assignment:
    return streamed.assign(*_opened(order, part))
