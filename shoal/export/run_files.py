"""The files that a run leaves besides its checkpoint, report and record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shoal.embedding.table import ImageTable
from shoal.export.large_tables import LargeTable
from shoal.protocols import ImageSource, Track, silent


def write_run_files(
    source: ImageSource, table: ImageTable, folder: Path, metadata: Mapping[bytes, bytes], *,
    whole: LargeTable | None = None, track: Track = silent,
) -> None:  # fmt: skip
    """Write prediction.csv, table.parquet, clusters.png and map.png.

    Args:
        source: the images.
        table: their clusters, with places on a map.
        folder: where to write.
        metadata: for table.parquet, such as the verdict.
        whole: what the files of numbers hold, where ``table`` is of a sample.
        track: shows progress.

    Raises:
        OutputError: a file cannot be written.
    """
    from shoal.plots import figures, maps

    numbers = table if whole is None else whole
    numbers.to_csv(folder / "prediction.csv", force=True)
    numbers.to_parquet(folder / "table.parquet", metadata, force=True)
    figures.write(figures.clusters(source, table, track=track), folder / "clusters.png")
    figures.write(maps.map_of(source, table), folder / "map.png")
