"""Which frames of a video are images of the pile: at intervals, or one of each shot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from shoal.plural import counted

Every: TypeAlias = float | Literal["cuts"]
"""Seconds from one frame to the next, or ``cuts``: a frame of each shot."""
ALL_FRAMES = 0.001
"""Seconds, fewer than any frame of an animated picture is shown: so all of them are taken."""
LIKE = 8
"""Two frames are near-identical if no part of them, a 32nd of the width and of the height, differs
by more than this, of 255: what the code of a video leaves of a still picture differs less."""
_CUT = 18.0
"""A cut changes the parts of a picture by more than this on average, of 255; and"""
_RATIO = 3.0
"""by so many times what changes from frame to frame around it."""
_WINDOW = 3
"""Frames before and after a cut that are compared with it."""
_SHORTEST = 0.4
"""Seconds of the shortest shot: what is shorter is a flash."""


class Frame(NamedTuple):
    """A frame of a video that is being read."""

    time: float
    """Seconds from the beginning."""
    thumbnail: Callable[[], Any]
    """Makes the frame small, int16 (32, 32, 3); only valid until the next frame is read."""


class Chosen(NamedTuple):
    """What was chosen of a video."""

    times: list[float]
    """Of the frames that are taken, in order."""
    n_alike: int
    """How many were left out because they are near-identical to the one taken before."""


def chosen(frames: Iterable[Frame], every: Every) -> Chosen:
    """The frames that are taken.

    At intervals, a frame that is near-identical to the one taken before it is left out. Of each
    shot, the frame in its middle is taken.
    """
    return Chosen(list(_in_shots(frames)), 0) if every == "cuts" else _at_intervals(frames, every)


def describe_taken(kind: str, counts: Sequence[int], every: Every | None) -> str:
    """What was taken of files whose pictures move, for a person.

    ``counts``: the files, the frames that were taken, and those left out as near-identical.

    >>> describe_taken("video", (2, 13, 0), None), describe_taken("video", (1, 9, 0), "cuts")
    ('2 videos: 13 frames, at most one every second', '1 video: 9 frames, one of each shot')
    >>> describe_taken("animated picture", (1, 60, 0), ALL_FRAMES)
    '1 animated picture: 60 frames, all that it has'
    >>> describe_taken("animated picture", (1, 58, 2), ALL_FRAMES)
    '1 animated picture: 58 frames; 2 more are left out as near-identical to the one before'
    """
    n_files, n_frames, n_alike = counts
    if every == "cuts":
        which = ", one of each shot"
    elif every == ALL_FRAMES:
        which = "" if n_alike else f", all that {'it has' if n_files == 1 else 'they have'}"
    else:
        second = "second" if every in (None, 1) else counted(every or 1, "second")
        which = f", at most one every {second}"
    are = "is" if n_alike == 1 else "are"
    alike = f"; {n_alike:,} more {are} left out as near-identical to the one before"
    taken = f"{counted(n_files, kind)}: {counted(n_frames, 'frame')}"
    return f"{taken}{which}{alike if n_alike else ''}"


def _at_intervals(frames: Iterable[Frame], seconds: float) -> Chosen:
    number, last, n_alike = 0, None, 0
    times: list[float] = []
    for frame in frames:
        if frame.time < number * seconds - 0.0005:
            continue
        number = int((frame.time + 0.0005) // seconds) + 1
        small = frame.thumbnail()
        if last is None or int(np.abs(small - last).max()) > LIKE:
            last = small
            times.append(frame.time)
        else:
            n_alike += 1
    return Chosen(times, n_alike)


def _in_shots(frames: Iterable[Frame]) -> Iterator[float]:
    begun, end = 0.0, 0.0
    for cut, end in _changes(frames):
        if cut and end - begun >= _SHORTEST:
            yield (begun + end) / 2
            begun = end
    yield (begun + end) / 2


def _changes(frames: Iterable[Frame]) -> Iterator[tuple[bool, float]]:
    """For each frame but the first, whether a shot begins with it, and its time."""
    around: deque[tuple[float, float]] = deque(maxlen=2 * _WINDOW + 1)
    last = None
    for frame in frames:
        small = frame.thumbnail()
        if last is not None:
            around.append((float(np.abs(small - last).mean()), frame.time))
            if len(around) > _WINDOW:
                yield _is_cut(around, len(around) - 1 - _WINDOW)
        last = small
    for place in range(max(0, len(around) - _WINDOW), len(around)):
        yield _is_cut(around, place)


def _is_cut(around: deque[tuple[float, float]], place: int) -> tuple[bool, float]:
    change, time = around[place]
    others = [other for at, (other, _) in enumerate(around) if at != place]
    usual = float(np.mean(others)) if others else 0.0
    return change > _CUT and change > _RATIO * usual, time
