"""A pile of encoded images, of any size, mode and soundness, to one source of one shape."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from shoal.errors import DataError
from shoal.images import cache
from shoal.images.array import ArraySource
from shoal.images.checks import missing_described
from shoal.images.decoding.image import Chunk, Encoded, Facts, Form, look
from shoal.images.decoding.parallel import decode_in_chunks
from shoal.images.decoding.survey import learn_range
from shoal.images.left_out import DRAWN, Count, LeftOut, as_counts, as_rows, suffix_of
from shoal.images.originals import EncodedOriginals
from shoal.images.pixel_range import PixelRange
from shoal.plural import counted
from shoal.protocols import ImageSource, Originals, Track, silent

NATIVE_LIMIT = 96
"""Images that all have one size, at most this on the longer side, keep it."""
DEFAULT_SIDE = 32
"""Any other pile is brought to squares of this side: what a laptop trains on in minutes."""
_LOOKS = 64
"""So many images, at most, are looked at before decoding begins: they mostly show what is there,
and what they do not show costs a second beginning."""
_VERSION = 2
"""To be raised when the same files would give other pixels or ids."""


@dataclass(frozen=True)
class Wanted:
    """What was asked of `open_source`, as every format gets it."""

    image_shape: tuple[int, int, int] | None = None
    size: int | None = None
    array: str | None = None
    cache: bool = True
    track: Track = silent
    pixel_range: PixelRange | None = PixelRange()  # noqa: RUF009 - frozen
    """What is known of black and white in images of more than 8 bits; the rest is learned. None:
    each image decides by itself, as for checkpoints of before ranges were learned."""


@dataclass(frozen=True)
class Listing:
    """The n encoded images of a pile, not all of which need be in memory.

    ``contents`` gives them one after the other, at each call anew, ``fetch`` one alone.
    ``left_out`` are those that are known, before any is decoded, to be none; ``classes`` the name
    of each one's class, if the pile is sorted by classes.
    """

    names: Sequence[str]
    contents: Callable[[], Iterable[Encoded]]
    fetch: Callable[[int], Encoded]
    left_out: Sequence[LeftOut] = ()
    classes: Sequence[str] | None = None
    kind: str = "image file"


class _SurpriseError(Exception):
    """An image that does not fit the form: it has to be another."""

    def __init__(self, facts: Facts, unknown: str) -> None:
        super().__init__(facts)
        self.facts = facts
        self.unknown = unknown


def decode_pile(
    where: str,
    stamp: str,
    listing: Callable[[Track], Listing],
    wanted: Wanted,
    *,
    originals: Callable[[Sequence[str]], Originals] | None = None,
) -> ImageSource:
    """Decode a pile, or find it decoded before; what cannot be read is skipped, and listed.

    Images that all have one size of at most 96 pixels keep it. Those of any other pile are scaled
    to cover a square of 32 pixels, or of ``wanted.size``, and cut to its centre. A pile without one
    coloured image stays grey. Images that cannot be read decide nothing. Pixels of more than 8 bits
    are brought to 8 by one range for the whole pile, see `pixel_range`.

    While it decodes, memory holds about 1 kB for each image's name and place, two chunks of encoded
    images a core (of at most 8 MB, or one image), and a core one image at its own size: at most 89
    million pixels, and where threads decode only one at a time of more than 16 million. What is
    decoded goes to disk, see `shoal.images.cache`; reading it later takes no memory but for the
    images read, see `FileRows`.

    Args:
        where: where the images come from, for messages.
        stamp: a digest that changes when their content does.
        listing: lists them, showing progress; not called if they were decoded before. It can be
            pickled, so that the source can.
        wanted: the shape or size to bring them to, and the rest.
        originals: given the names of the images, their originals; None: see `EncodedOriginals`.

    Raises:
        DataError: none can be read.
        OutputError: there is no room for the decoded images anywhere.
    """
    key = _key(stamp, wanted.image_shape, wanted.size, wanted.pixel_range) if wanted.cache else None
    kept = cache.load(key) if key else None
    if kept is None:
        with warnings.catch_warnings():  # here, once: switching them is not safe within threads
            warnings.simplefilter("ignore")  # a faulty tag; what matters is in ``skipped``
            kept = _decode(where, listing(wanted.track), wanted, key)
        if key:
            _under_other_questions(stamp, key, kept, wanted)
    index = kept.index
    pixel_range = PixelRange.from_json(index["pixel_range"])
    classes = index["classes"]
    class_names = sorted(set(classes)) if classes else None
    numbers = {name: number for number, name in enumerate(class_names or [])}
    known: dict[str, Any] = {
        "ids": index["ids"],
        "skipped": [(name, reason) for name, reason in index["skipped"]],
        "left_out": [Count(*one) for one in index["left_out"]],
        "name": where,
        "labels": np.array([numbers[name] for name in classes], np.int64) if classes else None,
        "class_names": class_names,
        "notes": [
            _cost(index, wanted),
            kept.note,
            *pixel_range.described(wanted.pixel_range),
            *missing_described(index["missing"]),
        ],
        "rows": kept.rows,
        "pixel_range": None if wanted.pixel_range is None else pixel_range,
    }
    if originals is None:
        originals = partial(EncodedOriginals, Path(where), listing)
    return ArraySource(kept.pixels, originals=originals(index["ids"]), **known)


def _under_other_questions(stamp: str, key: str, kept: cache.Kept, wanted: Wanted) -> None:
    """Keep it for who asks for what came of it, as a checkpoint trained on these images will."""
    height, width, channels = kept.index["shape"][1:]
    found = PixelRange.from_json(kept.index["pixel_range"])
    answers: list[PixelRange | None] = [wanted.pixel_range, found]
    if found.integers is None and found.floats is None:  # no range plays a part
        answers += [None, PixelRange()]
    for pixel_range in answers:
        cache.also(key, _key(stamp, (height, width, channels), None, pixel_range))


def _key(
    stamp: str,
    image_shape: tuple[int, int, int] | None,
    size: int | None,
    pixel_range: PixelRange | None,
) -> str:
    question = [_VERSION, PIL.__version__, stamp, image_shape, size, pixel_range]
    return hashlib.sha256(repr(question).encode("utf-8", "surrogateescape")).hexdigest()


def _decode(where: str, pile: Listing, wanted: Wanted, key: str | None) -> cache.Kept:
    form = _first_form(where, pile, wanted)
    while True:
        n_bytes = len(pile.names) * form.height * form.width * form.channels
        try:
            return cache.keep(key, n_bytes, _Filling(where, pile, form, wanted.track))
        except _SurpriseError as surprise:  # at most one for each: size, colour, kind of numbers
            if surprise.unknown:
                assert form.pixel_range is not None
                pixel_range = learn_range(pile, surprise.unknown, form.pixel_range)
                form = replace(form, pixel_range=pixel_range)
            else:
                form = _widened(form, surprise.facts)


def _first_form(where: str, pile: Listing, wanted: Wanted) -> Form:
    """What the first images that can be read lead to believe; where none can, the end."""
    known = wanted.pixel_range
    if wanted.image_shape is not None:
        return Form(*wanted.image_shape, pixel_range=known)
    side = wanted.size or DEFAULT_SIDE
    form = Form(side, side, 1, all_grey=True, pixel_range=known) if wanted.size else None
    reason, seen = "", 0
    for content in pile.contents():
        facts = look(content)
        if isinstance(facts, str):
            reason = reason or facts
            continue
        seen += 1
        if form is None:
            native = max(facts.height, facts.width) <= NATIVE_LIMIT
            size = (facts.height, facts.width) if native else (side, side)
            form = Form(*size, 1, same_size=native, all_grey=True, pixel_range=known)
        form = _widened(form, facts)
        if seen == _LOOKS or not (form.same_size or form.all_grey):
            break
    if form is None or not seen:
        raise _none_readable(where, pile, reason)
    return form


def _widened(form: Form, facts: Facts) -> Form:
    """The form after an image that it may be wrong about."""
    if form.same_size and (facts.height, facts.width) != (form.height, form.width):
        form = replace(form, height=DEFAULT_SIDE, width=DEFAULT_SIDE, same_size=False)
    if form.all_grey and not facts.grey:
        form = replace(form, channels=3, all_grey=False)
    return form


@dataclass(frozen=True)
class _Filling:
    """Decodes a pile to one form, writing the pixels, and returns the index: a `_cache.Fill`."""

    where: str
    pile: Listing
    form: Form
    track: Track

    def __call__(self, write: Callable[[Any], Any]) -> cache.Index:
        names, classes = self.pile.names, self.pile.classes
        kept: list[int] = []
        unreadable: list[LeftOut] = []
        sides = [2**31, 0]
        missing = [0, 0]

        def rows() -> Iterator[int]:
            row = 0
            for chunk in self._chunks():
                write(chunk.pixels.data)
                sides[:] = min(sides[0], chunk.sides[0]), max(sides[1], chunk.sides[1])
                missing[:] = missing[0] + chunk.missing[0], missing[1] + chunk.missing[1]
                for reason in chunk.reasons:
                    if reason:
                        unreadable.append(_unreadable(names[row], reason))
                    else:
                        kept.append(row)
                    yield row
                    row += 1

        for _ in self.track(rows(), "decoding", len(names)):
            pass
        if not kept:
            raise _none_readable(self.where, self.pile, unreadable[0].reason)
        left_out = [*self.pile.left_out, *unreadable]
        return {
            "shape": [len(kept), *self.form.shape],
            "ids": [names[row] for row in kept],
            "skipped": as_rows(left_out),
            "left_out": as_counts(left_out),
            "classes": None if classes is None else [classes[row] for row in kept],
            "sides": sides,
            "missing": missing,
            "pixel_range": self._range().to_json(),
        }

    def _range(self) -> PixelRange:
        """Of a pile without wide images: that 8-bit images are what it has."""
        known = self.form.pixel_range
        if known is None or (known.integers is None and known.floats is None):
            return PixelRange(eight_bit=True)
        return known

    def _chunks(self) -> Iterator[Chunk]:
        for chunk in decode_in_chunks(self.pile.contents(), self.form, len(self.pile.names)):
            if chunk.surprise is not None:
                raise _SurpriseError(chunk.surprise, chunk.unknown)
            yield chunk


def _unreadable(name: str, reason: str) -> LeftOut:
    """One file by itself, but of what is known not to be read by its suffix."""
    known = reason == DRAWN or "which shoal cannot read yet" in reason
    return LeftOut(name, reason, f"*{suffix_of(name)}" if known else "")


def _none_readable(where: str, pile: Listing, reason: str) -> DataError:
    return DataError(
        f"{where} holds no image that can be read; {counted(len(pile.names), pile.kind)} failed "
        f"(the first, {pile.names[0]}: {reason})."
    )


def _cost(index: cache.Index, wanted: Wanted) -> str:
    """What size the network sees, why, and what that costs."""
    _, height, width, channels = index["shape"]
    low, high = index["sides"]
    times = height * width / DEFAULT_SIDE**2
    cost = f"; {height * width * channels:,} bytes an image"
    if times != 1:
        cost += f", about {times:.2g} times the time of 32 × 32"
    seen = f"seen at {width} × {height} pixels"
    if wanted.image_shape is not None:
        return f"{seen}, as in training{cost}"
    if (low, high) == (min(height, width), max(height, width)):
        return f"{seen}, as they are{cost}"
    sides = f"{low:,} to {high:,} pixels" if low < high else f"{low:,} pixels"
    hint = "" if wanted.size else "; --size 64 shows more and takes about 4 times as long"
    return f"{seen}, scaled from {sides} a side and cut to the centre{cost}{hint}"
