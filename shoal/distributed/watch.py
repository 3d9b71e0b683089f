"""Whether a Ray still answers. One that has ended would end the command with it, without a word."""

from __future__ import annotations

import atexit
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal.distributed.address import LOCAL
from shoal.errors import LostError

_EVERY = 1.0
"""Seconds between two looks, at least."""
_PATIENCE, _OF_A_HEAD = 3.0, 30.0
"""Seconds without an answer after which a Ray has ended: the head of a cluster may begin anew."""
_SHUTDOWN = 3.0
"""Seconds that a Ray has to let the command go, once it has ended."""
_TIMEOUT = 2.0
_COUNT = 5.0
"""Seconds between two counts of a cluster's cores, at least."""

Place = tuple[str, int]
Say = Callable[[str], None]


@dataclass
class Muster:
    """Says when a cluster has fewer cores than the workers take, and when it has enough again."""

    where: str
    count: Callable[[], int]
    wanted: int
    unit: str
    """What is counted: cores or GPUs."""
    meanwhile: str
    """What happens while there are too few."""
    say: Say
    few: bool = False
    counted: float = 0.0

    def check(self) -> None:
        """Count, if it is time to."""
        now = time.monotonic()
        if now - self.counted < _COUNT:
            return
        self.counted, there = now, self.count()
        if (there < self.wanted) == self.few:
            return
        self.few = not self.few
        have = f"{self.where} has {there} of the {self.wanted} {self.unit} that the workers take"
        self.say(f"{have}: {self.meanwhile}" if self.few else f"{have} again")


class Watch:
    """Looks whether a Ray answers that was joined.

    Args:
        where: what Ray it is, for the message.
        places: where it listens, with the seconds that each may be silent.
        muster: counts its cores while it answers; None: nobody does.
    """

    def __init__(
        self, where: str, places: dict[Place, float], muster: Muster | None = None
    ) -> None:
        self.where = where
        self.muster = muster
        self.lost = False
        self._patience = places
        self._answered = dict.fromkeys(places, time.monotonic())
        self._looked = time.monotonic()

    @classmethod
    def over(cls, ray: Any, address: str, where: str, muster: Muster | None = None) -> Watch:
        """The watch over the Ray that was joined: its head, and what runs on this machine."""
        about = ray.get_runtime_context()
        head, _, port = about.gcs_address.rpartition(":")
        places = {(head.strip("[]"), int(port)): _PATIENCE if address == LOCAL else _OF_A_HEAD}
        own = about.get_node_id()
        for node in ray.nodes():
            if node["NodeID"] == own:
                places[node["NodeManagerAddress"], int(node["NodeManagerPort"])] = _PATIENCE
        return cls(where, places, muster)

    def check(self) -> None:
        """Look, if it is time to.

        Raises:
            LostError: the Ray has ended.
        """
        now = time.monotonic()
        if now - self._looked < _EVERY and not self.lost:
            return
        self._looked = now
        for place, patience in self._patience.items():
            if _answers(place):
                self._answered[place] = now
            elif now - self._answered[place] >= patience:
                self.lost = True
        if self.lost:
            raise LostError(f"the Ray of {self.where} has ended")
        if self.muster is not None and all(at == now for at in self._answered.values()):
            self.muster.check()

    def leave(self, ray: Any) -> None:
        """Let the Ray go. One that has ended might keep the command waiting, or end it."""
        if not self.lost:
            ray.shutdown()
            return
        atexit.unregister(ray.shutdown)
        leaving = threading.Thread(target=ray.shutdown, daemon=True)
        leaving.start()
        leaving.join(_SHUTDOWN)


def _answers(place: Place) -> bool:
    try:
        socket.create_connection(place, timeout=_TIMEOUT).close()
    except OSError:
        return False
    return True
