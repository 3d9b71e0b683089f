"""Trying again: a store that does not answer, is busy, or cuts the connection."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from shoal.images.remote import given_up
from shoal.images.remote.faults import (
    AWAY,
    AwayError,
    Fault,
    error_with,
    fault_of,
    is_error_of_store,
    store_error,
)
from shoal.images.remote.location import Location

Result = TypeVar("Result")


@dataclass
class Patience:
    """How long, in seconds, and how often the same thing is asked for again."""

    total: float = 120.0
    """After so long since it was asked for first it counts as unreadable."""
    first: float = 0.5
    """The wait before it is asked for a second time; each wait is twice the one before."""
    longest: float = 20.0
    """The longest wait."""
    answer: float = 30.0
    """Silence of this length counts as no answer."""
    connect: float = 15.0
    """The longest time until a connection stands."""


PATIENCE = Patience()
_MANY = 3
"""When so many files in a row were not given, it is the store that is away, not a shard."""
_reached: set[tuple[str, str]] = set()
"""Stores that answered once: a host that nobody knows is a mistyped one, unless it answered."""
_failed: dict[tuple[str, str], set[Location]] = {}
"""The files that a store did not give since it gave the last."""


async def patiently(
    place: Location, ask: Callable[[], Awaitable[Result]], what: str = "content"
) -> Result:
    """What ``ask`` gives, asked for again with longer and longer waits, at random up to half less.

    Args:
        place: what is asked for.
        ask: asks once.
        what: what of it: ``about``, ``content`` or ``list``. What was waited for in vain not long
            ago is asked for once.

    Raises:
        StoreError: it failed for a reason that stays, or for as long as `PATIENCE` allows.
        AwayError: the store gives nothing at all any more.
    """
    if given_up.is_left_alone(place):
        raise error_with(place, Fault("silent"), f"{AWAY} to the command")
    once = given_up.waited_in_vain(place, what)
    began, wait, times = time.monotonic(), PATIENCE.first, 0
    store = place.scheme, place.host
    while True:
        times += 1
        try:
            # The libraries watch for silence; this is for those that do not.
            result = await asyncio.wait_for(ask(), PATIENCE.total + 2 * PATIENCE.answer)
        except Exception as error:
            if not is_error_of_store(error):
                raise
            fault = fault_of(error)
            new = fault.kind in ("no host", "refused") and store not in _reached
            spent = time.monotonic() - began
            pause = wait * random.uniform(0.5, 1.0)  # not all at once: others wait, too
            if not fault.passes or new or once or spent + pause > PATIENCE.total:
                tried = f", tried {times} times in {spent:.0f} s" if times > 1 else ""
                gone = _failed.setdefault(store, set())
                if fault.passes:
                    gone.add(place)
                    given_up.give_up(place, what)
                if store in _reached and len(gone) >= _MANY:
                    raise AwayError.of(place, tried) from None
                raise store_error(place, error, tried) from None
            await asyncio.sleep(pause)
            wait = min(2 * wait, PATIENCE.longest)
        else:
            _reached.add(store)
            given_up.came(place, what)
            _failed.pop(store, None)
            return result
