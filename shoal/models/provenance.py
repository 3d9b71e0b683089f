"""What a checkpoint tells of where it comes from, without a path or a name of this machine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def command_line() -> str:
    """The command line; of absolute paths the names alone, as a checkpoint may be passed on."""
    return shlex.join(["shoal", *map(name_alone, sys.argv[1:])])


def name_alone(word: str) -> str:
    """A word of a command line; of an absolute path, or an option with one, the name.

    >>> name_alone("/home/me/pile"), name_alone("--best=/home/me/c.pth"), name_alone("my/pile")
    ('pile', '--best=c.pth', 'my/pile')
    """
    option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return option + equals + Path(value).name if Path(value).is_absolute() else word
