"""The map and the nearest images of a table, for programs that show them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.embedding.table import ImageTable
from shoal.plots.layout import lay_out
from shoal.protocols import FloatArray, IntArray, Track, silent
from shoal.search.similarity import EXACT_FOR_ALL, Index

N_NEIGHBOURS = 15


@dataclass(frozen=True)
class Neighbours:
    """The nearest other images of each of n images, nearest first."""

    rows: IntArray
    """int64 (n, k): their rows in the table."""
    distances: FloatArray
    """float32 (n, k): their cosine distances, in [0, 2]."""


def find_neighbours(table: ImageTable, *, track: Track = silent) -> Neighbours | None:
    """The 15 nearest images of each by cosine distance; None without an embedding.

    A table of fewer than 16 images has fewer neighbours.
    """
    n = len(table)
    if not table.has_embedding or n < 2:
        return None
    index = Index(table.embedding, exact_up_to=EXACT_FOR_ALL, track=track)
    k = min(N_NEIGHBOURS, n - 1)
    similarities, rows = index.search_all_others(table.embedding, k, track)
    return Neighbours(rows, 1.0 - similarities)


def with_map(table: ImageTable, *, track: Track = silent) -> ImageTable:
    """The table with a place on a map for each image, as far as its embedding is known."""
    if table.xy is not None or not table.has_embedding or len(table) < 2:
        return table
    return replace(table, xy=lay_out(table.embedding, track=track))
