"""Decoding a pile of encoded images, of any size and mode, to a source with one shape."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import PIL

from shoal.images import cache, readers
from shoal.images.array import ArraySource
from shoal.images.array_pixels import describe_beyond, describe_missing
from shoal.images.cache_file import Index, dtype_of
from shoal.images.checks import check_n_clusters
from shoal.images.csv_files import check_as_text
from shoal.images.decoding.filling import (
    DEFAULT_SIDE,
    Filling,
    SurpriseError,
    first_form,
    suited,
    widened,
)
from shoal.images.decoding.fitting import CROP, PAD, STRETCH
from shoal.images.decoding.form import Form
from shoal.images.decoding.listing import SEEN_AT, Listing, Wanted
from shoal.images.decoding.members import take_apart
from shoal.images.decoding.processes import shared
from shoal.images.decoding.raw_pixels import OTHER_CHANNELS
from shoal.images.decoding.survey import learn_range
from shoal.images.left_out import Count
from shoal.images.originals import EncodedOriginals
from shoal.images.pixel_range import PixelRange, type_of
from shoal.images.readers.frame_choice import describe_taken
from shoal.images.remote import given_up
from shoal.images.remote.location import location
from shoal.images.within import Within
from shoal.plural import counted, pixels
from shoal.protocols import ImageSource, Originals, Track

_VERSION = 4
"""Raise this number when the same files would give other pixels or ids."""
_HOW = {CROP: "cut to the centre", PAD: "framed", STRETCH: "stretched to fit"}
_MUCH = 0.5
"""From this share of the images on that is not seen, a person is warned."""


def decode_pile(
    where: str,
    stamp: str,
    listing: Callable[[Track], Listing],
    wanted: Wanted,
    *,
    originals: Callable[[Sequence[str]], Originals] | None = None,
    placed: Callable[[Sequence[str], Sequence[tuple[int, int]]], Originals] | None = None,
    notes: Sequence[str] = (),
) -> ImageSource:
    """Decode a pile, or take its images from the cache. Files that cannot be read are skipped.

    Images that all have the same size of at most 96 pixels keep it. The images of any other pile
    are brought to a square of ``wanted.size``, or of the side that suits them, by ``wanted.fit`` or
    as suits them, see `fitting`. A pile without a coloured image stays grey. Files that cannot be
    read have no part in these decisions. Pixels of more than 8 bits become levels by one range for
    the whole pile, see `pixel_range`.

    Memory holds about 1 kB for the name and the place of each image, and for each core two chunks
    of encoded images (of at most 8 MB, or one image) and one image at its own size (at most 89
    million pixels; threads decode only one image of more than 16 million pixels at a time). The
    decoded images go to disk, see `shoal.images.cache`. Reading them later takes no memory besides
    the images read, see `FileRows`.

    Args:
        where: the path of the pile, also for messages.
        stamp: a digest that changes when the content of the pile does.
        listing: lists the images, and shows progress; not called if the cache has them. It can be
            pickled, so that the source can.
        wanted: the shape or size to bring them to, and the rest.
        originals: makes the originals from the names of the images; None: `EncodedOriginals`.
        placed: makes them from the names and the places of the images, where the listing has these.
        notes: for a person, beside what decoding itself has to say.

    Raises:
        DataError: none can be read, or two ids are the same as text.
        OutputError: there is no room for the decoded images anywhere.
    """
    if wanted.within != Within():
        stamp = f"{stamp} {wanted.within}"
    key = _key_of(stamp, wanted) if wanted.cache else None
    kept = cache.load(key) if key else None
    # What a store did not give it may give now; but a worker sees what its command saw.
    if kept is None or (kept.index.get("incomplete") and not given_up.leaves_any()):
        with warnings.catch_warnings():  # here, once: switching them is not safe within threads
            warnings.simplefilter("ignore")  # a faulty tag; what matters is in ``skipped``
            with shared():
                images = take_apart(listing, wanted.within, wanted.track)
                kept = _decode(where, images, wanted, key)
        if key:
            _under_other_questions(stamp, key, kept, wanted)
    index = kept.index
    check_as_text(index["ids"], where)
    pixel_range = PixelRange.from_json(index["pixel_range"])
    classes = index["classes"]
    class_names = sorted(set(classes)) if classes else None
    numbers = {name: number for number, name in enumerate(class_names or [])}
    if placed is not None and index.get("places"):
        before = placed(index["ids"], index["places"])
    elif originals is not None:
        before = originals(index["ids"])
    else:
        before = EncodedOriginals(location(where), listing, index["ids"])
    source = ArraySource(
        kept.pixels,
        as_levels=True,
        originals=before,
        ids=index["ids"],
        skipped=[(name, reason) for name, reason in index["skipped"]],
        left_out=[Count(*row) for row in index["left_out"]],
        name=where,
        labels=np.array([numbers[name] for name in classes], np.int64) if classes else None,
        class_names=class_names,
        notes=[
            *notes,
            _cost(index, wanted),
            kept.note,
            *pixel_range.describe(wanted.pixel_range),
            *describe_missing(index["missing"]),
            *_of_other_channels(index),
            *describe_beyond(index.get("beyond", 0), len(index["ids"])),
            *_left_outside(index, wanted),
            *_far_smaller(index),
            *_joined(index, wanted),
            *_of_moving(index, wanted),
        ],
        rows=kept.rows,
        pixel_range=None if wanted.pixel_range is None else pixel_range,
        colour=index.get("colour"),
        larger_size=_larger_size(index, wanted),
        fit=index.get("fit", CROP),
        sides_by_effort=index.get("sides_by_effort"),
    )
    source.within = wanted.within
    source.n_files = tuple(index["n_files"]) if "n_files" in index else None
    return source


def _under_other_questions(stamp: str, key: str, kept: cache.Kept, wanted: Wanted) -> None:
    """Keep the images also under the shape and the range that they have now.

    A checkpoint that learned from them asks for these.
    """
    height, width, channels = kept.index["shape"][1:]
    pixel_range = PixelRange.from_json(kept.index["pixel_range"])
    answers: list[PixelRange | None] = [wanted.pixel_range, pixel_range]
    if pixel_range.integers is None and pixel_range.floats is None:  # no range plays a part
        answers += [None, PixelRange()]
    for answer in answers:
        asked = Wanted((height, width, channels), pixel_range=answer, fit=kept.index.get("fit"))
        cache.also(key, _key_of(stamp, asked))


def _key_of(stamp: str, wanted: Wanted) -> str:
    """The name in the cache of what is asked for."""
    fit = wanted.fit or (None if wanted.image_shape is None else CROP)
    effort = None if wanted.size or wanted.image_shape is not None else wanted.effort
    question = [
        _VERSION,
        PIL.__version__,
        readers.installed(),
        stamp,
        wanted.image_shape,
        wanted.size,
        wanted.pixel_range,
        fit,
        effort,
    ]
    return hashlib.sha256(repr(question).encode("utf-8", "surrogateescape")).hexdigest()


def _decode(where: str, pile: Listing, wanted: Wanted, key: str | None) -> cache.Kept:
    if len(pile.names) > 1:  # of one it is said later whether its file holds more
        check_n_clusters(wanted.n_clusters, len(pile.names))
    form = first_form(where, pile, wanted)
    asks, sides = wanted.image_shape is None, dict[str, int]()
    while True:
        if asks and not form.same_size:
            (form, sides), asks = suited(pile, form, wanted), False
        n_bytes = len(pile.names) * math.prod(form.shape) * form.dtype.itemsize
        try:
            return cache.keep(key, n_bytes, Filling(where, pile, form, wanted.track, sides))
        except SurpriseError as surprise:  # at most one for each: size, colour, kind of numbers
            if surprise.unknown:
                assert form.pixel_range is not None
                form = with_range(pile, surprise.unknown, form)
            else:
                form = widened(form, surprise.facts)


def with_range(pile: Listing, kind: str, form: Form) -> Form:
    """The form with a range for numbers of a kind (f or i), and with the bits that these need."""
    assert form.pixel_range is not None
    dtype = type_of(kind)
    pixel_range = form.pixel_range
    if pixel_range.of(dtype) is None:
        pixel_range = learn_range(pile, kind, pixel_range, form.channels)
    wide = form.wide or not pixel_range.keeps_eight_bits(dtype)
    return replace(form, pixel_range=pixel_range, wide=wide)


def _cost(index: Index, wanted: Wanted) -> str:
    """The size that the network sees, why it has this size, and what it costs."""
    _, height, width, channels = index["shape"]
    low, high = index["sides"]
    times = height * width / DEFAULT_SIDE**2
    cost = f"; {height * width * channels * dtype_of(index).itemsize:,} bytes an image"
    if times != 1:
        cost += f", about {times:.2g} times the time of 32 × 32"
    seen = f"{SEEN_AT} {pixels(height, width)}"
    if wanted.image_shape is not None:
        return f"{seen}, as in training{cost}"
    if not _is_shrunk(index):
        return f"{seen}, as they are{cost}"
    sides = f"{low:,} to {high:,} pixels" if low < high else f"{low:,} pixels"
    larger = _larger_size(index, wanted)
    smaller = not wanted.size and height > DEFAULT_SIDE
    hint = (
        (f"; their detail is finer, and --size {DEFAULT_SIDE} is faster" if smaller else "")
        if larger is None
        else f"; --size {larger} shows more and takes about {larger**2 / (height * width):.0f} "
        "times as long"
    )
    how = _HOW[index.get("fit", CROP)]
    return f"{seen}, scaled from {sides} a side and {how}{cost}{hint}"


def _left_outside(index: Index, wanted: Wanted) -> list[str]:
    """How much of each image is not seen, if that is much."""
    share = index.get("outside", 0.0)  # missing in older caches
    if share < _MUCH:
        return []
    _, height, width, _ = index["shape"]
    shape = "a square" if height == width else pixels(height, width)
    advice = "" if wanted.image_shape is not None else "; --fit stretch or pad shows all of them"
    return [
        f"warning: {min(share, 0.99):.0%} of each image, on average, lies outside {shape} in its "
        f"middle and is not seen: they are too tall or too wide{advice}"
    ]


def _far_smaller(index: Index) -> list[str]:
    """A warning of images that hold far fewer pixels than are seen of each."""
    n_small, names = index.get("far_smaller", (0, []))  # missing in older caches
    if not n_small:
        return []
    n, height, width, _ = index["shape"]
    listed = ", ".join(names) + (", …" if n_small > len(names) else "")
    are, they = ("is", "it shows") if n_small == 1 else ("are", "they show")
    return [
        f"warning: {n_small:,} of {counted(n, 'image')} {are} far smaller than "
        f"{pixels(height, width)} ({listed}), and blown up to that: {they} little"
    ]


def _joined(index: Index, wanted: Wanted) -> list[str]:
    """What was assumed of files of several pages, where a person has a choice."""
    n_files, n_pages = index.get("joined", (0, 0))  # missing in older caches
    if not n_files or wanted.image_shape is not None:
        return []
    of = "a file" if n_files == 1 else f"each of {n_files:,} files"
    most = "" if n_files == 1 else "up to "
    return [
        f"the pages of {of} ({most}{n_pages}) are taken for the channels of one image; with "
        "--pages images each is an image"
    ]


def _of_moving(index: Index, wanted: Wanted) -> list[str]:
    """Which frames were taken of videos and of animated pictures, a line for each kind."""
    hint = "; --every SECONDS takes others" if wanted.image_shape is None else ""
    return [
        f"{describe_taken(kind, counts, wanted.within.every)}{hint}"
        for kind, counts in index.get("moving", {}).items()  # missing in older caches
    ]


def _of_other_channels(index: Index) -> list[str]:
    """A warning of images that are left out because they have other channels than most."""
    others, numbers = 0, set[int]()
    for row in index["left_out"]:
        n_files, _, reason = row
        if told := OTHER_CHANNELS.fullmatch(reason):
            others += n_files
            numbers.add(int(told[1]))
    if not others:
        return []
    n, _, _, channels = index["shape"]
    theirs = " or ".join(map(str, sorted(numbers)))
    are = "is" if others == 1 else "are"
    return [
        f"warning: {counted(others, 'image')} of {theirs} channels {are} left out, and the "
        f"{counted(n, 'image')} of {channels} {'is' if n == 1 else 'are'} kept: the images of a "
        "pile have the same channels"
    ]


def _larger_size(index: Index, wanted: Wanted) -> int | None:
    """Pixels a side that would show more of a pile that was shrunk to the size by default."""
    if wanted.size or wanted.image_shape is not None or not _is_shrunk(index):
        return None
    if index.get("larger", 1.0) < 0.5:  # most would only be blown up
        return None
    return 2 * DEFAULT_SIDE if index["shape"][1] == DEFAULT_SIDE else None


def _is_shrunk(index: Index) -> bool:
    _, height, width, _ = index["shape"]
    return tuple(index["sides"]) != (min(height, width), max(height, width))
