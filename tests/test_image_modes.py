"""One encoded image to pixels: modes, depths, orientations, sizes, and files made to do harm."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from shoal.images.decoding.form import Form, Unreadable
from shoal.images.decoding.image import decode, decode_chunk, look

NOISE = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
COLOUR = Form(20, 24, 3)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(content: bytes, form: Form = COLOUR) -> np.ndarray:
    found = decode(content, form)
    assert not isinstance(found, str), found
    assert found[0] is not None
    assert found[0].dtype == np.uint8
    assert found[0].shape == form.shape
    return found[0]


def grey(values: Any, dtype: Any) -> Image.Image:
    """A picture 20 × 24 whose first row begins with ``values``, else zeros."""
    made = np.zeros((20, 24), dtype)
    made[0, : len(values)] = values
    return Image.fromarray(made)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("PPM", {}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_lossless_formats_give_the_pixels_back(kind: str, options: Any, mode: str) -> None:
    image = Image.fromarray(NOISE).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(pixels(encoded(image, kind, **options)), expected)


def test_palette_gif_and_its_first_frame() -> None:
    image = Image.fromarray(NOISE).quantize(64)
    moving = encoded(image, "GIF", save_all=True, append_images=[image.rotate(180)])
    for content in (encoded(image), encoded(image, "GIF"), moving):
        np.testing.assert_array_equal(pixels(content), np.asarray(image.convert("RGB")))


def test_jpeg_and_cmyk_are_close() -> None:
    smooth = Image.fromarray(NOISE).resize((3, 3)).resize((24, 20), Image.Resampling.BICUBIC)
    for image in (smooth, smooth.convert("CMYK")):
        off = pixels(encoded(image, "JPEG", quality=95)).astype(int) - np.asarray(smooth)
        assert np.abs(off).max() <= 12


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (grey([0, 257, 128 * 257, 65535, 300], np.uint16), [0, 1, 128, 255, 1]),
        (grey([0, 257, 65535], np.int32), [0, 1, 255]),
        (grey([0, 131070, 65535], np.int32), [0, 255, 128]),  # wider than 16 bits: its own maximum
        (grey([-5, 257, 65535], np.int32), [0, 1, 255]),
        (grey([0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (grey([0, 100.4, 255.0], np.float32), [0, 100, 255]),
        (grey([0, 257, 65535], np.float32), [0, 1, 255]),
    ],
)
def test_numbers_wider_than_8_bits(made: Image.Image, expected: list[int]) -> None:
    for kind in ("TIFF", "PNG") if made.mode == "I;16" else ("TIFF",):
        found = pixels(encoded(made, kind), Form(20, 24, 1))[0, : len(expected), 0]
        assert found.tolist() == expected


def test_16_bit_colour_png() -> None:
    """Pillow cannot write one, and reads the high bytes."""
    rows = b"".join(
        b"\0" + struct.pack(">6H", *[257 * v for v in range(y, y + 6)]) for y in (9, 99)
    )
    assert pixels(png(2, 2, rows, depth=16, colour=2), Form(2, 2, 3)).ravel().tolist() == [
        *range(9, 15), *range(99, 105)
    ]  # fmt: skip


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 0) -> bytes:
    def part(name: bytes, content: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + sum_

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(part(*one) for one in parts)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_white_whatever_it_hides(mode: str) -> None:
    image = Image.new("RGBA", (24, 20), (200, 0, 90, 0))
    image.paste((10, 20, 30, 255), (12, 0, 24, 20))
    if mode == "LA":
        image = image.convert("LA")
    hidden: dict[str, Any] = {}
    if mode in ("P", "RGB"):  # one colour of the palette, or one colour, stands for nothing
        image = image.convert("RGB")
        hidden["transparency"] = (200, 0, 90)
        if mode == "P":
            image = image.quantize(2)
            hidden["transparency"] = int(np.asarray(image)[0, 0])
    found = pixels(encoded(image, **hidden))
    assert (found[:, :12] == 255).all()
    assert (found[:, 12:] == np.asarray(image.convert("RGB"))[0, 23]).all()


def test_half_transparent_and_scaled_down() -> None:
    half = Image.new("RGBA", (24, 20), (0, 100, 200, 128))
    assert np.abs(pixels(encoded(half)).astype(int) - (127, 177, 227)).max() <= 1
    # Columns in turn opaque grey and a hidden red: scaled, no red may come through.
    columns = np.zeros((20, 24, 4), np.uint8)
    columns[:, ::2] = (100, 100, 100, 255)
    columns[:, 1::2] = (255, 0, 0, 0)
    found = pixels(encoded(Image.fromarray(columns)), Form(10, 12, 3)).astype(int)
    assert np.ptp(found, axis=2).max() <= 1
    assert np.abs(found - 177).max() <= 30


def test_a_pile_of_greys_takes_colour_as_brightness() -> None:
    found = pixels(encoded(Image.new("RGB", (24, 20), (200, 100, 50))), Form(20, 24, 1))
    assert found[0, 0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "TIFF"], ids=["jpeg", "png", "webp", "tiff"]
)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_of_every_format(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (64, 128), (0, 0, 200))
    upright.paste((200, 0, 0), (0, 0, 64, 64))
    undo = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, kind, exif=exif)
    assert look(content)[:3] == (128, 64, False)
    for form in (Form(128, 64, 3), Form(16, 8, 3)):
        found = pixels(content, form).astype(int)
        assert np.abs(found[: form.height // 2 - 1] - (200, 0, 0)).max() <= 12
        assert np.abs(found[form.height // 2 + 1 :] - (0, 0, 200)).max() <= 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_nonsense_in_exif_does_not_lose_the_image() -> None:
    content = encoded(Image.fromarray(NOISE), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02")
    np.testing.assert_array_equal(pixels(content), NOISE)


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (33, 90), (5, 7), (1, 400), (129, 128)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_scaling_covers_and_cuts_to_the_centre(size: tuple[int, int], kind: str) -> None:
    """Against Pillow's own, of the whole image. A JPEG decoded smaller differs hardly: where its
    side is odd, by a shift of half a pixel of the original."""
    smooth = Image.fromarray(NOISE[:6, :6]).resize(size, Image.Resampling.BICUBIC)
    content = encoded(smooth, kind)
    with Image.open(io.BytesIO(content)) as opened:
        expected = ImageOps.fit(opened.convert("RGB"), (32, 32), Image.Resampling.BICUBIC)
    off = np.abs(pixels(content, Form(32, 32, 3)).astype(int) - np.asarray(expected))
    assert off.max() <= (0 if kind == "PNG" else 8)
    assert off.mean() <= 2


def test_what_is_believed_of_a_pile_and_what_surprises() -> None:
    small, wide = Image.fromarray(NOISE), Image.fromarray(NOISE[:, :9])
    plain = encoded(small.convert("L"))
    believed = Form(20, 24, 1, same_size=True, all_grey=True)
    assert decode_chunk([plain, plain], believed).surprise is None
    for other in (small, wide.convert("L")):
        chunk = decode_chunk([plain, encoded(other), plain], believed)
        assert chunk.surprise is not None
        assert chunk.surprise[:3] == (other.height, other.width, other.mode == "L")
        assert len(chunk.pixels) == 0
    # A broken image surprises nobody.
    chunk = decode_chunk([plain, encoded(small)[:-30], Unreadable("locked"), plain], believed)
    assert chunk.surprise is None
    assert [bool(reason) for reason in chunk.reasons] == [False, True, True, False]
    assert chunk.reasons[2] == "locked"
    assert len(chunk.pixels) == 2
    assert chunk.sides == (20, 24)


BROKEN: list[tuple[str, Callable[[], bytes], str]] = [
    ("nothing", lambda: b"", "empty"),
    ("text", lambda: b"<html>404</html>", "not an image"),
    ("postscript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    ("bomb", lambda: png(30_000, 30_000, b""), "900,000,000 pixels"),
    ("smaller bomb", lambda: png(10_000, 9_000, b""), "10,000 × 9,000 pixels, more than"),
    ("cut", lambda: encoded(Image.fromarray(NOISE))[:-40], "truncated"),
    ("no pixels", lambda: png(0, 5, b""), "not an image"),
    ("not numbers", lambda: encoded(grey([np.nan, 1], np.float32), "TIFF"), "are not numbers"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*decompression bomb")
@pytest.mark.parametrize(("content", "reason"), [pytest.param(*b[1:], id=b[0]) for b in BROKEN])
def test_broken_images_give_a_reason(content: Callable[[], bytes], reason: str) -> None:
    found = decode(content(), COLOUR)
    assert isinstance(found, str)
    assert found
    assert "\n" not in found
    assert reason in found


def test_files_of_every_sort(tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(NOISE)))
    np.testing.assert_array_equal(decode(path, COLOUR)[0], NOISE)
    os.mkfifo(tmp_path / "pipe.png")
    for other in (tmp_path, tmp_path / "pipe.png", tmp_path / "none.png", Path("/dev/zero")):
        assert isinstance(decode(other, COLOUR), str)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_never_raise(seed: int) -> None:
    generator = random.Random(seed)
    image = Image.fromarray(NOISE)
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = [
        encoded(image, "JPEG", exif=exif), encoded(image.convert("CMYK"), "JPEG"), encoded(image),
        encoded(image.quantize(9)), encoded(image, "WEBP", exif=exif), encoded(image, "BMP"),
        encoded(image, "GIF"), encoded(image, "PPM"), encoded(image.convert("F"), "TIFF"),
        encoded(image, "TIFF", compression="tiff_adobe_deflate"),
    ]  # fmt: skip
    n_shown = 0
    for _ in range(400):
        content = bytearray(generator.choice(whole))
        for _ in range(generator.choice([1, 2, 8])):
            content[generator.randrange(len(content))] = generator.choice([0, 255, 128, 7])
        if generator.random() < 0.3:
            content = content[: generator.randrange(len(content))]
        found = decode(bytes(content), Form(8, 8, 3))
        if isinstance(found, str):
            assert found
            assert "\n" not in found
        else:
            assert found[0] is not None
            assert (found[0].shape, found[0].dtype) == ((8, 8, 3), np.uint8)
            n_shown += 1
    assert 50 < n_shown < 350  # a byte of a bitmap does no harm
