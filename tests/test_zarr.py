"""Zarr stores: compared with the arrays that were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import open_source
from shoal.errors import DataError
from shoal.images.readers import find

zarr = pytest.importorskip("zarr", reason="needs the extra scientific")
reader = find(".zarr", b"")


def _pixels(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _save(path: Path, pixels: np.ndarray[Any, Any], **how: Any) -> Path:
    chunks = (min(3, len(pixels)), *pixels.shape[1:])
    array = zarr.create_array(str(path), data=pixels, chunks=chunks, **how)
    assert array.shape == pixels.shape
    return path


def _ome(path: Path, pixels: np.ndarray[Any, Any], axes: str) -> Path:
    group = zarr.open_group(str(path), mode="w")
    group.create_array("0", data=pixels)
    axes_told = [{"name": axis, "type": "space"} for axis in axes]
    scales = [{"version": "0.4", "axes": axes_told, "datasets": [{"path": "0"}]}]
    group.attrs["multiscales"] = scales
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_of_images_is_a_pile(tmp_path: Path, zarr_format: int) -> None:
    pixels = _pixels(7, 12, 10, 2)
    path = _save(tmp_path / "pile.zarr", pixels, zarr_format=zarr_format)
    source = open_source(path, cache=False)
    assert list(source.ids) == [str(row) for row in range(7)]
    np.testing.assert_array_equal(source.read(np.arange(7)), pixels)
    assert source.originals.content(3).startswith(b"\x89PNG")
    path = _save(tmp_path / "first.zarr", np.moveaxis(pixels, 3, 1), zarr_format=zarr_format)
    np.testing.assert_array_equal(open_source(path, cache=False).read(np.arange(7)), pixels)


def test_stores_in_a_folder_are_images_of_it(tmp_path: Path) -> None:
    pixels = _pixels(2, 3, 16, 14)
    _ome(tmp_path / "a.zarr", pixels[:1], "zcyx")
    _ome(tmp_path / "b.zarr", pixels, "tcyx")
    source = open_source(tmp_path, cache=False)
    assert list(source.ids) == ["a.zarr", "b.zarr#t=0", "b.zarr#t=1"]
    expected = np.moveaxis(np.stack([pixels[0], *pixels]), 1, 3)
    np.testing.assert_array_equal(source.read(np.arange(3)), expected)
    assert Image.open(__import__("io").BytesIO(source.originals.content(1))).size == (14, 16)


def test_an_image_of_a_plate_is_read_without_opening_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = _pixels(3, 2, 16, 14)
    zarr.open_group(str(tmp_path / "plate.zarr"), mode="w")
    _ome(tmp_path / "plate.zarr" / "A1", pixels[0], "cyx")
    _ome(tmp_path / "plate.zarr" / "A1:b", pixels[1], "cyx")
    _ome(tmp_path / "plate.zarr" / "B2", pixels[1:], "tcyx")
    path = tmp_path / "plate.zarr"
    names = sorted(reader.members(path))
    assert names == ["A1", "A1:b", "B2:t=0", "B2:t=1"]
    for name, row in zip(names, (0, 1, 1, 2), strict=True):
        if name == "B2:t=1":
            monkeypatch.setattr(reader, "_arrays", None)
        np.testing.assert_array_equal(
            reader.read(path, name).pixels, np.moveaxis(pixels[row], 0, 2)
        )


def test_what_the_shape_does_not_tell_is_asked(tmp_path: Path) -> None:
    path = _save(tmp_path / "odd.zarr", _pixels(4, 9, 8, 9))
    with pytest.raises(DataError, match="which does not tell what its axes are"):
        open_source(path, cache=False)


def test_stores_that_would_do_harm_are_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.zarr", _pixels(3, 8, 8), zarr_format=2, compressors=None)
    about = json.loads((path / ".zarray").read_text())
    for change, reason in (
        ({"filters": [{"id": "pickle", "protocol": 5}]}, "pickled|damaged"),
        ({"chunks": [10**6, 10**4, 10**4]}, "chunks of"),
        ({"shape": [10**9, 8, 8]}, "images"),
        ({"dtype": "|S8"}, "of type|damaged"),
        ({"shape": "x"}, "damaged"),
    ):
        (path / ".zarray").write_text(json.dumps(about | change))
        with pytest.raises(ValueError, match=reason):
            reader.members(path)
