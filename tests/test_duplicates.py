"""Copies: planted ones are found, likenesses are not, and every group has one to keep."""

from __future__ import annotations

import csv
import io
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from shoal.images.array import ArraySource
from shoal.images.decoding.full_size import pixel_digest
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.plots import single_images
from shoal.search.copy_groups import Duplicates
from shoal.search.duplicates import find_duplicates
from shoal.search.pixel_distance import PixelDistance
from shoal.search.summaries import of_duplicates


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes to the cache of whoever runs them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def textures(n: int, seed: int, channels: int = 3) -> np.ndarray:
    """uint8 (n, 40, 40, C): noise with a photograph's spectrum and faint colours; none alike."""
    generator = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(40), np.fft.fftfreq(40)))
    noise = np.fft.fft2(generator.normal(size=(n, channels, 40, 40)))
    made = np.fft.ifft2(noise / np.maximum(frequency, 1 / 40)).real
    made /= made.std(axis=(2, 3), keepdims=True)
    made = 128 + 50 * made[:, :1] + 8 * made
    return np.moveaxis(np.clip(made, 0, 255), 1, 3).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def resized(image: np.ndarray, side: int) -> np.ndarray:
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(small.resize(image.shape[1::-1], Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, list[set[int]], set[int]]:
    """A pile of 32 px, the groups of copies planted in it, and which of them are exact."""
    large = textures(150, 0)
    pile = list(large[:, 4:36, 4:36])
    groups = []
    exact: set[int] = set()
    for number, change in enumerate(
        [
            lambda x: x[4:36, 4:36],
            lambda x: jpeg(x[4:36, 4:36], 50),
            lambda x: resized(x[4:36, 4:36], 24),
            lambda x: x[5:37, 3:35],
            lambda x: jpeg(x[3:35, 4:36], 60),
            lambda x: np.clip(x[4:36, 4:36] * 1.05, 0, 255).astype(np.uint8),
        ]
    ):
        for original in (10 * number, 10 * number + 5):
            if number == 0:
                exact.add(len(pile))
            groups.append({original, len(pile)})
            pile.append(change(large[original]))
    groups[0].add(len(pile))  # one in three copies, of which two are exact
    exact.add(len(pile))
    pile.append(pile[0])
    return np.stack(pile), groups, exact


def members(found: Duplicates) -> list[set[int]]:
    return [{group.kept, *group.others.tolist()} for group in found.groups]


# --- the measure --------------------------------------------------------------------------------


def slow_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The measure by its definition, a pixel at a time, for 32 px in colour."""
    place = np.arange(32)

    def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
        result = np.empty_like(x)
        for row in range(32):
            for column in range(32):
                weight = np.exp(
                    -((place[:, None] - row) ** 2 + (place - column) ** 2) / (2 * sigma**2)
                )
                result[row, column] = np.einsum("hw,hwc->c", weight / weight.sum(), x)
        return result

    images = [blurred(x.astype(float), 0.7) for x in (a, b)]
    details = [x - blurred(x, 32 / 13) for x in images]
    greys = [x @ (0.299, 0.587, 0.114) for x in details]
    best: tuple[float, float] = (np.inf, np.inf)
    for down in range(-2, 3):
        for right in range(-2, 3):
            here = np.s_[2:30, 2:30]
            there = np.s_[2 + down : 30 + down, 2 + right : 30 + right]
            apart = np.mean((greys[0][here] - greys[1][there]) ** 2)
            ratios = []
            for (x, y), faintest in ((images, 8.0), (details, 3.0)):
                x, y = x[here], y[there]
                contrast = np.mean([x.var(axis=(0, 1)).mean(), y.var(axis=(0, 1)).mean()])
                ratios.append(np.sqrt(np.mean((x - y) ** 2) / max(contrast, faintest**2)))
            best = min(best, (apart, max(ratios)))
    return best[1]


def test_the_distance_is_what_its_definition_says() -> None:
    large = textures(4, 1)
    faint = np.full((32, 32, 3), 100, np.uint8)
    a = np.stack([large[0, 4:36, 4:36], large[1, 4:36, 4:36], large[2, 4:36, 4:36], faint])
    b = np.stack([large[0, 5:37, 2:34], large[3, 4:36, 4:36], jpeg(a[2], 40), faint + 3])
    distance = PixelDistance((32, 32, 3))
    slow = [slow_distance(x, y) for x, y in zip(a, b, strict=True)]
    assert distance(a, b) == pytest.approx(slow, rel=2e-3, abs=2e-3)
    assert slow[0] < 0.3
    assert slow[1] > 1.0


@given(arrays(np.uint8, st.tuples(*[st.integers(1, 40)] * 2, st.sampled_from([1, 3]))))
@settings(deadline=None, max_examples=60)
def test_an_image_of_any_size_is_its_own_copy(image: np.ndarray) -> None:
    distance = PixelDistance(image.shape)
    both = image[None]
    assert distance(both, both).tolist() == [0.0]
    assert distance.outlines(both).shape == (1, 64 * image.shape[2])
    sketch = distance.sketches(both)
    assert distance.may_match(sketch, sketch).all()


def test_larger_images_are_measured_as_their_thumbnails() -> None:
    small = textures(3, 2)[:, :32, :32]
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    expected = PixelDistance((32, 32, 3))(small[:2], small[1:])
    assert PixelDistance((96, 96, 3))(large[:2], large[1:]) == pytest.approx(expected, rel=1e-4)


# --- finding ------------------------------------------------------------------------------------


def test_planted_copies_are_found_and_nothing_else(
    planted: tuple[np.ndarray, list[set[int]], set[int]],
) -> None:
    pile, groups, exact = planted
    found = find_duplicates(ArraySource(pile))
    assert found.threshold == 0.5
    assert sorted(map(sorted, members(found))) == sorted(map(sorted, groups))
    for group in found.groups:
        assert group.kept == min({group.kept, *group.others.tolist()})
        same = [bool((pile[row] == pile[group.kept]).all()) for row in group.others]
        assert group.exact.tolist() == same
        assert [row in exact for row in group.others.tolist()] == same
        assert (np.diff(group.distances) >= 0).all()
        assert (group.distances[group.exact] == 0).all()
    assert len(found.groups[0].others) == 2  # the largest first
    assert found.n_copies == len(pile) - 150


def test_only_exact_ones_at_zero(planted: tuple[np.ndarray, list[set[int]], set[int]]) -> None:
    pile, _, exact = planted
    found = find_duplicates(ArraySource(pile), threshold=0.0)
    by_pixels: dict[bytes, set[int]] = {}
    for row, image in enumerate(pile):
        by_pixels.setdefault(image.tobytes(), set()).add(row)
    expected = sorted(sorted(rows) for rows in by_pixels.values() if len(rows) > 1)
    assert sorted(map(sorted, members(found))) == expected
    assert {row for group in found.groups for row in group.others.tolist()} == exact


def test_candidates_by_a_checkpoint_are_judged_by_pixels(
    planted: tuple[np.ndarray, list[set[int]], set[int]],
    run_cli: Callable[..., Any],
    fast: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pile, groups, _ = planted
    np.save(tmp_path / "pile.npy", pile)
    result = run_cli("train", tmp_path / "pile.npy", tmp_path / "c.pth", "--quiet", *fast)
    assert result.code == 0, result.err
    source, checkpoint = ArraySource(pile), checkpoints.load(tmp_path / "c.pth")
    with monkeypatch.context() as patch:  # coarse colours point to nothing: the embedding alone
        patch.setattr(PixelDistance, "outlines", lambda self, x: np.arange(len(x))[:, None] * 1.0)
        alone = {frozenset(group) for group in members(find_duplicates(source, checkpoint))}
    truth = {frozenset(group) for group in groups}
    assert alone <= truth  # likeness is not enough, and this network has seen one epoch
    assert len(alone) > len(truth) / 2
    found = find_duplicates(source, checkpoint)
    assert {frozenset(group) for group in members(found)} == truth


def test_likeness_is_no_copy() -> None:
    """Bright above, dark below, and each with details of its own: alike, not copies."""
    ramp = np.linspace(110, -110, 32)[None, :, None, None]
    details = textures(200, 3)[:, :32, :32].astype(float) - 128
    pile = np.clip(128 + ramp + 0.4 * details, 0, 255).astype(np.uint8)
    flat = pile.reshape(200, -1).astype(float)
    assert np.corrcoef(flat)[np.triu_indices(200, 1)].mean() > 0.85
    assert find_duplicates(ArraySource(pile)).groups == []


def test_images_alike_by_nature_are_judged_more_strictly() -> None:
    from sklearn.datasets import load_digits

    digits = (load_digits().images[:600] * 15.9).astype(np.uint8)
    pile = np.concatenate([digits, digits[:3]])
    found = find_duplicates(ArraySource(pile))
    assert 0.05 < found.threshold < 0.3
    assert {0, 1, 2} <= {group.kept for group in found.groups}
    assert found.n_copies < 40
    assert find_duplicates(ArraySource(pile), threshold=0.5).n_copies > 300


def test_a_chain_of_small_steps_is_not_one_group() -> None:
    """A camera that moves: each frame is a copy of the next, the last none of the first."""
    wide = np.concatenate(list(textures(4, 4)), axis=1)
    film = np.stack([wide[:32, step : step + 32] for step in range(100)])
    pile = np.concatenate([film, textures(60, 5)[:, :32, :32]])
    source = ArraySource(pile)
    found = find_duplicates(source, threshold=0.5)
    distance = PixelDistance(source.shape)
    seen: set[int] = set()
    for group in found.groups:
        kept = pile[[group.kept] * len(group.others)]
        measured = distance(kept, pile[group.others])
        assert (measured <= 0.5).all()
        assert group.distances == pytest.approx(measured, abs=1e-5)
        assert not seen & {group.kept, *group.others.tolist()}
        seen |= {group.kept, *group.others.tolist()}
    assert len(found.groups) > 8
    assert seen <= set(range(100))
    assert len(seen) > 90


def test_the_largest_file_is_kept_and_of_equals_the_first() -> None:
    pile = textures(30, 6)[:, :32, :32]
    pile[[7, 9]] = pile[3]
    pile[20] = pile[11]
    sizes = np.full(30, 500)
    sizes[9] = 900
    found = find_duplicates(ArraySource(pile), sizes=sizes)
    assert [(group.kept, group.others.tolist()) for group in found.groups] == [
        (9, [3, 7]), (11, [20]),
    ]  # fmt: skip
    assert found.kept_because == "the largest file of each"


def test_near_copies_that_are_exact_copies_of_one_another_are_told_and_one_is_kept(
    tmp_path: Path,
) -> None:
    pile = textures(12, 6)[:, :32, :32]
    pile[[3, 7, 9]] = np.clip(pile[1].astype(int) + 6, 0, 255)
    pile[5] = np.clip(pile[1].astype(int) + 12, 0, 255)
    pile[11] = pile[1]
    found = find_duplicates(ArraySource(pile))
    (group,) = found.groups
    assert (group.kept, group.others.tolist()) == (1, [11, 3, 7, 9, 5])
    found.to_csv(tmp_path / "d.csv")
    with (tmp_path / "d.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["id"], row["kind"], row["keep"]) for row in csv.DictReader(file)]
    assert rows == [
        ("1", "kept", "1"), ("11", "exact", "0"), ("3", "kept", "1"), ("7", "exact", "0"),
        ("9", "exact", "0"), ("5", "near", "0"),
    ]  # fmt: skip
    said = of_duplicates(found)
    assert "4 of 12 images are copies, 3 exact and 1 near" in said
    assert "and one of near copies that are exact copies of one another\nLook before" in said
    (axes,) = single_images.duplicates(ArraySource(pile), found).axes
    captions = [text.get_text() for text in axes.texts]
    assert [caption.partition(":")[0] for caption in captions][:5] == [
        "keep", "exact", "keep", "exact", "exact",
    ]  # fmt: skip
    assert len(axes.lines) == 2  # the frames


@pytest.mark.parametrize("n", [1, 2])
def test_piles_too_small_for_copies(n: int) -> None:
    assert find_duplicates(ArraySource(textures(n, 7))).groups == []


# --- exact: the same file, or the same pixels at full size --------------------------------------


def kinds(found: Duplicates) -> dict[str, str]:
    """What each image that is in a group is called."""
    told = {found.ids[group.kept]: "kept" for group in found.groups}
    for group in found.groups:
        for row, exact, keep in zip(group.others, group.exact, group.also_kept, strict=True):
            told[found.ids[row]] = "exact" if exact else "kept" if keep else "near"
    return told


def look_alikes(folder: Path) -> None:
    """A wide picture, its copies of several kinds, and pictures that only look the same."""
    folder.mkdir()
    wide = np.concatenate(list(textures(3, 21)), axis=1)[:, :100]
    Image.fromarray(wide).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "bytes.png")
    Image.fromarray(wide).save(folder / "pixels.bmp")
    Image.fromarray(wide).save(folder / "pixels.webp", lossless=True)
    edge = wide.copy()
    edge[:, :8] = 255 - edge[:, :8]
    Image.fromarray(edge).save(folder / "edge.png")
    speck = wide.copy()
    speck[20, 50] ^= 1
    Image.fromarray(speck).save(folder / "speck.png")


@pytest.mark.parametrize("where", ["folder", "zip", "tar"])
@pytest.mark.parametrize("others", [0, 30])
def test_exact_is_the_whole_picture_whatever_else_is_there(
    others: int, where: str, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    look_alikes(folder)
    for number, image in enumerate(textures(others, 22)):  # of many shapes: such piles are not cut
        Image.fromarray(image[: 12 + number % 29]).save(folder / f"other{number}.png")
    pile = folder
    if where != "folder":
        pile = Path(shutil.make_archive(str(tmp_path / "pile"), where, folder))
    for number, options in enumerate([(), ("--fit", "crop"), ("--fit", "pad", "--size", "64")]):
        csv_path = tmp_path / f"{number}.csv"
        result = run_cli(
            "duplicates", pile, "--csv", csv_path, "--picture", tmp_path / f"{number}.png", *options
        )
        assert result.code == 0, result.err
        with csv_path.open(newline="") as file:
            rows = {row["id"].removeprefix("./"): row for row in csv.DictReader(file)}
        told = {name: row["kind"] for name, row in rows.items() if not name.startswith("other")}
        same = {"a.png", "bytes.png", "pixels.bmp", "pixels.webp"}
        assert {told[name] for name in same} <= {"kept", "exact"}
        assert [told[name] for name in same].count("kept") == 1
        assert told["speck.png"] == "near"
        assert "Look before you delete" in result.err
        if options == ("--fit", "crop"):
            assert (told["edge.png"], rows["edge.png"]["distance"]) == ("near", "0.000")
        nothing = run_cli(
            "duplicates", pile, "--csv", csv_path, "--picture", tmp_path / f"{number}.png",
            "--max-distance", "0", "--force", *options,
        )  # fmt: skip
        assert "3 of" in nothing.err
        assert "3 exact and 0 near" in nothing.err
        assert "Look before" not in nothing.err


def test_a_large_jpeg_and_its_pixels_are_the_same_picture(tmp_path: Path) -> None:
    large = textures(1, 3)[0].repeat(20, axis=0).repeat(20, axis=1)
    Image.fromarray(large).save(tmp_path / "a.jpg", quality=80)
    with Image.open(tmp_path / "a.jpg") as opened:
        opened.save(tmp_path / "b.png")
        opened.save(tmp_path / "c.jpg", quality=80)
    for threshold in (None, 0.0):
        found = find_duplicates(open_source(tmp_path, cache=False), threshold=threshold)
        told = kinds(found)
        assert (told["a.jpg"], told["b.png"]) == ("kept", "exact")
        assert told.get("c.jpg") == (None if threshold == 0.0 else "near")


def test_frames_after_the_first_count(tmp_path: Path) -> None:
    first, second, third = (Image.fromarray(x) for x in textures(3, 5))
    for name, more in (("a", second), ("b", third), ("c", second)):
        first.save(tmp_path / f"{name}.gif", save_all=True, append_images=[more])
    told = kinds(find_duplicates(open_source(tmp_path, cache=False)))
    assert told == {"a.gif": "kept", "b.gif": "near", "c.gif": "exact"}


def test_images_after_the_first_of_a_heic_count(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    a, b, c = (Image.fromarray(image) for image in textures(3, 5))
    for name, other in (("1", b), ("2", c)):
        whole = heif.from_pillow(a)
        whole.add_from_pillow(other)
        whole.save(tmp_path / f"{name}.heic", primary_index=0, quality=90)
    shutil.copy(tmp_path / "1.heic", tmp_path / "3.heic")
    told = kinds(find_duplicates(open_source(tmp_path, cache=False)))
    assert told == {"1.heic": "kept", "2.heic": "near", "3.heic": "exact"}


def test_frames_after_the_first_of_an_animated_png_of_16_bits_count(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    wide = np.ascontiguousarray(textures(1, 5)[0]).astype(np.uint16) * 257
    whole = imagecodecs.png_encode(wide)
    chunk = b"acTL" + struct.pack(">II", 2, 0)
    count = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "still.png").write_bytes(whole)
    (tmp_path / "moving.png").write_bytes(whole[:33] + count + whole[33:])  # after its header
    told = kinds(find_duplicates(open_source(tmp_path, cache=False)))
    assert told == {"moving.png": "kept", "still.png": "near"}


def table(path: Path) -> dict[str, tuple[str, str]]:
    """The kind and the value of ``keep`` of each image."""
    with path.open(newline="") as file:
        return {row["id"]: (row["kind"], row["keep"]) for row in csv.DictReader(file)}


def test_one_file_is_no_copy_of_itself(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    """Else who deletes what has keep 0 loses the only file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, image in zip("abc", textures(3, 23), strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    (folder / "!a.png").symlink_to("a.png")
    os.link(folder / "b.png", folder / "d.png")
    shutil.copy(folder / "a.png", folder / "copy.png")
    files = ("--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png")
    told = run_cli("duplicates", folder, *files)
    assert told.code == 0, told.err
    assert table(tmp_path / "d.csv") == {"a.png": ("kept", "1"), "copy.png": ("exact", "0")}
    assert "2 names lead to a file that is in the pile anyway" in told.err

    (tmp_path / "linked").symlink_to(folder)
    paths = ["linked/a.png", "photos/a.png", "photos/../photos/b.png", str(folder / "b.png")]
    (tmp_path / "list.txt").write_text("\n".join(paths))
    told = run_cli("duplicates", tmp_path / "list.txt", *files, "--force")
    assert told.code == 0, told.err
    assert table(tmp_path / "d.csv") == {}


def pages(path: Path, *images: np.ndarray) -> None:
    first, *others = map(Image.fromarray, images)
    first.save(path, save_all=True, append_images=others)


@pytest.mark.parametrize("where", ["folder", "zip"])
def test_a_page_is_exact_only_if_the_whole_file_is(
    where: str, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    a, b, c = textures(3, 24)
    pages(folder / "1.tif", a, b)
    pages(folder / "2.tif", a, c)
    shutil.copy(folder / "1.tif", folder / "3.tif")
    Image.fromarray(a).save(folder / "page.png")
    pile = folder if where == "folder" else shutil.make_archive(str(folder), "zip", folder)
    files = ("--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png")
    told = run_cli("duplicates", pile, *files)
    assert told.code == 0, told.err
    kinds_of = {name: kind for name, (kind, _) in table(tmp_path / "d.csv").items()}
    assert kinds_of == {
        "1.tif#page=0": "kept", "3.tif#page=0": "exact", "2.tif#page=0": "near",
        "page.png": "near", "1.tif#page=1": "kept", "3.tif#page=1": "exact",
    }  # fmt: skip


def test_the_largest_file_is_kept_beside_a_file_of_several_pages(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    large, *others = textures(3, 25)
    Image.fromarray(large).resize((20, 20)).save(folder / "a small.png")
    Image.fromarray(large).resize((160, 160)).save(folder / "b large.png")
    pages(folder / "scan.tif", *others)
    files = ("--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png")
    told = run_cli("duplicates", folder, *files)
    assert told.code == 0, told.err
    assert table(tmp_path / "d.csv") == {
        "b large.png": ("kept", "1"), "a small.png": ("near", "0"),
    }  # fmt: skip
    assert "to keep: the largest file of each" in told.err


def test_what_cannot_be_read_again_is_not_exact(tmp_path: Path) -> None:
    look_alikes(tmp_path / "photos")
    source = open_source(tmp_path / "photos", cache=False, fit="stretch")
    (tmp_path / "photos" / "bytes.png").unlink()
    (tmp_path / "photos" / "pixels.bmp").write_bytes(b"BM no more")
    found = find_duplicates(source)
    told = kinds(found)
    assert (told["a.png"], told["pixels.webp"]) == ("kept", "exact")
    assert (told["bytes.png"], told["pixels.bmp"]) == ("near", "near")
    assert "2 images could not be read again to compare them" in of_duplicates(found)


def test_pixels_are_the_same_in_any_mode_and_not_by_any_profile(tmp_path: Path) -> None:
    grey = Image.fromarray(textures(1, 7)[0, :, :30, 0])

    def digest(image: Image.Image, suffix: str = "png", **options: Any) -> object:
        image.save(tmp_path / f"x.{suffix}", **options)
        return pixel_digest(tmp_path / f"x.{suffix}")

    whole = digest(grey)
    assert isinstance(whole, bytes)
    shown = grey.convert("RGB")
    same = [digest(shown), digest(shown.convert("RGBA")), digest(grey, "tif"), digest(grey, "bmp")]
    assert set(same) == {whole}
    clear = shown.convert("RGBA")
    clear.putpixel((3, 3), (*shown.getpixel((3, 3)), 0))  # type: ignore[misc]
    turned = Image.Exif()
    turned[0x0112] = 6
    other = [
        digest(clear), digest(grey.crop((0, 0, 29, 40))), digest(grey.rotate(180)),
        digest(grey, exif=turned), digest(grey, icc_profile=b"another"),
        digest(Image.fromarray(np.asarray(grey).astype(np.uint16))),
    ]  # fmt: skip
    assert len({whole, *other}) == 1 + len(other)
    assert digest(grey.rotate(90, expand=True), exif=turned) == whole


# --- end to end ---------------------------------------------------------------------------------


def test_a_folder_of_files(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number, image in enumerate(textures(20, 8)):
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    first = Image.open(folder / "03.png")
    odd = os.fsdecode(b"caf\xe9.jpg")  # a name that is no text
    first.save(folder / "sub" / odd, quality=60)
    first.save(folder / "sub" / "large.bmp")
    csv_path, picture = tmp_path / "d.csv", tmp_path / "d.png"
    result = run_cli("duplicates", folder, "--csv", csv_path, "--picture", picture)
    assert result.code == 0, result.err
    with csv_path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["group", "id", "kind", "distance", "keep"]
    assert [(row["group"], row["id"], row["kind"], row["keep"]) for row in rows] == [
        ("0", "sub/large.bmp", "kept", "1"),
        ("0", "03.png", "exact", "0"),
        ("0", f"sub/{odd}", "near", "0"),
    ]
    assert "2 of 22 images are copies, 1 exact and 1 near" in result.err
    assert "to keep: the largest file of each\nLook before you delete: near copies" in result.err
    assert result.err.endswith(f"look at {picture} first; what can go has keep 0 in {csv_path}\n")
    with Image.open(picture) as drawn:
        assert len(drawn.convert("RGB").getcolors(10**7) or []) > 10


def test_the_size_asked_is_the_size_compared(
    run_cli: Callable[..., Any], checkpoint_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, image in enumerate(textures(6, 8)):
        Image.fromarray(image).save(folder / f"{number}.png")
    files = ("--csv", tmp_path / "d.csv", "--picture", tmp_path / "d.png")
    told = run_cli("duplicates", folder, *files, "--size", "64")
    assert told.code == 0, told.err
    assert "64 × 64" in told.err
    refused = run_cli("duplicates", folder, "--size", "63", *files, "--force")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    side = checkpoints.load(checkpoint_file).image_shape[0]
    refused = run_cli("duplicates", folder, checkpoint_file, *files, "--size", "64", "--force")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert f"--size must be left out or {side} with this checkpoint, got 64" in refused.err


def test_no_copies_is_an_answer(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", textures(12, 9))
    result = run_cli("duplicates", "x.npy")
    assert result.code == 0
    assert "no copies among 12 images" in result.err
    assert (tmp_path / "duplicates.csv").read_text() == "group,id,kind,distance,keep\n"
    assert (tmp_path / "duplicates.png").exists()


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ("--max-distance 2", "must be from 0 to 1, got 2"),
        ("--max-distance nan", "must be from 0 to 1, got nan"),
        ("--picture d.gif", ".png, .pdf or .svg"),
        ("--csv x.npy", "is an input of this command"),
        ("--csv d.png --picture d.png", "is written twice"),
        ("no.pth", "no such checkpoint"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    options: str,
    fragment: str,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    tree: Callable[[Path], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", textures(5, 0))
    before = tree(tmp_path)
    result = run_cli("duplicates", "x.npy", *options.split())
    assert result.code == 2, result
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert fragment in result.err
    assert tree(tmp_path) == before
