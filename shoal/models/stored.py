"""Checks of a checkpoint file's content: which entries it must hold, of which types and ranges.

A file may be whole and still hold nonsense, which another program or a faulty disk wrote. These
checks run before anything else reads the content, and name the entry that is wrong. Without them
the error would come later, perhaps at the end of an hour's work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from shoal.images.decoding.fitting import CROP, FITS
from shoal.images.readers.raw import MOST_CHANNELS
from shoal.protocols import Array

_LONGEST_SIDE = 2**15
_Test = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    """Whether a JSON value is a whole number, 0 or more, that a float holds exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_shape(value: Any) -> bool:
    """Whether a JSON value is an image's [H, W, C]."""
    if not (isinstance(value, list) and len(value) == 3 and all(map(_is_count, value))):
        return False
    height, width, channels = value
    sides = 1 <= height <= _LONGEST_SIDE and 1 <= width <= _LONGEST_SIDE
    return sides and 1 <= channels <= MOST_CHANNELS


def _list_of(test: _Test) -> _Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _by_name(test: _Test) -> _Test:
    """A test of an object: its names are text, and each of its values passes ``test``."""
    return lambda value: (
        isinstance(value, dict) and all(map(_is_text, value)) and all(map(test, value.values()))
    )


def _is_split(value: Any) -> bool:
    """Whether a JSON value is a `facts.Split`."""
    return (
        isinstance(value, dict)
        and _list_of(_is_count)(value.get("sizes"))
        and _is_number(value.get("separation"))
        and _or_none(_is_number)(value.get("pixel_share"))
    )


def _is_range(value: Any) -> bool:
    return _list_of(_is_number)(value) and len(value) == 2


def _or_none(test: _Test) -> _Test:
    return lambda value: value is None or test(value)


def _is_by_count(test: _Test) -> _Test:
    """A test of an object whose names are whole numbers as text; its values pass ``test``."""
    return lambda value: (
        _by_name(test)(value) and all(key.isascii() and key.isdigit() for key in value)
    )


def _is_chosen(value: Any) -> bool:
    """Whether a JSON value is a `facts.ChosenNumber`."""
    return (
        isinstance(value, dict)
        and _is_text(value.get("reason"))
        and _is_by_count(_is_number)(value.get("strengths"))
    )


def _is_representation(value: Any) -> bool:
    """Whether a JSON value is a `facts.Representation`."""
    return (
        isinstance(value, dict)
        and _is_text(value.get("choice"))
        and _is_number(value.get("agreement"))
        and _by_name(_is_number)(value.get("scores"))
    )


def _is_metric(value: Any) -> bool:
    """Whether a JSON value is a `facts.ChosenMetric`."""
    return (
        isinstance(value, dict)
        and value.get("metric") in ("cosine", "euclidean")
        and _is_text(value.get("reason"))
        and _by_name(_is_number)(value.get("strengths"))
    )


# The history may hold infinite losses: a run whose loss diverged is kept as it was.
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
"""Entries of the provenance in a file of format 1. Since format 2 they are fields, see `facts`."""
MOVED = frozenset(_PROVENANCE)
"""The names of these entries."""

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
        "column": _is_text,
        "id_column": _is_text,
    },
    "facts": {
        "splits": _list_of(_is_split),
        "warnings": _list_of(_is_text),
        "consistency": _is_by_count(_is_number),
        "chosen": _or_none(_is_chosen),
        "representation": _or_none(_is_representation),
        "metric": _or_none(_is_metric),
    },
}
"""Tests of entries that may be missing; there may be other entries beside them."""


def check_about(about: Any) -> None:
    """Raise unless the JSON part of a checkpoint file is sound.

    Args:
        about: the decoded JSON, of any type.

    Raises:
        ValueError: an entry is missing, of a wrong type or out of range; the text of the error is
            the entry's name.
    """
    for name, test in _ABOUT.items():
        if not isinstance(about, dict) or name not in about:
            raise ValueError(name)
        if not test(about[name]):
            raise ValueError(name)
    if not _is_count(about.get("n_dimensions", 0)):
        raise ValueError("n_dimensions")
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
    """Raise unless a module's state is a dictionary of tensors by their names.

    Args:
        state: the stored value, of any type.
        name: the entry's name, for the error.

    Raises:
        ValueError: the state is something else; the text of the error is ``name``.
    """
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise ValueError(name)


def centre_of(tensor: Any, about: dict[str, Any]) -> Array | None:
    """The centre of vectors, float64 (d,), if a checkpoint has one.

    Raises:
        ValueError: it is of other vectors.
    """
    if tensor is None:
        return None
    centre = to_array(tensor)
    whole = centre.dtype == np.float64 and bool(np.isfinite(centre).all())
    if not whole or centre.shape != (about.get("n_dimensions"),):
        raise ValueError("centre")
    return centre


def to_array(tensor: Any) -> Array:
    """A stored tensor as an array of the same shape and dtype; the memory is shared.

    Raises:
        TypeError: the value is not a tensor, or NumPy has no such type: sparse, or bfloat16.
        ValueError: the tensor's shape asks for more numbers than the file holds.
    """
    if not isinstance(tensor, Tensor) or tensor.is_sparse:
        raise TypeError(f"{type(tensor).__name__} in place of an array")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError("an array that is larger than its content")
    array: Array = tensor.detach().numpy()
    return array


def fit_of(about: dict[str, Any]) -> str:
    """How images are brought to the checkpoint's shape; older files cropped them.

    Raises:
        ValueError: it is no way that shoal knows.
    """
    fit = about.get("fit", CROP)
    if fit not in FITS:
        raise ValueError("fit")
    return str(fit)
