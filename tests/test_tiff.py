"""TIFF beyond what Pillow reads: compared with the arrays that were written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.images.open import open_source
from shoal.images.readers import find, reader_of

tifffile = pytest.importorskip("tifffile", reason="needs the extra scientific")
tiff = find(".tif", b"II*\0")
_H, _W = 24, 20


def _pixels(*shape: int, dtype: str = "uint16") -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return generator.normal(size=shape).astype(dtype)
    about = np.iinfo(dtype)
    return generator.integers(about.min, about.max, shape, dtype, endpoint=True)


def _written(pixels: np.ndarray[Any, Any], **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


_BANDS = {"photometric": "minisblack", "planarconfig": "contig"}
_PLANAR = {"photometric": "minisblack", "planarconfig": "separate"}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize("how", [{}, {"compression": "lzw"}, {"compression": "zlib"},
                                 {"compression": "zstd"}, {"bigtiff": True},
                                 {"byteorder": ">"}, {"tile": (16, 16)}])  # fmt: skip
def test_five_bands_are_read_as_they_were_written(dtype: str, how: dict[str, Any]) -> None:
    pixels = _pixels(_H, _W, 5, dtype=dtype)
    for content in (
        _written(pixels, **_BANDS, **how),
        _written(np.moveaxis(pixels, 2, 0), **_PLANAR, **how),
    ):
        assert reader_of(content) is tiff
        assert tiff.members(content) == [""]
        raw = tiff.read(content)
        assert not raw.colour
        np.testing.assert_array_equal(raw.pixels, pixels)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd"])
def test_predictors(compression: str) -> None:
    for dtype in ("uint16", "float32"):
        pixels = _pixels(_H, _W, 4, dtype=dtype)
        content = _written(pixels, compression=compression, predictor=True, **_BANDS)
        np.testing.assert_array_equal(tiff.read(content).pixels, pixels)


def test_colours_of_16_bits_keep_them() -> None:
    pixels = _pixels(_H, _W, 3)
    content = _written(pixels, photometric="rgb")
    raw = reader_of(content).read(content)
    assert raw.colour
    np.testing.assert_array_equal(raw.pixels, pixels)


def test_what_pillow_reads_right_is_left_to_it() -> None:
    for pixels, how in (
        (_pixels(_H, _W, dtype="uint8"), {}),
        (_pixels(_H, _W, 3, dtype="uint8"), {"photometric": "rgb"}),
        (_pixels(_H, _W, 3, dtype="uint8"), {"photometric": "rgb", "compression": "zstd"}),
        (_pixels(_H, _W), {}),
        (_pixels(_H, _W, dtype="int16"), {"byteorder": ">"}),
        (_pixels(_H, _W, dtype="float32"), {"compression": "zlib", "predictor": True}),
    ):
        content = _written(pixels, **how)
        assert reader_of(content) is None
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "I;16", "F"):
        file = io.BytesIO()
        Image.new(mode, (9, 8)).save(file, "tiff")
        assert reader_of(file.getvalue()) is None, mode


def test_the_fourth_band_of_an_array_is_no_alpha() -> None:
    """tifffile and GDAL call it alpha, whatever it is."""
    pixels = _pixels(_H, _W, 4, dtype="uint8")
    content = _written(pixels)
    np.testing.assert_array_equal(reader_of(content).read(content).pixels, pixels)


def test_alpha_of_16_bits_shows_white() -> None:
    pixels = _pixels(_H, _W, 4)
    pixels[0, :, 3], pixels[1, :, 3] = 0, 65535
    content = _written(pixels, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
    raw = reader_of(content).read(content)
    assert raw.colour
    assert (raw.pixels[0] == 65535).all()
    np.testing.assert_array_equal(raw.pixels[1], pixels[1, :, :3])


def test_few_pages_are_channels_many_are_images() -> None:
    few = _pixels(4, _H, _W)
    content = _written(few, photometric="minisblack")
    np.testing.assert_array_equal(tiff.read(content).pixels, np.moveaxis(few, 0, 2))
    assert tiff.members(content, "images") == [f"page={page}" for page in range(4)]
    np.testing.assert_array_equal(tiff.read(content, "page=2").pixels[..., 0], few[2])
    many = _pixels(12, _H, _W)
    content = _written(many, photometric="minisblack", metadata=None)
    assert tiff.members(content) == [f"page={page}" for page in range(12)]
    np.testing.assert_array_equal(tiff.read(content, "page=11").pixels[..., 0], many[11])
    assert tiff.members(content, "channels") == [""]
    np.testing.assert_array_equal(tiff.read(content).pixels, np.moveaxis(many, 0, 2))


def test_pages_in_colour_are_images() -> None:
    pixels = _pixels(3, _H, _W, 3, dtype="uint8")
    content = _written(pixels, photometric="rgb")
    assert len(tiff.members(content)) == 3
    raw = tiff.read(content, "page=1")
    assert raw.colour
    np.testing.assert_array_equal(raw.pixels, pixels[1])
    file = io.BytesIO()
    pictures = [Image.fromarray(page) for page in pixels]
    pictures[0].save(file, "tiff", save_all=True, append_images=pictures[1:])
    np.testing.assert_array_equal(tiff.read(file.getvalue(), "page=2").pixels, pixels[2])


def test_pages_of_several_sizes_are_images() -> None:
    file = io.BytesIO()
    small, large = _pixels(9, 7), _pixels(_H, _W)
    with tifffile.TiffWriter(file) as writer:
        for page in (small, large, large):
            writer.write(page, photometric="minisblack", metadata=None)
    names = tiff.members(file.getvalue())
    assert names == ["page=0", "page=1", "page=2"]
    for name, page in zip(names, (small, large, large), strict=True):
        np.testing.assert_array_equal(tiff.read(file.getvalue(), name).pixels[..., 0], page)


@pytest.mark.parametrize("how", [{"ome": True}, {"imagej": True}])
def test_axes_that_the_file_tells(how: dict[str, Any]) -> None:
    pixels = _pixels(2, 3, 4, _H, _W)  # as ImageJ orders them: times, depths, channels
    content = _written(pixels, photometric="minisblack", metadata={"axes": "TZCYX"}, **how)
    names = tiff.members(content)
    assert names == [f"t={t}_z={z}" for t in range(2) for z in range(3)]
    raw = tiff.read(content, "t=1_z=2")
    np.testing.assert_array_equal(raw.pixels, np.moveaxis(pixels[1, 2], 0, 2))
    assert len(tiff.members(content, "images")) == 24
    one = _written(pixels[0, 0], photometric="minisblack", metadata={"axes": "CYX"}, **how)
    assert tiff.members(one) == [""]


def test_an_image_of_rows_as_pages() -> None:
    """So tifffile writes an array (H, W, C) without being told what its axes are."""
    pixels = _pixels(_H, _W, 6)
    np.testing.assert_array_equal(tiff.read(_written(pixels)).pixels, pixels)


def test_white_may_be_zero_and_numbers_may_be_missing() -> None:
    pixels = _pixels(_H, _W, 2)
    content = _written(pixels, photometric="miniswhite", planarconfig="contig")
    np.testing.assert_array_equal(tiff.read(content).pixels, 65535 - pixels)
    content = _written(pixels, extratags=[(42113, "s", 0, str(pixels[3, 4, 1]), True)], **_BANDS)
    raw = tiff.read(content)
    np.testing.assert_array_equal(raw.missing, pixels == pixels[3, 4, 1])


def test_bombs_and_truncated_files_are_refused_with_a_reason() -> None:
    content = _written(_pixels(_H, _W, 5), **_BANDS)
    with pytest.raises(ValueError, match="truncated"):
        tiff.read(content[:-100])
    forged = bytearray(content)
    at = forged.index((256).to_bytes(2, "little"), 8)  # the tag of the width
    forged[at + 8 : at + 12] = (2**30).to_bytes(4, "little")
    with pytest.raises(ValueError, match="pixels"):
        tiff.read(bytes(forged))


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _written(_pixels(_H, _W, 5), **_BANDS)
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        reader_of(content).read(content)
    assert str(caught.value) == "this TIFF needs an extra: pip install 'shoal[scientific]'"


def test_it_is_said_that_pages_are_taken_for_channels(tmp_path: Path) -> None:
    for number in range(3):
        content = _written(_pixels(4, _H, _W), photometric="minisblack", metadata=None)
        (tmp_path / f"{number}.tif").write_bytes(content)
    told = "the pages of each of 3 files (up to 4) are taken for the channels of one image"
    opened = open_source(tmp_path, cache=False)
    assert [note for note in opened.notes if told in note]
    assert not [
        note for pages in ("images", "channels")
        for note in open_source(tmp_path, cache=False, pages=pages).notes if "pages" in note
    ]  # fmt: skip
    for number in range(3):  # here the file says so
        content = _written(_pixels(4, _H, _W), photometric="minisblack", metadata={"axes": "CYX"})
        (tmp_path / f"{number}.tif").write_bytes(content)
    assert not [note for note in open_source(tmp_path, cache=False).notes if "pages" in note]
