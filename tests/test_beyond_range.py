"""Images that the range of a pile cuts off: they are counted, and a person is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import ArraySource
from shoal.errors import DataError
from shoal.images.open import open_source
from shoal.images.pixel_range import PixelRange, parse
from shoal.images.vectors.scale import describe_other_scale
from shoal.images.vectors.source import VectorSource

TOLD = "1 of 6 images has 10% or more of its pixels outside the range"


def _images() -> np.ndarray:
    pile = np.random.default_rng(0).integers(0, 1000, (6, 20, 20)).astype(np.uint16)
    pile[2, :4] += 3000
    pile[3, :1] += 3000  # few pixels
    pile[4, :8] = 65535  # a mask
    return pile


def test_images_that_the_range_cuts_off_are_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", _images())
    (tmp_path / "files").mkdir()
    for number, image in enumerate(_images()):
        Image.fromarray(image).save(tmp_path / "files" / f"{number}.png")
    for pile in ("a.npy", "files"):
        for levels in (8, 16):
            known = PixelRange(integers=(0.0, 1000.0), levels=levels)
            source = open_source(tmp_path / pile, pixel_range=known, cache=False)
            assert [note for note in source.notes if TOLD in note], (pile, levels)


def test_an_array_without_a_number_is_refused_by_a_known_range_too() -> None:
    known = PixelRange(floats=(0.0, 1.0))
    with pytest.raises(DataError, match="all pixels are NaN or infinite"):
        ArraySource(np.full((3, 4, 4), np.nan, np.float32), pixel_range=known)


def test_one_range_is_said_once() -> None:
    both = parse("0:4095")
    assert both.describe(both) == ["pixels from 0, black, to 4095, white: as given"]


@pytest.mark.parametrize("kind", ["vectors", "images"])
def test_numbers_of_another_scale_are_told(
    kind: str, fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    shape = (60, 6) if kind == "vectors" else (40, 8, 8, 1)
    learned, more = generator.random((2, *shape)).astype(np.float32)
    np.save(tmp_path / "bytes.npy", learned * 255)
    np.save(tmp_path / "more.npy", more * 255)
    np.save(tmp_path / "shares.npy", more)
    begin = ("cluster", "--metric", "euclidean", "-k", 2) if kind == "vectors" else ("run", *fast)
    made = run_cli(begin[0], tmp_path / "bytes.npy", tmp_path / "out", *begin[1:])
    assert made.code == 0, made.err
    checkpoint = tmp_path / "out" / "checkpoint.pth"
    for name in ("bytes", "more", "shares"):
        pile, table = tmp_path / f"{name}.npy", tmp_path / f"{name}.csv"
        said = run_cli("predict", pile, checkpoint, table)
        assert said.code == 0, said.err
        assert ("the same scale" in said.err) == (name == "shares"), said.err


def test_where_directions_are_compared_a_factor_changes_nothing() -> None:
    source = VectorSource(np.random.default_rng(0).random((60, 6)).astype(np.float32))
    (said,) = describe_other_scale(source, (0.0, 255.0), by_direction=True)
    assert "a common factor changes nothing" in said
    assert not describe_other_scale(source, (-1.0, 1.0), by_direction=True)
    few = VectorSource(np.float32([[1, 2]]))
    assert not describe_other_scale(few, (-100.0, 100.0), by_direction=True)  # by chance
    assert not describe_other_scale(source, None, by_direction=True)
