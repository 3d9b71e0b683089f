"""The table of very many images, written a block at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.images.csv_files import as_text, write_rows
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free
from shoal.protocols import Array, FloatArray

_ROWS = 131_072


@dataclass(frozen=True)
class LargeTable:
    """Labels and confidences of n images; their embedding stays where it is.

    The files are those of `ImageTable`, but for the columns that it leaves out.
    """

    ids: Sequence[str]
    labels: Array
    """int32 (n,)."""
    confidence: FloatArray
    """float32 (n,)."""

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write ``id,label`` rows; see `ImageTable.to_csv`.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        rows = ((self.ids[row], self.labels[row]) for row in range(len(self.labels)))
        write_rows(path, ["id", "label"], rows)

    def to_parquet(
        self, path: str | Path, metadata: Mapping[bytes, bytes] | None = None, *,
        force: bool = False,
    ) -> None:  # fmt: skip
        """Write columns id, label and confidence; see `ImageTable.to_parquet`.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [("id", pa.string()), ("label", pa.int64()), ("confidence", pa.float32())]
        schema = pa.schema(fields, metadata=dict(metadata or {}))
        with (
            atomic_path(Path(path)) as temporary,
            pq.ParquetWriter(temporary, schema) as writer,
        ):
            for start in range(0, len(self.labels), _ROWS):
                some = slice(start, min(start + _ROWS, len(self.labels)))
                ids = [as_text(self.ids[row]) for row in range(some.start, some.stop)]
                labels = self.labels[some].astype(np.int64)
                writer.write_table(pa.table([ids, labels, self.confidence[some]], schema=schema))
