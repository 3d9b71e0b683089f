"""The content of a checkpoint file: tensors, numbers and text, read without running code."""

from __future__ import annotations

import copy
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shoal.errors import CheckpointError
from shoal.models import stored
from shoal.models.history_places import why_missing
from shoal.protocols import Array

# What zipfile and torch.load raise on a damaged file depends on where the damage is.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError, KeyError,
    IndexError, TypeError, AttributeError, NotImplementedError, struct.error, MemoryError,
    OverflowError,
)  # fmt: skip


def on_cpu(state: Any) -> Any:
    """A state with its tensors on the CPU, so that a file opens where there is no other device."""
    if isinstance(state, torch.Tensor):
        return state.cpu()
    if isinstance(state, list):
        return [on_cpu(value) for value in state]
    if not isinstance(state, dict):
        return state
    moved = copy.copy(state)  # with the versions of its layers, which PyTorch notes beside it
    for name, value in state.items():
        moved[name] = on_cpu(value)
    return moved


def read_content(path: Path) -> Any:
    if path.is_dir():
        inside = path / "checkpoint.pth"  # where a run has it
        if not inside.is_file() and (why := why_missing(inside)):
            raise CheckpointError(why)
        other = ", not a checkpoint file, and holds no checkpoint.pth, as the folder of a run does."
        hint = f"; did you mean {inside}?" if inside.is_file() else other
        raise CheckpointError(f"{path} is a folder{hint}")
    try:
        if path.stat().st_size == 0:
            raise CheckpointError(f"{path} is empty, not a checkpoint.")
        with path.open("rb") as file:
            head = file.read(4096)
        if head[:1] == b"\x80":
            raise pickle.UnpicklingError("a bare pickle")
        if _is_text(head):
            raise CheckpointError(f"{path} is a text file, not a checkpoint; check the path.")
        with zipfile.ZipFile(path) as archive:  # what torch.save writes; torch checks no sums
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(damaged)
        return torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError:
        why = why_missing(path) or f"{path}: no such checkpoint; check the path."
        raise CheckpointError(why) from None
    except PermissionError:
        raise CheckpointError(f"{path}: permission denied; make it readable.") from None
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} was not loaded: it holds other things than tensors, numbers and text, which "
            "can run code; use a checkpoint that shoal wrote."
        ) from error
    except _UNREADABLE as error:
        raise CheckpointError(
            f"{path} is not a checkpoint, or it is truncated or damaged; restore it from a copy "
            "or train again."
        ) from error


def _is_text(head: bytes) -> bool:
    """Whether a file that begins so holds text: a checkpoint has zeros within its first bytes."""
    try:
        return b"\0" not in head and bool(head[:64].decode("ascii").strip())
    except UnicodeDecodeError:
        return False


def to_tensors(arrays: dict[str, Array]) -> dict[str, Tensor]:
    return {name: torch.tensor(array) for name, array in arrays.items()}


def to_arrays(tensors: dict[str, Tensor]) -> dict[str, Array]:
    return {name: stored.to_array(tensor) for name, tensor in tensors.items()}
