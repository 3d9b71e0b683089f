"""What a checkpoint's file must hold before anything reads it: of which types, in which ranges.

A file may be whole and yet say nonsense, by another program's hand or by a fault on a disk. What is
wrong in it is found here, by name, and not at the end of an hour's work by whatever trips over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from shoal.protocols import Array

_LONGEST_SIDE = 2**15
_Test = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_shape(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 3 and all(map(_is_count, value))):
        return False
    height, width, channels = value
    return 1 <= height <= _LONGEST_SIDE and 1 <= width <= _LONGEST_SIDE and channels in (1, 3)


def _list_of(test: _Test) -> _Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _by_name(test: _Test) -> _Test:
    return lambda value: (
        isinstance(value, dict) and all(map(_is_text, value)) and all(map(test, value.values()))
    )


def _is_split(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _list_of(_is_count)(value.get("sizes"))
        and all(_is_number(value.get(name)) for name in ("separation", "pixel_share"))
    )


def _is_range(value: Any) -> bool:
    return _list_of(_is_number)(value) and len(value) == 2


def _or_none(test: _Test) -> _Test:
    return lambda value: value is None or test(value)


def _is_by_count(test: _Test) -> _Test:
    """Of numbers that count something, as JSON's keys are text."""
    return lambda value: (
        _by_name(test)(value) and all(key.isascii() and key.isdigit() for key in value)
    )


def _is_chosen(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("reason"))
        and _is_by_count(_is_number)(value.get("strengths"))
    )


# A loss that grew past all bounds is in the history as it was: any float will do there.
_ABOUT: dict[str, _Test] = {
    "recipe": _by_name(lambda value: True),
    "image_shape": _is_shape,
    "n_images": _is_count,
    "step": _is_count,
    "total_steps": _is_count,
    "epoch": lambda value: _is_number(value) and value >= 0,
    "history": _list_of(_by_name(lambda value: isinstance(value, int | float))),
    "provenance": _by_name(lambda value: True),
}
_PROVENANCE: dict[str, _Test] = {
    "seconds": _is_number,
    "fingerprint": _is_text,
    "precision": _is_text,
    "command": _is_text,
    "n_clusters": _is_text,
    "threads": _is_count,
    "warnings": _list_of(_is_text),
    "splits": _list_of(_is_split),
    "steadiness": _is_by_count(_is_number),
    "minutes": _is_number,
    "earlier_seconds": _is_number,
    "larger_size": _is_count,
    "row_range": _is_range,
    "n_clusters_strength": _is_by_count(_is_number),
}
"""What a file of format 1 holds there, and fields of their own hold now, see `facts`."""
MOVED = frozenset(_PROVENANCE)


_OPTIONAL: dict[str, dict[str, _Test]] = {
    "provenance": {"peak_memory_gb": _is_number, **_PROVENANCE},
    "origin": {
        "digest": _is_text,
        "command": _is_text,
        "precision": _is_text,
        "seconds": _is_number,
        "earlier_seconds": _is_number,
        "threads": _is_count,
        "minutes": _or_none(_is_number),
        "larger_size": _or_none(_is_count),
        "row_range": _or_none(_is_range),
    },
    "facts": {
        "splits": _list_of(_is_split),
        "warnings": _list_of(_is_text),
        "consistency": _is_by_count(_is_number),
        "chosen": _or_none(_is_chosen),
    },
}
"""Parts whose entries may be missing, and may have others beside them."""


def check_about(about: Any) -> None:
    """Check the part of a checkpoint that is JSON.

    Raises:
        ValueError: the name of what is missing or of another type or range.
    """
    for name, test in _ABOUT.items():
        if not isinstance(about, dict) or name not in about:
            raise ValueError(name)
        if not test(about[name]):
            raise ValueError(name)
    for part, tests in _OPTIONAL.items():
        held = about.get(part, {})
        if not isinstance(held, dict):
            raise ValueError(part)
        for name, test in tests.items():
            if name in held and not test(held[name]):
                raise ValueError(f"{part}.{name}")
    if ("origin" in about) != ("facts" in about):
        raise ValueError("facts" if "origin" in about else "origin")


def check_state(state: Any, name: str) -> None:
    """Check that a module's state is tensors by their names.

    Raises:
        ValueError: ``name``, it is something else.
    """
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise ValueError(name)


def to_array(tensor: Any) -> Array:
    """A stored tensor as an array.

    Raises:
        TypeError: it is no tensor, or of a kind that arrays do not know.
        ValueError: it claims more numbers than the file holds.
    """
    if not isinstance(tensor, Tensor) or tensor.is_sparse:
        raise TypeError(f"{type(tensor).__name__} in place of an array")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError("an array that is larger than its content")
    array: Array = tensor.detach().numpy()
    return array
