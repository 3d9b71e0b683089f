"""The command that comes next, as a line that can be typed as it stands."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from shoal.cli.outputs import free_name
from shoal.progress import Reporter


def say_next(report: Reporter, *words: str | Path | int) -> None:
    """Say ``next: shoal …``, unless quiet or behind one of the assignment's scripts.

    Args:
        report: what says it.
        words: the command after ``shoal``; paths as they were given.
    """
    if "SHOAL_COMMAND" not in os.environ:
        report.say(f"next: {command(*words)}")


def command(*words: str | Path | int) -> str:
    """``shoal`` and words, quoted as a shell wants them.

    >>> command("splits", Path("my photos"), Path("-odd/checkpoint.pth"))
    "shoal splits 'my photos' ./-odd/checkpoint.pth"
    """
    return shlex.join(["shoal", *map(_word, words)])


def free(path: Path) -> Path:
    """``path``, or with a number in its name if something is there already."""
    return free_name(path) if os.path.lexists(path) else path


def free_outputs(name: str) -> list[str | Path]:
    """Options for places of ``NAME.csv`` and ``NAME.png``, if either of these is taken."""
    csv, picture = Path(f"{name}.csv"), Path(f"{name}.png")
    if not (os.path.lexists(csv) or os.path.lexists(picture)):
        return []
    return ["--csv", free(csv), "--picture", free(picture)]


def first_not_done(*names: str) -> str | None:
    """The first of ``names`` of commands whose CSV is not there yet; None if all are there."""
    return next((name for name in names if not os.path.lexists(f"{name}.csv")), None)


def free_picture(name: str) -> list[str | Path]:
    """The option for another place of ``NAME.png``, if it is taken."""
    picture = Path(f"{name}.png")
    return ["--picture", free(picture)] if os.path.lexists(picture) else []


def _word(word: str | Path | int) -> str:
    is_odd = isinstance(word, Path) and str(word).startswith("-")
    return f"./{word}" if is_odd else str(word)
