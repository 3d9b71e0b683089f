"""A portable model as an ONNX file, and that file run by onnxruntime."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from torch.export import ExportedProgram

from shoal.errors import OutputError
from shoal.images.checks import check_interval
from shoal.portable.model import OUTPUTS
from shoal.protocols import Array

OPSET = 18
_NEWEST = 23
"""The opsets that PyTorch's exporter writes: older ones know no operation for some of ours."""

Run = Callable[[Array], tuple[Array, ...]]
"""Images (b, h, w, C) to the model's outputs."""


def check_extra() -> None:
    """Raise unless the libraries of ONNX are installed.

    Raises:
        OutputError: one of them is missing.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise OutputError(
            f"ONNX needs an extra ({error.name} is missing): pip install 'shoal[onnx]'"
        ) from None
    del onnx, onnxruntime, onnxscript


def check_opset(opset: int | None) -> None:
    """Raise unless PyTorch can write this version of ONNX's operations; None: the default.

    Raises:
        OutputError: it cannot.
    """
    if opset is not None:
        check_interval("opset", opset, OPSET, _NEWEST, OutputError)


def write(
    program: ExportedProgram, path: Path, metadata: Mapping[str, str], opset: int | None = None
) -> None:
    """Write a program as an ONNX file.

    Args:
        program: an exported `PortableModel`.
        path: the file.
        metadata: texts by name.
        opset: the version of ONNX's operations; None: 18.
    """
    import torch

    with quiet():
        converted = torch.onnx.export(
            program, dynamo=True, opset_version=opset or OPSET, input_names=["images"],
            output_names=list(OUTPUTS), verbose=False,
        )  # fmt: skip
        assert converted is not None
        for node in converted.model.graph.all_nodes():
            node.metadata_props.clear()  # notes of the exporter, with the paths of this machine
        converted.model.metadata_props.update(metadata)
        converted.model.graph.name = "shoal"
        converted.save(path, external_data=False)


def open_runner(path: Path) -> Run:
    """An ONNX file, ready to be run on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: Array) -> tuple[Array, ...]:
        return tuple(session.run(list(OUTPUTS), {"images": np.ascontiguousarray(images)}))

    return run


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's notes and warnings off the screen: they are about PyTorch's own code."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
