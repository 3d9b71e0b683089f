"""What to do next, as commands that run as they are printed.

A command is written from the one that trained: the same images and the same options, but for what
is to be different, and another place for what comes out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

_FLAGS = ("--resume", "--low-memory", "--no-cache", "--quiet", "-q", "--force", "--json")
"""Options without a value; of these only the second and the third are kept."""
_KEPT_FLAGS = ("--low-memory", "--no-cache")
_UNKNOWN = "…"


@dataclass(frozen=True)
class Training:
    """The command that trained a checkpoint, taken apart."""

    verb: str = "train"
    """train or run."""
    data: str = _UNKNOWN
    """What the images were opened from."""
    out: str = _UNKNOWN
    """The checkpoint that ``train`` wrote, or the folder of ``run``."""
    options: tuple[tuple[str, ...], ...] = ()
    """Each option with its value."""

    @property
    def checkpoint(self) -> str:
        """Where its checkpoint is."""
        if self.verb == "train" or self.out == _UNKNOWN:
            return self.out
        return str(PurePath(self.out) / "checkpoint.pth")

    def beside(self, name: str) -> str:
        """A file beside the checkpoint."""
        return name if self.out == _UNKNOWN else str(PurePath(self.checkpoint).parent / name)

    def again(self, suffix: str, **changed: str) -> str:
        """The same training with options changed, into another place named with ``suffix``."""
        if self.out == _UNKNOWN:
            out = _UNKNOWN
        else:
            place = PurePath(self.out)
            suffixed = f"{place.stem}-{suffix}{place.suffix}"
            if self.verb == "run":
                suffixed = f"{place.name}-{suffix}" if place.name.strip(".") else suffix
            out = str(place.with_name(suffixed) if place.name else place / suffixed)
        options = [f"--{name}" for name in changed]
        dropped = {*options, *(["--minutes", "--epochs"] if {"minutes", "epochs"} & changed.keys()
                               else [])}  # fmt: skip
        kept = [word for option in self.options if option[0] not in dropped for word in option]
        words = [word for name, value in changed.items() for word in (f"--{name}", value)]
        return command(self.verb, self.data, out, *kept, *words)


def command(*words: str) -> str:
    """``shoal`` and words, in the single quotes in which commands are printed.

    >>> command("splits", "my photos", "found/checkpoint.pth")
    '\\'shoal splits "my photos" found/checkpoint.pth\\''
    """
    return f"'{' '.join(['shoal', *map(_quoted, words)])}'"


def parse_training(words: Sequence[str]) -> Training | None:
    """The words of a command line after ``shoal``, or None if it did not train.

    >>> found = parse_training(["run", "photos", "found", "-k", "3", "--resume"])
    >>> found.checkpoint, found.again("longer", epochs="80")
    ('found/checkpoint.pth', "'shoal run photos found-longer -k 3 --epochs 80'")
    """
    if not words or words[0] not in ("train", "run", "demo"):
        return None
    verb, *rest = words
    places: list[str] = []
    options: list[tuple[str, ...]] = []
    while rest:
        word = rest.pop(0)
        if word in _FLAGS:
            if word in _KEPT_FLAGS:
                options.append((word,))
        elif word.startswith("-") and len(word) > 1 and not re.fullmatch(r"-[\d.]+", word):
            name, equals, value = word.partition("=")
            if equals and name.startswith("--"):
                options.append((name, value))
            elif rest:
                options.append((word, rest.pop(0)))
        else:
            places.append(word)
    if verb == "demo":
        out = places[0] if places else "demo"
        recipe = ("--recipe", "digits")
        return Training("run", str(PurePath(out) / "digits.npy"), out, (recipe, *options))
    if not places:
        return None
    if len(places) == 1:
        places.append("found" if verb == "run" else _UNKNOWN)
    return Training(verb, places[0], places[1], tuple(options))


def _quoted(word: str) -> str:
    if word == _UNKNOWN or (re.fullmatch(r"[\w@%+=:,./…\-()]+", word) and "(" not in word):
        return word
    if not re.search(r'["$`\\!\n]', word):
        return f'"{word}"'
    return shlex.quote(word)
