"""Parts: the modules that a recipe names. They are imported when they are needed.

A family is a folder of the package (`encoders`, `objectives`, `reducers`, `clusterers`). A part is
a module in that folder, and the keyword arguments of its ``build`` are the part's options. A
checkpoint can name nothing outside these folders, so reading one never imports foreign code.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shoal.errors import RecipeError

_ROOMS = {
    "encoders": "shoal.models.encoders",
    "objectives": "shoal.training.objectives",
    "reducers": "shoal.embedding.reducers",
    "clusterers": "shoal.clustering.clusterers",
}
FAMILIES = {
    "encoders": "encoder",
    "objectives": "objective",
    "reducers": "reducer",
    "clusterers": "clusterer",
}
_SUPPLIED = frozenset({"n_clusters", "random_state"})  # fields of the recipe, not options


@dataclass(frozen=True)
class Part:
    """The name of a part, with the options that differ from its defaults.

    >>> str(Part("pca", {"n_components": 50}))
    'pca(n_components=50)'
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.name}({inside})" if inside else self.name

    def __hash__(self) -> int:
        return hash(str(self))

    def with_option(self, name: str, value: Any) -> Part:
        """Return the same part with this option set."""
        return Part(self.name, {**self.options, name: value})


def names(family: str) -> list[str]:
    """Return the names of a family's parts, sorted.

    >>> names("objectives")
    ['moco', 'nt_xent', 'reconstruction']
    """
    package = importlib.import_module(_ROOMS[family])
    modules = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in modules if not name.startswith("_"))


def suggest(word: str, known: Iterable[str]) -> str:
    """End a message about an unknown word: with the nearest known one, else with all of them.

    >>> suggest("epoch", ["epochs", "seed"])
    "; did you mean 'epochs'?"
    >>> suggest("colour", ["epochs", "seed"])
    '; choose from epochs, seed.'
    """
    known = sorted(known)
    ending = did_you_mean(word, known)
    return f"; choose from {', '.join(known)}." if ending == "." else ending


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a message about an unknown word: with the nearest known one, else with a full stop."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Raise unless ``value`` is one of ``choices``.

    Raises:
        RecipeError: it is another word, or no text.
    """
    if not isinstance(value, str) or value not in choices:
        meant = did_you_mean(value, choices) if isinstance(value, str) else "."
        raise RecipeError(f"{name} must be one of {', '.join(choices)}, got {value!r}{meant}")


def schema(family: str, name: str) -> dict[str, Any]:
    """Return the options of a part, each with its type.

    Raises:
        RecipeError: the family has no such part.

    >>> schema("reducers", "pca")
    {'n_components': <class 'int'>, 'whiten': <class 'bool'>}
    """
    build = _module(family, name).build
    hints = typing.get_type_hints(build)
    options = inspect.signature(build).parameters.values()
    return {
        option.name: hints[option.name]
        for option in options
        if option.kind is option.KEYWORD_ONLY and option.name not in _SUPPLIED
    }


def check(family: str, part: Part) -> None:
    """Raise `RecipeError` on an unknown name or option, or an option of the wrong type."""
    options = schema(family, part.name)
    for name, value in part.options.items():
        where = f"{FAMILIES[family]} {part.name!r}"
        if name not in options:
            raise RecipeError(f"{where} has no option {name!r}{suggest(name, options)}")
        if not fits(value, options[name]):
            raise RecipeError(
                f"option {name!r} of {where} must be {type_name(options[name])}, got {value!r}."
            )


def build(family: str, part: Part, *context: Any, **supplied: Any) -> Any:
    """Build a part from its options; ``context`` and ``supplied`` come from the caller."""
    check(family, part)
    return _module(family, part.name).build(*context, **dict(part.options), **supplied)


def fits(value: Any, kind: Any) -> bool:
    """Whether ``value`` has type ``kind``. A whole number is a float, too; a bool is neither."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return any(fits(value, member) for member in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        return isinstance(value, tuple) and bool(value) and all(fits(item, inner) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def type_name(kind: Any) -> str:
    """What a person calls a type.

    >>> type_name(int | None), type_name(tuple[int, ...])
    ('a whole number or none', 'a list of whole numbers')
    """
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return " or ".join(type_name(member) for member in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return f"a list of {type_name(typing.get_args(kind)[0]).removeprefix('a ')}s"
    plain = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}
    return "none" if kind is type(None) else plain.get(kind, getattr(kind, "__name__", str(kind)))


def _module(family: str, name: str) -> Any:
    known = names(family)
    if name not in known:
        raise RecipeError(f"there is no {FAMILIES[family]} {name!r}{suggest(name, known)}")
    return importlib.import_module(f"{_ROOMS[family]}.{name}")
