"""Libraries that log what they think of a faulty file, kept quiet while shoal reads it.

What is wrong with a file is its reason in ``skipped``. A library's own words are no help beside it,
and may repeat what the file says: the name of a patient.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

_quiet = threading.local()


def _is_wanted(record: logging.LogRecord) -> bool:
    return not getattr(_quiet, "depth", 0)


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Drop what these loggers log in this thread, and warnings, for as long as the block runs.

    >>> with quiet("tifffile"):
    ...     logging.getLogger("tifffile").error("a tag is broken")
    """
    for name in loggers:
        logging.getLogger(name).addFilter(_is_wanted)  # once: the same filter is not added twice
    _quiet.depth = getattr(_quiet, "depth", 0) + 1
    in_main = threading.current_thread() is threading.main_thread()
    try:
        # Threads share the filters of warnings. Those that decode run while they are ignored.
        with warnings.catch_warnings() if in_main else nullcontext():
            if in_main:
                warnings.simplefilter("ignore")
            yield
    finally:
        _quiet.depth -= 1
