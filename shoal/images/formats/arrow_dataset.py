"""Hugging Face data sets on disk: the folder that ``save_to_disk`` writes, and ``.arrow`` files.

They are read by pyarrow alone. The images are a column of structs {bytes, path}, or of plain
binary; no other column, labels among them, is ever read.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from shoal.errors import DataError
from shoal.images.columns import common_column
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.remote.location import is_remote
from shoal.images.shards import shards, stamp
from shoal.protocols import ImageSource, Track

_SUFFIX = ".arrow"
_STATE, _SPLITS = "state.json", "dataset_dict.json"
_LONGEST = 2**24


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: the folder of a data set, or a file, there or not."""
    where, _ = _split(path)
    if is_remote(path):  # it is read by a memory map
        return False
    if where.is_dir():
        return (where / _SPLITS).is_file() or (
            (where / _STATE).is_file() and (where / "dataset_info.json").is_file()
        )
    return where.suffix.lower() == _SUFFIX


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode a data set on disk, or the files that a pattern such as ``data-*.arrow`` means.

    Ids are the row numbers, counted through all files; a row that cannot be read is skipped, and
    keeps its number. ``folder:name`` picks a column. For sizes and modes see `decode_pile`.

    Raises:
        DataError: nothing there, damaged files, several parts such as train and test, no rows, no
            column of images or several, or not one image that can be read.
    """
    where, column = _split(path)
    files = _files(where) if where.is_dir() else shards(where)
    return decode_pile(
        str(where), stamp(f"arrow {column}", files), partial(_list, where, files, column), wanted
    )


def _split(path: Path) -> tuple[Path, str | None]:
    """``folder:name`` as (folder, name)."""
    head, colon, name = str(path).rpartition(":")
    if colon and not path.exists() and (head.endswith(_SUFFIX) or Path(head, _STATE).is_file()):
        return Path(head), name
    return path, None


def _files(folder: Path) -> list[Path]:
    """The files of a data set, in the order in which it names them.

    Raises:
        DataError: it has several parts, or its description is damaged.
    """
    if (folder / _SPLITS).is_file():
        parts = sorted(part.parent for part in folder.glob(f"*/{_STATE}"))
        if not parts:
            raise DataError(f"{folder} is a data set without a part; download or save it again.")
        if len(parts) > 1:
            listed = ", ".join(part.name for part in parts[:5])
            raise DataError(f"{folder} has several parts ({listed}); give one, such as {parts[0]}.")
        folder = parts[0]
    state = _state(folder)
    try:
        names = [Path(entry["filename"]).name for entry in state["_data_files"]]
        reordered = bool(state.get("_indices_data_files") or state.get("_indices_files"))
    except (KeyError, TypeError) as error:
        raise _damaged(folder / _STATE) from error
    if reordered:
        raise DataError(
            f"{folder} was saved with rows left out or in another order; write it again with "
            "flatten_indices() before save_to_disk()."
        )
    if not names:
        raise DataError(f"{folder} has no rows.")
    return [folder / name for name in names]


def _state(folder: Path) -> dict[str, Any]:
    file = folder / _STATE
    try:
        if file.stat().st_size > _LONGEST:
            raise _damaged(file)
        state = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file) from error
    if not isinstance(state, dict):
        raise _damaged(file)
    return state


def _list(where: Path, files: list[Path], wanted: str | None, track: Track) -> Listing:
    tables = [_open(file) for file in files]
    column = common_column(files, [table.schema for table in tables], wanted)
    columns: list[Any] = []
    for file, table in zip(files, tables, strict=True):
        try:  # places within the file that a forged one would have read elsewhere
            table.select([column]).validate(full=True)
        except (ValueError, OSError) as error:
            raise _damaged(file) from error
        columns += table.column(column).chunks
    ends: list[int] = []
    for chunk in columns:
        ends.append((ends[-1] if ends else 0) + len(chunk))
    n_rows = ends[-1] if ends else 0
    if n_rows == 0:
        raise DataError(f"{where} has no rows.")

    def fetch(row: int) -> Encoded:
        number = bisect.bisect_right(ends, row)
        return _value(columns[number][row - (ends[number - 1] if number else 0)])

    def contents() -> Iterator[Encoded]:
        for chunk in columns:
            yield from map(_value, chunk)

    return Listing([str(row) for row in range(n_rows)], contents, fetch, kind="row")


def _value(scalar: Any) -> Encoded:
    """The content of a row: it is copied from the mapped file only now."""
    try:
        value = scalar.as_py()
    except (OSError, ValueError, IndexError, OverflowError) as error:
        return Unreadable(f"damaged in the file ({str(error).splitlines()[0][:100]})")
    value = value.get("bytes") if isinstance(value, dict) else value
    return value if isinstance(value, bytes) else Unreadable("no image in it")


def _open(file: Path) -> Any:
    """The file as a ``pyarrow.Table``, mapped: no row is read yet."""
    import pyarrow as pa

    try:
        mapped = pa.memory_map(str(file))
        with mapped:
            beginning = mapped.read(6)
            mapped.seek(0)
            kind = pa.ipc.open_file if beginning == b"ARROW1" else pa.ipc.open_stream
            return kind(mapped).read_all()
    except FileNotFoundError:
        raise DataError(f"{file}: no such file; check the path.") from None
    except (OSError, ValueError, TypeError, MemoryError, NotImplementedError) as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file} is truncated, damaged or not an arrow file; save or download it again."
    )
