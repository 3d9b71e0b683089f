"""Where the history of a checkpoint lies, and what an earlier run left beside it."""

from __future__ import annotations

import glob
import itertools
import shlex
from collections.abc import Iterator
from pathlib import Path

SUFFIX, OLDER_SUFFIX = ".history", ".trail"
"""How the folder's name ends. A folder of the older name is used where it is the only one."""
RESUME = "resume.pth"
_ASIDE = ".previous"


def history_folder(checkpoint: Path) -> Path:
    """The folder of a checkpoint's history, whether it is there or not.

    >>> history_folder(Path("found/checkpoint.pth")).name
    'checkpoint.pth.history'
    """
    folder = checkpoint.with_name(checkpoint.name + SUFFIX)
    older = checkpoint.with_name(checkpoint.name + OLDER_SUFFIX)
    return older if older.is_dir() and not folder.exists() else folder


def places_aside(history: Path) -> Iterator[Path]:
    """Where earlier runs go when others begin, one after another; without end."""
    first = history.with_name(history.name + _ASIDE)
    numbered = (first.with_name(f"{first.name}.{number}") for number in itertools.count(1))
    return itertools.chain([first], numbered)


def earlier_checkpoint(checkpoint: Path) -> Path | None:
    """The finished checkpoint that was moved aside, if there is one; of several the newest."""
    name = history_folder(checkpoint).name + _ASIDE
    found = checkpoint.parent.glob(f"{glob.escape(name)}*/{glob.escape(checkpoint.name)}")
    # By the time of its training, which moving keeps: a number that was free is given again.
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def put_back(checkpoint: Path) -> str:
    """The command that puts the `earlier_checkpoint` back; empty where there is none."""
    kept = earlier_checkpoint(checkpoint)
    return "" if kept is None else shlex.join(["cp", str(kept), str(checkpoint)])


def why_missing(checkpoint: Path) -> str:
    """Why a checkpoint is not there, and what leads on; empty if nothing is known of it."""
    resume, back = history_folder(checkpoint) / RESUME, put_back(checkpoint)
    missing = f"{checkpoint}: no such checkpoint"
    if resume.exists():
        missing += ", as its run was interrupted, or is still training"
    if back:
        return f"{missing}; that of an earlier run is kept, and this puts it back: {back}"
    if resume.exists():
        return f"{missing}; this says how to go on: {shlex.join(['shoal', 'info', str(resume)])}"
    return ""
