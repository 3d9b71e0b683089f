"""Addresses of a Ray: which words are some, and whether anybody answers there."""

from __future__ import annotations

import os
import re
import socket

from shoal.errors import DistributedError

LOCAL = "local"
"""A Ray of its own, on this machine."""
AUTO = "auto"
"""The Ray that runs on this machine."""
_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
_MEANT = re.compile(
    r"localhost|\d+(\.\d+){3}|:\d+|ray://.*|(?!.*\.(npz|parquet):)[\w.-]{2,}:[^/\\]*"
)
"""No address, and hardly DATA either: `check_address` says what one is."""
_SECONDS = 10.0
"""How long somebody has to answer."""


def is_address(word: str) -> bool:
    """Whether a word that follows ``--ray`` is meant as its address, and not as DATA.

    >>> [is_address(word) for word in ("head:6379", "auto", "ray://a:1", "head:port", "head:")]
    [True, True, True, True, True]
    >>> [is_address(word) for word in ("photos/", "s3://b/x", "x.npz:images", "C:/photos")]
    [False, False, False, False]
    """
    if word in (LOCAL, AUTO) or _ADDRESS.fullmatch(word):
        return True
    return _MEANT.fullmatch(word) is not None and not os.path.lexists(word)


def with_addresses(words: list[str]) -> list[str]:
    """The words of a command with ``local`` after each ``--ray`` that no address follows.

    >>> with_addresses(["--ray", "photos/", "found/"])
    ['--ray', 'local', 'photos/', 'found/']
    >>> with_addresses(["--ray", "head:6379", "photos/"])
    ['--ray', 'head:6379', 'photos/']
    >>> with_addresses(["--ray", "", "photos/"])  # meant as an address that somebody lacks
    ['--ray', '', 'photos/']
    """
    filled: list[str] = []
    for place, word in enumerate(words):
        filled.append(word)
        if word == "--":
            return filled + words[place + 1 :]
        following = words[place + 1 : place + 2]
        if word == "--ray" and following != [""] and not any(map(is_address, following)):
            filled.append(LOCAL)
    return filled


def check_address(address: str) -> None:
    """Fail where nobody can answer.

    Raises:
        DistributedError: it is no address, or nobody answers.
    """
    if address in (LOCAL, AUTO):
        return
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise DistributedError(f"ray must be an address such as head:6379, got {address!r}.")
    try:
        place = found["host"].strip("[]"), int(found["port"])
        socket.create_connection(place, timeout=_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise nobody(address) from error


def nobody(address: str) -> DistributedError:
    """The error that no Ray answers at ``address``."""
    if address == AUTO:
        return DistributedError(
            "no Ray runs on this machine; begin one with 'ray start --head', or leave the address "
            "out."
        )
    return DistributedError(
        f"no Ray answers at {address}; check the address, and that 'ray start --head' runs there."
    )
