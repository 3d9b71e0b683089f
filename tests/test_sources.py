"""Images of every format: arrays, NumPy files, folders, parquet; what is skipped, by name."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.export.missing import without_missing
from shoal.images import cache
from shoal.images.array import ArraySource
from shoal.images.array_pixels import check_images, to_pixels
from shoal.images.open import open_paths, open_source
from shoal.images.pictures import read_pictures
from shoal.images.subset import Subset
from shoal.scoring.evaluation import load_labels


@pytest.fixture(autouse=True, scope="module")
def _cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes to the cache of whoever runs them."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "folder", lambda: folder)
        yield


# --- arrays -------------------------------------------------------------------------------------

SHAPES = st.one_of(
    st.tuples(st.integers(1, 4), st.integers(2, 7), st.integers(4, 7)),
    st.tuples(st.integers(1, 4), st.integers(4, 7), st.integers(4, 7), st.sampled_from([1, 3])),
)


def four_axes(images: np.ndarray) -> np.ndarray:
    return images[..., None] if images.ndim == 3 else images


@given(arrays.arrays(np.uint8, SHAPES))
@settings(max_examples=40, deadline=None)
def test_uint8_passes_untouched(images: np.ndarray) -> None:
    checked = check_images(images, "x")
    assert checked.dtype == np.uint8
    assert np.shares_memory(checked, images)
    np.testing.assert_array_equal(checked, four_axes(images))


@given(arrays.arrays(np.bool_, SHAPES))
@settings(max_examples=20, deadline=None)
def test_booleans_become_black_and_white(images: np.ndarray) -> None:
    np.testing.assert_array_equal(check_images(images, "x"), np.where(four_axes(images), 255, 0))


@given(
    arrays.arrays(np.uint8, SHAPES),
    st.sampled_from([np.int16, np.uint16, np.int32, np.int64, np.uint64]),
)
@settings(max_examples=20, deadline=None)
def test_other_integers_keep_their_values(images: np.ndarray, dtype: type) -> None:
    checked = check_images(images.astype(dtype), "x")
    assert checked.dtype == np.uint8
    np.testing.assert_array_equal(checked, four_axes(images))


@given(arrays.arrays(np.uint8, SHAPES), st.sampled_from([np.float16, np.float32, np.float64]))
@settings(max_examples=40, deadline=None)
def test_floats_round_trip_on_both_scales(images: np.ndarray, dtype: type) -> None:
    unit = (images / 255.0).astype(dtype)
    off = 20 if dtype == np.float16 else 0  # of 65,535: half precision has no more
    levels = four_axes(images).astype(int) * 257
    assert np.abs(check_images(unit, "x").astype(int) - levels).max() <= off
    # Of a channel without more than 1 the values may mean either scale; [0, 1] is taken.
    if four_axes(images).max(axis=(0, 1, 2)).min() > 1:
        np.testing.assert_array_equal(check_images(images.astype(dtype), "x"), levels)


@given(
    arrays.arrays(
        np.float32,
        SHAPES,
        elements=st.floats(0, 1, width=32, allow_subnormal=False),
    )
)
@settings(max_examples=40, deadline=None)
def test_floats_in_unit_interval_are_rounded_to_the_nearest(images: np.ndarray) -> None:
    expected = four_axes(images).astype(np.float64) * 65535
    assert np.abs(check_images(images, "x") - expected).max() <= 0.5 + 1e-2


@given(st.integers(0, 3), st.integers(1, 200), st.sampled_from([-1, 1, np.nan, np.inf]))
@settings(max_examples=20, deadline=None)
def test_one_bad_float_anywhere(image: int, beyond: int, sign: float) -> None:
    """It is cut off or filled, and all others are seen as if it were not there; by the rule of
    checkpoints without a range it is an error."""
    images = np.full((4, 50, 50), 0.5, dtype=np.float32)
    images[image, beyond % 50, beyond // 5] = sign * beyond + (255 if sign == 1 else 0)
    levels = check_images(images, "x")
    assert np.sum(levels != 32768) == np.isfinite(sign)
    with pytest.raises(DataError, match=r"values from|NaN or infinite"):
        to_pixels(images, "x", None)


def test_fortran_order_and_strides_read_the_same(images: np.ndarray) -> None:
    plain = ArraySource(images)
    indices = np.array([3, 0, 7])
    for same in (np.asfortranarray(images), np.repeat(images, 2, axis=1)[:, ::2]):
        source = ArraySource(same)
        np.testing.assert_array_equal(source.read(indices), images[indices])
        assert source.read(indices).flags.c_contiguous
        assert source.digest() == plain.digest()


def test_digest_is_of_content_order_and_shape(images: np.ndarray) -> None:
    digest = ArraySource(images).digest()
    assert ArraySource(images.copy()).digest() == digest
    one_pixel = images.copy()
    one_pixel[39, 7, 7, 2] ^= 1
    others = [
        one_pixel,
        images[::-1],
        images[:-1],
        images.reshape(40, 4, 16, 3),
        images.reshape(120, 8, 8),
    ]
    found = {ArraySource(other).digest() for other in others}
    assert len(found - {digest}) == len(others)


def test_digest_sees_past_the_first_block() -> None:
    images = np.zeros((5000, 2, 4), dtype=np.uint8)
    before = ArraySource(images).digest()
    images[4999, 1, 3] = 1
    assert ArraySource(images).digest() != before


def test_a_subset_has_a_digest_of_its_own(images: np.ndarray) -> None:
    whole = ArraySource(images)
    first, last = (Subset(whole, rows) for rows in (np.arange(20), np.arange(20, 40)))
    assert len({whole.digest(), first.digest(), last.digest()}) == 3
    assert Subset(whole, np.arange(40)).digest() == whole.digest()
    assert Subset(whole, np.arange(40)[::-1]).digest() != whole.digest()
    assert Subset(Subset(whole, np.array([7, 3, 9])), np.array([1])).digest() == (
        ArraySource(images[3:4]).digest()
    )


def test_a_source_computes_its_digest_once(images: np.ndarray) -> None:
    for source in (ArraySource(images), Subset(ArraySource(images), np.arange(3))):
        digest = source.digest()
        source.read = lambda indices: pytest.fail("read again")
        assert source.digest() == digest


def test_a_source_knows_its_originals(
    images: np.ndarray, images_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(images[number]).resize((11, 9)).save(folder / f"{number}.png")
    files = [folder / f"{number}.png" for number in range(3)]
    listed = tmp_path / "some.txt"
    listed.write_text("photos/2.png\nphotos/0.png\n")
    photos = open_source(folder)
    for source, path, expected in (
        (photos, folder, files),
        (open_source(listed), listed, [files[2], files[0]]),
        (Subset(photos, np.array([1])), folder, [files[1]]),
    ):
        originals = source.originals
        assert originals.path == path
        assert [originals.file(row) for row in range(len(source))] == expected
        assert originals.content(0) == expected[0].read_bytes()
        assert (originals.suffix(0), originals.size(0)) == (".png", (11, 9))
        n_bytes = originals.n_bytes()
        assert n_bytes is not None
        assert n_bytes.tolist() == [file.stat().st_size for file in expected]
    array = open_source(images_file).originals
    assert (array.path, array.file(0), array.n_bytes()) == (images_file, None, None)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(array.content(7)))), images[7])
    files[0].unlink()
    with pytest.raises(DataError, match=r"original of '0.png' \(no such file\)"):
        photos.originals.content(0)


def test_paths_are_a_pile_without_a_list_on_disk(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda **_: pytest.fail("a file"))
    for number in range(3):
        Image.fromarray(images[number]).save(tmp_path / f"{number}.png")
    paths = [tmp_path / name for name in ("2.png", "0.png", "missing.png", "2.png")]
    source = open_paths(paths)
    np.testing.assert_array_equal(source.read(np.arange(2)), images[[2, 0]])
    assert [reason for _, reason in source.skipped] == [
        "it stands twice in the list",
        "no such file",
    ]
    assert source.originals.file(1) == paths[1]
    with pytest.raises(DataError, match="size must be"):
        open_paths(paths, size=7)
    with pytest.raises(DataError, match=r"photos must be paths .* such as 'x.png'"):
        open_paths(["x.png"], name="photos")


# --- NumPy files --------------------------------------------------------------------------------


def test_npy_stays_a_memory_map(images: np.ndarray, images_file: Path) -> None:
    source = open_source(images_file)
    assert isinstance(source, ArraySource)
    assert isinstance(source.images, np.memmap)
    assert source.shape == (8, 8, 3)
    assert source.ids == [str(i) for i in range(40)]
    assert list(source.skipped) == []
    batch = source.read(np.array([5, 1]))
    assert not isinstance(batch, np.memmap) or batch.base is None
    np.testing.assert_array_equal(batch, images[[5, 1]])


def test_grey_npy_stays_a_memory_map(images: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "grey.npy", images[..., 0])
    source = open_source(tmp_path / "grey.npy")
    assert isinstance(source, ArraySource)
    assert isinstance(source.images, np.memmap)
    assert source.shape == (8, 8, 1)


def test_a_file_larger_than_memory_opens_at_once(tmp_path: Path) -> None:
    """A sparse file of 3 TB: only the batch asked for is read."""
    path = tmp_path / "huge.npy"
    shape = (10**9, 32, 32, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    try:
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)))
        images = np.load(path, mmap_mode="r")
    except OSError as error:
        pytest.skip(f"no sparse file of 3 TB here: {error}")
    assert check_images(images, "x").shape == shape
    assert not images[-1].any()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_array_by_name(
    save: Callable[..., None], images: np.ndarray, images_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "two.npz"
    save(path, first=images[:10], second=images[10:])
    second = open_source(f"{path}:second")
    assert len(second) == 30
    np.testing.assert_array_equal(second.read(np.arange(30)), images[10:])
    save(tmp_path / "one.npz", anything=images)
    assert open_source(tmp_path / "one.npz").digest() == open_source(images_file).digest()


def test_npz_name_with_a_colon_and_file_with_a_colon(images: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a:b.npz"
    np.savez(path, images=images)
    assert len(open_source(path)) == 40
    assert len(open_source(f"{path}:images")) == 40


def test_npz_array_by_option(
    images: np.ndarray, tmp_path: Path, run_cli: Callable[..., Any], checkpoint_file: Path
) -> None:
    path = tmp_path / "two.npz"
    np.savez(path, first=images[:10], second=images[10:], labels=np.arange(40))
    assert len(open_source(path, array="first")) == 10
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert str(caught.value) == (
        f"{path} holds several arrays (first (10, 8, 8, 3), second (30, 8, 8, 3), labels (40,)); "
        f"name one, such as {path}:first."
    )
    arguments = ("predict", path, checkpoint_file, tmp_path / "p.csv", "--force")
    assert run_cli(*arguments, "--array", "second").code == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 31
    result = run_cli(*arguments, "--array", "third")
    assert (
        "holds no array 'third', only first (10, 8, 8, 3), second (30, 8, 8, 3), labels (40,)"
        in result.err
    )
    np.save(tmp_path / "a.npy", images)
    picture(RED).save(tmp_path / "a.png")
    for other in (tmp_path / "a.npy", tmp_path):
        with pytest.raises(
            DataError, match=r"array is only for .npz files, got array='first' with"
        ):
            open_source(other, array="first")


# --- folders ------------------------------------------------------------------------------------


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (12, 12)) -> Image.Image:
    return Image.new("RGB", size, colour)


def grey16(level: int) -> Image.Image:
    return Image.fromarray(np.full((12, 12), level * 257, dtype=np.uint16))


def palette(colour: tuple[int, int, int]) -> Image.Image:
    return picture(colour).quantize(4)


def transparent(colour: tuple[int, int, int], alpha: int) -> Image.Image:
    return Image.new("RGBA", (12, 12), (*colour, alpha))


RED, BLUE, GREEN, WHITE = (250, 10, 20), (10, 30, 240), (20, 200, 30), (255, 255, 255)
GREY = (100, 100, 100)
# path, how to make it, the colour it must show, how far off it may be
MIXED: list[tuple[str, Image.Image, tuple[int, int, int], int]] = [
    ("b/photo.jpg", picture(RED), RED, 6),
    ("a/PHOTO.JPEG", picture(BLUE), BLUE, 6),
    ("rgb.png", picture(GREEN), GREEN, 0),
    ("grey.png", picture(GREY).convert("L"), GREY, 0),
    ("grey16.png", grey16(100), GREY, 0),
    ("palette.png", palette(RED), RED, 1),
    ("opaque.png", transparent(BLUE, 255), BLUE, 0),
    ("clear.png", transparent(BLUE, 0), WHITE, 0),
    ("two-level.png", picture(WHITE).convert("1"), WHITE, 0),
    ("grey-alpha.png", Image.new("LA", (12, 12), (100, 255)), GREY, 0),
    ("deep/er/still/bitmap.bmp", picture(RED), RED, 0),
    ("moving.gif", palette(GREEN), GREEN, 1),
    ("web.webp", picture(BLUE), BLUE, 12),
    ("scan.tif", picture(RED), RED, 0),
    ("scan-float.tiff", Image.fromarray(np.full((12, 12), 0.5, np.float32)), (128,) * 3, 0),
    ("press.tiff", picture(WHITE).convert("CMYK"), WHITE, 1),
    ("raw.ppm", picture(GREEN), GREEN, 0),
    ("raw.pgm", picture(GREY).convert("L"), GREY, 0),
    ("ünïcödé ♥ name.png", picture(BLUE), BLUE, 0),
]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of every format and mode, each image of one colour."""
    folder = tmp_path / "pile"
    for name, image, _, _ in MIXED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / name)
    return folder


def test_every_format_shows_its_colour_under_its_name(mixed: Path) -> None:
    source = open_source(mixed)
    assert source.shape == (12, 12, 3)
    assert list(source.skipped) == []
    assert sorted(source.ids) == sorted(name for name, *_ in MIXED)
    pixels = read_pictures(source, np.arange(len(source))).astype(int)
    shown = dict(zip(source.ids, pixels, strict=True))
    for name, _, colour, tolerance in MIXED:
        off = np.abs(shown[name] - np.array(colour)).max()
        assert off <= tolerance, f"{name}: {shown[name][0, 0]} is shown, {colour} is meant"


def test_order_is_the_same_every_time(mixed: Path) -> None:
    first, second = open_source(mixed), open_source(mixed)
    assert list(first.ids) == list(second.ids)
    assert first.digest() == second.digest()


def test_broken_files_are_skipped_by_name_and_the_rest_stay_aligned(mixed: Path) -> None:
    whole = (mixed / "rgb.png").read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).save(mixed / "noise.png")
    cut = (mixed / "noise.png").read_bytes()[:200]
    (mixed / "noise.png").unlink()
    broken = {
        "a/0-empty.png": b"",
        "b/text.jpg": b"<html>404 not found</html>",
        "header.png": whole[:20],
        "middle.png": cut,
        "zeros.gif": bytes(100),
        "deep/web.webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        "scan.tiff": b"II*\x00\xff\xff\xff\xff",
        "cut.jpg": (mixed / "b/photo.jpg").read_bytes()[:300],
    }
    for name, content in broken.items():
        (mixed / name).write_bytes(content)
    source = open_source(mixed)
    assert sorted(name for name, _ in source.skipped) == sorted(broken)
    assert all(reason and "\n" not in reason for _, reason in source.skipped)
    kept = [name for name, *_ in MIXED if name not in broken]
    assert sorted(source.ids) == sorted(kept)
    colours = {name: (colour, tolerance) for name, _, colour, tolerance in MIXED}
    for index, name in enumerate(source.ids):
        colour, tolerance = colours[name]
        off = np.abs(read_pictures(source, np.array([index])).astype(int) - colour).max()
        assert off <= tolerance, name


def test_skipped_files_are_said_even_when_quiet(
    mixed: Path, run_cli: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    (mixed / "broken.png").write_bytes(b"no")
    result = run_cli("train", mixed, tmp_path / "c.pth", "--quiet", *fast)
    assert result.code == 0
    assert result.err.splitlines() == [
        f"{len(MIXED) + 1} files: {len(MIXED)} images, 1 left out",
        "  broken.png: not an image",
    ]
    out = tmp_path / "out" / "p.csv"
    result = run_cli("predict", mixed, tmp_path / "c.pth", out, "--quiet")
    assert result.code == 0
    skipped = out.with_name("p.skipped.csv")
    assert skipped.read_text() == "id,reason\nbroken.png,not an image\n"
    # That of another prediction is another file, and what is there is replaced only where asked.
    assert run_cli("predict", mixed, tmp_path / "c.pth", out.with_name("q.csv")).code == 0
    assert skipped.read_bytes() == out.with_name("q.skipped.csv").read_bytes()
    out.unlink()
    refused = run_cli("predict", mixed, tmp_path / "c.pth", out)
    assert (refused.code, f"{skipped} exists already" in refused.err) == (2, True), refused.err
    kept = run_cli("predict", mixed, tmp_path / "c.pth", out, "--backup")
    assert kept.code == 0, kept.err
    assert not out.with_name("p.skipped.1.csv").exists()  # it is the same
    (mixed / "broken.png").unlink()
    assert run_cli("predict", mixed, tmp_path / "c.pth", out, "--force").code == 0
    assert skipped.read_text() == "id,reason\n"  # the older list is of then


def test_other_files_and_hidden_files_are_not_images(tmp_path: Path) -> None:
    for name in ("a.png", ".hidden.png", "._a.png"):
        picture(RED).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert list(open_source(tmp_path).ids) == ["a.png"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    """All eight ways of holding a camera show the same picture: red on top, blue below."""
    upright = Image.new("RGB", (16, 32), BLUE)
    upright.paste(RED, (0, 0, 16, 16))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    source = open_source(tmp_path)
    assert source.shape == (32, 16, 3)
    image = source.read(np.array([0]))[0]
    assert (image[:16] == RED).all()
    assert (image[16:] == BLUE).all()


def test_a_pile_of_greys_has_one_channel(tmp_path: Path) -> None:
    for level in (0, 100, 200):
        picture((level,) * 3).convert("L").save(tmp_path / f"{level:03}.png")
    source = open_source(tmp_path)
    assert source.shape == (12, 12, 1)
    assert source.read(np.arange(3))[:, 0, 0, 0].tolist() == [0, 100, 200]


def test_images_of_several_sizes_become_squares(tmp_path: Path) -> None:
    picture(RED, (40, 20)).save(tmp_path / "a.png")
    picture(BLUE, (20, 40)).save(tmp_path / "b.png")
    source = open_source(tmp_path)
    assert source.shape == (32, 32, 3)
    assert (source.read(np.array([0]))[0] == RED).all()


def test_wide_image_is_cut_to_its_centre(tmp_path: Path) -> None:
    wide = picture(RED, (90, 30))
    wide.paste(GREEN, (30, 0, 60, 30))
    wide.save(tmp_path / "a.png")
    picture(BLUE, (30, 30)).save(tmp_path / "b.png")
    assert (open_source(tmp_path).read(np.array([0]))[0][:, 2:-2] == GREEN).all()


@pytest.mark.parametrize(("side", "kept"), [(96, 96), (97, 32)])
def test_one_size_is_kept_up_to_a_limit(side: int, kept: int, tmp_path: Path) -> None:
    picture(RED, (side, side)).save(tmp_path / "a.png")
    picture(BLUE, (side, side)).save(tmp_path / "b.png")
    assert open_source(tmp_path).shape == (kept, kept, 3)


@pytest.mark.parametrize("side", [32, 48, 64, 96, 128])
def test_the_size_that_is_asked_for_and_what_it_costs(side: int, tmp_path: Path) -> None:
    picture(RED, (200, 90)).save(tmp_path / "a.png")
    picture(RED, (50, 130)).save(tmp_path / "b.png")
    source: Any = open_source(tmp_path, size=side)
    assert source.shape == (side, side, 3)
    assert (source.read(np.arange(2)) == RED).all()
    cost = "" if side == 32 else f", about {side * side / 1024:.2g} times the time of 32 × 32"
    assert source.notes[0] == (
        f"seen at {side} × {side} pixels, scaled from 50 to 200 pixels a side and cut to the "
        f"centre; {side * side * 3:,} bytes an image{cost}"
    )


def test_a_larger_size_is_offered_where_images_were_shrunk(tmp_path: Path) -> None:
    picture(RED, (200, 90)).save(tmp_path / "a.png")
    picture(RED, (50, 130)).save(tmp_path / "b.png")
    shrunk: Any = open_source(tmp_path)
    assert shrunk.larger_size == 64
    assert shrunk.notes[0].endswith("; --size 64 shows more and takes about 4 times as long")
    asked: Any = open_source(tmp_path, size=32)
    trained: Any = open_source(tmp_path, image_shape=(32, 32, 3))
    (tmp_path / "b.png").unlink()
    picture(RED, (40, 40)).save(tmp_path / "a.png")
    kept: Any = open_source(tmp_path)
    for source in (asked, trained, kept):
        assert source.larger_size is None
        assert "--size" not in source.notes[0]


def test_tall_images_are_said_to_be_cut_and_no_larger_size_is_advised(tmp_path: Path) -> None:
    for number in range(3):
        picture(RED, (32, 640)).save(tmp_path / f"{number}.png")
    tall: Any = open_source(tmp_path)
    assert tall.larger_size is None
    assert "--size" not in tall.notes[0]  # 32 pixels wide, all that there is to be seen
    said = "warning: 95% of each image, on average, lies outside a square in its middle"
    assert any(note.startswith(said) for note in tall.notes)
    again: Any = open_source(tmp_path)  # from the cache
    assert (again.notes[0], again.notes[-1]) == (tall.notes[0], tall.notes[-1])
    for number in range(3):
        picture(RED, (64, 48)).save(tmp_path / f"{number}.png")
    wide: Any = open_source(tmp_path, size=32)
    assert not any("outside" in note for note in wide.notes)


@pytest.mark.parametrize("size", [0, 31, 50, -32, 4096])
def test_other_sizes_are_not_offered(size: int, tmp_path: Path) -> None:
    picture(RED).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=f"size must be 32, 48, 64, 96 or 128, got {size}"):
        open_source(tmp_path, size=size)


def test_an_array_keeps_its_size(images_file: Path) -> None:
    with pytest.raises(DataError, match="size is only for image files, got size=32 with"):
        open_source(images_file, size=32)


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8, 1), (16, 8, 3)])
def test_a_folder_is_brought_to_the_shape_of_the_checkpoint(
    shape: tuple[int, int, int], mixed: Path
) -> None:
    source = open_source(mixed, image_shape=shape)
    assert source.shape == shape
    assert len(source) == len(MIXED)
    index = list(source.ids).index("rgb.png")
    shown = read_pictures(source, np.array([index]))[0]
    expected = GREEN if shape[2] == 3 else (np.array(GREEN) @ [0.299, 0.587, 0.114],)
    assert np.abs(shown - np.array(expected)).max() <= 1


def test_a_link_to_a_folder_above_is_not_followed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    picture(RED).save(tmp_path / "below" / "a.png")
    (tmp_path / "below" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert list(open_source(tmp_path).ids) == ["below/a.png"]


def test_links_pipes_and_hidden_folders(tmp_path: Path) -> None:
    """Nothing hangs, nothing is read twice, and what is left out is said."""
    import os

    for name in ("a/1.png", ".hidden/2.png", "b/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture(RED).save(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.png")
    for link, target in (("a/loop", ".."), ("self", "self"), ("c", "b"), ("4.png", "a/1.png")):
        (tmp_path / link).symlink_to(target, target_is_directory=True)
    source = open_source(tmp_path)
    assert list(source.ids) == ["4.png", "a/1.png", "b/3.png"]
    assert sorted(name for name, _ in source.skipped) == [
        ".hidden/2.png", "a/loop", "c", "pipe.png", "self"
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["{kind}/{number}.png", "all/{kind}/x{number}/y.png"])
def test_folders_that_sort_the_images_are_their_classes(layout: str, tmp_path: Path) -> None:
    for number in range(6):
        path = tmp_path / layout.format(kind="ab"[number % 2], number=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(COLOURS[number % 2]).save(path)
    source: Any = open_source(tmp_path)
    assert source.class_names == ["a", "b"]
    assert source.labels.dtype == np.int64
    for name, label, image in zip(
        source.ids, source.labels, source.read(np.arange(6)), strict=True
    ):
        assert f"{'ab'[label]}/" in name
        assert (image == COLOURS[label]).all()
    picture(RED).save(tmp_path / "loose.png")
    assert open_source(tmp_path).class_names is None  # type: ignore[attr-defined]
    assert open_source(tmp_path / "all" if "all" in layout else tmp_path / "a").shape == (12, 12, 3)


class Secretive(ArraySource):
    """Images whose classes may not be looked at."""

    @property  # type: ignore[misc]
    def labels(self) -> Any:
        raise AssertionError("the labels were read")

    @labels.setter
    def labels(self, value: Any) -> None:
        pass

    class_names = labels


def test_no_training_clustering_or_choosing_reads_the_classes(
    images: np.ndarray, kinds: np.ndarray, tmp_path: Path
) -> None:
    import shoal
    from shoal import pipeline
    from shoal.recipes.named import BEST
    from shoal.recipes.settings import override
    from shoal.scoring import compare_splits, label_free

    source = Secretive(images, labels=kinds, class_names=["flat", "striped"])
    with pytest.raises(AssertionError, match="labels were read"):
        _ = source.labels
    recipe = override(BEST, ["epochs=1", "encoder.widths=(8,16)", "checkpoints=3"])
    finished = pipeline.fit(source, tmp_path / "c.pth", recipe)[0]
    table = shoal.predict(source, finished)
    assert len(table.labels) == len(images)
    compare_splits.compare(source, finished)
    label_free.judge(source, finished)


def test_a_dangling_link_and_a_folder_named_like_an_image(tmp_path: Path) -> None:
    picture(RED).save(tmp_path / "a.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "folder.png").mkdir()
    picture(RED).save(tmp_path / "folder.png" / "b.png")
    source = open_source(tmp_path)
    assert list(source.ids) == ["a.png", "folder.png/b.png"]
    assert [name for name, _ in source.skipped] == ["gone.png"]


def test_a_name_that_is_not_unicode_reaches_the_csv_and_the_table(
    checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    import os

    import pyarrow.parquet as pq

    folder = tmp_path / "pile"
    folder.mkdir()
    picture(RED).save(folder / "a.png")
    try:
        os.rename(folder / "a.png", os.fsencode(folder) + b"/caf\xe9.png")
    except OSError as error:
        pytest.skip(f"this file system takes Unicode names alone: {error}")
    result = run_cli(
        "predict", folder, checkpoint_file, tmp_path / "p.csv", "--table", tmp_path / "t.parquet"
    )
    assert result.code == 0, result.err
    header, row = (tmp_path / "p.csv").read_bytes().splitlines()
    assert header == b"id,label"
    assert row.startswith(b"caf\xe9.png,")
    assert pq.read_table(tmp_path / "t.parquet")["id"].to_pylist() == [r"caf\xe9.png"]


def test_names_that_differ_only_in_bytes_that_are_no_text_stay_apart(
    checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    import json
    import os
    import shutil

    from shoal.corrections.journal_file import read_journal

    folder = tmp_path / "pile"
    folder.mkdir()
    try:
        for name, level in ((b"caf\xe8.png", 10), (b"caf\xe9.png", 240)):
            picture((level, 0, 0)).save(folder / os.fsdecode(name))
    except OSError as error:
        pytest.skip(f"this file system takes Unicode names alone: {error}")
    checkpoint = Path(shutil.copy(checkpoint_file, tmp_path))
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label\ncaf\\xe8.png,dark\ncaf\\xe9.png,bright\n")
    told = run_cli("import-labels", folder, checkpoint, labels)
    assert told.code == 0, told.err
    journal = tmp_path / "checkpoint.corrections.jsonl"
    groups = read_journal(journal).history.groups
    assert groups.ids == (r"caf\xe8.png", r"caf\xe9.png")
    ids = open_source(folder).ids
    assert load_labels(labels, 2, ids=ids).tolist() == [1, 0]  # of words in their order
    csv_file, table = tmp_path / "p.csv", tmp_path / "t.parquet"
    told = run_cli("predict", folder, checkpoint, csv_file, "--table", table)
    assert told.code == 0, told.err
    said = [line.split(b",") for line in csv_file.read_bytes().splitlines()[1:]]
    assert [(row[0], row[2]) for row in said] == [
        (b"caf\xe8.png", b"dark"), (b"caf\xe9.png", b"bright")
    ]  # fmt: skip
    told = run_cli("export", folder, table, tmp_path / "sorted")
    assert told.code == 0, told.err
    for kind, name in (("dark", b"caf\xe8.png"), ("bright", b"caf\xe9.png")):
        (written,) = (tmp_path / "sorted" / kind).iterdir()
        assert written.read_bytes() == (folder / os.fsdecode(name)).read_bytes()
    told = run_cli("export", folder, table, tmp_path / "coco.json", "--as", "json")
    assert told.code == 0, told.err
    images = json.loads((tmp_path / "coco.json").read_text())["images"]
    assert [image["file_name"] for image in images] == [r"caf\xe8.png", r"caf\xe9.png"]
    told = run_cli("import-labels", folder, checkpoint, tmp_path / "coco.json")
    assert told.code == 0, told.err
    assert "says all of it already" in told.err + told.out
    # A table from before, when each such byte was a question mark.
    (folder / os.fsdecode(b"caf\xe8.png")).rename(folder / "a.png")
    source = open_source(folder)
    before = ImageTable.of_labels(["caf?.png", "a.png"], np.array([0, 1]))
    assert before.rows_in(source).tolist() == [1, 0]
    assert without_missing(before, source)[2] == []


def test_a_name_that_spells_out_another_that_is_no_text_is_refused(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    import os

    folder = tmp_path / "pile"
    folder.mkdir()
    try:
        for name in (b"caf\xe9.png", rb"caf\xe9.png"):
            picture(RED).save(folder / os.fsdecode(name))
    except OSError as error:
        pytest.skip(f"this file system takes Unicode names alone: {error}")
    told = run_cli("train", folder, tmp_path / "c.pth")
    assert told.code == 2
    assert r"one file is called caf\xe9.png, and the name of another" in told.err
    assert not (tmp_path / "c.pth").exists()


def test_names_with_commas_quotes_and_line_breaks_survive_the_csv(
    checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    import csv

    folder = tmp_path / "pile"
    folder.mkdir()
    names = ['a, "b".png', "line\nbreak.png", "plain.png"]
    for name in names:
        picture(RED).save(folder / name)
    assert run_cli("predict", folder, checkpoint_file, tmp_path / "p.csv").code == 0
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == sorted(names)


# --- parquet ------------------------------------------------------------------------------------


def encoded(image: Image.Image, kind: str = "png") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def write_parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def structs(*contents: bytes | None) -> list[dict[str, Any]]:
    """Rows as Hugging Face datasets write them."""
    return [{"bytes": content, "path": f"{i}.png"} for i, content in enumerate(contents)]


COLOURS = (RED, BLUE, GREEN, WHITE, GREY)


def shown_colours(path: Path | str) -> list[tuple[int, ...]]:
    source = open_source(path)
    return [tuple(image[0][0]) for image in source.read(np.arange(len(source))).tolist()]


@pytest.mark.parametrize("layout", ["struct", "binary", "large binary"])
@pytest.mark.parametrize("name", ["image", "img", "the photo"])
def test_parquet_layouts(layout: str, name: str, tmp_path: Path) -> None:
    contents = [encoded(picture(colour)) for colour in COLOURS]
    column: Any = structs(*contents) if layout == "struct" else contents
    if layout == "large binary":
        column = pa.array(contents, pa.large_binary())
    path = write_parquet(tmp_path / "a.parquet", label=[1] * 5, **{name: column})
    source = open_source(path)
    assert source.shape == (12, 12, 3)
    assert list(source.ids) == ["0", "1", "2", "3", "4"]
    assert shown_colours(path) == list(COLOURS)


def test_a_parquet_file_reads_as_the_folder_of_its_images_does(mixed: Path) -> None:
    folder = open_source(mixed)
    contents = [(mixed / name).read_bytes() for name in folder.ids]
    path = write_parquet(mixed / "all.parquet", image=structs(*contents))
    source = open_source(path)
    assert source.digest() == folder.digest()
    assert open_source(path, image_shape=(8, 6, 1)).shape == (8, 6, 1)


def test_a_skipped_row_keeps_its_number_out(tmp_path: Path) -> None:
    good = [encoded(picture(colour)) for colour in COLOURS[:3]]
    rows = [good[0], b"<html>", None, good[1], b"", good[2]]
    for column in (rows, [*structs(*rows[:2]), None, *structs(*rows[3:])]):
        path = write_parquet(tmp_path / "a.parquet", image=column)
        source = open_source(path)
        assert list(source.ids) == ["0", "3", "5"]
        assert [name for name, _ in source.skipped] == ["1", "2", "4"]
        assert dict(source.skipped)["2"] == "no image in it"
        assert shown_colours(path) == list(COLOURS[:3])


def test_parquet_shards_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number, colours in ((1, COLOURS[2:]), (0, COLOURS[:2])):
        contents = [encoded(picture(colour)) for colour in colours]
        write_parquet(tmp_path / f"train-{number}.parquet", image=structs(*contents))
    write_parquet(tmp_path / "test-0.parquet", image=structs(encoded(picture(RED))))
    pattern = tmp_path / "train-*.parquet"
    assert list(open_source(pattern).ids) == ["0", "1", "2", "3", "4"]
    assert shown_colours(pattern) == list(COLOURS)
    # A file may be named like a pattern: then it is that file.
    (tmp_path / "train-0.parquet").rename(pattern)
    assert len(open_source(pattern)) == 2


def test_one_of_several_columns_by_name(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "a.parquet", front=[encoded(picture(RED))], back=[encoded(picture(BLUE))]
    )
    assert shown_colours(f"{path}:back") == [BLUE]
    # The usual name wins over others.
    path = write_parquet(tmp_path / "b.parquet", mask=[b"x"], image=[encoded(picture(RED))])
    assert shown_colours(path) == [RED]


def test_no_other_column_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    iter_batches = pq.ParquetFile.iter_batches

    def spy(file: Any, *args: Any, columns: list[str], **options: Any) -> Any:
        asked.append(columns)
        return iter_batches(file, *args, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    rows = structs(encoded(picture(RED)))
    open_source(write_parquet(tmp_path / "a.parquet", image=rows, label=[3]))
    assert asked
    assert all(columns == ["image.bytes"] for columns in asked)


def test_more_rows_than_are_read_at_a_time(tmp_path: Path) -> None:
    levels = np.arange(2500) % 251
    contents = [encoded(Image.new("L", (2, 2), int(level))) for level in levels]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": structs(*contents)}), path, row_group_size=700)
    source = open_source(path)
    assert source.shape == (2, 2, 1)
    np.testing.assert_array_equal(source.read(np.arange(2500))[:, 0, 0, 0], levels)


def test_cifar_10_if_it_is_here() -> None:
    path = Path(__file__).parents[2] / "shared" / "data" / "cifar10" / "test.parquet"
    if not path.exists():
        pytest.skip("CIFAR-10 is not beside the project")
    source = open_source(path)
    assert (len(source), source.shape, list(source.skipped)) == (10_000, (32, 32, 3), [])
