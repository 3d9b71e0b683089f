"""Where the workers of a Ray leave what the command is to know, and begin again from.

Ray runs a `Board` as an actor beside the command. It holds bytes that it does not read, so that its
process loads no PyTorch.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

STARTS = 3
"""How often workers begin without getting any further, before the run ends."""
_UNREAD = 2
"""States that wait for the command at most: worker 0 waits with the next."""
_LOOK = 0.5
"""Seconds that the command waits for news, at most."""


@dataclass(frozen=True)
class Start:
    """What workers begin from."""

    order: bytes
    state: bytes | None
    """The last state of the run; None: that of the order."""
    seconds: float
    """How long ago the command gave the order."""


@dataclass(frozen=True)
class News:
    """What happened since the command last asked."""

    states: list[bytes]
    error: bytes | None = None
    """What the run ends with."""
    reason: str = ""
    """Why the workers began anew, the last time."""
    stuck: bool = False
    """Whether they did so too often without getting any further."""
    waits: bool = False
    """Whether no worker has ever begun: the cores that they want are taken."""


class Board:
    """The order of the command, the last state of its run, and what it has not read yet."""

    def __init__(self, order: bytes) -> None:
        self.order = order
        self.last: bytes | None = None
        self.unread: list[bytes] = []
        self.error: bytes | None = None
        self.reason = ""
        self.starts = 0
        self.began = time.monotonic()
        # Nobody looks again and again: the workers compute on the same cores.
        self.has_news, self.has_room = asyncio.Event(), asyncio.Event()

    async def begin(self) -> Start:
        """Worker 0 asks what to begin from."""
        self.starts += 1
        return Start(self.order, self.last, time.monotonic() - self.began)

    async def put(self, state: bytes) -> None:
        """Worker 0 leaves a state."""
        while len(self.unread) >= _UNREAD:
            self.has_room.clear()
            await self.has_room.wait()
        self.unread.append(state)
        self.last, self.starts = state, 0
        self.has_news.set()

    async def fail(self, error: bytes) -> None:
        """A worker says what the run must end with."""
        self.error = self.error or error
        self.has_news.set()

    async def lose(self, reason: str) -> None:
        """A worker says why it ends; Ray begins anew with all."""
        self.reason = reason

    async def take(self) -> News:
        """The command asks for news."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.has_news.wait(), _LOOK)
        states, self.unread = self.unread, []
        self.has_room.set()
        if self.error is None:
            self.has_news.clear()
        waits = self.starts == 0 and self.last is None
        return News(states, self.error, self.reason, stuck=self.starts > STARTS, waits=waits)
