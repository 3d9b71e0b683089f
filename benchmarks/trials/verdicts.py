"""A damaged pile opened as a person would: what came of it, and whether that is right."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from trials.mutations import mutate
from trials.photographs import PHOTOGRAPHS
from trials.samples import (
    CONTAINERS,
    IMAGES,
    SIDE,
    pack_parquet,
    pack_tar,
    pack_zip,
    save_npy,
    whole,
)
from trials.scientific import SCIENTIFIC, store

BY_READERS = SCIENTIFIC | PHOTOGRAPHS
LONGEST = 1500
"""Characters of a message: a sentence, with a long path in it."""
_WHOLE_WAY = 25
"""Each so many of the files that readers read is opened as a pile; decoding it in a process of its
own takes seconds. The others are decoded at once."""
_GOOD = "good.png"
_PACKED: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": pack_zip,
    "tar": pack_tar,
    "parquet": pack_parquet,
}


class WrongError(Exception):
    """Something that should not have come of a trial."""


def damaged(kind: str, seed: int) -> bytes:
    """The file that a trial of a kind is about."""
    generator = np.random.default_rng([seed, *kind.encode()])
    known = [*IMAGES, *CONTAINERS]
    candidates = _whole(kind)
    content = candidates[int(generator.integers(len(candidates)))]
    if generator.random() < 0.7:
        others = candidates
    else:
        others = whole(known[int(generator.integers(len(known)))])
    return mutate(content, others, generator)


@cache
def _whole(kind: str) -> list[bytes]:
    return BY_READERS[kind]() if kind in BY_READERS else whole(kind)


def write_damaged_store(folder: Path, seed: int) -> None:
    """A Zarr store of which a file or two are damaged, or missing."""
    generator = np.random.default_rng([seed, *b"zarr"])
    files = store(seed)
    for _ in range(1 + int(generator.integers(2))):
        name = list(files)[int(generator.integers(len(files)))]
        if generator.random() < 0.1:
            del files[name]
        else:
            files[name] = mutate(files[name], list(files.values()), generator)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def packed(kind: str, seed: int) -> tuple[bytes, int]:
    """A whole archive or table with damaged images in it, and how many it holds."""
    generator = np.random.default_rng([seed, *b"packed", *kind.encode()])
    members = {_GOOD: whole("png")[0]}
    for number in range(1, 4):
        suffix = list(IMAGES)[int(generator.integers(len(IMAGES)))]
        content = whole(suffix)[int(generator.integers(len(whole(suffix))))]
        members[f"bad-{number}.{suffix}"] = mutate(content, whole(suffix), generator)
    return _PACKED[kind](members), len(members)


def open_damaged(kind: str, seed: int, folder: Path) -> str:
    """Make the pile of a trial in an empty folder, open it, and say what came of the damage.

    Returns:
        ``used``, ``skipped`` (left out, and counted) or ``refused`` (one plain sentence).

    Raises:
        WrongError: an image that is not accounted for, or a message that is none.
        Exception: whatever shoal let pass.
    """
    if kind == "odd-npy":
        (folder / "pile.npy").write_bytes(odd_array(seed))
        return _verdict(folder / "pile.npy", None)
    if kind == "zarr":
        write_damaged_store(folder / "pile.zarr", seed)
        if seed % _WHOLE_WAY:
            return _decoded(folder / "pile.zarr")
        return _verdict(folder / "pile.zarr", None)
    if kind in BY_READERS:
        bad = folder / f"bad.{kind}"
        bad.write_bytes(damaged(kind, seed))
        return _decoded(bad) if seed % _WHOLE_WAY else _verdict(folder, 1)
    if kind in IMAGES:
        (folder / _GOOD).write_bytes(whole("png")[0])
        (folder / f"bad.{kind}").write_bytes(damaged(kind, seed))
        return _verdict(folder, 2)
    if kind.startswith("packed-"):
        packing = kind.removeprefix("packed-")
        content, given = packed(packing, seed)
        (folder / f"pile.{packing}").write_bytes(content)
        return _verdict(folder / f"pile.{packing}", given)
    pile = folder / f"pile.{kind}"
    content = damaged(kind, seed)
    pile.write_bytes(content)
    if kind in ("csv", "txt"):
        (folder / _GOOD).write_bytes(whole("png")[0])
        (folder / "bad.jpg").write_bytes(whole("jpg")[0])
    return _verdict(pile, _held(pile, kind))


def _decoded(file: Path) -> str:
    """What came of each image of a file, decoded in this process."""
    from shoal.images.decoding.form import Form, Member
    from shoal.images.decoding.image import decode
    from shoal.images.decoding.inside import look
    from shoal.images.pixel_range import PixelRange
    from shoal.images.within import Within

    outcome, form = "used", Form(SIDE, SIDE, 3, pixel_range=PixelRange())
    for image in (look(Within(), (file.name, 0, file)) or [])[:50]:
        member = Member(file, image.member, image.suffix)
        reason = image.fault or decode(member, form)
        if isinstance(reason, str):
            outcome = "skipped"
            if not reason.strip() or "\n" in reason or "Error" in reason:
                raise WrongError(f"a reason that is none: {reason!r}")
    return outcome


def _held(pile: Path, kind: str) -> int | None:
    """How many images a damaged container has, as far as that can be said by other means."""
    if kind != "zip":
        return None
    try:
        with zipfile.ZipFile(pile) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except Exception:  # noqa: BLE001 - of a damaged archive, anything
        return None
    return len(members)


def _verdict(pile: Path, given: int | None) -> str:
    from shoal import open_source
    from shoal.errors import ShoalError

    try:
        source = open_source(pile, cache=False)
        _check_pixels(source)
    except ShoalError as error:
        check_message(str(error))
        return "refused"
    for name, reason in source.skipped:
        if not name or not reason.strip() or "\n" in reason:
            raise WrongError(f"left out without a reason on one line: {name!r}: {reason!r}")
    counted = len(
        {name.partition("#")[0] for name in (*source.ids, *(name for name, _ in source.skipped))}
    )
    if given is not None and counted != given:
        raise WrongError(
            f"{given} images given, {len(source)} used and {len(source.skipped)} left out: "
            f"{list(source.ids)}, {list(source.skipped)}"
        )
    return "skipped" if source.skipped else "used"


def _check_pixels(source: Any) -> None:
    pixels = source.read(np.arange(len(source)))
    if pixels.shape != (len(source), *source.shape) or pixels.dtype not in (
        np.uint8,
        np.uint16,
    ):
        raise WrongError(f"pixels {pixels.dtype} {pixels.shape} for {len(source)} {source.shape}")
    if len(source.ids) != len(source) or len(set(source.ids)) != len(source):
        raise WrongError("ids that are not one an image")
    source.digest()


def check_message(message: str) -> None:
    """Raise unless a message is one sentence or two on one line.

    Raises:
        WrongError: it is not.
    """
    if "\n" in message.strip() or not message.strip() or len(message) > LONGEST:
        raise WrongError(f"not a plain sentence: {message[:500]!r}")
    if "Traceback" in message or "Error(" in message:
        raise WrongError(f"speaks of Python: {message[:500]!r}")


def odd_array(seed: int) -> bytes:
    """A whole .npy file of an array that hardly is a pile of images."""
    generator = np.random.default_rng([seed, 7])
    shape = tuple(generator.integers(0, 6, int(generator.integers(0, 6))).tolist())
    kinds = (
        "u1",
        "i1",
        "<u2",
        ">u2",
        "<i4",
        "<f2",
        "<f4",
        ">f8",
        "?",
        "<c8",
        "<U3",
        "<M8[s]",
        "S2",
    )
    kind = kinds[int(generator.integers(len(kinds)))]
    numbers = generator.choice([0, 1, -1, 0.5, 255, 1e30, np.nan, np.inf], shape)
    with np.errstate(all="ignore"):
        return save_npy(np.asarray(numbers).astype(kind))
