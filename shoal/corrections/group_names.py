"""The names that a person gives groups."""

from __future__ import annotations

import re

from shoal.corrections.groups import Groups
from shoal.errors import DataError

LONGEST_NAME = 200
_JOINERS = "\u200c\u200d"
"""They are not seen, and several scripts and composed emoji need them."""


def printable_name(called: str) -> str:
    """A name on one line, without characters that cannot be seen or turn the line round.

    >>> printable_name(f" red{chr(0x202E)} {chr(0)} cats ")
    'red cats'
    """
    seen = (char if char.isprintable() or char in _JOINERS else " " for char in called)
    return " ".join("".join(seen).split())


def is_title(called: str) -> bool:
    """Whether shoal calls groups without a name like this.

    >>> is_title("Group 12"), is_title("belongs nowhere"), is_title("group of cats")
    (True, True, False)
    """
    return re.fullmatch(r"group \d+|belongs nowhere", called, re.IGNORECASE) is not None


def checked_name(groups: Groups, called: str, own: set[int]) -> str:
    """A name as it is kept.

    Args:
        groups: as they are.
        called: what a person wrote; empty for no name.
        own: the groups that may have the name already.

    Raises:
        DataError: it is too long, is what shoal calls a group without a name, or another group's.
    """
    called = printable_name(called)
    if len(called) > LONGEST_NAME:
        raise DataError(f"a name must have at most {LONGEST_NAME} characters, got {len(called):,}.")
    if is_title(called):
        raise DataError(
            f"{called!r} is what shoal calls a group without a name; choose another name."
        )
    taken = next((g for g, n in groups.names.items() if n == called and g not in own), None)
    if called and taken is not None and taken in groups.sizes:
        raise DataError(f"another group is called {called!r}; merge them, or choose another name.")
    return called
