"""A checkpoint that another one replaces is kept under a free name, with what was said of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from shoal.corrections.journal_file import journal_beside, reviewed_beside
from shoal.images.files import atomic_path


def free_beside(checkpoint: Path) -> Path:
    """The first of ``x-1.pth``, ``x-2.pth``, … that is free for ``x.pth``, with its journal."""
    names = (checkpoint.with_stem(f"{checkpoint.stem}-{number}") for number in count(1))
    return next(name for name in names if not any(file.exists() for file in _files(name)))


@contextlib.contextmanager
def kept_aside(checkpoint: Path) -> Iterator[None]:
    """Copy a checkpoint, its corrections and the table that was reviewed to a free name beside it.

    When the block fails, the checkpoint is put back. The journal stays: what was carried over in it
    already is carried back by the next review.

    Raises:
        OutputError: they cannot be written; nothing is left of the copies.
    """
    kept = free_beside(checkpoint)
    try:
        for file, copy in zip(_files(checkpoint), _files(kept), strict=True):
            if file.exists():
                with atomic_path(copy) as temporary:
                    shutil.copyfile(file, temporary)
        yield
    except BaseException:
        if kept.exists():
            kept.replace(checkpoint)
        for copy in _files(kept):
            copy.unlink(missing_ok=True)
        raise


def _files(checkpoint: Path) -> tuple[Path, Path, Path]:
    journal = journal_beside(checkpoint)
    return checkpoint, journal, reviewed_beside(journal)
