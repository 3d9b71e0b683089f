"""Damage to a checkpoint: to its bytes, and to what it says, in a file that is otherwise whole.

Damage to the bytes is nearly always caught by the archive's own check sums; so most of it is done
to the content, and the file is written anew.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import torch

from trials.mutations import mutate

_USUAL = (torch.float32, torch.float64, torch.int64, torch.int32)


def damaged_checkpoint(content: bytes, generator: np.random.Generator) -> bytes:
    """A checkpoint damaged in one of four ways."""
    how = generator.random()
    if how < 0.25:
        return mutate(content, [content], generator)
    if how < 0.4:
        return _damaged_members(content, generator)
    loaded: Any = torch.load(io.BytesIO(content), weights_only=True)
    for _ in range(1 + int(generator.integers(0, 2))):
        if generator.random() < 0.5:
            about = _parsed(loaded.get("about"))
            _change(about, generator, tensors=False)
            loaded["about"] = json.dumps(about)
            if generator.random() < 0.1:
                text = mutate(loaded["about"].encode(), [b"{}"], generator)
                loaded["about"] = text.decode("utf-8", "replace")
        else:
            _change(loaded, generator, tensors=True)
    buffer = io.BytesIO()
    torch.save(loaded, buffer)
    return buffer.getvalue()


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return {}


def _damaged_members(content: bytes, generator: np.random.Generator) -> bytes:
    """One member of the archive damaged, left out or repeated, with right check sums."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(buffer, "w") as packed:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
        names = list(members)
        pickled = next(name for name in names if name.endswith("data.pkl"))
        chosen = names[int(generator.integers(len(names)))]
        if generator.random() < 0.6:
            chosen = pickled
        for name, member in members.items():
            if name == chosen:
                if chosen != pickled and generator.random() < 0.2:
                    continue
                member = mutate(member, [members[pickled]], generator)
            packed.writestr(name, member)
    return buffer.getvalue()


def _change(node: Any, generator: np.random.Generator, *, tensors: bool) -> None:
    """Replace, remove or add something, somewhere below ``node``."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = keys[int(generator.integers(len(keys)))]
        child = node[key]
        if isinstance(child, dict | list) and child and generator.random() < 0.8:
            node = child
            continue
        if isinstance(node, dict) and generator.random() < 0.15:
            del node[key]
        elif generator.random() < 0.05 and isinstance(node, list):
            node.append(child)
        else:
            node[key] = _odd(child, generator, tensors=tensors)
        return


def _odd(value: Any, generator: np.random.Generator, *, tensors: bool) -> Any:
    """Something that should not stand where ``value`` stood."""
    plain: list[Any] = [
        None, -1, 0, 1, 3, 2**31, 10**9, 2**63, 10**30, -(10**9), 0.5, 1e308, float("nan"),
        float("inf"), "", "x", "0", "../../etc/passwd", "x" * 5000, "1\n2", True, False, [], {},
        [0], [[[]]], {"name": "x"}, [1, 2, 3], {"": None}, "💥", "os", "__init__", "_pooling",
    ]  # fmt: skip
    if not tensors:
        return plain[int(generator.integers(len(plain)))]
    shaped = torch.zeros(3)
    if isinstance(value, torch.Tensor) and value.dtype in _USUAL and value.is_contiguous():
        shaped = value.detach()
    made: list[Any] = [
        shaped.flatten()[:0], shaped.flatten(), shaped.unsqueeze(0), shaped.to(torch.float16),
        shaped.to(torch.int64), shaped.to(torch.complex64), shaped.to(torch.bool),
        torch.full_like(shaped, float("nan")) if shaped.is_floating_point() else shaped * 0,
        shaped * 1e30 if shaped.is_floating_point() else shaped - 10**6,
        torch.zeros(1).expand(10**12), torch.zeros(1).expand(10**6, 10**6), torch.zeros(()),
        torch.zeros(3).to_sparse(), torch.cat([shaped.flatten(), shaped.flatten()]),
        shaped.to(torch.bfloat16), torch.zeros(2, 2, 2, 2), torch.nn.Parameter(torch.zeros(3)),
        shaped - 5,
    ]  # fmt: skip
    if generator.random() < 0.3:
        return plain[int(generator.integers(len(plain)))]
    return made[int(generator.integers(len(made)))]
