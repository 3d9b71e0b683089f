"""Whole files of phones, cameras and videos, small ones, made from scratch."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trials.samples import SIDE, picture


def _heic() -> list[bytes]:
    import pillow_heif

    deep = np.asarray(picture(200)).astype(np.uint16) * 257
    found = []
    for mode, pixels in (
        ("RGB", np.asarray(picture(201))),
        ("RGBA", np.asarray(picture(202, "RGBA"))),
        ("L", np.asarray(picture(203, "L"))),
        ("RGB;16", deep),
    ):
        encoded = pillow_heif.from_bytes(mode, (SIDE, SIDE), pixels.tobytes())
        file = io.BytesIO()
        encoded.save(file, quality=90)
        found.append(file.getvalue())
    return found


def _jxl() -> list[bytes]:
    from PIL import Image
    from pillow_jxl import JpegXLImagePlugin

    found = []
    for image, how in (
        (picture(204), {"lossless": True}),
        (picture(205), {"quality": 80}),
        (picture(206, "RGBA"), {"lossless": True}),
        (Image.fromarray(np.asarray(picture(207, "L")).astype(np.uint16) * 257), {}),
        (picture(208), {"use_container": True}),
    ):
        file = io.BytesIO()
        image.encoderinfo = how
        JpegXLImagePlugin._save(image, file, "")
        found.append(file.getvalue())
    return found


def _dng() -> list[bytes]:
    import tifffile

    mosaic = np.asarray(picture(209, "L")).astype(np.uint16) * 64
    mosaic = np.tile(mosaic, (3, 3))
    unit = tuple(number for one in np.eye(3, dtype=int).ravel() for number in (int(one), 1))
    extra: Any = [
        (50706, 1, 4, b"\x01\x04\0\0", True), (50708, 2, 0, "shoal", True),
        (33421, 3, 2, (2, 2), True), (33422, 1, 4, b"\0\1\1\2", True),
        (50717, 4, 1, 255 * 64, True), (50721, 10, 9, unit, True),
    ]  # fmt: skip
    file = io.BytesIO()
    tifffile.imwrite(file, mosaic, photometric=32803, metadata=None, extratags=extra)
    return [file.getvalue()]


def _video(suffix: str) -> list[bytes]:
    import av

    found = []
    for codec in ("mpeg4",) if suffix != "webm" else ("libvpx-vp9", "libvpx"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"a.{suffix}")
            with av.open(str(path), "w") as container:
                stream: Any = container.add_stream(codec, 5)
                stream.height = stream.width = SIDE
                stream.pix_fmt = "yuv420p"
                for number in range(15):
                    pixels = np.asarray(picture(210 + number // 5))
                    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                    container.mux(stream.encode(frame))
                container.mux(stream.encode())
            found.append(path.read_bytes())
    return found


PHOTOGRAPHS: dict[str, Callable[[], list[bytes]]] = {
    "heic": _heic,
    "jxl": _jxl,
    "dng": _dng,
    **{suffix: partial(_video, suffix) for suffix in ("mp4", "avi", "mkv", "webm")},
}
"""Kinds of files, by their suffix."""
