"""The table of a pile: what is known of each image, the same before and after a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.csv_files import as_text, look_up, write_rows
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free
from shoal.protocols import FloatArray, ImageSource, IntArray

NAMED_FOR = "result"
"""The column of a CSV file that holds the digest of the result that was named."""
NAMED_FOR_METADATA = b"shoal_named_for"
"""The same in the schema of a Parquet table."""

ROW_GROUP = 131_072
"""Rows of a group of a Parquet table: whoever reads or writes one needs memory for so many."""

_SORTED = 5_000_000
"""Images of a result, at most, whose ids are sorted for its digest."""
NOWHERE_NAME = "belongs nowhere"
"""The name of the group of images that belong nowhere."""


_TOLD_APART = 5e-4
"""Confidences are told with three decimals at most."""


def equally_sure(confidence: FloatArray) -> bool:
    """Whether confidences (n,) cannot be told apart, so that no image is the least certain.

    >>> equally_sure(np.float32([0.97, 0.97])), equally_sure(np.float32([0.97, 0.5]))
    (True, False)
    """
    return len(confidence) > 1 and not np.ptp(confidence) >= _TOLD_APART


@dataclass(frozen=True)
class ImageTable:
    """What is known of each of n images; all that a report or an export needs besides the pixels.

    `shoal.predict` returns one, and `shoal.load_prediction` reads one from a file. A
    ``prediction.csv`` holds labels and perhaps names alone.

    >>> table = ImageTable.of_labels(["a.png", "b.png"], np.array([1, 0]))
    >>> table.titles(), table.has_confidence
    (['cluster-1', 'cluster-0'], False)
    """

    ids: Sequence[str]
    """The names of the n images."""
    labels: IntArray
    """int64 (n,): clusters, numbered from 0, the largest of the training images first."""
    embedding: FloatArray
    """float32 (n, d), reduced as the recipe says: clusters were found in it. d is 0 where a file
    holds no embedding."""
    confidence: FloatArray
    """float32 (n,) in [0, 1]: how often such images are expected to be right, see `scoring`. NaN
    where a file holds no confidence."""
    xy: FloatArray | None = None
    """float32 (n, 2): a place on a map, if a map was drawn."""
    familiarity: FloatArray | None = None
    """float32 (n,) in (0, 1], of new images alone: how much like the images of training, see
    `out_of_distribution`."""
    names: Sequence[str] | None = None
    """The name of each image's cluster, if a person gave names; two clusters may share a name."""
    named_for: str = ""
    """The digest of the clustering that was named, see `result_digest`; empty if unknown."""
    decided: npt.NDArray[np.bool_] | None = None
    """bool (n,): whether a person decided each image's cluster, where corrections are in."""
    verdict: bytes | None = None
    """Whether the clusters can be trusted: JSON of `scoring.verdict`, if it is known."""
    path: Path | None = None
    """The file that the table was read from."""

    @classmethod
    def of_labels(
        cls, ids: Sequence[str], labels: IntArray, *, names: Sequence[str] | None = None,
        named_for: str = "", path: Path | None = None,
    ) -> ImageTable:  # fmt: skip
        """A table that knows labels and perhaps names alone, as a ``prediction.csv`` does."""
        n = len(labels)
        unknown = np.full(n, np.nan, dtype=np.float32)
        nothing = np.zeros((n, 0), dtype=np.float32)
        return cls(ids, labels, nothing, unknown, names=names, named_for=named_for, path=path)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_confidence(self) -> bool:
        """Whether the confidence of every image is known."""
        return not np.isnan(self.confidence).any()

    @property
    def has_embedding(self) -> bool:
        """Whether the embedding is known."""
        return self.embedding.shape[1] > 0

    def with_familiarity(self, familiarity: FloatArray | None) -> ImageTable:
        """The same table with the familiarity of its images, float32 (n,), if it is known."""
        return replace(self, familiarity=familiarity)

    @property
    def nowhere(self) -> npt.NDArray[np.bool_]:
        """bool (n,): whether each image was set aside because it belongs nowhere."""
        if self.names is None:
            return np.zeros(len(self), dtype=bool)
        return np.array([name == NOWHERE_NAME for name in self.names], dtype=bool)

    def titles(self) -> list[str]:
        """The name of each image's cluster, or ``cluster-`` and its number."""
        digits = len(str(max(int(self.labels.max(initial=0)), 0)))
        numbered = [f"cluster-{label:0{digits}d}" for label in self.labels.tolist()]
        if self.names is None:
            return numbered
        return [name or number for name, number in zip(self.names, numbered, strict=True)]

    def called(self) -> dict[int, str]:
        """What each cluster is called: its name, or its number."""
        names = self.names or [""] * len(self)
        named = dict(zip(self.labels.tolist(), names, strict=True))
        return {label: name or str(label) for label, name in sorted(named.items())}

    def rows_in(self, source: ImageSource) -> IntArray:
        """The row in ``source`` of each of the n images, int64 (n,).

        Raises:
            DataError: the pile lacks one of the images.
        """
        origin = self.path or Path("the table")
        return np.array(look_up(self.ids, source.ids, origin), dtype=np.int64)

    def embedding_of(self, source: ImageSource) -> FloatArray:
        """The embedding of all images of ``source``, in their order, float32 (N, d).

        Raises:
            DataError: the table has no embedding, or lacks images of the pile, or has others.
        """
        rows = self.rows_in(source)
        if not self.has_embedding or len(rows) < len(source):
            count = len(rows) if self.has_embedding else 0
            raise DataError(
                f"{self.path or 'the table'} has the embedding of {count:,} of {len(source):,} "
                "images; use a table that 'shoal predict --table' wrote for the whole pile."
            )
        embedding = np.empty_like(self.embedding)
        embedding[rows] = self.embedding
        return embedding

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write ``id,label`` rows, as the assignment asks; with names, these too. Atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        columns: dict[str, Sequence[Any]] = {"id": self.ids, "label": self.labels.tolist()}
        if self.names is not None:
            columns["name"] = self.names
            columns[NAMED_FOR] = [self.named_for] * len(self)
        write_rows(path, list(columns), zip(*columns.values(), strict=True))

    def to_parquet(
        self, path: str | Path, metadata: Mapping[bytes, bytes] | None = None, *,
        force: bool = False,
    ) -> None:  # fmt: skip
        """Write columns id, label, confidence, embedding and, if known, name, familiarity, x, y.

        The file is written atomically. ``metadata`` is for its schema: the verdict, for one.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        import pyarrow.parquet as pq

        with atomic_path(Path(path)) as temporary:
            pq.write_table(self.to_arrow(metadata), temporary, row_group_size=ROW_GROUP)

    def to_arrow(self, metadata: Mapping[bytes, bytes] | None = None) -> Any:
        """The columns of `to_parquet` as an Arrow table."""
        import pyarrow as pa

        z = np.ascontiguousarray(self.embedding, dtype=np.float32)
        names = [as_text(name) for name in self.ids]
        columns = {
            "id": pa.array(names, pa.string()),
            "label": pa.array(self.labels, pa.int64()),
        }
        if self.names is not None:
            columns["name"] = pa.array([as_text(name) for name in self.names], pa.string())
            metadata = dict(metadata or {}) | {NAMED_FOR_METADATA: self.named_for.encode()}
        columns |= {
            "confidence": pa.array(self.confidence, pa.float32()),
        }
        if self.familiarity is not None:
            columns["familiarity"] = pa.array(self.familiarity, pa.float32())
        if self.xy is not None:
            columns["x"] = pa.array(np.ascontiguousarray(self.xy[:, 0]), pa.float32())
            columns["y"] = pa.array(np.ascontiguousarray(self.xy[:, 1]), pa.float32())
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(z.ravel()), z.shape[1])
        return pa.table(columns, metadata=metadata)


def result_digest(ids: Iterable[str], labels: IntArray) -> str:
    """What tells one result from another: a digest of who is in which cluster, 16 characters.

    Names and corrections are given for a result; by its digest they are known not to be of another.
    The order of the images does not count: they are sorted, or where that would take gigabytes, the
    digests of all are added up.

    Args:
        ids: of n images.
        labels: int64 (n,), their clusters.

    >>> result_digest(["a", "b"], np.array([0, 1])) == result_digest(["b", "a"], np.array([1, 0]))
    True
    """
    lines = (f"{as_text(name)}\0{label}\n" for name, label in zip(ids, labels, strict=True))
    if len(labels) > _SORTED:
        total = 0
        for line in lines:
            total += int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest(), "big")
        return hashlib.sha256(str(total).encode()).hexdigest()[:16]
    rows = sorted(lines)
    return hashlib.sha256("".join(rows).encode()).hexdigest()[:16]
