"""What the axes of an array mean: which lie along images, and how the images are called."""

from __future__ import annotations

import math
from itertools import product

from shoal.images.readers._planes import MOST_PLANES
from shoal.images.readers.raw import MOST_CHANNELS, Pages, ReasonError

MOST_IMAGES = 10_000_000
_CLEARLY = 4
"""An axis that is so many times as short as another holds the channels."""


def axes_of(shape: tuple[int, ...], told: str, pages: Pages = "auto") -> str:
    """The axes of an array: y, x, c for channels, and other letters for those along images.

    >>> axes_of((500, 32, 32, 5), ""), axes_of((500, 5, 32, 32), ""), axes_of((500, 28, 28), "")
    ('nyxc', 'ncyx', 'nyx')
    >>> axes_of((64, 64, 4), ""), axes_of((4, 64, 64), ""), axes_of((4, 64, 64), "", "images")
    ('yxc', 'cyx', 'nyx')

    Raises:
        ReasonError: the shape does not tell.
    """
    axes = told or _by_shape(shape)
    if axes == "cyx" and pages == "images":
        return "nyx"
    return "cyx" if axes == "nyx" and pages == "channels" else axes


def _by_shape(shape: tuple[int, ...]) -> str:
    def is_short(axis: int, others: tuple[int, ...]) -> bool:
        return shape[axis] <= MOST_CHANNELS and _CLEARLY * shape[axis] <= min(others)

    if len(shape) == 2:
        return "yx"
    if len(shape) == 3:
        if is_short(2, shape[:2]):
            return "yxc"
        return "cyx" if shape[0] <= MOST_PLANES and is_short(0, shape[1:]) else "nyx"
    if len(shape) == 4:
        first, last = is_short(1, shape[2:]), is_short(3, shape[1:3])
        if last or (shape[3] in (1, 3) and not first):
            return "nyxc"
        if first or shape[1] in (1, 3):
            return "ncyx"
    raise ReasonError(
        f"an array of shape {shape}, which does not tell what its axes are; name its dimensions, "
        "or give --channels first or last"
    )


def _outer(shape: tuple[int, ...], axes: str) -> list[tuple[str, int]]:
    if len(axes) != len(shape) or len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes):
        raise ReasonError(f"an array of shape {shape} with axes {axes}")
    sizes = zip(axes, shape, strict=True)
    return [(axis, size) for axis, size in sizes if axis not in "yxc"]


def names_of(shape: tuple[int, ...], axes: str) -> list[str]:
    """The names of the images of an array: ``['']``, ``['image=0', …]``, ``['t=0_z=3', …]``.

    >>> names_of((2, 32, 32), "nyx"), names_of((1, 2, 3, 32, 32), "tzcyx")
    (['image=0', 'image=1'], ['t=0_z=0', 't=0_z=1'])

    Raises:
        ReasonError: the axes are not those of such an array, or there are too many images.
    """
    outer = _outer(shape, axes)
    if math.prod(size for _, size in outer) > MOST_IMAGES:
        raise ReasonError(f"{math.prod(size for _, size in outer):,} images")
    letters = ["image" if axis == "n" else axis for axis, _ in outer]
    places = product(*(range(size) for _, size in outer))
    names = ["_".join(f"{a}={at}" for a, at in zip(letters, place, strict=True))
             for place in places]  # fmt: skip
    return names if len(names) > 1 else [""]


def place_of(shape: tuple[int, ...], axes: str, name: str) -> dict[str, int] | None:
    """The place along each outer axis that a name tells; None if it is no such name."""
    outer = _outer(shape, axes)
    if not name:
        return {axis: 0 for axis, _ in outer} if all(size == 1 for _, size in outer) else None
    parts = dict(part.partition("=")[::2] for part in name.split("_"))
    wanted = {"image" if axis == "n" else axis: (axis, size) for axis, size in outer}
    if parts.keys() != wanted.keys():
        return None
    place = {}
    for letter, number in parts.items():
        axis, size = wanted[letter]
        if not number.isdecimal() or int(number) >= size:
            return None
        place[axis] = int(number)
    return place
