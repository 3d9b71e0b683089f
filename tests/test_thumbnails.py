"""Thumbnails: a person sees the pixels of the original, upright, in the range of its pile."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.images.subset import Subset
from shoal.plots import figures, single_images
from shoal.plots.thumbnails import thumbnails, thumbnails_of_lists
from shoal.protocols import Array
from shoal.search.duplicates import Duplicates, Group


def halves(height: int, width: int) -> Array:
    """Red on the left, blue on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 255
    return pixels


def encoded(pixels: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", **options)
    return file.getvalue()


def archive(path: Path, *contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for number, content in enumerate(contents):
            opened.writestr(f"{number}.png", content)
    return path


def test_a_thumbnail_has_the_pixels_of_the_original(tmp_path: Path) -> None:
    fine = halves(400, 500)
    fine[::2, :, 1] = 255  # lines that 32 pixels cannot show
    source = open_source(archive(tmp_path / "a.zip", encoded(fine), encoded(halves(32, 32))))
    large, small = thumbnails(source, np.array([0, 1]))
    assert large.shape == small.shape == (192, 192, 3)
    assert large[:, :90, 0].min() > 250
    assert large[:, 102:, 2].min() > 250
    blocks = source.read(np.array([1]))[0].repeat(6, axis=0).repeat(6, axis=1)
    assert np.array_equal(small, blocks)  # as the encoder sees it: there is no more to see
    assert thumbnails(source, np.array([0]), side=128).shape == (1, 128, 128, 3)


def test_a_thumbnail_is_no_larger_than_its_original(tmp_path: Path) -> None:
    source = open_source(archive(tmp_path / "a.zip", encoded(halves(100, 130))))
    (picture,) = thumbnails(source, np.array([0]))
    assert np.array_equal(picture, halves(100, 130)[:, 15:115])


def test_a_thumbnail_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter, clockwise
    source = open_source(archive(tmp_path / "a.zip", encoded(halves(300, 300), exif=exif)))
    (picture,) = thumbnails(source, np.array([0]))
    assert picture[:90, :, 0].min() == 255
    assert picture[102:, :, 2].min() == 255


def test_a_thumbnail_has_the_range_of_its_pile(tmp_path: Path) -> None:
    levels = np.linspace(1000, 3000, 300 * 300).reshape(300, 300).astype(np.uint16)
    dark = np.full((300, 300), 1000, np.uint16)
    source = open_source(archive(tmp_path / "a.zip", encoded(levels), encoded(dark)))
    pictures = thumbnails(source, np.array([0, 1]))
    assert pictures.shape == (2, 192, 192, 1)
    assert pictures[0, 0].max() < 5
    assert pictures[0, -1].min() > 250
    assert pictures[1].max() == 0


def test_without_originals_the_encoders_pixels_are_shown(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 9, 8, 1), dtype=np.uint8)
    source = ArraySource(pixels)
    assert np.array_equal(thumbnails(source, np.array([3, 1])), pixels[[3, 1]])
    path = archive(tmp_path / "a.zip", encoded(halves(300, 300)))
    encoded_source = open_source(path)
    path.unlink()  # moved away in the meantime
    assert thumbnails(encoded_source, np.array([0])).shape == (1, 32, 32, 3)


def test_some_images_of_a_pile(tmp_path: Path) -> None:
    contents = [encoded(np.full((300, 300, 3), level, np.uint8)) for level in (0, 100, 200)]
    source = open_source(archive(tmp_path / "a.zip", *contents))
    pictures = thumbnails(Subset(source, np.array([2, 1])), np.array([0, 1]))
    assert [int(picture.min()) for picture in pictures] == [200, 100]


def test_the_files_of_a_folder_are_originals(tmp_path: Path) -> None:
    for level in (0, 100):
        (tmp_path / f"{level}.png").write_bytes(encoded(np.full((300, 300, 3), level, np.uint8)))
    pictures = thumbnails(open_source(tmp_path), np.array([1, 0]))
    assert pictures.shape == (2, 192, 192, 3)
    assert [int(picture.max()) for picture in pictures] == [100, 0]


def test_large_arrays_are_scaled_down() -> None:
    source = ArraySource(np.stack([halves(400, 500)] * 2))
    pictures = thumbnails(source, np.array([1]))
    assert pictures.shape == (1, 154, 192, 3)
    assert pictures[0, :, :90, 0].min() == pictures[0, :, 102:, 2].min() == 255


def test_figures_draw_the_originals(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(encoded(halves(300, 300 + number)))
    source = open_source(tmp_path)
    table = ImageTable(
        ids=source.ids, labels=np.arange(6) % 2, confidence=np.ones(6, np.float32),
        embedding=np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32),
    )  # fmt: skip
    lists = thumbnails_of_lists(source, [np.array([5, 0]), np.array([0]), np.zeros(0, np.int64)])
    assert [len(pictures) for pictures in lists] == [2, 1, 0]
    assert np.array_equal(lists[0][1], lists[1][0])
    copies = Group(0, np.array([3]), np.array([True]), np.array([False]), np.zeros(1, np.float32))
    drawn = (
        figures.clusters(source, table),
        figures.splits(source, [table]),
        single_images.duplicates(source, Duplicates(source.ids, [copies], 0.5, "")),
    )
    for figure in drawn:
        for ax in figure.axes:
            for image in ax.images:
                assert min(np.asarray(image.get_array()).shape[:2]) >= 192
