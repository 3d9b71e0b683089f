"""The files that a place in a store means, and digests that change when they do."""

from __future__ import annotations

import glob
import hashlib
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shoal.errors import DataError
from shoal.images.remote import store
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.files import about
from shoal.images.remote.location import Location, Part, location
from shoal.images.remote.store import About

_ENDS = 2**16


@dataclass(frozen=True)
class Shard:
    """A file of a pile in a store. It can be pickled, and holds nothing secret."""

    name: str
    """Its path below the folder that all shards share; the ids of its images begin so."""
    size: int
    """Bytes; 0 where the server does not tell."""
    stamp: str
    """Changes when its content does; empty if the store has nothing of the kind."""
    n_images: int | None = None
    """How many rows it has, where its end tells (Parquet); None: not known before it is read."""
    first: int = 0
    """The number of its first row in the whole pile, for Parquet."""


def matching(pattern: Location, expand: Callable[[str], list[str]]) -> list[Path]:
    """The files that a pattern means, as `shoal.images.shards.shards` gives those of this machine.

    A file that is not given to us is left in the list; whoever reads it leaves it out.

    Args:
        pattern: with braces, or with ``*`` where the store lists.
        expand: gives the names that a pattern with braces stands for.

    Raises:
        DataError: nothing matches, a file between braces is missing, or the store gives none.
    """
    places: list[Location] = []
    for key in expand(pattern.key):
        place = pattern.at(key)
        if not glob.has_magic(key):
            places.append(place)
            continue
        check_lists(pattern)
        found = store.matching(place)
        if not found:
            raise DataError(f"{pattern}: no file matches this pattern; check the URL.")
        places += _told(found)
    places = list(dict.fromkeys(places))
    unknown = [place for place in places if place.about is None]
    errors: list[StoreError] = []
    for place, told in zip(unknown, store.about(unknown) if unknown else [], strict=True):
        if isinstance(told, About):
            place.about = told
        else:
            errors.append(told)
    _check(pattern, len(places), errors)
    for place, prefix in zip(places, _prefixes(places), strict=True):
        place.prefix = prefix
    return list(_only(pattern, places))


def check_lists(place: Location) -> None:
    """Raise unless the store lists what is in it.

    Raises:
        DataError: it does not, as servers of the web.
    """
    if not store.lists(place):
        raise DataError(
            f"{place}: {place.scheme} has no listing; name the files, several of them with braces, "
            "such as data-{000..099}.tar."
        )


def below(folder: Location) -> list[Location]:
    """The files below a folder; see `store.below`.

    Raises:
        DataError: the store has no listing, or does not answer, or has nothing there.
    """
    check_lists(folder)
    found = _told(store.below(folder))
    if not found:
        raise DataError(f"{folder}: no such file or folder; check the URL.")
    return found


def stamp(kind: str, files: Sequence[Path]) -> str:
    """A digest of the names, sizes and stamps of files in a store.

    Of a file without a stamp the beginning and the end are read.
    """
    digest = hashlib.sha256(f"{kind}\0remote\0".encode())
    for file in files:
        assert isinstance(file, Location)
        told = file.about
        digest.update(f"{file}\0{told}\0{file.prefix}\0{file.only}\0".encode())
        if told is not None and not told.stamp:
            with file.open() as opened:
                digest.update(opened.read(_ENDS))
                if told.size is not None:
                    opened.seek(max(0, told.size - _ENDS))
                    digest.update(opened.read(_ENDS))
    return digest.hexdigest()


def size_of(file: Path) -> int:
    """The bytes of a file in a store; 0 where nobody knows."""
    assert isinstance(file, Location)
    return (file.about.size if file.about is not None else None) or 0


def shards_of(path: str | Path) -> list[Shard]:
    """The shards of a pile in a store, for whoever cuts it into tasks; see the package.

    Raises:
        DataError: no place in a store, or the store gives none of them.
    """
    from shoal.images.shards import shards

    files = [file for file in shards(location(path)) if isinstance(file, Location)]
    if not files:
        raise DataError(f"{path} is no pile in a store.")
    told = [(file, file.about) for file in files]
    made = [
        Shard(file.prefix.rstrip("/") or file.name, (known.size or 0) if known else 0,
              known.stamp if known else "")
        for file, known in told
    ]  # fmt: skip
    if files[0].suffix.lower() != ".parquet":
        return made
    first = 0
    for number, file in enumerate(files):
        try:
            n_rows = _n_rows(file)
        except AwayError:
            raise
        except DataError:  # the pile does without it
            n_rows = 0
        made[number] = replace(made[number], n_images=n_rows, first=first)
        first += n_rows
    return made


def only(path: str | Path, shards: Sequence[Shard]) -> Path:
    """A path to some of the shards of a pile alone; see the package.

    Raises:
        DataError: no place in a store.
    """
    whole = location(path)
    if not isinstance(whole, Location):
        raise DataError(f"{path} is no pile in a store.")
    some = Location(whole.url)
    some.only = tuple(Part(shard.name, shard.first) for shard in shards)
    return some


def first_row(file: Path, otherwise: int) -> int:
    """The number of the first row of a Parquet file, where it is one of `only`."""
    return file.only[0].first if isinstance(file, Location) and file.only else otherwise


def _told(found: dict[Location, About]) -> list[Location]:
    for place, told in found.items():
        place.about = told
    return list(found)


def _only(pattern: Location, places: list[Location]) -> list[Location]:
    """Those of the shards that are meant."""
    if not pattern.only:
        return places
    named = {place.prefix.rstrip("/") or place.name: place for place in places}
    gone = [part.name for part in pattern.only if part.name not in named]
    if gone:
        raise DataError(f"{pattern}: {gone[0]} is gone; list the shards again.")
    for part in pattern.only:
        named[part.name].only = (part,)
    return [named[part.name] for part in pattern.only]


def _check(pattern: Location, n_places: int, errors: Sequence[StoreError]) -> None:
    """Raise if no file can be had, or some of those between braces are missing."""
    if errors and len(errors) == n_places:
        raise errors[0]
    missing = [error for error in errors if error.fault.kind == "missing"]
    if missing:
        raise DataError(
            f"{pattern} means {n_places:,} files, but {len(missing):,} of them "
            f"{'does' if len(missing) == 1 else 'do'} not exist (the first is "
            f"{str(missing[0]).split(': ')[0].rpartition('/')[2]}); check the pattern."
        )


def _prefixes(places: Sequence[Location]) -> list[str]:
    """How the ids of each file's images begin, see `shoal.images.shards.prefixes`."""
    if len(places) < 2:
        return [""] * len(places)
    keys = ["/" + place.key for place in places]
    shared = posixpath.commonpath([posixpath.dirname(key) for key in keys])
    return [f"{posixpath.relpath(key, shared)}/" for key in keys]


def _n_rows(file: Location) -> int:
    import pyarrow.parquet as pq

    about(file)
    try:
        with file.open() as opened:
            return int(pq.ParquetFile(opened).metadata.num_rows)
    except StoreError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is truncated, damaged or not a parquet file.") from error
