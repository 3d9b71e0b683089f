"""Images of several shapes: cropped, padded or stretched, and the same of new images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import load, open_source, save
from shoal.errors import DataError
from shoal.images.decoding.fitting import FITS, choose_fit, fitted
from shoal.images.decoding.form import Form
from shoal.images.decoding.image import decode


def strip(edge: int, inside: int, size: tuple[int, int] = (20, 100)) -> Image.Image:
    """A strip (width, height) with a mark at its top, which a crop to the centre loses."""
    pixels = np.full((size[1], size[0], 3), edge, np.uint8)
    pixels[5:15, 5:-5] = inside
    return Image.fromarray(pixels)


def test_a_crop_loses_the_ends_and_the_others_do_not() -> None:
    image = strip(50, 250)
    found = {fit: np.asarray(fitted(image, (20, 20), fit)) for fit in FITS}
    assert {fit: pixels.shape for fit, pixels in found.items()} == dict.fromkeys(FITS, (20, 20, 3))
    assert found["crop"].max() < 100
    assert found["pad"].max() > 200
    assert found["stretch"].max() > 200
    assert (found["pad"][:, :8] == 50).all()  # a frame as the border is, not black
    assert (found["pad"][:, -8:] == 50).all()
    assert (found["stretch"][1:3, 8:12] > 200).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBa", "F"])
def test_every_mode_of_decoding_is_padded(mode: str) -> None:
    bands = {"L": 1, "RGB": 3, "RGBa": 4, "F": 1}[mode]
    image = Image.fromarray(np.full((9, 3), 7, np.float32 if mode == "F" else np.uint8))
    image = image if bands == 1 else Image.merge(mode, [image] * bands)
    padded = np.asarray(fitted(image, (6, 6), "pad"))
    assert padded.shape[:2] == (6, 6)
    assert (padded == 7).all()


def test_numbers_of_many_channels_are_fitted_as_pictures_are(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile", reason="the extra shoal[scientific]")
    pixels = np.zeros((40, 8, 4), np.uint8)
    pixels[:4] = 200
    tifffile.imwrite(tmp_path / "a.tif", pixels, planarconfig="contig", photometric="minisblack")
    for fit, bright in (("crop", False), ("pad", True), ("stretch", True)):
        decoded = decode(tmp_path / "a.tif", Form(8, 8, 4, fit=fit))
        assert not isinstance(decoded, str)
        assert decoded.pixels is not None
        assert (decoded.pixels.max() > 100) == bright


def test_photographs_are_cropped_and_cut_outs_and_strips_are_stretched() -> None:
    generator = np.random.default_rng(0)
    cameras = [(3000, 4000), (4000, 3000), (2000, 3000), (1080, 1920)] * 10
    assert choose_fit(cameras, (32, 32)) == "crop"
    scaled = [(500, 375), (375, 500), (333, 500), (500, 331), (500, 411), (281, 500)] * 10
    assert choose_fit(scaled, (32, 32)) == "crop"
    cut_outs = [(int(h), int(w)) for h, w in generator.integers(30, 400, (60, 2))]
    assert choose_fit(cut_outs, (32, 32)) == "stretch"
    assert choose_fit([(20, 100)] * 30, (32, 32)) == "stretch"
    assert choose_fit([(100, 101)] * 30, (32, 32)) == choose_fit([], (32, 32)) == "crop"


@pytest.fixture
def strips(tmp_path: Path) -> Path:
    folder = tmp_path / "strips"
    folder.mkdir()
    for i in range(24):
        image = strip(40 + i, 255 if i % 2 else 0, (30, 120 + i))
        image.save(folder / f"{i:02}.png")
    return folder


def test_a_pile_is_fitted_by_its_shapes_unless_a_person_says_how(strips: Path) -> None:
    chosen = open_source(strips)
    assert chosen.fit == "stretch"  # type: ignore[attr-defined]
    assert any("stretched to fit" in note for note in chosen.notes)  # type: ignore[attr-defined]
    by_fit = {fit: open_source(strips, fit=fit) for fit in FITS}
    assert chosen.digest() == by_fit["stretch"].digest()
    assert len({source.digest() for source in by_fit.values()}) == 3
    assert open_source(strips).digest() == chosen.digest()  # from the cache
    with pytest.raises(DataError, match="fit must be crop, pad or stretch, got 'bend'"):
        open_source(strips, fit="bend")


def test_a_checkpoint_fits_new_images_as_those_it_learned_from(
    strips: Path, run_cli: Callable[..., Any]
) -> None:
    path, small = strips.parent / "c.pth", ["--epochs", "0.2", "--set", "encoder.widths=(8,16)",
                                            "--set", "checkpoints=1"]  # fmt: skip
    assert run_cli("train", strips, path, "--fit", "pad", *small).code == 0
    checkpoint = load(path)
    assert checkpoint.fit == "pad"
    seen = open_source(strips, image_shape=checkpoint.image_shape, fit=checkpoint.fit)
    assert seen.digest() == checkpoint.origin.digest
    predicted = run_cli("predict", strips, path, strips.parent / "p.csv")
    assert predicted.code == 0
    assert "framed" in predicted.err or "as in training" in predicted.err
    save(replace(checkpoint, fit="crop"), strips.parent / "older.pth")
    cropped = open_source(strips, image_shape=checkpoint.image_shape)
    assert cropped.fit == "crop"  # type: ignore[attr-defined]  # as older checkpoints do
    wrong = run_cli("train", strips, strips.parent / "d.pth", "--fit", "bend")
    assert (wrong.code, len(wrong.err.strip().splitlines())) == (2, 1)
    assert "--fit must be crop, pad or stretch" in wrong.err


def test_fine_images_are_seen_larger_and_a_size_that_is_asked_for_goes_before(
    tmp_path: Path,
) -> None:
    for i in range(12):
        Image.fromarray(np.full((200, 240, 3), 20 * i, np.uint8)).save(tmp_path / f"{i:02}.png")
    opened: Any = open_source(tmp_path)
    assert opened.shape == (64, 64, 3)
    assert opened.sides_by_effort == {"quick": 32, "default": 64, "thorough": 64}
    assert "--size 32 is faster" in opened.notes[0]
    assert opened.larger_size is None
    assert open_source(tmp_path).shape == (64, 64, 3)  # from the cache
    assert open_source(tmp_path, effort="quick").shape == (32, 32, 3)
    assert open_source(tmp_path, size=48, effort="thorough").shape == (48, 48, 3)
    for path in tmp_path.iterdir():
        Image.open(path).resize((120, 100)).save(path)
    assert open_source(tmp_path, effort="thorough").shape == (32, 32, 3)
