"""The command line that trained a checkpoint, taken apart and put together with changes.

A changed command has the same images and the same other options, and another place for its output.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import PurePath

_FLAGS = ("--resume", "--low-memory", "--no-cache", "--quiet", "-q", "--force", "--json",
          "--quick", "--thorough")  # fmt: skip
"""Options without a value."""
_KEPT_FLAGS = ("--low-memory", "--no-cache", "--quick", "--thorough")
"""Those of them that the next training needs, too."""
_ADDRESS = r"local|auto|[\w.-]+:\d+|\[[\da-fA-F:.]+\]:\d+"
"""What may follow ``--ray``, which has a value or none."""
_SHARED = ("train", "run")
"""The commands whose steps the workers of torchrun share."""
_UNKNOWN = "…"


@dataclass(frozen=True)
class TrainingCommand:
    """The command line that trained a checkpoint; an ellipsis stands for what is not known."""

    verb: str = "train"
    """train, run, or cluster, which clusters vectors from elsewhere."""
    data: str = _UNKNOWN
    """The path of the images."""
    out: str = _UNKNOWN
    """The checkpoint that ``train`` wrote, or the folder that another command wrote."""
    options: tuple[tuple[str, ...], ...] = ()
    """Each option with its value."""
    program: tuple[str, ...] = ("shoal",)
    """What comes before: shoal, or torchrun that began several workers."""

    @property
    def checkpoint(self) -> str:
        """The path of the checkpoint."""
        if self.verb == "train" or self.out == _UNKNOWN:
            return self.out
        return str(PurePath(self.out) / "checkpoint.pth")

    @property
    def intensity(self) -> str:
        """What a person said of the intensity, see `asked_views.INTENSITIES`; empty: nothing.

        >>> TrainingCommand(options=(("--intensity", "varies"), ("-k", "3"))).intensity
        'varies'
        """
        said = [option[-1] for option in self.options if option[0] == "--intensity"]
        return said[-1] if said else ""

    def sets(self, field: str) -> bool:
        """Whether ``--set`` gives this field of the recipe a value.

        >>> TrainingCommand(options=(("--set", "views.hue = 0"),)).sets("views.hue")
        True
        """
        return any(_sets(option, {field}) for option in self.options)

    def beside(self, name: str) -> str:
        """The path of a file ``name`` beside the checkpoint."""
        return name if self.out == _UNKNOWN else str(PurePath(self.checkpoint).parent / name)

    @property
    def place(self) -> str:
        """The output without a slash at its end, to which words can be added.

        >>> TrainingCommand("run", "photos", "found/").place
        'found'
        """
        return str(PurePath(self.out))

    def again(self, suffix: str, *, setting: str = "", **changed: str) -> str:
        """The command of the same training with changed options.

        Args:
            suffix: added to the name of the output.
            setting: FIELD=VALUE, for ``--set``.
            changed: long options without their dashes, with their new values.

        >>> found = TrainingCommand("cluster", "v.npy", "found", (("--set", "clusterer=kmeans"),))
        >>> found.again("more", setting="clusterer=spectral")
        "'shoal cluster v.npy found-more --set clusterer=spectral'"
        """
        if self.out == _UNKNOWN:
            out = _UNKNOWN
        else:
            place = PurePath(self.out)
            suffixed = f"{place.stem}-{suffix}{place.suffix}"
            if self.verb != "train":  # a folder
                suffixed = f"{place.name}-{suffix}" if place.name.strip(".") else suffix
            out = str(place.with_name(suffixed) if place.name else place / suffixed)
        options = [f"--{name}" for name in changed]
        dropped, fields = {*options}, {name.replace("-", "_") for name in changed}
        fields |= {setting.partition("=")[0]} if setting else set()
        if {"minutes", "epochs"} & changed.keys():
            dropped |= {"--minutes", "--epochs", "--quick"}
            fields.add("epochs")
        kept = [
            word
            for option in self.options
            if option[0] not in dropped and not _sets(option, fields)
            for word in option
        ]
        words = [word for name, value in changed.items() for word in (f"--{name}", value)]
        words += ["--set", setting] if setting else []
        again = (self.verb, self.data, out, *kept, *words)
        return command(*again, program=self.program if self.verb in _SHARED else ("shoal",))


def _sets(option: tuple[str, ...], fields: Set[str]) -> bool:
    """Whether it is ``--set FIELD=VALUE`` of one of ``fields``."""
    name, *values = option
    return name == "--set" and any(value.partition("=")[0].strip() in fields for value in values)


def command(*words: str, program: Sequence[str] = ("shoal",)) -> str:
    """A command of shoal in single quotes, as messages print it.

    Args:
        words: after ``program``.
        program: torchrun and its options for a training on several workers, which no other command
            takes.

    >>> command("splits", "my photos", "found/checkpoint.pth")
    '\\'shoal splits "my photos" found/checkpoint.pth\\''
    """
    return f"'{' '.join([*program, *map(_quoted, words)])}'"


def parse_training(words: Sequence[str]) -> TrainingCommand | None:
    """The `TrainingCommand` in the words after ``shoal``; None for another command.

    >>> training = parse_training(["run", "photos", "found", "-k", "3", "--resume"])
    >>> training.checkpoint, training.again("longer", epochs="80")
    ('found/checkpoint.pth', "'shoal run photos found-longer -k 3 --epochs 80'")
    >>> training = parse_training(["train", "photos", "a.pth", "--ray", "--workers", "2"])
    >>> training.options
    (('--ray',), ('--workers', '2'))
    >>> training = parse_training(["run", "photos", "found", "--set", "epochs=1"])
    >>> training.again("longer", epochs="28")
    "'shoal run photos found-longer --epochs 28'"
    """
    if not words or words[0] not in ("train", "run", "demo", "cluster"):
        return None
    verb, *rest = words
    positional: list[str] = []
    options: list[tuple[str, ...]] = []
    while rest:
        word = rest.pop(0)
        if word in _FLAGS:
            if word in _KEPT_FLAGS:
                options.append((word,))
        elif word == "--ray" and not (rest and re.fullmatch(_ADDRESS, rest[0])):
            options.append((word,))
        elif word.startswith("-") and len(word) > 1 and not re.fullmatch(r"-[\d.]+", word):
            name, equals, value = word.partition("=")
            if equals and name.startswith("--"):
                options.append((name, value))
            elif rest:
                options.append((word, rest.pop(0)))
        else:
            positional.append(word)
    if verb == "demo":
        out = positional[0] if positional else "demo"
        recipe = ("--recipe", "digits")
        return TrainingCommand("run", str(PurePath(out) / "digits.npy"), out, (recipe, *options))
    if not positional:
        return None
    if len(positional) == 1:
        positional.append(_UNKNOWN if verb == "train" else "found")
    return TrainingCommand(verb, positional[0], positional[1], tuple(options))


def trained_by(command_line: str) -> TrainingCommand | None:
    """The `TrainingCommand` in a command line as checkpoints keep it; None if it is no such line.

    >>> trained_by("shoal run photos found --intensity=matters").options
    (('--intensity', 'matters'),)
    >>> trained_by("shoal run 'photos"), trained_by("")
    (None, None)
    >>> trained_by("torchrun --nproc-per-node 2 -m shoal run p found").again("longer", epochs="9")
    "'torchrun --nproc-per-node 2 -m shoal run p found-longer --epochs 9'"
    """
    program, words = split_program(command_line)
    training = parse_training(words)
    return None if training is None else replace(training, program=tuple(program))


def split_program(command_line: str) -> tuple[list[str], list[str]]:
    """What a command line begins with, up to ``shoal``, and the words after it.

    >>> split_program("torchrun --nproc-per-node 2 -m shoal train p c.pth --resume")[1]
    ['train', 'p', 'c.pth', '--resume']
    """
    try:
        words = shlex.split(command_line)
    except ValueError:  # an unclosed quotation mark
        words = []
    begins = words.index("shoal") + 1 if "shoal" in words else 1
    return words[:begins], words[begins:]


def _quoted(word: str) -> str:
    if word == _UNKNOWN or (re.fullmatch(r"[\w@%+=:,./…\-()]+", word) and "(" not in word):
        return word
    if "!" in word or "\n" in word:  # special between double quotes, too
        return shlex.quote(word)
    return '"' + re.sub(r'(["$`\\])', r"\\\1", word) + '"'
