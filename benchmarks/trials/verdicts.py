"""A damaged pile opened as a person would: what came of it, and whether that is right."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trials.mutations import mutate
from trials.samples import (
    CONTAINERS,
    IMAGES,
    pack_parquet,
    pack_tar,
    pack_zip,
    save_npy,
    whole,
)

LONGEST = 1500
"""Characters of a message: a sentence, with a long path in it."""
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
    candidates = whole(kind)
    content = candidates[int(generator.integers(len(candidates)))]
    if generator.random() < 0.7:
        others = candidates
    else:
        others = whole(known[int(generator.integers(len(known)))])
    return mutate(content, others, generator)


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
    counted = len(source) + sum(_how_many(name) for name, _ in source.skipped)
    if given is not None and counted != given:
        raise WrongError(
            f"{given} images given, {len(source)} used and {len(source.skipped)} left out: "
            f"{list(source.ids)}, {list(source.skipped)}"
        )
    return "skipped" if source.skipped else "used"


def _how_many(name: str) -> int:
    return 1


def _check_pixels(source: Any) -> None:
    pixels = source.read(np.arange(len(source)))
    if pixels.shape != (len(source), *source.shape) or pixels.dtype != np.uint8:
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
