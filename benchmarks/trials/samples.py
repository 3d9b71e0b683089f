"""Whole files of every kind that shoal reads, small ones, made from scratch and always the same."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, features

SIDE = 24


def picture(seed: int, mode: str = "RGB") -> Image.Image:
    """A small picture: a smooth field with a rectangle on it."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    left, top = generator.integers(0, SIDE // 2, 2)
    image.paste(tuple(generator.integers(0, 256, 3).tolist()), (left, top, left + 8, top + 8))
    return image.convert(mode)


def _wide(seed: int, kind: str) -> Image.Image:
    levels = np.asarray(picture(seed, "L")).astype(np.float32)
    if kind == "F":
        return Image.fromarray(levels / 255)
    return Image.fromarray((levels * 257).astype(np.uint16))


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _jpg() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        _saved(picture(0), "JPEG", quality=85),
        _saved(picture(1), "JPEG", quality=60, progressive=True, exif=exif),
        _saved(picture(2, "L"), "JPEG"),
        _saved(picture(3, "CMYK"), "JPEG"),
        _saved(picture(4), "JPEG", subsampling=0, restart_marker_rows=1),
    ]


def _png() -> list[bytes]:
    return [
        _saved(picture(5), "PNG"),
        _saved(picture(6, "RGBA"), "PNG"),
        _saved(picture(7, "LA"), "PNG"),
        _saved(picture(8).quantize(16), "PNG", transparency=3),
        _saved(picture(9, "1"), "PNG"),
        _saved(_wide(10, "I;16"), "PNG"),
        _saved(picture(11), "PNG", save_all=True, append_images=[picture(12)]),
    ]


def _webp() -> list[bytes]:
    return [
        _saved(picture(13), "WEBP", quality=70),
        _saved(picture(14, "RGBA"), "WEBP", lossless=True),
        _saved(picture(15), "WEBP", save_all=True, append_images=[picture(16)]),
    ]


def _bmp() -> list[bytes]:
    return [
        _saved(picture(17), "BMP"),
        _saved(picture(18, "L"), "BMP"),
        _saved(picture(19, "1"), "BMP"),
        _saved(picture(20, "RGBA"), "BMP"),
    ]


def _gif() -> list[bytes]:
    animated = {"save_all": True, "append_images": [picture(22).quantize(32)], "duration": 50}
    return [
        _saved(picture(21).quantize(64), "GIF"),
        _saved(picture(22).quantize(32), "GIF", **animated),
        _saved(picture(23).quantize(8), "GIF", transparency=1, interlace=1),
    ]


def _tif() -> list[bytes]:
    pages = {"save_all": True, "append_images": [picture(33)]}
    return [
        _saved(picture(24), "TIFF"),
        _saved(picture(25), "TIFF", compression="tiff_lzw"),
        _saved(picture(26), "TIFF", compression="tiff_adobe_deflate"),
        _saved(picture(27), "TIFF", compression="jpeg"),
        _saved(picture(28, "1"), "TIFF", compression="group4"),
        _saved(picture(29), "TIFF", compression="packbits", big_tiff=True),
        _saved(_wide(30, "I;16"), "TIFF"),
        _saved(_wide(31, "I;16"), "TIFF", compression="tiff_lzw"),
        _saved(_wide(32, "F"), "TIFF"),
        _saved(picture(33), "TIFF", **pages),
    ]


def _ppm() -> list[bytes]:
    plain = " ".join(map(str, np.asarray(picture(35)).ravel().tolist()))
    return [_saved(picture(34), "PPM"), f"P3\n{SIDE} {SIDE}\n255\n{plain}\n".encode()]


def _pgm() -> list[bytes]:
    plain = " ".join(map(str, np.asarray(picture(38, "L")).ravel().tolist()))
    return [
        _saved(picture(36, "L"), "PPM"),
        _saved(_wide(37, "I;16"), "PPM"),
        f"P2\n{SIDE} {SIDE}\n255\n{plain}\n".encode(),
    ]


def _avif() -> list[bytes]:
    return [_saved(picture(39), "AVIF"), _saved(picture(40, "RGBA"), "AVIF", quality=60)]


def _jp2() -> list[bytes]:
    return [
        _saved(picture(41), "JPEG2000"),
        _saved(picture(42, "L"), "JPEG2000", no_jp2=True),
        _saved(picture(43), "JPEG2000", irreversible=True, tile_size=(16, 16)),
    ]


IMAGES: dict[str, Callable[[], list[bytes]]] = {
    "jpg": _jpg,
    "png": _png,
    "webp": _webp,
    "bmp": _bmp,
    "gif": _gif,
    "tif": _tif,
    "ppm": _ppm,
    "pgm": _pgm,
}
if features.check("avif"):
    IMAGES["avif"] = _avif
if features.check("jpg_2000"):
    IMAGES["jp2"] = _jp2
"""Image formats, by their suffix."""
N_MEMBERS = 4
"""Images in each archive and table."""


def _members() -> dict[str, bytes]:
    chosen = {
        "a/1.jpg": _jpg()[0],
        "a/2.png": _png()[0],
        "b/3.tif": _tif()[1],
        "b/4.gif": _gif()[0],
    }
    assert len(chosen) == N_MEMBERS
    return chosen


def pack_zip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def pack_tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of these files, not compressed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pack_parquet(members: dict[str, bytes], *, structs: bool = True, **options: Any) -> bytes:
    """A parquet table of these images, as structs {bytes, path} or as plain binary."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents: list[Any] = list(members.values())
    if structs:
        contents = [{"bytes": one, "path": name} for name, one in members.items()]
    buffer = io.BytesIO()
    pq.write_table(
        pa.table({"image": contents, "n": list(range(len(contents)))}), buffer, **options
    )
    return buffer.getvalue()


def _arrays() -> list[np.ndarray[Any, Any]]:
    colour = np.stack([np.asarray(picture(seed)) for seed in range(4)])
    grey = colour[..., 0].copy()
    return [
        colour, grey, np.asfortranarray(colour), colour.astype(np.float32) / 255,
        colour.astype(np.float64), grey.astype(">u2") * 257, grey.astype(np.int64),
    ]  # fmt: skip


def save_npy(array: np.ndarray[Any, Any]) -> bytes:
    """An array as a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz() -> list[bytes]:
    arrays = _arrays()
    found = []
    for save, kept in ((np.savez, arrays[:1]), (np.savez_compressed, arrays[3:4]),
                       (np.savez_compressed, arrays[:2])):  # fmt: skip
        buffer = io.BytesIO()
        named: dict[str, Any] = {f"x{number}": array for number, array in enumerate(kept)}
        save(buffer, **named)
        found.append(buffer.getvalue())
    return found


def _zip() -> list[bytes]:
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [pack_zip(_members(), method) for method in methods]


def _tar() -> list[bytes]:
    forms = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
    long = {f"{'long' * 40}/{name}": content for name, content in _members().items()}
    shard = {"1.jpg": _jpg()[0], "1.cls": b"3", "2.png": _png()[0], "2.cls": b"4"}
    return [pack_tar(_members(), form) for form in forms] + [pack_tar(long), pack_tar(shard)]


def _tar_gz() -> list[bytes]:
    import bz2
    import lzma

    packed = pack_tar(_members())
    return [gzip.compress(packed, mtime=0), bz2.compress(packed), lzma.compress(packed)]


def _parquet() -> list[bytes]:
    return [
        pack_parquet(_members()),
        pack_parquet(_members(), structs=False, compression="zstd"),
        pack_parquet(_members(), compression="none", use_dictionary=False, row_group_size=2),
    ]


CONTAINERS: dict[str, Callable[[], list[bytes]]] = {
    "zip": _zip, "tar": _tar, "tar.gz": _tar_gz, "parquet": _parquet, "npz": _npz,
    "npy": lambda: [save_npy(array) for array in _arrays()],
    "csv": lambda: [b"path,label\ngood.png,1\nbad.jpg,2\n", b"good.png\nbad.jpg\n",
                    b"id\tfile\n1\tgood.png\n2\tbad.jpg\n"],
    "txt": lambda: [b"good.png\nbad.jpg\n", b"# a list\n\ngood.png\r\nbad.jpg"],
}  # fmt: skip
"""Archives, tables, arrays and lists, by their suffix."""


@cache
def whole(kind: str) -> list[bytes]:
    """Several whole files of a kind."""
    return (IMAGES | CONTAINERS)[kind]()
