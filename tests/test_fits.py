"""FITS: compared with the arrays that were written."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from shoal.images.readers import find, reader_of

fits = pytest.importorskip("astropy.io.fits", reason="needs the extra scientific")
reader = find(".fits", b"")
_H, _W = 12, 10


def _content(*hdus: Any) -> bytes:
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus] if not _is_first(hdus) else list(hdus)).writeto(file)
    return file.getvalue()


def _is_first(hdus: Any) -> bool:
    return bool(hdus) and isinstance(hdus[0], fits.PrimaryHDU)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_numbers_are_those_that_were_written(dtype: str) -> None:
    pixels = (np.random.default_rng(0).random((_H, _W)) * 200).astype(dtype)
    content = _content(fits.PrimaryHDU(pixels))
    assert reader_of(content) is reader
    raw = reader.read(content)
    np.testing.assert_array_equal(raw.pixels[..., 0], pixels)
    assert raw.pixels.dtype == np.dtype(dtype)


def test_few_planes_are_channels_many_are_images() -> None:
    few = np.arange(5 * _H * _W, dtype=np.int16).reshape(1, 5, _H, _W)
    content = _content(fits.PrimaryHDU(few))
    np.testing.assert_array_equal(reader.read(content).pixels, np.moveaxis(few[0], 0, 2))
    content = _content(fits.ImageHDU(np.ones((11, 4, 4)) * np.arange(11)[:, None, None]))
    assert reader.members(content) == [f"plane={plane}" for plane in range(11)]
    assert (reader.read(content, "plane=7").pixels == 7).all()
    assert reader.members(content, "channels") == [""]
    assert reader.read(content).pixels.shape == (4, 4, 11)


def test_extensions() -> None:
    """Of one shape they are channels, of several shapes images; beside SCI they are not read."""
    one, two = np.full((4, 5), 1.0), np.full((4, 5), 2.0)
    content = _content(fits.ImageHDU(one), fits.CompImageHDU(two))
    np.testing.assert_allclose(reader.read(content).pixels, np.stack([one, two], 2), atol=1e-3)
    content = _content(fits.ImageHDU(one), fits.ImageHDU(np.ones((7, 7))))
    assert reader.members(content) == ["hdu=1", "hdu=2"]
    content = _content(fits.ImageHDU(one, name="SCI"), fits.ImageHDU(two, name="ERR"))
    np.testing.assert_array_equal(reader.read(content).pixels[..., 0], one)


def test_blank_pixels_are_missing() -> None:
    hdu = fits.PrimaryHDU(np.array([[1, 2], [3, -999]], np.int16))
    hdu.header["BLANK"] = -999
    assert np.isnan(reader.read(_content(hdu)).pixels[1, 1, 0])


def test_what_cannot_be_read_has_a_reason() -> None:
    content = _content(fits.PrimaryHDU(np.ones((200, 200))))
    for broken, reason in (
        (content[:10_000], "truncated"),
        (
            content.replace(b"NAXIS1  =                  200", b"NAXIS1  =           2000000000"),
            "safe",
        ),
        (_content(), "without an image"),
    ):
        with pytest.raises(ValueError, match=reason):
            reader.read(broken)
