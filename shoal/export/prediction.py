"""A prediction read back from its file, and names given to its clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.embedding.table import NAMED_FOR, NAMED_FOR_METADATA, ImageTable, result_digest
from shoal.errors import DataError
from shoal.images.csv_files import column_if_there, columns, quoted
from shoal.protocols import FloatArray, IntArray
from shoal.scoring.verdict import METADATA

EXPECTED = "a prediction with the columns id and label"
_CLUSTER = ("label", "cluster")


def load_prediction(path: str | Path, *, trust: str | None = None) -> ImageTable:
    """Read what ``shoal predict`` or ``shoal run`` wrote: a .csv file, or the .parquet table.

    Args:
        path: the file.
        trust: which column counts where label and name contradict each other, ``label`` or
            ``name``; None: neither, that is an error.

    Raises:
        DataError: missing, damaged, without its columns, an image twice, or a contradiction.
    """
    path = Path(path)
    loaded = _from_parquet(path) if path.suffix.lower() == ".parquet" else _from_csv(path)
    if not loaded.ids:
        raise DataError(f"{path} has no rows; predict again.")
    if len(set(loaded.ids)) < len(loaded.ids):  # of a million images a count takes much memory
        twice = [name for name, times in Counter(loaded.ids).items() if times > 1]
        raise DataError(
            f"{path} has {quoted(twice[0])} in more than one row; leave one row for each image."
        )
    if trust is not None:
        return reconciled(loaded, trust)
    clash = contradiction(loaded)
    if clash:
        raise DataError(
            f"{path}: label and name contradict each other: {clash}; say which of them counts with "
            "--trust label or --trust name (trust='label' in Python)."
        )
    return loaded


def contradiction(table: ImageTable) -> str:
    """How names and labels contradict each other, in words; empty if they do not.

    A cluster has one name. Two clusters may share one, unless labels were changed after they were
    named: then nobody knows whether that was meant.
    """
    if table.names is None:
        return ""
    names: dict[int, Counter[str]] = {}
    for cluster, name in zip(table.labels.tolist(), table.names, strict=True):
        names.setdefault(cluster, Counter())[name] += 1
    for cluster, called in sorted(names.items()):
        if len(called) > 1:
            (often, _), (seldom, n) = called.most_common()[0], called.most_common()[-1]
            images = "1 image" if n == 1 else f"{n:,} images"
            return f"cluster {cluster} is called {quoted(often)}, and {quoted(seldom)} for {images}"
    shared = [name for name, n in Counter(next(iter(c)) for c in names.values()).items() if n > 1]
    digest = result_digest(table.ids, table.labels)
    if shared and table.named_for not in ("", digest):
        return f"labels were changed since, and several clusters are called {quoted(shared[0])}"
    return ""


def reconciled(table: ImageTable, trust: str) -> ImageTable:
    """The prediction with one name for each cluster, or one cluster for each name.

    Args:
        table: with or without names.
        trust: ``label``: a cluster has the name that most of its images have; ``name``: a name has
            the number that most of its images have, or the next one that is free.

    Raises:
        DataError: another ``trust``.
    """
    if trust not in ("label", "name"):
        raise DataError(f"--trust must be label or name, got {trust!r}.")
    if table.names is None or not contradiction(table):
        return table
    rows = list(zip(table.labels.tolist(), table.names, strict=True))
    if trust == "label":
        votes: dict[int, Counter[str]] = {}
        for cluster, name in rows:
            if name:
                votes.setdefault(cluster, Counter())[name] += 1
        best = {cluster: counted.most_common(1)[0][0] for cluster, counted in votes.items()}
        return replace(table, names=[best.get(cluster, "") for cluster, _ in rows])
    taken: dict[str, int] = {}
    for (name, cluster), _ in Counter((name, cluster) for cluster, name in rows).most_common():
        if name not in taken:
            free = cluster not in taken.values()
            taken[name] = cluster if free else max(taken.values()) + 1
    clusters = np.array([taken[name] for _, name in rows], dtype=np.int64)
    return replace(table, labels=clusters)


def _from_csv(path: Path) -> ImageTable:
    ids, clusters, *named = columns(path, EXPECTED, ("id",), _CLUSTER, optional="name")
    names = named[0] if named else None
    whole = np.array(whole_numbers(path, EXPECTED, clusters), dtype=np.int64)
    named_for = column_if_there(path, NAMED_FOR) if named else []
    meant = next(filter(None, named_for), "")
    return ImageTable.of_labels(ids, whole, names=names, named_for=meant, path=path)


def whole_numbers(path: Path, expected: str, texts: Sequence[str]) -> list[int]:
    try:
        return [int(text) for text in texts]
    except ValueError as error:
        wrong = str(error).rpartition(":")[2].strip()
        raise DataError(f"{path}: clusters must be whole numbers, got {wrong[:40]}.") from None


def read_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{path}: permission denied; make it readable.") from None
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        raise DataError(
            f"{path} is not a Parquet file, or it is damaged; predict again."
        ) from error


def _from_parquet(path: Path) -> ImageTable:
    table = read_parquet(path)
    has = set(table.column_names)
    cluster = next((name for name in _CLUSTER if name in has), None)
    if "id" not in has or cluster is None:
        raise DataError(
            f"{path} must have the columns id and label, and has "
            f"{', '.join(table.column_names[:8]) or 'none'}; give the table of 'shoal predict'."
        )
    try:
        return ImageTable(
            path=path,
            ids=[str(name) for name in table["id"].to_pylist()],
            labels=_whole(table[cluster]),
            names=[name or "" for name in table["name"].to_pylist()] if "name" in has else None,
            confidence=_floats(table, "confidence"),
            familiarity=_familiarity(table),
            xy=None if not {"x", "y"} <= has else np.stack(
                [_floats(table, name) for name in "xy"], axis=1
            ),
            embedding=_embedding(table),
            named_for=(table.schema.metadata or {}).get(NAMED_FOR_METADATA, b"").decode(),
            verdict=(table.schema.metadata or {}).get(METADATA),
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}: a column holds something else than 'shoal predict' writes; predict again."
        ) from error


def _whole(column: Any) -> IntArray:
    """Whole numbers, int64 (n,)."""
    known = column.to_numpy() if not column.null_count else np.array(column.to_pylist())
    return known.astype(np.int64, casting="same_kind")


def _familiarity(table: Any) -> FloatArray | None:
    return _floats(table, "familiarity") if "familiarity" in table.column_names else None


def _floats(table: Any, name: str) -> FloatArray:
    """A column, float32 (n,); NaN where the file lacks it or an entry of it."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan, dtype=np.float32)
    return np.array(table[name].to_pylist(), dtype=np.float32)


def _embedding(table: Any) -> FloatArray:
    """The embedding, float32 (n, d); d is 0 where the file lacks it."""
    if "embedding" not in table.column_names:
        return np.zeros((table.num_rows, 0), dtype=np.float32)
    numbers = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return numbers.reshape(table.num_rows, -1).astype(np.float32, copy=False)
