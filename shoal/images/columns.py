"""The column of a table that holds encoded images."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shoal.errors import DataError

_USUAL = "image"


def image_columns(schema: Any) -> dict[str, str]:
    """Columns that may hold encoded images, each with the path of its bytes in the file.

    Args:
        schema: a ``pyarrow.Schema``.
    """
    import pyarrow as pa

    def binary(kind: Any) -> bool:
        if pa.types.is_dictionary(kind):  # each different image stored once
            kind = kind.value_type
        view = getattr(pa.types, "is_binary_view", lambda _: False)(kind)
        return bool(view or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    paths: dict[str, str] = {}
    for field in schema:
        if binary(field.type):
            paths[field.name] = field.name
        elif pa.types.is_struct(field.type):
            index = field.type.get_field_index("bytes")
            if index >= 0 and binary(field.type.field(index).type):
                paths[field.name] = f"{field.name}.bytes"
    return paths


def common_column(files: Sequence[Path], schemas: Sequence[Any], wanted: str | None) -> str:
    """The name of the column of images, which all files have; see `_choose_column`.

    Args:
        files: at least one.
        schemas: the ``pyarrow.Schema`` of each.
        wanted: the name that a person gave.

    Raises:
        DataError: there is none, there are several, or a file lacks that of the first.
    """
    column = _choose_column(files[0], schemas[0], wanted)
    for file, schema in zip(files, schemas, strict=True):
        if column not in image_columns(schema):
            raise DataError(
                f"{file} has no column {column!r} of images, as {files[0]} has; give files of one "
                "data set."
            )
    return column


def _choose_column(file: Path, schema: Any, wanted: str | None) -> str:
    """The name of the column of images: ``wanted``, ``image``, or the only such column.

    Raises:
        DataError: there is none, or there are several.
    """
    columns = list(image_columns(schema))
    kind = "column of images (bytes, or structs with a field bytes)"
    if wanted is not None:
        if wanted not in columns:
            others = f", only {', '.join(columns)}" if columns else ""
            raise DataError(f"{file} has no {kind} named {wanted!r}{others}.")
        return wanted
    if _USUAL in columns:
        return _USUAL
    if not columns:
        raise DataError(f"{file} has no {kind}; its columns are {', '.join(schema.names)}.")
    if len(columns) > 1:
        raise DataError(
            f"{file} has several columns of images ({', '.join(columns)}); name one, such as "
            f"{shlex.quote(f'{file}:{columns[0]}')}."
        )
    return columns[0]
