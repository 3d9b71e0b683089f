"""Where the history of a checkpoint lies, and what an earlier run left beside it."""

from __future__ import annotations

import glob
import itertools
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from shoal.images.left_out import MARK

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
    begun = checkpoint.name == "checkpoint.pth" and is_begun(checkpoint.parent)
    told = shlex.join(["shoal", "info", str(resume if resume.exists() else checkpoint.parent)])
    if back and (resume.exists() or begun):
        return (
            f"{missing}; that of an earlier run is kept. This says how to go on: {told}; and this "
            f"puts the earlier one back: {back}"
        )
    if back:
        return f"{missing}; that of an earlier run is kept, and this puts it back: {back}"
    if resume.exists():
        return f"{missing}; this says how to go on: {told}"
    stopped = f"{missing}, as its run was stopped before anything of it was kept, or has just begun"
    if begun:
        return f"{stopped}; this says how to go on: {told}"
    if resume.parent.is_dir() and all(
        file.name.startswith(".") for file in resume.parent.iterdir()
    ):
        return f"{stopped}; give its command again."
    return ""


def is_begun(folder: Path) -> bool:
    """Whether 'shoal run' began in a folder and has not ended."""
    try:
        record = json.loads((folder / MARK).read_bytes())
        return record["format"] == "shoal run" and record["finished"] is False
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False
