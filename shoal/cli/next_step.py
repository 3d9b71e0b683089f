"""The command that comes next, as a line that can be typed as it stands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from shoal.images.files import free
from shoal.models.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import ImageSource, IntArray
from shoal.scoring.of_vectors import first_with_direction
from shoal.scoring.worth_asking import Known

Words: TypeAlias = "Sequence[str | Path | int]"
"""A command after ``shoal``; paths as they were given."""
TRIED = 100
"""Of so many images one to ask for is sought."""


def say_next(
    report: Reporter, known: Known, *candidates: Words | None, program: Sequence[str] = ("shoal",)
) -> None:
    """Say ``next: shoal …`` of the first command that would tell something, if there is one.

    Nothing is said when quiet, or behind one of the assignment's scripts.

    Args:
        report: what says it.
        known: what is known of the pile.
        candidates: commands, the best first; None stands for one that is not asked for.
        program: what they are words of: shoal, or torchrun with it.
    """
    if "SHOAL_COMMAND" in os.environ:
        return
    for words in candidates:
        if words is not None and known.answers(str(words[0])):
            report.say(f"next: {command(*words, program=program)}")
            return


def command(*words: str | Path | int, program: Sequence[str] = ("shoal",)) -> str:
    """``program`` and words, quoted as a shell wants them.

    >>> command("splits", Path("my photos"), Path("-odd/checkpoint.pth"))
    "shoal splits 'my photos' ./-odd/checkpoint.pth"
    """
    return shlex.join([*program, *map(_word, words)])


def free_outputs(name: str) -> list[str | Path]:
    """Options for places of ``NAME.csv`` and ``NAME.png``, if either of these is taken."""
    csv, picture = Path(f"{name}.csv"), Path(f"{name}.png")
    if not (os.path.lexists(csv) or os.path.lexists(picture)):
        return []
    return ["--csv", free(csv), "--picture", free(picture)]


def unless_done(name: str, *inputs: str | Path) -> Words | None:
    """The words of the command ``name`` of ``inputs``; None if its CSV is there already."""
    return None if os.path.lexists(f"{name}.csv") else [name, *inputs, *free_outputs(name)]


def similar_to(
    rows: IntArray, source: ImageSource, checkpoint: Checkpoint, data: Path, path: Path
) -> Words | None:
    """The words of the command that seeks what is like the first of images that can be compared.

    Args:
        rows: int64 (m,), the images, the best first.
        source: the pile.
        checkpoint: the checkpoint by which they are compared.
        data: what the pile was opened from.
        path: the checkpoint's file.
    """
    query = first_with_direction(source, checkpoint, rows[:TRIED])
    return None if query is None else ["similar", data, path, query, *free_outputs("similar")]


def free_picture(name: str) -> list[str | Path]:
    """The option for another place of ``NAME.png``, if it is taken."""
    picture = Path(f"{name}.png")
    return ["--picture", free(picture)] if os.path.lexists(picture) else []


def _word(word: str | Path | int) -> str:
    is_odd = isinstance(word, Path) and str(word).startswith("-")
    return f"./{word}" if is_odd else str(word)
