"""Videos, by PyAV, which is FFmpeg: their frames are the images.

A frame is called by its time in seconds from the beginning: ``t=12.5``. It is the first frame that
is shown at that time or after it. `frame_choice` says which frames are taken.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.file_kinds import image_suffix
from shoal.images.readers._last_opened import LastOpened
from shoal.images.readers.frame_choice import Every, chosen
from shoal.images.readers.raw import Content, Pages, Raw, needs_extra
from shoal.images.readers.transparency import without_opacity
from shoal.images.readers.video_file import VideoFile

SUFFIXES = frozenset((
    ".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mts", ".m2ts", ".3gp", ".3g2", ".mpg",
    ".mpeg", ".wmv", ".asf", ".flv", ".ogv", ".mxf",
))  # fmt: skip
EXTRA = "video"
LIBRARIES = ("av",)
ANIMATIONS = frozenset((".gif", ".apng"))
"""Pictures that may move: Pillow reads the first frame, and this module all, where they are
asked for."""
_SIGNATURES = (b"\0\0\x01\xba", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")


def recognises(head: bytes) -> bool:
    """Whether a file begins as a video does."""
    return image_suffix(head) in (".mp4", ".avi", ".mkv") or head.startswith(_SIGNATURES)


def members(content: Content, pages: Pages = "auto", every: Every | None = None) -> list[str]:
    """The frames that are images of the pile, see `frame_choice.chosen`; `['']` is never given."""
    return chosen_members(content, every)[0]


def chosen_members(content: Content, every: Every | None) -> tuple[list[str], int]:
    """The same, and how many were left out as near-identical to the frame before."""
    with _opened(content) as video:
        times, n_alike = chosen(video.frames(_thumbnail), 1.0 if every is None else every)
        names = list(dict.fromkeys(f"t={_written(time)}" for time in times))
        if not names:
            raise ValueError(f"a video without a frame that can be read{video.why}")
        return names, n_alike


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """A frame. The frames of a video are read fastest in their order, by one thread."""
    time = _time(member)
    video: VideoFile = _last.get(content)
    return _as_raw(video.at(time), side)


def close() -> None:
    """Close the video that this thread read from last."""
    _last.close()


def _opened(content: Content) -> VideoFile:
    try:
        import av  # noqa: F401
    except ImportError:
        raise needs_extra("a video", EXTRA) from None
    return VideoFile(content)


_last = LastOpened(_opened)


def _written(time: float) -> str:
    """Seconds to the millisecond, without zeros at the end.

    >>> _written(12.5), _written(0.0), _written(3.1004)
    ('12.5', '0', '3.1')
    """
    return f"{time:.3f}".rstrip("0").rstrip(".")


def _time(member: str) -> float:
    """The time in a frame's name; the beginning where a video is taken for one image."""
    if not member:
        return 0.0
    try:
        return float(member.removeprefix("t="))
    except ValueError:
        raise ValueError(f"no frame is called {member!r}") from None


def _thumbnail(frame: Any) -> Any:
    """A frame as int16 (32, 32, 3), for comparing it with others."""
    small = frame.reformat(width=32, height=32, format="rgb24", interpolation="AREA")
    return small.to_ndarray().astype(np.int16)


def _as_raw(frame: Any, side: int | None) -> Raw:
    """A frame as pixels, not much larger than needed, on white where it is transparent."""
    times = min(frame.height, frame.width) // side if side else 1
    scaled: dict[str, Any] = {}
    if times > 1:  # FFmpeg scales in less time than it takes to convert the whole to RGB
        scaled = {
            "width": frame.width // times, "height": frame.height // times,
            "interpolation": "AREA",
        }  # fmt: skip
    kind = frame.format
    wide = max(part.bits for part in kind.components) > 8
    if len(kind.components) == 1 and not kind.is_rgb and not kind.has_palette:
        name = "gray16le" if wide else "gray"
    elif len(kind.components) in (2, 4) or kind.has_palette:
        name = "rgba64le" if wide else "rgba"
    else:
        name = "rgb48le" if wide else "rgb24"
    pixels = frame.reformat(format=name, **scaled).to_ndarray()
    size = (frame.height, frame.width)
    return Raw(*without_opacity(pixels, grey=False), orientation=_turn(frame), size=size)


def _turn(frame: Any) -> int:
    """The EXIF orientation for the rotation that a video says, in degrees counterclockwise."""
    return {90: 8, 180: 3, 270: 6}.get(round(frame.rotation) % 360, 1)


def is_animation(content: Content) -> bool:
    """Whether a GIF or a PNG holds more than one frame."""
    from PIL import Image

    try:
        opened = content if isinstance(content, Path) else io.BytesIO(content)
        with Image.open(opened, formats=("GIF", "PNG")) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 - of a damaged file, anything
        return False
