"""Work done ahead, in a thread of its own: what will be asked for is there when it is."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable

_PAUSE = 0.5
"""Seconds: who has not said anything for so long is looking at something."""


class Ahead:
    """Does some work whenever it is woken; woken several times meanwhile, it does it once more.

    Args:
        work: what to do.
        later: what to do when nothing has woken it for a moment.
    """

    def __init__(self, work: Callable[[], object], later: Callable[[], object]) -> None:
        self._work, self._later = work, later
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def start(self) -> None:
        """Begin, with the work done once."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Have the work done again."""
        self._woken.set()

    def close(self) -> None:
        """End, when the work in progress is done."""
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = None
        while not self._closed.is_set():
            woken = self._woken.wait(pause)
            self._woken.clear()
            if self._closed.is_set():
                return
            pause = _PAUSE if woken else None
            try:
                (self._work if woken else self._later)()
            except Exception:  # noqa: BLE001 - whoever asks for it gets the same error
                traceback.print_exc(file=sys.stderr)
