"""Piles of images of several kinds: the majority decides, and a person is told of the others."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.images.open import open_source
from shoal.images.pixel_range import PixelRange


def _images(n: int, top: int, dtype: Any) -> Any:
    return np.random.default_rng(top).integers(0, top + 1, (n, 12, 12)).astype(dtype)


def test_most_images_decide_on_the_channels_and_both_counts_are_said(
    tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    tifffile = pytest.importorskip("tifffile", reason="reads TIFF of four bands")
    folder = tmp_path / "pile"
    folder.mkdir()
    for number in range(44):  # the first by name, and fewer
        content = np.random.default_rng(number).integers(0, 256, (12, 12, 4)).astype(np.uint8)
        tifffile.imwrite(folder / f"a{number}.tif", content, photometric="minisblack")
    for number in range(66):
        content = np.random.default_rng(number).integers(0, 256, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(content).save(folder / f"b{number}.png")
    assert open_source(folder, cache=False).shape == (12, 12, 3)
    given = ["--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png", "--no-cache"]
    told = run_cli("duplicates", folder, *given).err
    assert "44 images of 4 channels are left out, and the 66 images of 3 are kept" in told
    assert "44 such as a0.tif: 4 channels, where the pile has 3" in told


@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        (np.uint8, "1 of 41 images has more than 8 bits and is seen by this range; the other 40"),
        (np.uint16, "1 of 41 images (z.png) is far brighter than all others (up to 65"),
    ],
)
def test_a_stray_of_more_bits_is_named_and_darkens_no_8_bit_file(
    tmp_path: Path, dtype: Any, told: str
) -> None:
    for number, image in enumerate(_images(40, 255, dtype)):
        Image.fromarray(image).save(tmp_path / f"a{number:02}.png")
    Image.fromarray(_images(1, 65535, np.uint16)[0]).save(tmp_path / "z.png")
    source = open_source(tmp_path, cache=False)
    assert [note for note in source.notes if told in note], source.notes
    if dtype == np.uint16:
        assert "of one scale, 0 to 65535" in source.notes[-1]
        assert "if the others are 8-bit numbers, give --range 0:255" in source.notes[-1]
    if dtype == np.uint8:
        assert source.read(np.arange(40)).mean() == pytest.approx(65535 / 2, rel=0.02)


def test_images_far_smaller_than_what_is_seen_are_named(tmp_path: Path) -> None:
    for number in range(30):
        Image.fromarray(_images(1, 255, np.uint8)[0]).resize((60 + number, 80)).save(
            tmp_path / f"b{number}.png"
        )
    assert not [note for note in open_source(tmp_path, cache=False).notes if "smaller" in note]
    for number, side in enumerate((1, 3, 8, 9)):  # a quarter of 32, and a little more
        Image.new("L", (side, side), 9).save(tmp_path / f"a{number}.png")
    notes = open_source(tmp_path, cache=False).notes
    assert (
        "warning: 3 of 34 images are far smaller than 32 × 32 pixels (a0.png, a1.png, a2.png), and "
        "blown up to that: they show little" in notes
    )


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        (np.zeros(24), "all images are one colour and the same: there is nothing to tell them"),
        (np.arange(24), "each image has one colour all over: nothing but this colour tells them"),
    ],
)
def test_a_pile_with_nothing_in_it_is_told_so_before_the_training(
    levels: np.ndarray, told: str, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    images = np.broadcast_to(levels[:, None, None].astype(np.uint8), (24, 8, 8))
    np.save(tmp_path / "a.npy", images)
    small = ["--epochs", "0.2", "--set", "encoder.widths=(8,16)", "--set", "checkpoints=1"]
    err = run_cli("train", tmp_path / "a.npy", tmp_path / "c.pth", *small).err
    assert told in err
    assert err.index(told) < err.index("this takes")


def test_an_even_pile_is_not_warned_of(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", _images(40, 3000, np.uint16))
    notes = open_source(tmp_path / "a.npy", cache=False).notes
    assert not [note for note in notes if "warning" in note]


@pytest.mark.parametrize("kind", [2, 4, 6])
def test_a_png_of_16_bit_colours_keeps_its_bits(tmp_path: Path, kind: int) -> None:
    pytest.importorskip("imagecodecs", reason="reads PNG of 16-bit colours")
    n_channels = {2: 3, 4: 2, 6: 4}[kind]
    pixels = np.random.default_rng(kind).integers(0, 65536, (6, 9, 9, n_channels))
    pixels[..., -1] = 65535 if kind > 2 else pixels[..., -1]  # opaque
    for number, image in enumerate(pixels.astype(">u2")):
        (tmp_path / f"{number}.png").write_bytes(_png(image, kind))
    source = open_source(tmp_path, cache=False)
    shown = pixels[..., :1] if kind == 4 else pixels[..., :3]
    assert np.abs(source.read(np.arange(6)).astype(int) - shown).max() <= 1
    older = open_source(
        tmp_path, image_shape=source.shape, cache=False, pixel_range=PixelRange(levels=8)
    )
    assert np.abs(older.read(np.arange(6)).astype(int) - shown // 256).max() <= 1


def _png(image: Any, kind: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
