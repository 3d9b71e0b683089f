"""A prediction as one file: CSV, parquet with the images in it, or JSON as COCO has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shoal.embedding.neighbours import but_itself
from shoal.embedding.table import ImageTable
from shoal.images.csv_files import as_text, write_rows
from shoal.images.files import atomic_path
from shoal.plots.layout import lay_out
from shoal.protocols import FloatArray, ImageSource, IntArray, Track
from shoal.scoring.verdict import METADATA
from shoal.search.similarity import EXACT_FOR_ALL, Index

_NEIGHBOURS = 15
_ROWS, _BYTES = 1000, 64 * 2**20
"""Images, and bytes of them, in memory and in a row group of the parquet file at a time."""


def csv(prediction: ImageTable, out: Path) -> None:
    """Columns id, cluster and, where known, name, confidence, familiarity, x and y.

    Raises:
        OutputError: the file cannot be written.
    """
    columns: dict[str, Sequence[Any]] = {
        "id": prediction.ids,
        "cluster": prediction.labels.tolist(),
    }
    if prediction.names is not None:
        columns["name"] = prediction.names
    for name, values in _numbers(prediction).items():
        columns[name] = [f"{value:.6g}" for value in values]
    if prediction.xy is not None:
        columns |= {
            name: [f"{value:.6g}" for value in prediction.xy[:, axis]]
            for axis, name in enumerate("xy")
        }
    write_rows(out, list(columns), zip(*columns.values(), strict=True))


def parquet(
    source: ImageSource, rows: IntArray, prediction: ImageTable, out: Path, track: Track
) -> None:
    """The columns id, image {bytes, path}, cluster and, where known, name, confidence, familiarity,
    x, y and neighbors {ids, distances}.

    The images are as Hugging Face's datasets have them, and shoal reads the file again as a pile.
    The neighbours are the 15 nearest of an image by cosine distance, their ids the rows of this
    file from 0, as embedding-atlas takes them:
    ``embedding-atlas out.parquet --image image --x x --y y --neighbors neighbors``.
    A prediction with an embedding and without a map gets one. The schema's metadata hold the
    verdict on the clusters, ``shoal.verdict``, where the prediction's table has it.

    Raises:
        OutputError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = _columns(prediction, track)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [pa.field(name, column.type) for name, column in known.items()]
    fields.insert(1, pa.field("image", kind))
    features = {"info": {"features": {"image": {"_type": "Image"}}}}
    metadata: dict[bytes, bytes] = {b"huggingface": json.dumps(features).encode()}
    if prediction.verdict is not None:
        metadata[METADATA] = prediction.verdict
    schema = pa.schema(fields, metadata=metadata)
    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, schema) as writer,
    ):
        images: list[dict[str, Any]] = []
        n_bytes = 0
        each = enumerate(zip(rows.tolist(), known["id"].to_pylist(), strict=True), start=1)
        for stop, (row, name) in track(each, "exporting", len(rows)):
            images.append({"bytes": source.originals.content(row), "path": name})
            n_bytes += len(images[-1]["bytes"])
            if len(images) == _ROWS or n_bytes > _BYTES or stop == len(rows):
                part = {name: column[stop - len(images) : stop] for name, column in known.items()}
                part["image"] = pa.array(images, kind)
                writer.write_table(pa.table(part).select(schema.names))
                images, n_bytes = [], 0


def coco(
    source: ImageSource, rows: IntArray, prediction: ImageTable, out: Path, track: Track
) -> None:
    """Images, categories and one annotation an image, as COCO (Lin et al. 2014) lays them out.

    A category is a name, or a cluster without one, and says which clusters it is. An annotation
    covers its whole image; ``score`` is the confidence, where known. Numbers start at 1.

    Raises:
        OutputError: the file cannot be written.
    """
    titles = prediction.titles()
    names = {title: number for number, title in enumerate(sorted(set(titles)), start=1)}
    clusters: dict[str, set[int]] = {title: set() for title in names}
    images, annotations = [], []
    each = enumerate(zip(rows.tolist(), prediction.ids, titles, strict=True))
    for place, (row, name, title) in track(each, "exporting", len(rows)):
        cluster = int(prediction.labels[place])
        clusters[title].add(cluster)
        width, height = source.originals.size(row)
        images.append(
            {"id": place + 1, "file_name": as_text(name), "width": width, "height": height}
        )
        annotation: dict[str, Any] = {
            "id": place + 1, "image_id": place + 1, "category_id": names[title],
            "cluster": cluster, "bbox": [0, 0, width, height], "area": width * height,
            "iscrowd": 0,
        }  # fmt: skip
        if prediction.has_confidence:
            annotation["score"] = round(float(prediction.confidence[place]), 6)
        annotations.append(annotation)
    path = source.originals.path
    of = "" if path is None else f" of {path.name}"
    content = {
        "info": {"description": f"clusters{of}, found by shoal"},
        "images": images,
        "categories": [
            {"id": number, "name": as_text(title), "clusters": sorted(clusters[title])}
            for title, number in names.items()
        ],
        "annotations": annotations,
    }
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)


def _numbers(prediction: ImageTable) -> dict[str, FloatArray]:
    """The columns of numbers that a table knows, each float32 (n,)."""
    columns = {"confidence": prediction.confidence} if prediction.has_confidence else {}
    if prediction.familiarity is not None:
        columns["familiarity"] = prediction.familiarity
    return columns


def _columns(prediction: ImageTable, track: Track) -> dict[str, Any]:
    import pyarrow as pa

    columns = {
        "id": pa.array([as_text(name) for name in prediction.ids], pa.string()),
        "cluster": pa.array(prediction.labels, pa.int64()),
    }
    if prediction.names is not None:
        columns["name"] = pa.array([as_text(name) for name in prediction.names], pa.string())
    for name, values in _numbers(prediction).items():
        columns[name] = pa.array(values, pa.float32())
    xy, z = prediction.xy, prediction.embedding
    comparable = prediction.has_embedding and len(z) > 1
    if xy is None and comparable:
        xy = lay_out(z, track=track)
    if xy is not None:
        columns |= {name: pa.array(xy[:, axis].copy()) for axis, name in enumerate("xy")}
    if comparable:
        columns["neighbors"] = _neighbours(z, track)
    return columns


def _neighbours(z: Any, track: Track) -> Any:
    """Of each row its nearest others, as structs {ids, distances}."""
    import pyarrow as pa

    index = Index(z, exact_up_to=EXACT_FOR_ALL, track=track)
    k = min(_NEIGHBOURS + 1, len(z))
    ids, distances = [], []
    starts = range(0, len(z), 1024)
    for start in track(starts, "comparing", len(starts)):
        block = np.arange(start, min(start + 1024, len(z)))
        alike, found = index.search(z[block], k)
        others = but_itself(found, block)
        ids.append(found[others])
        distances.append((1.0 - alike)[others])
    offsets = np.arange(len(z) + 1, dtype=np.int32) * (k - 1)
    lists = (
        pa.ListArray.from_arrays(offsets, np.concatenate(values)) for values in (ids, distances)
    )
    return pa.StructArray.from_arrays(list(lists), names=["ids", "distances"])
