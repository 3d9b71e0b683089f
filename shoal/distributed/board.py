"""Where the workers of a Ray leave what the command is to know, and begin again from.

Ray runs a `Board` as an actor beside the command. It holds bytes that it does not read, so that its
process loads no PyTorch.
"""

from __future__ import annotations

import asyncio
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

    async def begin(self) -> Start:
        """Worker 0 asks what to begin from."""
        self.starts += 1
        return Start(self.order, self.last, time.monotonic() - self.began)

    async def put(self, state: bytes) -> None:
        """Worker 0 leaves a state."""
        while len(self.unread) >= _UNREAD:
            await asyncio.sleep(0.01)
        self.unread.append(state)
        self.last, self.starts = state, 0

    async def fail(self, error: bytes) -> None:
        """A worker says what the run must end with."""
        self.error = self.error or error

    async def lose(self, reason: str) -> None:
        """A worker says why it ends; Ray begins anew with all."""
        self.reason = reason

    async def take(self) -> News:
        """The command asks for news."""
        until = time.monotonic() + _LOOK
        while not (self.unread or self.error) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        states, self.unread = self.unread, []
        return News(states, self.error, self.reason, stuck=self.starts > STARTS)
