"""The files that a store did not give, as this process knows: nobody waits for them anew.

What was waited for in vain is asked for only once the next time. A worker is told what its command
did without, and does not ask for that at all: it is to see the pile that the command saw.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from shoal.images.remote.faults import AWAY
from shoal.images.remote.location import Location
from shoal.protocols import ImageSource

_FORGOTTEN = 600.0
"""Seconds after which it is waited for as if it never had been: in a notebook, after a break."""
_in_vain: dict[tuple[Location, str], float] = {}
"""What was waited for, of a file what is said of it (``about``) or its ``content``; and when it was
given up, by `time.monotonic`."""
_left_alone: set[Location] = set()
"""What this process does not ask for."""


def waited_in_vain(place: Location, what: str) -> bool:
    """Whether it was given up not long ago, and has not come since."""
    given_up = _in_vain.get((place, what))
    return given_up is not None and time.monotonic() - given_up < _FORGOTTEN


def give_up(place: Location, what: str) -> None:
    """Remember that it did not come."""
    _in_vain[place, what] = time.monotonic()


def came(place: Location, what: str) -> None:
    """Forget that it did not come before."""
    _in_vain.pop((place, what), None)


def missing_in(source: ImageSource) -> frozenset[Location]:
    """The files that a pile does without because its store did not give them."""
    if not any(reason.startswith(AWAY) for _, reason in source.skipped):
        return frozenset()
    return frozenset(place for place, _ in _in_vain)


def leave_alone(places: Iterable[Location]) -> None:
    """Ask no more for ``places``, in this process."""
    _left_alone.update(places)


def is_left_alone(place: Location) -> bool:
    """Whether this process is not to ask for it."""
    return place in _left_alone


def leaves_any() -> bool:
    """Whether this process was told what its command did without."""
    return bool(_left_alone)
