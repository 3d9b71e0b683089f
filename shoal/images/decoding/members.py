"""Files that hold several images, taken apart: a listing of files becomes one of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.inside import Image, look
from shoal.images.decoding.listing import Listing
from shoal.images.decoding.parallel import in_order_or_isolation
from shoal.images.file_names import BY_PILLOW
from shoal.images.left_out import LeftOut
from shoal.images.readers import video
from shoal.images.within import Within
from shoal.protocols import Track

_TWICE = "a file has the name of this image"
_WITH_PAGES = (".tif", ".tiff")
_ONE_IMAGE = BY_PILLOW.difference(_WITH_PAGES)
"""Suffixes of files that hold one image, or of which the first counts."""


def take_apart(list_files: Callable[[Track], Listing], within: Within, track: Track) -> Listing:
    """The listing of files, with a row for each image of those that hold several.

    Their ids are ``<file>#<member>``. A file that cannot be looked into keeps its row, with the
    reason. The files are looked into in parallel: to choose its frames, a video is decoded once.

    Args:
        list_files: lists the files.
        within: what the images of a file are, where there is a choice.
        track: shows progress.
    """
    files = list_files(track)
    # Rows of a table have no suffixes, and are one image each.
    names = [] if files.kind == "row" else files.names
    asked = [row for row, name in enumerate(names) if _may_hold_several(name, within)]
    if not asked:
        return files
    contents = ((files.names[row], row, files.fetch(row)) for row in asked)
    see = partial(look, within)
    # What is inside a TIFF is read by Python, which no damaged file crashes.
    safe = all(files.names[row].lower().endswith(_WITH_PAGES) for row in asked)
    looked = in_order_or_isolation(
        see, contents, lambda reason: [Image(0, fault=reason)], isolated=not safe
    )
    tracked = track(looked, "looking into files", len(asked))
    found = {
        row: [image._replace(row=row) for image in images]
        for row, images in zip(asked, tracked, strict=True)
    }
    by_readers = any(image.by_reader for images in found.values() for image in images)
    joined = [images[0].n_joined for images in found.values() if images and images[0].n_joined]
    return replace(
        _listing(files, found), isolated=by_readers, joined=(len(joined), max(joined, default=0)),
        moving=_moving(found.values()),
    )  # fmt: skip


def _moving(found: Iterable[Sequence[Image]]) -> dict[str, tuple[int, int, int]]:
    """See `Listing.moving`."""
    moving: dict[str, tuple[int, int, int]] = {}
    for images in found:
        if not images or images[0].n_alike is None:
            continue
        noun = "animated picture" if images[0].suffix in video.ANIMATIONS else "video"
        n_files, n_frames, n_alike = moving.get(noun, (0, 0, 0))
        moving[noun] = (n_files + 1, n_frames + len(images), n_alike + images[0].n_alike)
    return moving


def _may_hold_several(name: str, within: Within) -> bool:
    suffix = name[name.rfind(".") :].lower()  # of a million names, pathlib would take seconds
    if suffix in video.ANIMATIONS:
        return within.every is not None
    return suffix not in _ONE_IMAGE


def _listing(files: Listing, found: dict[int, list[Image]]) -> Listing:
    """The listing of the images in files, of which some are known to hold several."""
    images: list[Image] = []
    names: list[str] = []
    left: list[LeftOut] = []
    taken = set(files.names)
    for row, name in enumerate(files.names):
        for image in found.get(row) or [Image(row)]:
            own = f"{name}#{image.member}" if image.member else name
            if image.member and own in taken:
                left.append(LeftOut(own, _TWICE))
                continue
            images.append(image)
            names.append(own)
    classes = files.classes
    return Listing(
        names,
        partial(_contents, files, images),
        _Fetch(files, images),
        [*files.left_out, *left],
        None if classes is None else [classes[image.row] for image in images],
        files.kind,
        file_of=[image.row for image in images],
    )


def _contents(files: Listing, images: Sequence[Image]) -> Iterator[Encoded]:
    """The images in their order; each file is asked for once."""
    contents = enumerate(files.contents())
    for row, of_file in groupby(images, key=lambda image: image.row):
        content = next(content for at, content in contents if at == row)
        for image in of_file:
            yield _encoded(content, image)


class _Fetch:
    """Gives one image. The file is kept, because the next image is mostly in the same file."""

    def __init__(self, files: Listing, images: Sequence[Image]) -> None:
        self._files = files
        self._images = images
        self._kept: tuple[int, Encoded] | None = None

    def __call__(self, number: int) -> Encoded:
        image = self._images[number]
        kept = self._kept
        if kept is None or kept[0] != image.row:
            kept = self._kept = image.row, self._files.fetch(image.row)
        return _encoded(kept[1], image)


def _encoded(content: Encoded, image: Image) -> Encoded:
    if image.fault:
        return Unreadable(image.fault)
    if isinstance(content, Unreadable | Member) or not (image.member or image.suffix):
        return content
    return Member(content, image.member, image.suffix)
