"""A table as one file: CSV, Parquet with the images in it, or JSON in the format of COCO."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shoal.embedding.table import ImageTable
from shoal.export.neighbours import Neighbours
from shoal.images.csv_files import as_text, write_rows
from shoal.images.files import atomic_path
from shoal.images.vectors.source import has_pictures
from shoal.protocols import FloatArray, ImageSource, IntArray, Track
from shoal.scoring.verdict import METADATA

_ROWS, _BYTES = 1000, 64 * 2**20
"""A row group of a Parquet file holds at most so many images, and so many bytes of images."""


def write_csv(table: ImageTable, out: Path) -> None:
    """Write the columns id, cluster and, if known, name, decided, confidence, familiarity, x and y.

    Raises:
        OutputError: the file cannot be written.
    """
    columns: dict[str, Sequence[Any]] = {"id": table.ids, "cluster": table.labels.tolist()}
    if table.names is not None:
        columns["name"] = table.names
    if table.decided is not None:
        columns["decided"] = ["true" if decided else "false" for decided in table.decided.tolist()]
    for name, values in _number_columns(table).items():
        columns[name] = [f"{value:.6g}" for value in values]
    write_rows(out, list(columns), zip(*columns.values(), strict=True))


def write_parquet(
    source: ImageSource, rows: IntArray, table: ImageTable, neighbours: Neighbours | None,
    out: Path, track: Track,
) -> None:  # fmt: skip
    """Write the table with its images as a Parquet file.

    The columns are id, image {bytes, path}, cluster and, if known, name, decided, confidence,
    familiarity, x, y and neighbors {ids, distances}. The images are stored as Hugging Face's
    datasets store them, and shoal reads the file again as a pile. The ids of the neighbours are
    rows of this file, counted from 0, as embedding-atlas takes them:
    ``embedding-atlas out.parquet --image image --x x --y y --neighbors neighbors``.
    Of vectors without images the column image is left out. The metadata of the schema hold the
    verdict on the clusters, if the table has it.

    Args:
        source: the pile.
        rows: int64 (n,), the row of each image of the table in the pile.
        table: n images.
        neighbours: of the table, if known.
        out: the file.
        track: shows progress.

    Raises:
        OutputError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _arrow_columns(table, neighbours)
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    metadata: dict[bytes, bytes] = {}
    if has_pictures(source):
        fields.insert(1, pa.field("image", image_type))
        features = {"info": {"features": {"image": {"_type": "Image"}}}}
        metadata[b"huggingface"] = json.dumps(features).encode()
    if table.verdict is not None:
        metadata[METADATA] = table.verdict
    schema = pa.schema(fields, metadata=metadata)
    if not has_pictures(source):
        with atomic_path(out) as temporary:
            pq.write_table(pa.table(columns, schema=schema), temporary)
        return
    with atomic_path(out) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        images: list[dict[str, Any]] = []
        n_bytes = 0
        numbered = enumerate(zip(rows.tolist(), columns["id"].to_pylist(), strict=True), start=1)
        for stop, (row, name) in track(numbered, "exporting", len(rows)):
            images.append({"bytes": source.originals.content(row), "path": name})
            n_bytes += len(images[-1]["bytes"])
            if len(images) == _ROWS or n_bytes > _BYTES or stop == len(rows):
                group = {
                    name: column[stop - len(images) : stop] for name, column in columns.items()
                }
                group["image"] = pa.array(images, image_type)
                writer.write_table(pa.table(group).select(schema.names))
                images, n_bytes = [], 0


def write_coco(
    source: ImageSource, rows: IntArray, table: ImageTable, out: Path, track: Track
) -> None:
    """Write images, categories and annotations in the format of COCO (Lin et al. 2014).

    Each image has one annotation that covers all of it; ``score`` is the confidence, if known. A
    category is a name, or a cluster without a name, and lists its clusters. Numbers start at 1.

    Args:
        source: the pile.
        rows: int64 (n,), the row of each image of the table in the pile.
        table: n images.
        out: the file.
        track: shows progress.

    Raises:
        OutputError: the file cannot be written.
    """
    titles = table.titles()
    categories = {title: number for number, title in enumerate(sorted(set(titles)), start=1)}
    clusters: dict[str, set[int]] = {title: set() for title in categories}
    images, annotations = [], []
    numbered = enumerate(zip(rows.tolist(), table.ids, titles, strict=True))
    for place, (row, name, title) in track(numbered, "exporting", len(rows)):
        cluster = int(table.labels[place])
        clusters[title].add(cluster)
        width, height = source.originals.size(row)
        images.append(
            {"id": place + 1, "file_name": as_text(name), "width": width, "height": height}
        )
        annotation: dict[str, Any] = {
            "id": place + 1, "image_id": place + 1, "category_id": categories[title],
            "cluster": cluster, "bbox": [0, 0, width, height], "area": width * height,
            "iscrowd": 0,
        }  # fmt: skip
        if table.has_confidence:
            annotation["score"] = round(float(table.confidence[place]), 6)
        annotations.append(annotation)
    path = source.originals.path
    of_pile = "" if path is None else f" of {path.name}"
    content = {
        "info": {"description": f"clusters{of_pile}, found by shoal"},
        "images": images,
        "categories": [
            {"id": number, "name": as_text(title), "clusters": sorted(clusters[title])}
            for title, number in categories.items()
        ],
        "annotations": annotations,
    }
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)


def _number_columns(table: ImageTable) -> dict[str, FloatArray]:
    """The columns of numbers that a table has, each float32 (n,)."""
    columns = {"confidence": table.confidence} if table.has_confidence else {}
    if table.familiarity is not None:
        columns["familiarity"] = table.familiarity
    if table.xy is not None:
        columns |= {"x": table.xy[:, 0].copy(), "y": table.xy[:, 1].copy()}
    return columns


def _arrow_columns(table: ImageTable, neighbours: Neighbours | None) -> dict[str, Any]:
    """The columns of a Parquet file but for the images, as Arrow arrays."""
    import pyarrow as pa

    columns = {
        "id": pa.array([as_text(name) for name in table.ids], pa.string()),
        "cluster": pa.array(table.labels, pa.int64()),
    }
    if table.names is not None:
        columns["name"] = pa.array([as_text(name) for name in table.names], pa.string())
    if table.decided is not None:
        columns["decided"] = pa.array(table.decided, pa.bool_())
    for name, values in _number_columns(table).items():
        columns[name] = pa.array(values, pa.float32())
    if neighbours is not None:
        n, k = neighbours.rows.shape
        offsets = np.arange(n + 1, dtype=np.int32) * k
        lists = [
            pa.ListArray.from_arrays(offsets, values.ravel())
            for values in (neighbours.rows, neighbours.distances)
        ]
        columns["neighbors"] = pa.StructArray.from_arrays(lists, names=["ids", "distances"])
    return columns
