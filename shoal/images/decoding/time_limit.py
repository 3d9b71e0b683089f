"""A limit of the time that an image may take, in the processes that decode.

A forged stream can keep a decoder busy for minutes, in C, where no exception reaches it. So the
process ends, and its master starts another one. The processor's time counts, not that of the clock:
a busy machine makes no image slower.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

SECONDS = 10.0
"""The processor's time for one image."""
SLOW = f"takes more than {SECONDS:g} s to decode"
_BY_THE_CLOCK = 30.0
"""Seconds where only the clock can be asked, on Windows."""
_EXITED = 1
_begun = False


def begin() -> None:
    """From now on `limited` ends this process. For one that does nothing but decode."""
    global _begun
    _begun = True
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)


def limited(seconds: float = SECONDS) -> AbstractContextManager[None]:
    """A block that ends the process if it takes longer; only where `begin` was called."""
    return _ending(seconds) if _begun else nullcontext()


def was_slow(returncode: int) -> bool:
    """Whether a process that ended so was ended by `limited`.

    >>> was_slow(-9), was_slow(0)
    (False, False)
    """
    if hasattr(signal, "setitimer"):
        return returncode == -signal.SIGPROF
    return returncode == _EXITED


@contextmanager
def _ending(seconds: float) -> Iterator[None]:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        return
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(_BY_THE_CLOCK, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
