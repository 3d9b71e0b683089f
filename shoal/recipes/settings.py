"""Settings: changes to a recipe, written ``FIELD=VALUE``."""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from shoal.errors import RecipeError
from shoal.recipes import parts
from shoal.recipes.augmentation import OLDER_NAMES, Views
from shoal.recipes.parts import Part
from shoal.recipes.recipe import FIELD_TYPES, Recipe


def changes(settings: Iterable[str], field: str) -> bool:
    """Whether one of ``settings`` gives ``field`` a value.

    >>> changes(["epochs = 3"], "epochs"), changes(["epochs=3"], "seed")
    (True, False)
    """
    pairs = (text.partition("=") for text in settings)
    return any(path.strip() == field for path, equals, _ in pairs if equals)


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Apply settings to a recipe, one after another.

    A dot reaches a field inside another. Parts are written as calls and joined by ``+``:

    >>> from shoal.recipes.named import BEST
    >>> override(BEST, ["epochs=3", "views.min_crop=0.5"]).views.min_crop
    0.5
    >>> [str(part) for part in override(BEST, ["reducers=pca(n_components=9)+tsne"]).reducers]
    ['pca(n_components=9)', 'tsne']
    >>> str(override(BEST, ["objectives.nt_xent.temperature=0.1"]).objectives[0])
    'nt_xent(temperature=0.1)'

    Raises:
        RecipeError: a setting is not written ``FIELD=VALUE``, its field is unknown, or its value
            has a wrong type or is out of range.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise RecipeError(
                f"a setting must be written FIELD=VALUE, such as views.hue=0.2, got {setting!r}."
            )
        recipe = _set(recipe, path.strip(), text.strip())
    recipe.check()
    return recipe


def _set(recipe: Recipe, path: str, text: str) -> Recipe:
    name, _, rest = path.partition(".")
    if name not in FIELD_TYPES:
        raise RecipeError(f"a recipe has no field {name!r}{parts.suggest(name, FIELD_TYPES)}")
    value: Any
    if name == "views":
        hints = typing.get_type_hints(Views)
        if rest not in hints:
            now = OLDER_NAMES.get(rest, rest)
            raise RecipeError(f"views has no field {rest!r}{parts.suggest(now, hints)}")
        value = replace(recipe.views, **{rest: _value(path, text, hints[rest])})
    elif name in ("encoder", "clusterer"):
        value = (
            _option(f"{name}s", getattr(recipe, name), rest, text)
            if rest
            else _parse_part(path, text)
        )
    elif name in ("objectives", "reducers") and rest:
        which, _, option = rest.partition(".")
        chosen = getattr(recipe, name)
        if which not in [part.name for part in chosen]:
            known = [part.name for part in chosen]
            raise RecipeError(f"this recipe has no {path!r}{parts.suggest(which, known)}")
        value = tuple(
            _option(name, part, option, text) if part.name == which else part for part in chosen
        )
    elif name in ("objectives", "reducers"):
        value = _parse_parts(path, text)
    elif rest:
        raise RecipeError(f"{name} has no field {rest!r}; write {name}=VALUE.")
    else:
        value = _value(path, text, FIELD_TYPES[name])
    return replace(recipe, **{name: value})


def _option(family: str, part: Part, option: str, text: str) -> Part:
    options = parts.schema(family, part.name)
    if option not in options:
        raise RecipeError(f"{part.name} has no option {option!r}{parts.suggest(option, options)}")
    return part.with_option(option, _value(f"{part.name}.{option}", text, options[option]))


def _value(path: str, text: str, kind: Any) -> Any:
    lowered = {"true": True, "false": False, "none": None}
    value: Any = text
    if text.lower() in lowered:
        value = lowered[text.lower()]
    elif not parts.fits(text, kind):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
    value = _as_tuple(value)
    if not parts.fits(value, kind):
        raise RecipeError(f"{path} must be {parts.type_name(kind)}, got {text!r}.")
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _parse_part(path: str, text: str) -> Part:
    chosen = _parse_parts(path, text)
    if len(chosen) != 1:
        raise RecipeError(f"{path} must be a single part, got {text!r}.")
    return chosen[0]


def _parse_parts(path: str, text: str) -> tuple[Part, ...]:
    """Read ``pca(n_components=50)+tsne`` as parts. Only literals are evaluated."""

    def walk(node: ast.expr) -> tuple[Part, ...]:
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return walk(left) + walk(right)
            case ast.Name(id=name):
                return (Part(name),)
            case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
                options = {str(word.arg): ast.literal_eval(word.value) for word in keywords}
                return (Part(name, {key: _as_tuple(item) for key, item in options.items()}),)
        raise ValueError

    if text.lower() in ("", "none"):
        return ()
    try:
        return walk(ast.parse(text, mode="eval").body)
    except (ValueError, SyntaxError):
        raise RecipeError(
            f"{path} must be parts joined by +, such as pca(n_components=50)+tsne, got {text!r}."
        ) from None
