"""HEIC, JPEG XL and cameras' raw files, encoded here by their libraries, against the array."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.errors import DataError
from shoal.images.file_names import BY_READERS
from shoal.images.open import open_source
from shoal.images.readers import camera_raw, heif, jpeg_xl, reader_of, video
from shoal.images.readers.registry import all_readers

PHOTOS = "needs the extra shoal[photos]"


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    """Smooth colours that differ in every corner, so that no turn or mirror of it is the same."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return np.rint(np.stack([255 * x, 255 * y, 255 * (1 - x) * y], axis=2)).astype(np.uint8)


def tags(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def as_heic(pixels: np.ndarray, **options: Any) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason=PHOTOS)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[1 if pixels.ndim == 2 else pixels.shape[2]]
    mode += ";16" if pixels.dtype == np.uint16 else ""
    size = (pixels.shape[1], pixels.shape[0])
    encoded = pillow_heif.from_bytes(mode=mode, size=size, data=pixels.tobytes())
    file = io.BytesIO()
    encoded.save(file, quality=95, **options)
    return file.getvalue()


def as_jxl(pixels: np.ndarray, **options: Any) -> bytes:
    plugin = pytest.importorskip("pillow_jxl.JpegXLImagePlugin", reason=PHOTOS)
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.encoderinfo = {"lossless": True, **options}
    plugin._save(image, file, "")
    return file.getvalue()


def all_suffixes() -> set[str]:
    return {suffix for reader in all_readers() for suffix in reader.SUFFIXES}


def test_every_suffix_of_a_reader_is_known() -> None:
    """The names are written down twice: what a worker imports to know a name must be small."""
    own = {suffix for reader in (heif, jpeg_xl, camera_raw, video) for suffix in reader.SUFFIXES}
    assert own <= BY_READERS
    assert all(suffix in all_suffixes() for suffix in BY_READERS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once(orientation: int) -> None:
    pixels = picture()
    raw = heif.read(as_heic(pixels, exif=tags(orientation)))
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    from PIL import ImageOps

    upright = np.asarray(ImageOps.exif_transpose(image))
    assert raw.orientation == 1
    assert raw.pixels.shape == upright.shape
    assert np.abs(raw.pixels.astype(int) - upright).mean() < 4


def test_heic_of_any_depth_on_white() -> None:
    grey = picture()[..., 0]
    read = heif.read(as_heic(grey))
    assert read.pixels.shape == (48, 64, 1)
    assert not read.colour
    assert np.abs(read.pixels[..., 0].astype(int) - grey).mean() < 4
    deep = picture().astype(np.uint16) * 257
    read = heif.read(as_heic(deep))
    assert read.pixels.dtype == np.uint16
    assert read.colour
    assert np.abs(read.pixels.astype(int) - deep).mean() < 4 * 257
    assert heif.read(as_heic(np.full((64, 64, 3), 65535, np.uint16))).pixels.min() > 65000
    clear = np.dstack([picture(), np.zeros((48, 64), np.uint8)])
    assert heif.read(as_heic(clear)).pixels.min() > 250


def test_jpeg_xl_is_what_was_encoded() -> None:
    pixels = picture()
    read = jpeg_xl.read(as_jxl(pixels))
    assert np.array_equal(read.pixels, pixels)
    assert read.colour
    assert np.array_equal(jpeg_xl.read(as_jxl(pixels[..., 0])).pixels[..., 0], pixels[..., 0])
    deep = pixels[..., 0].astype(np.uint16) * 257
    assert np.array_equal(jpeg_xl.read(as_jxl(deep)).pixels[..., 0], deep)
    # An orientation in EXIF beside the pixels is a comment: every viewer ignores it.
    assert jpeg_xl.read(as_jxl(pixels, exif=tags(6))).orientation == 1
    assert jpeg_xl.size(as_jxl(pixels)) == (48, 64)
    assert jpeg_xl.size(as_jxl(picture(300, 777))) == (300, 777)


def test_a_jpeg_within_jpeg_xl_is_turned_by_its_exif(tmp_path: Path) -> None:
    plugin = pytest.importorskip("pillow_jxl.JpegXLImagePlugin", reason=PHOTOS)
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=tags(6), quality=95)
    file = io.BytesIO()
    with Image.open(tmp_path / "a.jpg") as image:
        image.encoderinfo = {"lossless_jpeg": True}
        plugin._save(image, file, "")
    assert jpeg_xl.read(file.getvalue()).orientation == 6


def as_dng(pixels: np.ndarray, orientation: int = 1) -> bytes:
    """A raw file: behind each pixel lies one colour, as on a sensor."""
    tifffile = pytest.importorskip("tifffile", reason="needs the extra shoal[scientific]")
    mosaic = np.empty(pixels.shape[:2], np.uint16)
    for (y, x), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[y::2, x::2] = pixels[y::2, x::2, channel].astype(np.uint16) * 64
    unit = [number for row in np.eye(3, dtype=int).ravel() for number in (int(row), 1)]
    file = io.BytesIO()
    tifffile.imwrite(
        file, mosaic, photometric=32803, metadata=None, extratags=[
            (274, 3, 1, orientation, True), (50706, 1, 4, b"\x01\x04\0\0", True),
            (50708, 2, 0, "shoal test", True), (33421, 3, 2, (2, 2), True),
            (33422, 1, 4, b"\0\1\1\2", True), (50717, 4, 1, 255 * 64, True),
            (50721, 10, 9, tuple(unit), True), (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
        ],
    )  # fmt: skip
    return file.getvalue()


def test_raw_is_developed_whole_and_at_half_the_size(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason=PHOTOS)
    (tmp_path / "a.dng").write_bytes(as_dng(picture(128, 192)))
    whole, half = camera_raw.read(tmp_path / "a.dng"), camera_raw.read(tmp_path / "a.dng", side=32)
    assert whole.colour
    assert whole.pixels.shape == (128, 192, 3)
    assert half.pixels.shape == (64, 96, 3)
    assert half.size == (128, 192)
    small = np.asarray(Image.fromarray(whole.pixels).resize((96, 64), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - half.pixels).mean() < 6
    means = [half.pixels[:16, :16].mean((0, 1)), half.pixels[:16, -16:].mean((0, 1))]
    assert means[1][0] > means[0][0] + 80  # red grows to the right, as it was put there
    # A TIFF by its first bytes: in an archive, too, its name says that it is a raw file.
    with zipfile.ZipFile(tmp_path / "pile.zip", "w") as archive:
        for number in range(3):
            archive.write(tmp_path / "a.dng", f"{number}.dng")
    packed = open_source(tmp_path / "pile.zip", cache=False)
    assert list(packed.ids) == ["0.dng", "1.dng", "2.dng"]
    assert packed.originals.suffix(0) == ".dng"
    assert packed.originals.size(0) == (192, 128)


def test_what_begins_as_a_thumbnail_is_a_raw_file() -> None:
    head = b"MM\0*\0\0\0\x08\0\x22" + b"\0\xfe\0\4\0\0\0\1\0\0\0\1" + bytes(20)
    assert reader_of(head, "") is not None
    assert camera_raw.recognises(head)
    assert not camera_raw.recognises(head.replace(b"\1\0\0\0\1", b"\1\0\0\0\0"))


@pytest.mark.parametrize(("name", "library", "kind"), [
    ("a.heic", "pillow_heif", "HEIC"), ("a.jxl", "pillow_jxl", "JPEG XL"),
    ("a.nef", "rawpy", "a camera's raw file"),
])  # fmt: skip
def test_a_missing_extra_is_said(
    name: str, library: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {".heic": lambda: as_heic(picture()), ".jxl": lambda: as_jxl(picture())}
    content = contents.get(name[1:], lambda: b"II*\0" + bytes(40))()
    (tmp_path / name).write_bytes(content)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, "pillow_jxl.JpegXLImagePlugin", None)
    monkeypatch.setattr("shoal.images.decoding.processes.Pool", _none)
    with pytest.raises(DataError) as raised:
        open_source(tmp_path, cache=False)
    assert f"{kind} needs an extra: pip install 'shoal[photos]'" in str(raised.value)


def _none(_: int) -> Any:
    """No processes: a library that a test hides is hidden from this process alone."""
    raise OSError


def test_forged_sizes_are_refused() -> None:
    sides = (0b11 << 1) | ((2**30 - 1) << 3) | (1 << 33)  # as high as can be, and as wide
    huge = bytes([0xFF, 0x0A]) + sides.to_bytes(6, "little")
    with pytest.raises(ValueError, match="safe to decode"):
        jpeg_xl.read(huge + bytes(20))
    for reader in (heif, jpeg_xl, camera_raw):
        with pytest.raises(ValueError, match=r"damaged|cannot read"):
            reader.read(b"\xff\x0a nothing of the kind " * 9)


def test_browsers_and_exports_get_what_they_can_show(tmp_path: Path) -> None:
    from shoal.review.pictures import original

    pixels = picture(96, 128)
    (tmp_path / "a.heic").write_bytes(as_heic(pixels, exif=tags(6)))
    (tmp_path / "b.jxl").write_bytes(as_jxl(pixels))
    Image.fromarray(pixels).save(tmp_path / "c.jpg")
    source = open_source(tmp_path, cache=False)
    assert list(source.ids) == ["a.heic", "b.jxl", "c.jpg"]
    assert [source.originals.size(row) for row in range(3)] == [(96, 128), (128, 96), (128, 96)]
    for row, size in enumerate([(96, 128), (128, 96), (128, 96)]):
        content, kind = original(source, row)
        assert kind == "image/jpeg"
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            assert image.size == size
    assert source.originals.content(0) == (tmp_path / "a.heic").read_bytes()
    assert source.originals.suffix(0) == ".heic"


@pytest.mark.parametrize(("flip", "preview", "turn"), [
    (0, (96, 64), 1), (3, (96, 64), 3), (5, (96, 64), 8), (6, (96, 64), 6),
    (6, (64, 96), 1),  # the camera has turned it already
    (0, (96, 54), None),  # it shows a part
    (0, (30, 20), None),  # too small
])  # fmt: skip
def test_the_preview_of_a_raw_file(flip: int, preview: tuple[int, int], turn: int | None) -> None:
    rawpy = pytest.importorskip("rawpy", reason=PHOTOS)
    file = io.BytesIO()
    Image.fromarray(picture(*preview[::-1])).save(file, "JPEG", quality=95)
    opened = SimpleNamespace(
        sizes=SimpleNamespace(height=128, width=192, flip=flip, pixel_aspect=1.0),
        extract_thumb=lambda: SimpleNamespace(format=rawpy.ThumbFormat.JPEG, data=file.getvalue()),
    )
    read = camera_raw._preview(opened, 32)
    assert (read and read.orientation) == turn
    if read is not None:
        assert read.size == ((192, 128) if preview == (64, 96) else (128, 192))
        assert np.abs(read.pixels.mean((0, 1)) - picture().mean((0, 1))).max() < 4
