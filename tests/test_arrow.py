"""Hugging Face data sets on disk, written as `datasets` writes them, read by pyarrow alone."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from shoal.errors import DataError
from shoal.images.open import open_source


def encoded(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level, 50, 90)).save(file, "PNG")
    return file.getvalue()


def write(folder: Path, parts: list[list[bytes | None]], column: str = "image") -> Path:
    """A folder as ``save_to_disk`` leaves it."""
    folder.mkdir(parents=True)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    names = [f"data-{n:05}-of-{len(parts):05}.arrow" for n in range(len(parts))]
    for name, rows in zip(names, parts, strict=True):
        images = pa.array([{"bytes": row, "path": None} for row in rows], kind)
        table = pa.table({column: images, "label": pa.array([0] * len(rows), pa.int64())})
        with pa.ipc.new_stream(str(folder / name), table.schema) as stream:
            stream.write_table(table, max_chunksize=2)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "1"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def test_a_data_set_on_disk(tmp_path: Path) -> None:
    rows: list[list[bytes | None]] = [[encoded(1), None, encoded(2)], [encoded(3), b"no"]]
    folder = write(tmp_path / "set", rows)
    source = open_source(folder, cache=False)
    assert list(source.ids) == ["0", "2", "3"]
    assert source.read(np.arange(3))[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert dict(source.skipped) == {"1": "no image in it", "4": "not an image"}
    assert source.originals.content(2) == encoded(3)
    alone = open_source(folder / "data-00000-of-00002.arrow", cache=False)
    assert len(alone) == 2
    assert len(open_source(folder / "data-*.arrow", cache=False)) == 3
    named = write(tmp_path / "other", rows, "photo")
    assert open_source(f"{named}:photo", cache=False).digest() == source.digest()


def test_of_several_parts_one_is_named(tmp_path: Path) -> None:
    write(tmp_path / "set" / "train", [[encoded(1), encoded(2)]])
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert len(open_source(tmp_path / "set", cache=False)) == 2
    write(tmp_path / "set" / "test", [[encoded(3)]])
    with pytest.raises(DataError, match=r"has several parts \(test, train\); give one, such as"):
        open_source(tmp_path / "set")


@pytest.mark.parametrize("state", ["no", "[]", "{}", '{"_data_files": [{}]}'])
def test_damaged_descriptions(state: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [[encoded(1)]])
    (folder / "state.json").write_text(state)
    with pytest.raises(DataError, match=r"state.json is truncated, damaged"):
        open_source(folder)


def test_damaged_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [[encoded(1), encoded(2)]])
    file = folder / "data-00000-of-00001.arrow"
    content = file.read_bytes()
    for damaged in (b"", content[:100], content[:300], b"no" * 99):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"truncated, damaged|has no rows"):
            open_source(folder, cache=False)
    file.unlink()
    with pytest.raises(DataError, match="no such file"):
        open_source(folder, cache=False)


def test_what_datasets_itself_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets: Any = pytest.importorskip("datasets", reason="datasets is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pixels = [np.full((8, 8, 3), level, np.uint8) for level in (1, 2, 3)]
    features = datasets.Features({"image": datasets.Image()})
    whole = datasets.Dataset.from_dict({"image": [Image.fromarray(p) for p in pixels]}, features)
    whole.save_to_disk(str(tmp_path / "set"))
    source = open_source(tmp_path / "set", cache=False)
    assert np.array_equal(source.read(np.arange(3)), np.stack(pixels))
