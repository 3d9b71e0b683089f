"""The command that goes on with an interrupted run, with the options that the run began with.

A checkpoint and a record keep the command line of their run, where of absolute paths only the names
are left. Where the files are now is known from what was typed now, or found beside the run.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from shoal.images.remote.location import location
from shoal.images.shards import is_there
from shoal.models.provenance import name_alone, program, typed, typed_words
from shoal.scoring.training_command import TrainingCommand, parse_training, split_program

RESUME, DATA = "--resume", "DATA"


def going_on(began: str, out: Path, data: Path | None = None) -> str:
    """The command that goes on with a run, where another one to the same place was typed now.

    That is the one that was typed, if it has the images and the options of the run.

    Args:
        began: the command line of the run; empty if it is not known.
        out: the folder of a run; the checkpoint of a training.
        data: where its images are, if it is known.
    """
    begins, words = split_program(began)
    was, now = parse_training(words), parse_training(typed_words())
    several = "--nnodes" in begins  # machines, each of which has a command of its own
    if was is None or now is None:
        return typed(RESUME)
    if _alike(was, now) and (several or begins == program(addresses=False)):
        return typed(RESUME)
    given = [now.data, now.out, *(word for option in now.options for word in option)]
    known = {name_alone(word): word for word in given}
    options = [known.get(word, word) for option in was.options for word in option]
    found = was.data if data is None else str(data)
    place = now.out if now.verb == was.verb else str(out)
    return _command(
        program() if several else begins, words, was, known.get(was.data, found), place, options
    )


def going_on_here(began: str, out: Path, data: Path | None = None) -> str:
    """The command that goes on with a run of which only its files are known.

    Args:
        began: its command line.
        out: the folder or the file that it writes.
        data: where its images are, if it is known; else they are sought where they were typed.

    Returns:
        The command, with ``DATA`` where its images are not found; empty if it is not known.
    """
    begins, words = split_program(began)
    was = parse_training(words)
    if was is None:
        return ""
    place = location(was.data) if data is None else data
    found = _typable(place) if words[0] == "demo" or is_there(place) else DATA
    options = [word for option in was.options for word in option]
    return _command(begins, words, was, found, _typable(out), options)


def _command(
    begins: Sequence[str], words: Sequence[str], was: TrainingCommand, data: str, out: str,
    options: Sequence[str],
) -> str:  # fmt: skip
    if words[0] == "demo":  # which goes on by itself, and makes its images
        seed = [word for option in was.options if option[0] == "--seed" for word in option]
        return shlex.join([*begins, "demo", out, *seed])
    goes_on = [] if was.verb == "cluster" else [RESUME]  # which begins again by itself
    return shlex.join([*begins, was.verb, data, out, *options, *goes_on])


def _alike(was: TrainingCommand, now: TrainingCommand) -> bool:
    """Whether two commands have the same images and options, where of paths names are kept."""
    options = sorted(tuple(map(name_alone, option)) for option in now.options)
    same = (was.verb, was.data) == (now.verb, name_alone(now.data))
    return same and sorted(was.options) == options


def _typable(path: Path) -> str:
    return f"./{path}" if str(path).startswith("-") else str(path)
