"""Numbers with their nouns, so that one image is never "1 images"."""

from __future__ import annotations

import math
import re
import string
from decimal import Decimal
from typing import Any


def counted(n: float, one: str, many: str = "") -> str:
    """A number and its noun; the plural is ``one`` with an s unless ``many`` is given.

    >>> counted(1, "image"), counted(8500, "image"), counted(2, "copy", "copies")
    ('1 image', '8,500 images', '2 copies')
    >>> counted(1.0, "epoch"), counted(0.5, "epoch")
    ('1 epoch', '0.5 epochs')
    """
    number = f"{n:,}" if isinstance(n, int) else f"{n:,.15g}"
    return f"{number} {one if n == 1 else many or one + 's'}"


def apart(n: int) -> str:
    """What follows a list of clusters where images belong to none of them.

    >>> apart(0), apart(1), apart(2)
    ('', ', 1 belongs nowhere', ', 2 belong nowhere')
    """
    return f", {n:,} belong{'s' if n == 1 else ''} nowhere" if n else ""


def plain(x: float) -> str:
    """A number as people write it: no powers of ten, commas between thousands.

    >>> plain(1e6), plain(0.00001), plain(2**63), plain(0.25)
    ('1,000,000', '0.00001', '9,223,372,036,854,775,808', '0.25')
    """
    return f"{x:,}" if isinstance(x, int) else f"{Decimal(repr(float(x))).normalize():,f}"


def pixels(height: int, width: int, channels: int | None = None, *, colour: bool = True) -> str:
    """The size of an image as a person says it: the width first, and said where it matters.

    ``colour`` says whether three channels are red, green and blue.

    >>> pixels(8, 8), pixels(16, 8, 3), pixels(8, 8, 5)
    ('8 × 8 pixels', '8 × 16 pixels (width × height) in colour', '8 × 8 pixels in 5 channels')
    """
    order = "" if height == width else " (width × height)"
    kinds = {None: "", 1: " in grey"} | ({3: " in colour"} if colour else {})
    kind = kinds.get(channels, f" in {channels} channels")
    return f"{width} × {height} pixels{order}{kind}"


def lasted(seconds: float) -> str:
    """A time as a person says it.

    >>> lasted(2.55), lasted(60), lasted(300.8)
    ('3 seconds', '1.0 minutes', '5.0 minutes')
    """
    if seconds < 59.5:
        return counted(max(1, round(seconds)), "second")
    return f"{seconds / 60:.1f} minutes"


def duration(least: float, most: float) -> str:
    """A range of seconds as a person says it.

    >>> duration(8.2, 12.9), duration(100, 140), duration(650.0, 910.0), duration(3500, 9000)
    ('less than a minute', '2 to 3 minutes', '11 to 16 minutes', '1 to 2.5 hours')
    >>> duration(50, 70), duration(400, 405)
    ('1 to 2 minutes', 'about 7 minutes')
    """
    if most < 59.5:
        return "less than a minute"
    low: float = max(1, round(least / 60))
    high: float = math.ceil(most / 60 - 0.1)
    noun = "minute"
    if most > 90 * 60:
        low, high, noun = round(least / 3600, 1), round(most / 3600, 1), "hour"
    if low >= high:
        return "about " + counted(high, noun)
    return f"{low:.15g} to {counted(high, noun)}"


def rounded(x: float) -> int | float:
    """A positive number in two digits, for what is not known better.

    >>> rounded(6.136), rounded(24.6), rounded(117.0)
    (6.1, 25, 120)
    """
    two = float(f"{x:.2g}")
    return int(two) if two.is_integer() else two


def of_vectors(text: str) -> str:
    """What is said of images, said of vectors that another program made.

    >>> of_vectors("All images are in one group. Images, an image.")
    'All vectors are in one group. Vectors, a vector.'
    """
    return _renamed(text, {"an image": "a vector", "image": "vector"})


def of_images(text: str) -> str:
    """The inverse of `of_vectors`.

    >>> of_images("a vector is few, vectors are more")
    'an image is few, images are more'
    """
    return _renamed(text, {"a vector": "an image", "vector": "image"})


def _renamed(text: str, nouns: dict[str, str]) -> str:
    """``text`` with other nouns, also in the plural and at the beginning of a sentence."""
    for old, new in nouns.items():
        text = re.sub(rf"\b{old}(s?)\b", rf"{new}\1", text)
        text = re.sub(rf"\b{old.capitalize()}(s?)\b", rf"{new.capitalize()}\1", text)
    return text


def fill(template: str, **values: object) -> str:
    """``str.format``, with ``{n:one|many}`` for what is said of one and of other numbers.

    A number counts as one if it is written as one: 1.04 with one decimal is "1.0 epochs".

    >>> fill("{n:,} {n:image|images} {n:is|are} left out.", n=1)
    '1 image is left out.'
    >>> fill("{n:,} {n:image|images} {n:is|are} left out.", n=1200)
    '1,200 images are left out.'
    """
    return _Formatter().vformat(template, (), values)


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        one, bar, many = format_spec.partition("|")
        if not bar:
            return super().format_field(value, format_spec)
        return one if value == 1 else many
