"""How ``--help`` looks: commands in groups with whole sentences, arguments without braces."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from shoal.distributed.address import with_addresses
from shoal.errors import DataError, RecipeError, UsageMistake


class Command(TyperCommand):
    """A command in one of the groups of ``shoal --help``."""

    group = ""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for parameter in self.params:  # "DATA", where typer writes "DATA <path>"
            if parameter.param_type_name == "argument":
                setattr(parameter, "display_type_rich", _nothing)  # noqa: B010 - a method of typer's

    def make_context(self, info_name: Any, args: list[str], *more: Any, **named: Any) -> Any:
        """Read the words of the command. ``--ray`` may stand without its address.

        Raises:
            RecipeError: a number is not written as one.
            DataError: the folder of a run is given in place of images and checkpoint.
            UsageMistake: a word is missing, empty, unknown or too many.
        """
        words = with_addresses(args)
        try:
            return super().make_context(info_name, list(words), *more, **named)
        except typer.BadParameter as error:
            reason = _not_a_number(error, words)
            if reason is not None:
                raise RecipeError(reason) from None
            if (meant := self._with_files_of_run(words)) is not None:
                raise DataError(meant) from None
            raise _in_a_sentence(error, f"shoal {self.name}") from None
        except _USAGE as error:
            raise _in_a_sentence(error, f"shoal {self.name}") from None

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the words into what the command is called with.

        An empty word is a variable of the shell that is not set. As a path it would be the current
        folder, and all that lies below it would be the images.

        Raises:
            UsageMistake: one of them is empty.
        """
        given, more, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.params:
            value = given.get(parameter.name)
            if value == "" or (isinstance(value, Sequence) and "" in list(value)):
                is_option = parameter.param_type_name == "option"
                name = parameter.opts[0] if is_option else parameter.metavar
                raise UsageMistake(_EMPTY.format(name, "" if parameter.required else _LEAVE_OUT))
        if "" in more:
            raise UsageMistake(_EMPTY.format("one word of the command", _LEAVE_OUT))
        return super().parse_args(ctx, args)

    def _with_files_of_run(self, words: Sequence[str]) -> str | None:
        """How to say the folder of a run, where DATA and CHECKPOINT are wanted; None of others."""
        from shoal.cli.run_identity import data_of_run

        wanted = [p.metavar for p in self.params if p.param_type_name == "argument"]
        folder = next((Path(word) for word in words if not word.startswith("-")), None)
        if wanted[:2] != ["DATA", "CHECKPOINT"] or folder is None:
            return None
        checkpoint = folder / "checkpoint.pth"
        if not checkpoint.is_file():
            return None
        images = data_of_run(folder)
        data = "DATA" if images is None else shlex.quote(str(images))
        given = shlex.join(words[1:])
        rest = f" {given}" if given else "".join(f" {name}" for name in wanted[2:])
        return (
            f"{folder} is the folder of a run, and {self.name} wants images and a checkpoint: "
            f"'shoal {self.name} {data} {shlex.quote(str(checkpoint))}{rest}'."
        )

    @property
    def sentence(self) -> str:
        """What it does: the first paragraph of its help."""
        return " ".join((self.help or "").partition("\n\n")[0].split())

    def reads_and_writes(self) -> tuple[list[str], list[str]]:
        """The files that come in, and the files that go out, as arguments and options name them."""
        files: tuple[list[str], list[str]] = ([], [])
        for parameter in self.params:
            name = parameter.metavar or ""
            written = "to write" in (getattr(parameter, "help", None) or "")
            if parameter.param_type_name == "argument":
                name += "…" if parameter.nargs != 1 else ""
                files[written].append(name if parameter.required else f"[{name}]")
            elif name in ("FILE", "TABLE"):
                files[written].append(f"[{parameter.opts[0]} {name}]")
        return files

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``DATA CHECKPOINT [LABELS]``, where typer writes ``{DATA} {CHECKPOINT} [LABELS]``."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


_EMPTY = (
    "{} is empty, as a variable of the shell that is not set would leave it; write what it is{}."
)
_LEAVE_OUT = ", or leave it out"


def _not_a_number(error: typer.BadParameter, words: list[str]) -> str | None:
    """What is wrong, in our words; None if it is something else than a number."""
    message = error.message
    kind = next((kind for word, kind in _KINDS.items() if word in message), None)
    hint = getattr(error, "param_hint", None) or getattr(error.param, "opts", [""])[0]
    option = hint.strip("'")
    if kind is None or not option.startswith("-"):
        return None
    names = {option, *getattr(error.param, "opts", [])}
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names and (equals or place + 1 < len(words)):
            value = value if equals else words[place + 1]
            return f"{name} must be {kind}, got {value!r}."
    return f"{option} must be {kind}."


_KINDS = {"nor auto": "a whole number or auto", "integer": "a whole number",
          "number": "a number", "float": "a number"}  # fmt: skip
"""A word of typer's message, and what it asks for. Its versions word it differently."""


_USAGE: type[Exception] = typer.BadParameter.__mro__[1]  # typer brings a click of its own
_SHOWS_HELP = "NoArgsIsHelpError"


def _in_a_sentence(error: Exception, command: str) -> Exception:
    """A mistake in the words of a command, which typer would print below its usage."""
    if type(error).__name__ == _SHOWS_HELP:
        return error
    said: str = error.format_message()  # type: ignore[attr-defined]
    said = " ".join(said.split()).rstrip(".")
    said = said[:1].lower() + said[1:]
    way = f"ry '{command} --help'."
    return UsageMistake(f"{said} T{way}" if said.endswith("?") else f"{said}; t{way}")


def _nothing(**_: Any) -> str:
    return ""


def grouped(title: str) -> type[Command]:
    """The class of the commands of one group."""
    return type("Command", (Command,), {"group": title})


class Group(TyperGroup):
    """The commands, in groups and in their order."""

    def make_context(self, *words: Any, **named: Any) -> Any:
        """Read the words before the command.

        Raises:
            UsageMistake: one of them is unknown.
        """
        try:
            return super().make_context(*words, **named)
        except _USAGE as error:
            raise _in_a_sentence(error, "shoal") from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is asked for.

        Raises:
            UsageMistake: there is none of that name.
        """
        try:
            return super().resolve_command(ctx, args)
        except _USAGE as error:
            raise _in_a_sentence(error, "shoal") from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group, no sentence cut off."""
        commands = [command for command in self.commands.values() if isinstance(command, Command)]
        widest = max(len(command.name or "") for command in commands)
        for title, members in itertools.groupby(commands, lambda command: command.group):
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{command.name:<{widest}}", command.sentence) for command in members]
                )
