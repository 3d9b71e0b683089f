"""A portable model as ``torch.export`` writes it, and that file run by PyTorch."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim, ExportedProgram

from shoal.portable.model import PortableModel
from shoal.portable.onnx_file import Run, quiet
from shoal.protocols import Array

ABOUT = "shoal.json"
"""The name of the metadata inside a file."""
_LONGEST = 2**15
_LARGEST_BATCH = 2**16


def exported(model: PortableModel, shape: tuple[int, int, int]) -> ExportedProgram:
    """A model as a graph of operations, for batches of any length and images of any size.

    Args:
        model: the model.
        shape: (H, W, C) of the images that its checkpoint learned from.
    """
    height, width, channels = shape
    # Another size than the checkpoint's own, so that no size is taken for a constant.
    example = torch.zeros((3, height + 5, width + 7, channels), dtype=model.pixels.dtype)
    dynamic = {
        0: Dim("batch", min=1, max=_LARGEST_BATCH),
        1: Dim("height", min=2, max=_LONGEST),
        2: Dim("width", min=2, max=_LONGEST),
    }
    with quiet():
        program = torch.export.export(model, (example,), dynamic_shapes={"images": dynamic})
    for part in program.graph_module.modules():
        for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # it has the paths of this machine
    return program


def write(program: ExportedProgram, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a program as ``torch.export.load`` reads it, the metadata beside it as JSON."""
    buffer = io.BytesIO()  # a file's own name would be written into it
    with quiet():
        torch.export.save(program, buffer, extra_files={ABOUT: json.dumps(dict(metadata))})
    path.write_bytes(buffer.getbuffer())


def open_runner(path: Path) -> Run:
    """A file that `write` wrote, ready to be run on the CPU."""
    with quiet():
        module = torch.export.load(path).module()

    def run(images: Array) -> tuple[Array, ...]:
        with torch.inference_mode():
            outputs = module(torch.from_numpy(np.ascontiguousarray(images)))
        return tuple(output.numpy() for output in outputs)

    return run
