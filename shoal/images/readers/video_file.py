"""An open video: its frames in order, and the frame at a time."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from shoal.images.readers.frame_choice import Frame
from shoal.images.readers.raw import Content

MOST_PIXELS = 36_000_000
"""Pixels of a frame, at most: a video of 8,192 × 4,352. A decoder may hold sixteen frames."""
_MOST_FAULTS = 100
"""Packets that may be damaged before the rest of a video is given up."""
_NEAR = 5.0
"""Seconds that are read on; to go further, the file's index of whole frames is faster."""
_HALF = 0.0005
"""Half the unit in which times are written."""
_WITHOUT_INDEX = ("gif", "apng")
_OPTIONS = {
    "max_pixels": str(MOST_PIXELS),
    # Playlists and the like, under the name of a video, would open other files and addresses.
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpegts,mpeg,mpegvideo,flv,asf,"
    "ogg,mxf,gif,apng",
}


class VideoFile:
    """The first video stream of a file.

    Raises:
        ValueError: there is none, or it cannot be read; the message is the reason.
    """

    def __init__(self, content: Content) -> None:
        import av

        self.why = ""
        """What went wrong while frames were read, for a message."""
        self._content = content
        self._errors: tuple[type[Exception], ...] = (av.FFmpegError, ValueError, OSError)
        self._open()

    def _open(self) -> None:
        import av

        content = self._content
        try:
            opened: Any = f"file:{content}" if isinstance(content, Path) else io.BytesIO(content)
            self._container = av.open(opened, options=_OPTIONS)
        except self._errors as error:
            raise ValueError(f"a video that cannot be read ({short(error)})") from error
        try:
            streams = self._container.streams.video
            if not streams:
                raise ValueError("a sound or a video without a picture")
            stream = streams[0]
            context = stream.codec_context
            if context is None:
                raise ValueError("a video in a code that FFmpeg cannot read")
            if context.width * context.height > MOST_PIXELS:
                raise ValueError(
                    f"frames of {context.width:,} × {context.height:,} pixels, more than the "
                    f"{MOST_PIXELS:,} that are safe to decode"
                )
            stream.thread_type = "AUTO"
            context.thread_count = 2
        except BaseException:
            self._container.close()
            raise
        self._stream = stream
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self._decoded = self._decode()
        self._frame: Any = None
        self._before, self._reached = -1.0, -1.0  # of the frame before, and of the frame

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._decoded.close()
        self._frame = None
        self._container.close()

    def frames(self, thumbnail: Callable[[Any], Any]) -> Iterator[Frame]:
        """The frames, with the thumbnails that somebody asks for, from the beginning."""
        for time, frame in self._decode():
            yield Frame(time, lambda frame=frame: thumbnail(frame))  # type: ignore[misc]

    def at(self, time: float) -> Any:
        """The first frame at ``time`` or after it.

        Raises:
            ValueError: there is none that can be read.
        """
        wanted = time - _HALF
        if self._frame is not None and self._before < wanted <= self._reached:
            return self._frame
        if wanted <= self._reached or time - self._reached > _NEAR:
            self._go_to(time)
        while self._frame is None or self._reached < wanted:
            following = next(self._decoded, None)
            if following is None:
                raise ValueError(f"the frame at {time:g} seconds cannot be read{self.why}")
            self._before = self._reached
            self._reached, self._frame = following
        return self._frame

    def _go_to(self, time: float) -> None:
        """Go to a frame that is not after ``time``, as near as can be; or to the beginning."""
        self._decoded.close()
        try:
            if time > _NEAR and self._container.format.name not in _WITHOUT_INDEX:
                place = int((time + self._start) / self._stream.time_base)
                self._container.seek(place, stream=self._stream)
                self._decoded = self._decode()
                first = next(self._decoded, None)
                if first is not None and first[0] <= time + _HALF:
                    self._before = first[0] - 3 * _HALF  # not known any nearer
                    self._reached, self._frame = first
                    return
        except self._errors:
            pass  # no index, or a wrong one
        self._container.close()
        self._open()

    def _decode(self) -> Generator[tuple[float, Any]]:
        """(time, frame) of each frame that can be read; damaged packets are passed over."""
        faults, last = 0, -1.0
        packets = self._container.demux(self._stream)
        while faults < _MOST_FAULTS:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                decoded = packet.decode()
            except self._errors as error:
                faults += 1
                self.why = f" ({short(error)})"
                continue
            for frame in decoded:
                if frame.width * frame.height > MOST_PIXELS:
                    faults += 1
                    continue
                time = last + 0.04 if frame.time is None else float(frame.time) - self._start
                if time > last:  # else it is damaged: no frame is shown before the one before it
                    last = max(0.0, time)
                    yield last, frame


def short(error: Exception) -> str:
    """An error of FFmpeg without the path of the file, which stands in it."""
    text = str(getattr(error, "strerror", None) or error).splitlines()
    return text[0][:200].lower() if text else type(error).__name__
