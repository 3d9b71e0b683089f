"""Decoding all images of a pile to one form, which the first images suggest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shoal.errors import DataError
from shoal.images.array_pixels import with_eight_bits
from shoal.images.cache_file import Index
from shoal.images.decoding.fitting import CROP, EFFORT_NAMES, choose_fit, choose_side
from shoal.images.decoding.form import Chunk, Encoded, Facts, Form
from shoal.images.decoding.image import look
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.measure import count_channels, upright_size_of
from shoal.images.decoding.parallel import decode_in_chunks, in_isolation, in_order_or_isolation
from shoal.images.decoding.raw_pixels import fits, wrong_channels
from shoal.images.file_kinds import suffix_of
from shoal.images.left_out import DRAWN, LeftOut, as_counts, as_rows
from shoal.images.pixel_range import check_channels
from shoal.images.readers.raw import NEEDS
from shoal.images.remote.faults import AWAY
from shoal.images.sampling import spread_rows
from shoal.plural import counted
from shoal.protocols import Track

Result = TypeVar("Result")
NATIVE_LIMIT = 96
"""Images that all have the same size keep it if their longer side is at most this."""
DEFAULT_SIDE = 32
"""The images of any other pile become squares of this side: a laptop trains on them in minutes."""
_LOOKS = 64
"""The form is chosen by this many images. If a later image does not fit, decoding begins again."""
_NAMED = 3
"""So many of the images that are far too small are named."""
_COUNTED = 32
"""So many images, evenly spread over the pile, say how many channels it has."""


class SurpriseError(Exception):
    """An image does not fit the form, so that decoding begins again with another form."""

    def __init__(self, facts: Facts, unknown: str) -> None:
        super().__init__(facts)
        self.facts = facts
        self.unknown = unknown


def first_form(where: str, pile: Listing, wanted: Wanted) -> Form:
    """The form that the first readable images suggest.

    Raises:
        DataError: no image can be read.
    """
    known = wanted.pixel_range
    if wanted.image_shape is not None:
        return Form(*wanted.image_shape, pixel_range=known, fit=wanted.fit or CROP)
    side = wanted.size or DEFAULT_SIDE
    spread = (pile.fetch(int(row)) for row in spread_rows(len(pile.names), _COUNTED))
    n_channels = most_channels(spread, isolated=pile.isolated)
    channels, all_grey = (1, True) if n_channels == 3 else (n_channels, False)
    kind = Form(side, side, channels, all_grey=all_grey, pixel_range=known, fit=wanted.fit or CROP)
    form = kind if wanted.size else None
    reason, seen = "", 0
    for facts in _seen(look, pile.contents(), pile.isolated, str):
        if isinstance(facts, str):
            reason = reason or facts
            continue
        if not fits(facts.channels, n_channels):
            reason = reason or wrong_channels(facts.channels, n_channels)
            continue
        seen += 1
        if form is None:
            native = max(facts.height, facts.width) <= NATIVE_LIMIT
            size = (facts.height, facts.width) if native else (side, side)
            form = replace(kind, height=size[0], width=size[1], same_size=native)
        form = widened(form, facts)
        if seen == _LOOKS or not (form.same_size or form.all_grey):
            break
    if form is None or not seen:
        raise _none_readable(where, pile, reason)
    if known is not None and known.given:
        try:
            check_channels(known.integers or (0.0, 1.0), form.channels)
        except ValueError as error:
            raise DataError(f"{where}: {error}.") from None
    return form


def widened(form: Form, facts: Facts) -> Form:
    """The form, changed so that an image with these facts fits it."""
    if form.same_size and (facts.height, facts.width) != (form.height, form.width):
        form = replace(form, height=DEFAULT_SIDE, width=DEFAULT_SIDE, same_size=False)
    if form.all_grey and not facts.grey:
        form = replace(form, channels=3, all_grey=False, colour=facts.colour)
    return form


def suited(pile: Listing, form: Form, wanted: Wanted) -> tuple[Form, dict[str, int]]:
    """The form with the side and the fit that suit the pile, where nothing else is wanted.

    The sizes of a sample decide. Also given are the sides that each effort would have.
    """
    contents = (pile.fetch(int(row)) for row in spread_rows(len(pile.names), _LOOKS))
    seen = in_order_or_isolation(upright_size_of, contents, lambda _: None, isolated=pile.isolated)
    sizes = [size for size in seen if size is not None]
    sides = dict[str, int]()
    if wanted.size is None:
        n_images = len(pile.names)
        sides = {name: choose_side(sizes, n_images, name) for name in EFFORT_NAMES}
        form = replace(form, height=sides[wanted.effort], width=sides[wanted.effort])
    return replace(form, fit=wanted.fit or choose_fit(sizes, (form.height, form.width))), sides


def most_channels(contents: Iterable[Encoded], *, isolated: bool = False) -> int:
    """The number of channels that most images have; grey counts as colour, 3.

    Where two numbers are as frequent, the first image with either decides.
    """
    counts = Counter(filter(None, _seen(count_channels, contents, isolated, lambda _: 0)))
    return counts.most_common(1)[0][0] if counts else 3


def _seen(
    function: Callable[[Encoded], Result],
    contents: Iterable[Encoded],
    isolated: bool,
    crashed: Callable[[str], Result],
) -> Iterable[Result]:
    """What a function sees of each image, in order, as far as somebody asks for it."""
    return in_isolation(function, contents, crashed) if isolated else map(function, contents)


@dataclass(frozen=True)
class Filling:
    """Decodes a pile to one form, writes the pixels, and returns the index: a `cache_file.Fill`."""

    where: str
    pile: Listing
    form: Form
    track: Track
    sides_by_effort: dict[str, int] = field(default_factory=dict)

    def __call__(self, write: Callable[[Any], Any]) -> Index:
        names, classes, places = self.pile.names, self.pile.classes, self.pile.places
        kept: list[int] = []
        unreadable: list[LeftOut] = []
        sides = [2**31, 0]
        missing = [0, 0]
        outside, n_larger, n_beyond = [0.0], [0], [0]
        far_smaller: list[int] = []

        def rows() -> Iterator[int]:
            row = 0
            for chunk in self._chunks():
                write(chunk.pixels.data)
                sides[:] = min(sides[0], chunk.sides[0]), max(sides[1], chunk.sides[1])
                missing[:] = missing[0] + chunk.missing[0], missing[1] + chunk.missing[1]
                outside[0] += chunk.outside
                n_larger[0] += chunk.n_larger
                n_beyond[0] += chunk.n_beyond
                far_smaller.extend(row + place for place in chunk.far_smaller)
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
            "dtype": str(self.form.dtype),
            "colour": self.form.colour,
            "ids": [names[row] for row in kept],
            "skipped": as_rows(left_out),
            "left_out": as_counts(left_out),
            "places": None if places is None else [places[row] for row in kept],
            "incomplete": any(entry.reason.startswith(AWAY) for entry in left_out),
            "joined": self.pile.joined,
            "moving": self.pile.moving,
            "n_files": self._count_files(kept),
            "classes": None if classes is None else [classes[row] for row in kept],
            "sides": sides,
            "missing": missing,
            "beyond": n_beyond[0],
            "fit": self.form.fit,
            "sides_by_effort": self.sides_by_effort,
            "outside": outside[0] / len(kept),
            "larger": n_larger[0] / len(kept),
            "far_smaller": (len(far_smaller), [names[row] for row in far_smaller[:_NAMED]]),
            "pixel_range": with_eight_bits(self.form.pixel_range).to_json(),
        }

    def _count_files(self, kept: Sequence[int]) -> tuple[int, int]:
        """Of how many files images are kept, and how many files there are in all."""
        file_of, n_left = self.pile.file_of, len(self.pile.left_out)
        if file_of is None:
            return len(kept), len(self.pile.names) + n_left
        return len({file_of[row] for row in kept}), len(set(file_of)) + n_left

    def _chunks(self) -> Iterator[Chunk]:
        for chunk in decode_in_chunks(
            self.pile.contents(), self.form, len(self.pile.names), isolated=self.pile.isolated
        ):
            if chunk.surprise is not None:
                raise SurpriseError(chunk.surprise, chunk.unknown)
            yield chunk


def _unreadable(name: str, reason: str) -> LeftOut:
    """The file; with its suffix as its group if no file of this kind can be read."""
    known = reason == DRAWN or "which shoal cannot read yet" in reason or NEEDS in reason
    return LeftOut(name, reason, f"*{suffix_of(name)}" if known else "")


def _none_readable(where: str, pile: Listing, reason: str) -> DataError:
    return DataError(
        f"{where} holds no image that can be read; {counted(len(pile.names), pile.kind)} failed "
        f"(the first, {pile.names[0]}: {reason})."
    )
