"""Asking a store through fsspec: what is there, and parts of it.

Whatever is asked runs on fsspec's own thread, so that several questions are under way at a time,
and whoever waits for an answer can be stopped at once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, TypeVar

from shoal.errors import DataError
from shoal.images.remote.faults import ShortError, StoreError, is_error_of_store, store_error
from shoal.images.remote.location import SCHEMES, Location
from shoal.images.remote.patience import PATIENCE, patiently

Result = TypeVar("Result")
AT_ONCE = 32
"""So many questions are under way at a time, at most."""
_EXTRA = "needs an extra: pip install 'shoal[remote]'"


@dataclass(frozen=True)
class About:
    """What a store says of a file without giving it."""

    size: int | None
    """Bytes; None where the server does not tell."""
    stamp: str
    """Changes when the content does: an ETag or a time of change; empty if the store has none."""
    in_parts: bool = True
    """Whether the server gives parts of the file."""


def about(places: Sequence[Location]) -> list[About | StoreError]:
    """What the store says of each file, or why it says nothing; many are asked for at a time."""

    systems = [file_system(place) for place in places]

    async def ask_all() -> list[About | StoreError]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(place: Location, fs: Any) -> About | StoreError:
            async with gate:
                try:
                    return await patiently(place, lambda: _about(fs, place), "about")
                except StoreError as error:
                    return error

        return list(await asyncio.gather(*map(ask, places, systems)))

    return wait_for(ask_all())


def matching(pattern: Location) -> dict[Location, About]:
    """The files that match a pattern with ``*``, sorted by name.

    Raises:
        StoreError: the store does not answer, or not to us.
    """
    return _listed(pattern, "glob", path_of(pattern))


def below(folder: Location) -> dict[Location, About]:
    """The files below a folder, sorted by name.

    Raises:
        StoreError: the store does not answer, or not to us.
    """
    return _listed(folder, "find", path_of(folder))


def fetch(place: Location, start: int, end: int | None) -> concurrent.futures.Future[bytes]:
    """Begin to fetch the bytes from ``start`` to before ``end``; None: the whole file.

    The result may raise a `StoreError`.
    """

    fs = file_system(place)

    async def ask() -> bytes:
        limits = {} if end is None else {"start": start, "end": end}
        content: bytes = await _call(fs, "cat_file", path_of(place), **limits)
        if end is not None and len(content) != end - start:
            raise ShortError
        return content

    return _begin(patiently(place, ask))


def fetch_whole(place: Location, file: IO[bytes]) -> None:
    """Write the whole file to an open one, from its beginning; begun anew where it is cut.

    Raises:
        StoreError: it cannot be read.
        OSError: it cannot be written.
    """

    fs = file_system(place)

    async def ask() -> None:
        file.seek(0)
        file.truncate()
        if fs.async_impl:
            await fs._get_file(path_of(place), file)
        else:
            file.write(fs.cat_file(path_of(place)))

    wait_for(patiently(place, ask))


def path_of(place: Location) -> str:
    """The place in the words of its file system."""
    if place.scheme.startswith("http"):
        return place.url
    if place.scheme == "memory":
        return f"/{place.host}/{place.key}".rstrip("/")
    return f"{place.host}/{place.key}".rstrip("/")


def lists(place: Location) -> bool:
    """Whether the store lists what is in it.

    Raises:
        DataError: see `check_known`.
    """
    check_known(place)
    return not place.scheme.startswith("http")


def check_known(place: Location) -> None:
    """Raise unless a URL is of a store that shoal knows, with a bucket or a server.

    Raises:
        DataError: it is not.
    """
    if place.scheme not in SCHEMES:
        raise DataError(
            f"{place}: shoal knows no store {place.scheme}://; give s3://, gs://, http:// or "
            "https://, or a path of this machine."
        )
    if not place.host:
        missing = "the server" if place.scheme.startswith("http") else "the bucket"
        raise DataError(
            f"{place}: the name of {missing} is missing; give it, as in "
            f"{place.scheme}://name/photos."
        )


def file_system(place: Location) -> Any:
    """The fsspec file system of a place.

    Raises:
        DataError: the extra is not installed; or see `check_known`.
    """
    check_known(place)
    login = place.login if place.scheme == "s3" else ("", "")  # else the URL has it
    try:
        return _file_system(place.scheme, login, "%" in place.url, os.getpid())
    except ImportError:
        raise DataError(f"{place.scheme}:// {_EXTRA}.") from None
    except Exception as error:
        if not is_error_of_store(error):
            raise
        raise store_error(place, error) from None


@lru_cache(64)
def _file_system(scheme: str, login: tuple[str, str], escaped: bool, process: int) -> Any:
    """Made anew in a process that was forked: its thread is not there any more."""
    import fsspec

    for library in ("fsspec", "s3fs", "gcsfs", "aiohttp", "botocore", "aiobotocore"):
        # What they warn of comes back as an error, in a sentence; theirs would show URLs.
        logging.getLogger(library).addHandler(logging.NullHandler())
    options = _options(scheme, login, escaped)
    return fsspec.filesystem(scheme, skip_instance_cache=True, **options)


def _options(scheme: str, login: tuple[str, str], escaped: bool) -> dict[str, Any]:
    """How a file system is made: without its own patience, and without a memory of listings."""
    if scheme == "s3":
        config = {
            "connect_timeout": PATIENCE.connect, "read_timeout": PATIENCE.answer,
            "retries": {"max_attempts": 1, "mode": "standard"}, "max_pool_connections": AT_ONCE,
        }  # fmt: skip
        options: dict[str, Any] = {"config_kwargs": config, "use_listings_cache": False}
        if login[0]:
            return options | {"key": login[0], "secret": login[1]}
        import botocore.session

        # Without credentials a bucket that is open to all can still be read.
        known = botocore.session.get_session().get_credentials()
        return options | {"anon": known is None}
    if scheme == "gs":
        return {"use_listings_cache": False, "timeout": PATIENCE.answer}
    if scheme == "memory":
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=PATIENCE.connect, sock_read=PATIENCE.answer
    )
    # A compressed answer would have another length than the parts that were asked for.
    return {
        "client_kwargs": {"timeout": timeout}, "headers": {"Accept-Encoding": "identity"},
        "encoded": escaped,
    }  # fmt: skip


async def _call(fs: Any, name: str, *args: Any, **options: Any) -> Any:
    """A method of a file system, whether it waits by itself or not."""
    if not fs.async_impl:
        return getattr(fs, name)(*args, **options)
    if hasattr(fs, "retries") and isinstance(fs.retries, int):
        fs.retries = 1  # see `patience`
    return await getattr(fs, f"_{name}")(*args, **options)


async def _about(fs: Any, place: Location) -> About:
    if place.scheme.startswith("http"):
        return await _about_on_web(fs, place)
    told = await _call(fs, "info", path_of(place))
    if told.get("type") == "directory":
        raise FileNotFoundError
    return _told(told)


async def _about_on_web(fs: Any, place: Location) -> About:
    """By asking for the first byte: a signed link is mostly for GET alone, not for HEAD."""
    session = await fs.set_session()
    headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
    async with session.get(fs.encode_url(place.url), headers=headers) as answer:
        empty = answer.status == 416
        if not empty:
            answer.raise_for_status()
        told = answer.headers
        total = told.get("Content-Range", "").rpartition("/")[2]
        in_parts = answer.status == 206 and total.isdigit()
        if not in_parts:
            total = "0" if empty else told.get("Content-Length", "")
            if told.get("Content-Encoding", "identity") not in ("identity", ""):
                total = ""
        answer.close()  # where it sends the whole file, nobody waits for it
    stamp = told.get("ETag") or told.get("Last-Modified") or ""
    return About(int(total) if total.isdigit() else None, stamp, in_parts)


def _told(told: Mapping[str, Any]) -> About:
    marks = [told.get(name) for name in ("ETag", "etag", "md5Hash", "generation", "LastModified",
                                         "mtime", "created")]  # fmt: skip
    return About(int(told["size"]), " ".join(str(mark) for mark in marks if mark))


def _listed(place: Location, method: str, path: str) -> dict[Location, About]:
    fs = file_system(place)
    asked = patiently(place, lambda: _call(fs, method, path, detail=True), "list")
    found = wait_for(asked)
    files = {name: told for name, told in found.items() if told.get("type") != "directory"}
    return {
        place.at(_key(place, name)): _told(files[name])
        for name in sorted(files)
        if not name.endswith("/")
    }


def _key(place: Location, name: str) -> str:
    """A name in the words of a file system as a path below the bucket."""
    return name.lstrip("/").removeprefix(place.host).lstrip("/")


def _begin(question: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
    import fsspec.asyn

    return asyncio.run_coroutine_threadsafe(question, fsspec.asyn.get_loop())


def wait_for(question: Coroutine[Any, Any, Result]) -> Result:
    """The answer to a question, which Ctrl-C calls off."""
    begun = _begin(question)
    try:
        return begun.result()
    except BaseException:
        begun.cancel()
        raise
