"""The command line: as a checkpoint keeps it, and as it can be typed again."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from shoal.images.remote.location import without_secrets

CHANNELS, MEASURED = "channels", "measurements, no colours"
"""What the provenance says of three channels that are no colours."""


def command_line() -> str:
    """The command line; of absolute paths the names alone, as a checkpoint may be passed on."""
    return shlex.join([*program(addresses=False), *map(name_alone, typed_words())])


def typed_words() -> list[str]:
    """What was typed after ``shoal``; of URLs without what is secret in them."""
    return [without_secrets(word) for word in sys.argv[1:]]


def name_alone(word: str) -> str:
    """A word of a command line; of an absolute path, or an option with one, the name.

    >>> name_alone("/home/me/pile"), name_alone("--before=/home/me/c.pth"), name_alone("my/pile")
    ('pile', '--before=c.pth', 'my/pile')
    """
    option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return option + equals + Path(value).name if Path(value).is_absolute() else word


def typed(*options: str, without: str = "") -> str:
    """The command as it was typed, to be typed again.

    Args:
        options: added where they are missing.
        without: an option that is left out.
    """
    script = os.environ.get("SHOAL_COMMAND")  # set by the scripts of the assignment
    words = shlex.split(script) if script else [*program(), *typed_words()]
    if "--resume" in options:  # which goes on, where --force began anew
        without = "--force"
    kept = [word for word in words if word != without]
    return shlex.join([*kept, *(option for option in options if option not in kept)])


def program(*, addresses: bool = True) -> list[str]:
    """What is typed before the words of a command: ``shoal``, or torchrun that began several.

    Args:
        addresses: whether to say which of several machines this is, and where the first is.
    """
    told = os.environ
    if "TORCHELASTIC_RUN_ID" not in told or int(told.get("WORLD_SIZE", "1")) < 2:
        return ["shoal"]
    words = ["torchrun", "--nproc-per-node", told.get("LOCAL_WORLD_SIZE", told["WORLD_SIZE"])]
    if int(told.get("GROUP_WORLD_SIZE", "1")) > 1:  # machines, of which this is one
        places = [
            ("--node-rank", "GROUP_RANK"), ("--master-addr", "MASTER_ADDR"),
            ("--master-port", "MASTER_PORT"),
        ]  # fmt: skip
        for option, name in [("--nnodes", "GROUP_WORLD_SIZE"), *(places if addresses else [])]:
            words += [option, told.get(name, "")]
    return [*words, "-m", "shoal"]
