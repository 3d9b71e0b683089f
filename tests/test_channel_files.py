"""Images whose channels are files of their own, and what a pile with them says."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from shoal.cli.opening_as_learned import asked_or_learned
from shoal.cli.options import OpenOptions
from shoal.errors import DataError
from shoal.images.channels import channel_kind
from shoal.images.decoding.channel_files import group
from shoal.images.decoding.listing import Wanted
from shoal.images.formats import folder
from shoal.images.pixel_range import pairs
from shoal.images.within import Within

_PATTERN = "{id}_Ch{channel}.png"


def _pile(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    (path / "plate").mkdir()
    for row, image in enumerate(pixels):
        for name, plane in zip(("1", "2", "10"), np.moveaxis(image, 2, 0), strict=True):
            Image.fromarray(plane).save(path / f"plate/{row}_Ch{name}.png")
    return pixels


def _open(path: Path, pattern: str = _PATTERN) -> folder.ImageSource:
    return folder.open_images(path, Wanted(channels=pattern, cache=False))


def test_channels_are_in_natural_order_and_missing_ones_have_a_reason(tmp_path: Path) -> None:
    pixels = _pile(tmp_path)
    (tmp_path / "plate/4_Ch10.png").unlink()
    (tmp_path / "plate/5_Ch2.png").write_bytes(b"no image")
    Image.new("L", (8, 8)).save(tmp_path / "other.png")
    source = _open(tmp_path)
    assert list(source.ids) == [f"plate/{row}" for row in range(4)]
    np.testing.assert_array_equal(source.read(np.arange(4)), pixels[:4])
    skipped = dict(source.skipped)
    assert skipped["plate/4"] == "no file of its channel 10"
    assert skipped["plate/5"] == "plate/5_Ch2.png: not an image"
    assert skipped["other.png"] == "its name does not match the pattern of channels"
    assert channel_kind(source) == "channels"  # however alike they are: no file has colours
    assert any("channels 1, 2, 10, in this order" in note for note in source.notes)


def test_channels_may_be_folders(tmp_path: Path) -> None:
    for channel in ("blue", "red"):
        (tmp_path / channel).mkdir()
        for row in range(3):
            Image.new("L", (8, 8), row).save(tmp_path / f"{channel}/{row}.png")
    source = _open(tmp_path, "{channel}/{id}.png")
    assert list(source.ids) == ["0", "1", "2"]
    assert source.shape == (8, 8, 2)


def test_the_originals_are_pictures_of_all_channels(tmp_path: Path) -> None:
    _pile(tmp_path)
    source = pickle.loads(pickle.dumps(_open(tmp_path)))
    assert source.originals.file(0) is None
    assert source.originals.content(0).startswith(b"\x89PNG")
    assert source.originals.size(0) == (8, 8)


def test_a_pattern_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="each once, such as"):
        group(["a.tif"], "{id}.tif", "x")
    with pytest.raises(DataError, match="matches none of the 1 files of x"):
        group(["a.tif"], _PATTERN, "x")
    with pytest.raises(DataError, match="an image may have 64"):
        group([f"a_Ch{number}.png" for number in range(65)], _PATTERN, "x")


def test_a_checkpoint_keeps_the_pattern(tmp_path: Path) -> None:
    """So that later commands see the same images without being told again."""
    _pile(tmp_path)
    source = _open(tmp_path)
    kept = Within.from_json(source.within.to_json())
    checkpoint = SimpleNamespace(within=kept, composite=(3, 1, 2))
    asked = OpenOptions(channels="{id}.png")
    assert asked_or_learned(OpenOptions(), checkpoint, tmp_path).channels == _PATTERN
    assert asked_or_learned(asked, checkpoint, tmp_path).channels == "{id}.png"
    assert asked_or_learned(OpenOptions(), checkpoint, tmp_path).composite == "3,1,2"
    assert asked_or_learned(OpenOptions(), checkpoint, tmp_path / "array.npy").channels is None


def test_each_channel_has_a_range_of_its_own(tmp_path: Path) -> None:
    """However alike the channels are: they are no colours."""
    draw = np.random.default_rng(0)
    for row in range(30):
        shown = draw.integers(0, 2000, (16, 16))
        for channel in (1, 2, 3):
            pixels = (shown + draw.integers(0, 50, (16, 16)) + 40 * channel).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / f"{row}_Ch{channel}.png")
    source = _open(tmp_path, "{id}_Ch{channel}.png")
    assert len(pairs(source.pixel_range.integers)) == 3
