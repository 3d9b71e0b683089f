"""Images of 1 to 64 channels and of more than 8 bits: what is learned, kept, shown and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal import ArraySource, open_source
from shoal.errors import DataError
from shoal.images.array_pixels import to_pixels
from shoal.images.cache import Kept
from shoal.images.channels import (
    channel_kind,
    constant_channels,
    guessed_channels,
    guessed_colours,
)
from shoal.images.checks import check_same_range
from shoal.images.decoding.form import Form
from shoal.images.decoding.modes import bring
from shoal.images.decoding.raw_pixels import bring_raw, turned
from shoal.images.pictures import composite_of, picture_shape, read_pictures, to_pictures
from shoal.images.pixel_range import PixelRange
from shoal.images.readers.raw import Raw
from shoal.images.tensors import to_float
from shoal.images.tensors import to_pixels as float_to_pixels
from shoal.models import checkpoint

GENERATOR = np.random.default_rng(0)
FIVE = GENERATOR.random((40, 16, 16, 5)) * [1, 200, 3000, 0.01, 5] - [0, 0, 900, 0, 2]


def everything(source: Any) -> np.ndarray:
    return source.read(np.arange(len(source)))


@given(
    st.integers(1, 64), st.sampled_from([np.uint16, np.int32, np.float16, np.float32, np.float64]),
    st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_levels_follow_each_channel(n_channels: int, dtype: type, seed: int) -> None:
    """Greater numbers of a channel never have lower levels, alone or among others."""
    generator = np.random.default_rng(seed)
    images = generator.random((6, 5, 7, n_channels)) * generator.choice(
        [3, 900, 40_000], n_channels
    )
    images = images.astype(dtype)
    source = ArraySource(images, channels="last")
    levels = everything(source)
    assert levels.shape == images.shape
    for channel in range(n_channels):
        order = np.argsort(images[..., channel].ravel(), kind="stable")
        assert (np.diff(levels[..., channel].ravel()[order].astype(int)) >= 0).all()
    alone = ArraySource(images[2:3], channels="last", pixel_range=source.pixel_range)
    np.testing.assert_array_equal(everything(alone)[0], levels[2])
    first = ArraySource(np.moveaxis(images, -1, 1), channels="first")
    np.testing.assert_array_equal(everything(first), levels)
    shown = read_pictures(source, np.arange(6))
    assert shown.dtype == np.uint8
    assert shown.shape[1:] == picture_shape(source)
    assert shown.shape[3] in (1, 3)


@given(st.integers(1, 64))
@settings(max_examples=20, deadline=None)
def test_8_bits_pass_untouched_whatever_the_channels(n_channels: int) -> None:
    images = np.random.default_rng(n_channels).integers(0, 256, (3, 4, 6, n_channels), np.uint8)
    checked = to_pixels(images, "x", channels="last").pixels
    assert np.shares_memory(checked, images)
    np.testing.assert_array_equal(checked, images)


def test_each_channel_has_its_range_and_it_survives_a_file() -> None:
    source: Any = ArraySource(FIVE)
    levels = everything(source)
    assert (levels.min((0, 1, 2)) < 20).all()
    assert (levels.max((0, 1, 2)) > 50_000).all()
    assert "of channel 1 from 0, black, to 1, white; 2: 0" in source.notes[0]
    again = PixelRange.from_json(source.pixel_range.to_json())
    assert again == source.pixel_range
    older = dict(PixelRange(integers=(0.0, 4095.0)).to_json())
    del older["levels"]
    assert PixelRange.from_json(older).levels == 8


def test_another_range_than_the_checkpoint_learned_with_is_one_sentence() -> None:
    each = PixelRange(integers=((0.0, 9.0), (2.0, 3.0)))
    with pytest.raises(DataError, match=r"black, to 9, white; 2: 2 to 3, but .* 0, black, to 255,"):
        check_same_range(each, PixelRange(integers=(0.0, 255.0)))


def test_three_measurements_are_no_colours_while_training_and_afterwards(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("three.npy", np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8))
    told = run_cli("train", "three.npy", "c.pth", "--recipe", "baseline", "--epochs", 1, "-k", 2)
    assert told.code == 0, told.err
    for said in (told.err, run_cli("info", "c.pth").out):
        assert "of 8 × 8 pixels in 3 channels" in said


def test_what_an_older_checkpoint_sees_has_8_bits() -> None:
    wide = (GENERATOR.random((9, 6, 6)) * 4095).astype(np.uint16)
    seen = everything(ArraySource(wide, pixel_range=PixelRange((0.0, 4095.0), levels=8)))
    assert seen.dtype == np.uint8
    np.testing.assert_array_equal(seen[..., 0], np.rint(wide * np.float32(255 / 4095)))


def test_8_bits_and_16_bits_are_equally_bright() -> None:
    eight = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    wide = eight.astype(np.uint16) * 257
    assert (to_float(eight, "cpu") == to_float(wide, "cpu")).all()
    np.testing.assert_array_equal(float_to_pixels(to_float(wide, "cpu"), np.uint16), wide)
    np.testing.assert_array_equal(to_pictures(wide), eight)


def test_colours_share_a_range_and_measurements_do_not() -> None:
    light = GENERATOR.random((40, 12, 12, 1)) * 900
    colours = light * [1.0, 0.8, 0.7] + GENERATOR.random((40, 12, 12, 3)) * 50
    photographs: Any = ArraySource(colours.astype(np.uint16))
    assert channel_kind(photographs) == "rgb"
    assert isinstance(photographs.pixel_range.integers[0], float)
    stains: Any = ArraySource((FIVE[..., :3] + 900).astype(np.float32))
    assert channel_kind(stains) == "channels"
    assert len(stains.pixel_range.floats) == 3
    assert channel_kind(ArraySource(FIVE)) == "channels"
    assert channel_kind(ArraySource(FIVE[..., 0])) == "grey"


def test_channels_that_are_constant_are_not_said_to_go_together() -> None:
    pixels = np.full((20, 8, 8, 3), 7, np.uint8)
    assert guessed_channels(ArraySource(pixels)) == []
    assert guessed_colours(ArraySource(pixels)) == ""
    pixels[..., :] = GENERATOR.integers(0, 256, (20, 8, 8, 1))
    assert "how the channels go together" in guessed_colours(ArraySource(pixels))
    pixels[..., 1:] = 7
    assert guessed_colours(ArraySource(pixels)) == ""


def test_constant_channels_are_said_and_not_shown(tmp_path: Path) -> None:
    images = (FIVE * [9, 9, 9, 9000, 9] + 9000).astype(np.uint16)
    images[..., 1] = 77
    np.save(tmp_path / "a.npy", images)
    source: Any = open_source(tmp_path / "a.npy")
    assert constant_channels(source) == [1]
    assert composite_of(source) == (0, 2, 3)
    said = "\n".join(source.notes)
    assert "pictures show channels 1, 3 and 4 as red, green and blue" in said
    assert "warning: channel 2 of 5 has the same number in all pixels" in said
    chosen: Any = open_source(tmp_path / "a.npy", composite=(5,))
    np.testing.assert_array_equal(
        read_pictures(chosen, np.arange(3)), to_pictures(everything(source)[:3], (4,))
    )
    with pytest.raises(DataError, match="composite must name channels from 1 to 5, got 6"):
        open_source(tmp_path / "a.npy", composite=(1, 2, 6))


@pytest.mark.parametrize("n_channels", [1, 2, 5, 64])
def test_a_large_array_is_brought_to_levels_on_disk_as_in_memory(
    n_channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal.images.formats import numpy_file

    images = (GENERATOR.random((30, 7, 9, n_channels)) * 3000).astype(np.uint16)
    np.save(tmp_path / "a.npy", np.moveaxis(images, -1, 1))
    memory = everything(open_source(tmp_path / "a.npy", channels="first"))
    monkeypatch.setattr(numpy_file, "CONVERT", 0)
    monkeypatch.setattr(numpy_file, "_BLOCK", 5000)
    for note in ("decoded once", "decoded before"):
        source: Any = open_source(tmp_path / "a.npy", channels="first")
        np.testing.assert_array_equal(everything(source), memory)
        assert any(note in said for said in source.notes)


def test_an_image_of_a_reader_is_brought_as_pillow_brings_it() -> None:
    """Orientation, size and colours are those of an image that Pillow reads."""
    pixels = GENERATOR.integers(0, 256, (30, 44, 3), dtype=np.uint8)
    for orientation in range(1, 9):
        form = Form(16, 12, 3)
        decoded: Any = bring_raw(Raw(pixels, True, orientation=orientation), form)
        expected = bring(Image.fromarray(pixels), orientation, form.shape)
        np.testing.assert_array_equal(decoded.pixels, expected)
    wide = Form(16, 12, 3, pixel_range=PixelRange(integers=(0.0, 65535.0)), wide=True)
    deep: Any = bring_raw(Raw(pixels.astype(np.uint16) * 257), wide)
    plain = bring(Image.fromarray(pixels), 1, (16, 12, 3))
    assert np.abs(to_pictures(deep.pixels[None])[0].astype(int) - plain).max() <= 1
    assert len(np.unique(deep.pixels)) > 400  # what is between 8-bit levels is kept


def test_missing_data_of_a_channel_is_filled_from_that_channel() -> None:
    pixels = np.stack([np.full((4, 4), 10.0), np.full((4, 4), 90.0)], axis=2)
    missing = np.zeros((4, 4, 2), bool)
    missing[0, 0] = True
    pixels[1, 1, 1] = np.nan
    form = Form(4, 4, 2, pixel_range=PixelRange(floats=((0.0, 100.0), (0.0, 100.0))), wide=True)
    decoded: Any = bring_raw(Raw(pixels, missing=missing), form)
    assert decoded.n_missing == 3
    assert np.unique(decoded.pixels[..., 0]).tolist() == [round(0.1 * 65535)]
    assert np.unique(decoded.pixels[..., 1]).tolist() == [round(0.9 * 65535)]
    assert bring_raw(Raw(pixels[..., :1]), form) == "1 channel, where the pile has 2"


def test_turning_twice_as_the_tag_says_is_upright() -> None:
    image = np.arange(12).reshape(3, 4, 1)
    undone = {6: 8, 8: 6}
    for orientation in range(1, 9):
        again = turned(turned(image, orientation), undone.get(orientation, orientation))
        np.testing.assert_array_equal(again, image)


def test_the_cache_holds_either_kind(tmp_path: Path) -> None:
    from shoal.images import cache

    for dtype in (np.uint8, np.uint16):
        pixels = GENERATOR.integers(0, np.iinfo(dtype).max, (5, 3, 4, 6)).astype(dtype)

        def fill(write: Callable[[Any], Any], pixels: np.ndarray = pixels) -> dict[str, Any]:
            write(pixels.data)
            return {"shape": list(pixels.shape), "dtype": str(pixels.dtype)}

        kept: Kept = cache.keep(f"{dtype.__name__:x<40}", pixels.nbytes, fill)
        again = cache.load(f"{dtype.__name__:x<40}")
        assert again is not None
        for found in (kept, again):
            np.testing.assert_array_equal(found.pixels, pixels)
        assert np.load(next(Path(cache.folder()).glob(f"{dtype.__name__}x*.npy"))).dtype == dtype


def test_images_of_other_channels_than_the_range_are_called_so(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((3, 8, 8, 2), 700, np.uint16))
    learned = PixelRange(integers=((0.0, 900.0),) * 4)
    with pytest.raises(DataError, match=r"must hold images of 4 channels, .*, got 2"):
        open_source(tmp_path / "a.npy", image_shape=(8, 8, 4), pixel_range=learned)


def test_the_command_line_from_channels_to_pictures(
    run_cli: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    images = (
        np.random.default_rng(5).random((24, 8, 8, 4)) * 3000
        + np.arange(24)[:, None, None, None] * 40
    )
    np.save(tmp_path / "last.npy", images.astype(np.uint16))
    np.save(tmp_path / "first.npy", np.moveaxis(images, -1, 1).astype(np.uint16))
    result = run_cli(
        "train", tmp_path / "last.npy", tmp_path / "c.pth", "--range", "0:4095",
        "--composite", "2,1,4", *fast,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "from 0, black, to 4095, white: as given" in result.err
    learned = checkpoint.load(tmp_path / "c.pth").pixel_range
    assert learned is not None
    assert learned.integers == (0.0, 4095.0)
    for name, asked in {"last": ["--composite", "4,3,2"], "first": []}.items():
        result = run_cli(
            "predict", tmp_path / f"{name}.npy", tmp_path / "c.pth", tmp_path / f"{name}.csv",
            *asked,
        )  # fmt: skip
        assert result.code == 0, result.err
        shown = "4, 3 and 2" if asked else "2, 1 and 4"  # as the checkpoint has it
        assert f"pictures show channels {shown} as red, green and blue" in result.err
        assert "white: as in training" in result.err
    assert (tmp_path / "last.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()
    np.save(tmp_path / "eight.npy", np.zeros((24, 8, 8), np.uint8))
    for options, message in {
        ("last.npy", "--range", "9:3"): "--range must be LOW:HIGH",
        ("last.npy", "--range", "0:1,0:2"): "--range must be one for all channels, or one for each",
        ("eight.npy", "--range", "0:9"): "--range is only for images of more than 8 bits",
        ("last.npy", "--composite", "red"): "--composite must name one or three channels",
        ("last.npy", "--channels", "middle"): "--channels must be first or last",
        ("last.npy", "--every", "2"): "--every is only for videos and animated pictures, got",
        ("last.npy", "--pages", "images"): "--pages is only for files with several pages, got",
        ("last.npy", "--fit", "pad"): "--fit is only for image files, got --fit pad",
    }.items():
        name, *rest = options
        result = run_cli("train", tmp_path / name, tmp_path / "no.pth", *rest, *fast)
        assert result.code == 2
        assert message in result.err
        assert not (tmp_path / "no.pth").exists()
