"""What goes wrong in a library while it reads a file, as a reason in shoal's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shoal.images.readers._planes import TOO_MUCH
from shoal.images.readers._quiet import quiet
from shoal.images.readers.raw import ReasonError


@contextmanager
def reasons(kind: str, *loggers: str, is_file: bool = True) -> Iterator[None]:
    """Turn whatever a block raises into a `ReasonError`; what a forged file raises is unforeseen.

    Args:
        kind: what the file is called, for a message.
        loggers: what they log meanwhile is dropped, see `quiet`.
        is_file: errors of the system, such as a missing permission, are raised as they are.

    >>> with reasons("FITS file"):
    ...     raise KeyError("NAXIS")
    Traceback (most recent call last):
    ...
    shoal.images.readers.raw.ReasonError: a damaged FITS file
    """
    with quiet(*loggers):
        try:
            yield
        except ReasonError:
            raise
        except MemoryError:
            raise ReasonError(TOO_MUCH) from None
        except Exception as error:
            if is_file and isinstance(error, OSError) and error.errno:
                raise
            raise ReasonError(f"a damaged {kind}") from error
