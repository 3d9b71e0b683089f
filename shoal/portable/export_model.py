"""Writes a checkpoint as a model that runs without shoal, once it gives the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shoal.errors import CheckpointError, OutputError
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free, check_writable
from shoal.models.checkpoint import Checkpoint
from shoal.portable import onnx_file, torch_file
from shoal.portable.about import about
from shoal.portable.agreement import Agreement, RandomImages, compare
from shoal.portable.model import PortableModel
from shoal.protocols import ImageSource

SUFFIXES = (".onnx", ".pt2")
_N_RANDOM = 64


def export_model(
    checkpoint: Checkpoint, path: str | Path, *, split: int = 1, numbers: str | None = None,
    names: Mapping[int, str] | None = None, check: ImageSource | None = None,
    opset: int | None = None, force: bool = False,
) -> Agreement:  # fmt: skip
    """Write a model that takes images and gives embedding, cluster and confidence.

    The model is one graph: the range of the pixels, resizing, the encoder, the reducers, the
    clusterer and calibration. Its input ``images`` has the shape (batch, height, width, C), in the
    numbers that a decoded file has; batches and images may have any size. Its outputs are
    ``embedding``, ``cluster``, ``confidence`` and ``probabilities``. Corrections by a person are
    not in it.

    It is compared with `pipeline.predict` before it appears under its name.

    Args:
        checkpoint: a finished one.
        path: the file: ``.onnx``, or ``.pt2`` for ``torch.export.load``.
        split: which of the ways to divide the pile, counted from 1.
        numbers: ``8-bit`` (uint8), ``integers`` or ``floats`` (both float32, in the numbers of the
            files); None: 8-bit if the checkpoint learned from such images, else what it learned
            from.
        names: of clusters, for the metadata.
        check: images of the checkpoint's shape to compare on; None: random ones.
        opset: the version of ONNX's operations, 18 to 23; None: 18.
        force: replace what is at ``path``.

    Returns:
        The largest differences from `pipeline.predict`.

    Raises:
        CheckpointError: the checkpoint has no clusters, or a part that no graph can hold, or the
            model does not give the same numbers.
        DataError: there is no such split, or no range for such numbers.
        OutputError: ``path`` has another suffix, exists or cannot be written, the extra ``onnx`` is
            missing, or ``opset`` is out of range.
    """
    path = Path(path)
    check_target(path, opset, force=force)
    model = PortableModel(checkpoint, split, numbers)
    program = torch_file.exported(model, checkpoint.image_shape)
    metadata = about(checkpoint, model, split, names or {})
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".onnx":
            onnx_file.write(program, temporary, metadata, opset)
            run = onnx_file.open_runner(temporary)
        else:
            torch_file.write(program, temporary, metadata)
            run = torch_file.open_runner(temporary)
        images = check or RandomImages(_N_RANDOM, checkpoint.image_shape, model.pixels)
        agreement = compare(run, images, checkpoint, model.pixels, split)
        if not agreement.good:
            raise CheckpointError(
                f"the exported model does not give the numbers of predict ({agreement}); nothing "
                "was written."
            )
    return agreement


def check_target(path: Path, opset: int | None, *, force: bool = False) -> None:
    """Check where a model is to be written, before any work.

    Raises:
        OutputError: see `export_model`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"a model must end in {' or '.join(SUFFIXES)}, got {path}.")
    if path.suffix.lower() == ".onnx":
        onnx_file.check_opset(opset)
        onnx_file.check_extra()
    elif opset is not None:
        raise OutputError(f"opset is for .onnx files, and cannot be given with {path}.")
    check_free(path, force=force)
    check_writable(path)
