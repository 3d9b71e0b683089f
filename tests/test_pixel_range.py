"""Images of more than 8 bits: one range for a pile, learned, said, kept, and used later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import ArraySource, ImageClusterer, open_source
from shoal.errors import DataError
from shoal.images.pictures import read_pictures
from shoal.images.pixel_range import PixelRange
from shoal.images.range_learning import learn
from shoal.models import checkpoint

SCENES = np.random.default_rng(0).random((40, 12, 12)) * np.linspace(0.5, 1, 40)[:, None, None]


def write(folder: Path, images: np.ndarray, kind: str = "tif", **options: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:02}.{kind}", **options)
    return folder


def levels(source: Any) -> np.ndarray:
    return source.read(np.arange(len(source)))[..., 0].astype(int)


def pixels(source: Any) -> np.ndarray:
    return read_pictures(source, np.arange(len(source)))[..., 0].astype(int)


@pytest.mark.parametrize(
    "numbers",
    [
        (1000 + SCENES * 2100).astype(np.uint16),
        (1000 + SCENES * 2100).astype(np.int32),
        (SCENES * 2000 - 1000).astype(np.float32),
        (SCENES * 3e-4).astype(np.float32),
        (SCENES * 1.4).astype(np.float32),
    ],
    ids=["12 bits", "int32", "below zero", "tiny", "above one"],
)
@pytest.mark.parametrize("way", ["files", "array"])
def test_all_levels_are_used_and_order_is_kept(
    numbers: np.ndarray, way: str, tmp_path: Path
) -> None:
    wide = np.repeat(np.repeat(numbers, 2, 1), 2, 2)  # enough pixels to learn from
    if way == "files":
        source = open_source(write(tmp_path / "pile", wide))
    else:
        np.save(tmp_path / "a.npy", wide.astype(wide.dtype.newbyteorder(">")))
        source = open_source(tmp_path / "a.npy")
    seen = levels(source)
    assert seen.min() == 0
    assert seen.max() == 65535
    assert len(np.unique(seen)) > 0.9 * len(np.unique(wide))  # nothing is cut to 8 bits
    order = np.argsort(wide.ravel(), kind="stable")
    assert (np.diff(seen.ravel()[order]) >= 0).all()  # one rule for all images
    assert any("learned from the whole pile" in note for note in source.notes)


def test_neither_hot_pixels_nor_no_data_squash_the_rest(tmp_path: Path) -> None:
    wide = np.repeat(np.repeat((1000 + SCENES * 2100).astype(np.float64), 4, 1), 4, 2)
    clean = pixels(ArraySource(wide))
    for value, share in ((1e9, 1e-5), (-9999, 0.05), (65535, 0.05), (np.nan, 0.05), (np.inf, 1e-4)):
        spoilt = wide.copy()
        where = np.random.default_rng(1).random(wide.shape) < share
        spoilt[where] = value
        source = ArraySource(spoilt)
        assert np.abs(pixels(source) - clean)[~where].mean() < 25, value
        assert np.unique(pixels(source)[~where]).size > 190, value
        said = f"{where.sum():,} pixel" in " ".join(source.notes)
        assert said == (not np.isfinite(value))


@pytest.mark.parametrize("missing", ["one", "an image"])
def test_missing_pixels_are_filled_and_counted(missing: str, tmp_path: Path) -> None:
    wide = SCENES.astype(np.float32)
    wide[3, 2, 2 if missing == "one" else slice(None)] = np.nan
    if missing != "one":
        wide[3] = np.nan
    source: Any = open_source(write(tmp_path / "pile", wide))
    if missing == "one":
        assert len(source) == 40
        middle = np.rint(np.nanmedian(wide[3]) * 65535)
        assert levels(source)[3, 2, 2] == middle
        assert source.notes[-1].startswith("1 pixel of 1 image is missing")
    else:
        assert dict(source.skipped) == {"03.tif": "no pixel of it is a number"}
        assert pixels(ArraySource(wide))[3].max() == 0


def test_no_data_that_gdal_marks_is_missing(tmp_path: Path) -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[42113] = "0"
    wide = np.repeat(np.repeat((1000 + SCENES * 2100).astype(np.uint16), 3, 1), 3, 2)
    wide[:, :6] = 0
    source: Any = open_source(write(tmp_path / "pile", wide, tiffinfo=tags))
    assert f"{40 * 6 * 36:,} pixels of 40 images are missing" in source.notes[-1]
    assert pixels(source)[:, 6:].min() < 30
    assert pixels(source)[:, :6].min() > 30  # the median of the image


def test_what_has_a_scale_keeps_it(tmp_path: Path) -> None:
    """8 bits stay as they are; so do shares of white and whole 16-bit images."""
    eight = np.rint(SCENES * 255).astype(np.uint8)
    for same in (eight, eight.astype(">i8")):
        np.testing.assert_array_equal(ArraySource(same).images[..., 0], eight)
    for same in (eight / 255, eight / np.float32(255), eight.astype(np.float16)):
        np.testing.assert_array_equal(levels(ArraySource(same)), eight.astype(int) * 257)
        np.testing.assert_array_equal(pixels(ArraySource(same)), eight)
    np.testing.assert_array_equal(pixels(ArraySource(eight / 255 * 1.0001)), eight)
    files = open_source(write(tmp_path / "16", eight.astype(np.uint16) * 257, "png"))
    np.testing.assert_array_equal(pixels(files), eight)
    assert open_source(write(tmp_path / "8", eight, "png")).pixel_range == PixelRange(
        eight_bit=True
    )
    for constant in (np.full((9, 4, 4), 1000, np.uint16), np.zeros((9, 4, 4), np.float32)):
        assert len(np.unique(ArraySource(constant).images)) == 1


def test_beside_8_bits_numbers_keep_the_scale_they_are_stored_in(tmp_path: Path) -> None:
    eight = np.rint(SCENES * 200).astype(np.uint8)
    write(tmp_path / "pile", eight[:20], "png")
    twelve = (eight[20:].astype(np.uint16) + 3) * 16  # of 4095
    for number, image in enumerate(twelve):
        Image.fromarray(image).save(tmp_path / "pile" / f"{number + 20}.tif")
    source: Any = open_source(tmp_path / "pile")
    assert source.pixel_range == PixelRange(integers=(0.0, 4095.0), eight_bit=True)
    assert np.abs(pixels(source) - eight).max() <= 4


def test_a_few_wide_images_late_in_a_pile_are_found(tmp_path: Path) -> None:
    write(tmp_path / "pile", np.zeros((300, 6, 6), np.uint8), "png")
    for number in (77, 205):
        wide = np.linspace(2000, 3000, 36).reshape(6, 6).astype(np.uint16)
        Image.fromarray(wide).save(tmp_path / "pile" / f"{number}.png")
    source: Any = open_source(tmp_path / "pile")
    assert source.pixel_range.integers == (0.0, 4095.0)
    assert pixels(source).max() == round(3000 / 4095 * 255)


def test_the_range_of_training_is_that_of_new_images(
    run_cli: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    wide = np.repeat(np.repeat((1000 + SCENES * 2100).astype(np.uint16), 2, 1), 2, 2)
    pile = write(tmp_path / "pile", wide)
    result = run_cli("train", pile, tmp_path / "c.pth", *fast)
    assert result.code == 0, result.err
    assert "pixels (integers) from 1000, black, to 3" in result.err.replace("1,000", "1000")
    learned = checkpoint.load(tmp_path / "c.pth").pixel_range
    assert learned is not None
    assert learned.integers is not None
    dark = write(tmp_path / "dark", (wide[:5] - 1000) // 4 + 1000)
    assert run_cli("predict", dark, tmp_path / "c.pth", tmp_path / "dark.csv").code == 0
    result = run_cli("predict", dark, tmp_path / "c.pth", tmp_path / "again.csv")
    assert "white: as in training" in result.err
    np.save(tmp_path / "shares.npy", (wide[:5] - 1000) / np.float32(2100))
    result = run_cli("predict", tmp_path / "shares.npy", tmp_path / "c.pth", tmp_path / "f.csv")
    told = [line for line in result.err.splitlines() if line.startswith("pixels")]
    of_floats = "pixels (floats) from 0, black, to 1, white"  # that of integers plays no part
    assert told == [f"{of_floats}: learned from the whole pile; training had none"]
    seen = pixels(open_source(dark, image_shape=(24, 24, 1), pixel_range=learned))
    assert seen.max() < 80
    # The same numbers in an array, and through the estimator.
    array = (wide[:5] - 1000) // 4 + 1000
    np.testing.assert_array_equal(pixels(ArraySource(array, pixel_range=learned)), seen)
    clusterer = ImageClusterer.load(tmp_path / "c.pth")
    alone = np.vstack([clusterer.transform(array[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, clusterer.transform(array), atol=1e-5)
    np.testing.assert_allclose(alone, clusterer.transform(str(dark)), atol=1e-5)
    with pytest.raises(DataError, match="the checkpoint learned with pixels from 1000"):
        clusterer.predict(open_source(dark))


def test_a_checkpoint_without_a_range_sees_as_before(tmp_path: Path) -> None:
    wide = write(tmp_path / "pile", (1000 + SCENES * 2100).astype(np.uint16))
    assert pixels(open_source(wide, pixel_range=None)).max() == round(3099 / 65535 * 255)
    for name in ("baseline", "improved"):  # of before there was a range
        path = Path(__file__).parents[1] / "checkpoints" / f"{name}.pth"
        assert checkpoint.load(path).pixel_range is None


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383, 65535])
def test_beside_8_bits_the_narrowest_of_the_usual_scales_is_taken(top: int) -> None:
    for most in (top, 0.9 * top):
        values = np.linspace(0, most, 20_000).round()
        assert learn(values, (0, most), floats=False, conventional=True) == (0.0, top)


def test_of_no_pixels_the_range_is_that_of_8_bits_or_of_shares() -> None:
    none = np.array([])
    assert learn(none, (0, 0), floats=False, conventional=False) == (0.0, 255.0)
    assert learn(none, (0, 0), floats=True, conventional=False) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("far", "expected"), [(-9999, (790, 3100)), (65535, (1000, 3310)), (None, (1000, 3100))]
)
def test_beside_a_far_value_there_is_room_of_a_tenth(
    far: int | None, expected: tuple[float, float]
) -> None:
    """So that what stands for no data stays darker, or brighter, than all others."""
    values = np.arange(1000, 3101).repeat(10)
    values = values if far is None else np.append(values, np.full(1000, far))
    found = learn(values, (values.min(), values.max()), floats=False, conventional=False)
    assert found == pytest.approx(expected, abs=1)


def test_ranges_are_bounded_and_increasing_whatever_comes() -> None:
    generator = np.random.default_rng(0)
    for _ in range(300):
        values = generator.choice([0, 1, -1, 255, 1e30, 4096, 1e-9], generator.integers(1, 9))
        for floats in (True, False):
            for conventional in (True, False):
                low, high = learn(
                    values, (values.min(), values.max()), floats=floats, conventional=conventional
                )
                assert np.isfinite([low, high]).all()
                assert low < high


def test_a_dark_channel_of_an_8_bit_pile_of_floats_stays_dark() -> None:
    draw = np.random.default_rng(0)
    images = draw.random((20, 8, 8, 4)) * 255
    images[..., 1] = draw.random((20, 8, 8))
    assert ArraySource(images.astype(np.float32)).pixel_range.floats == (0.0, 255.0)
    images[..., 0] *= 40  # numbers of several kinds have a range for each
    bounds = ArraySource(images.astype(np.float32)).pixel_range.floats
    assert bounds[1:] == ((0.0, 1.0), (0.0, 255.0), (0.0, 255.0))
    images[..., 0] = draw.random((20, 8, 8)) - 0.5
    bounds = ArraySource(images[..., :2].astype(np.float32)).pixel_range.floats
    assert bounds[1] == (0.0, 1.0)
