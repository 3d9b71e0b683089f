"""A run's losses, rate, speed and spread in TensorBoard, and sheets of what it has learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from shoal.errors import OutputError
from shoal.images.output_checks import check_writable
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import is_kept
from shoal.protocols import ImageSource
from shoal.training.logged import logged

_EVENTS = "events.out.tfevents.*"
_OURS = ".shoal"


class TensorBoard:
    """Writes the checkpoints of a run, as they pass by, to a folder that TensorBoard shows.

    ``fit(…, watch=TensorBoard("runs/a", source))``. Numbers come about a hundred times in a run.
    Sheets of reconstructions and of clusters come with each checkpoint that is kept. Nothing is
    changed: the weights are the same bits.

    Args:
        folder: made if it is missing.
        source: the images that the run learns from.
        resume: add to the run that is there.
        force: replace the run that is there.

    Raises:
        OutputError: see `check_folder`.
    """

    def __init__(
        self, folder: str | Path, source: ImageSource, *, resume: bool = False, force: bool = False
    ) -> None:
        self.folder, self.source = Path(folder), source
        self.resume, self.force = resume, force
        check_folder(self.folder, resume=resume, force=force)

    def __call__(self, steps: Iterable[Checkpoint]) -> Iterator[Checkpoint]:
        """The same checkpoints."""
        writer: Any = None

        def log(measures: dict[str, float], *, step: int) -> None:
            for name, value in measures.items():
                writer.add_scalar(name, value, step)

        def opened(steps: Iterable[Checkpoint]) -> Iterator[Checkpoint]:
            nonlocal writer
            for checkpoint in steps:
                writer = writer or self._open(checkpoint.step)
                yield checkpoint

        try:
            for checkpoint in logged(opened(steps), log):
                if is_kept(checkpoint):
                    self._draw(writer, checkpoint)
                yield checkpoint
        finally:
            if writer is not None:
                writer.close()

    def _open(self, step: int) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        if self.force and not self.resume:
            for file in self.folder.glob(_EVENTS):
                file.unlink()
        # What an interrupted run wrote after the state it is resumed from is written anew.
        purged = step if self.resume else None
        return SummaryWriter(str(self.folder), purge_step=purged, filename_suffix=_OURS)

    def _draw(self, writer: Any, checkpoint: Checkpoint) -> None:
        from shoal.tracking import sheets

        for name, draw in (
            ("reconstructions", sheets.reconstructions), ("clusters", sheets.cluster_members),
        ):  # fmt: skip
            sheet = draw(self.source, checkpoint)
            writer.add_image(name, sheet, checkpoint.step, dataformats="HWC")
        writer.flush()


def check_folder(folder: Path, *, resume: bool = False, force: bool = False) -> None:
    """Check that a run can be written to a folder, before any work.

    Raises:
        OutputError: TensorBoard's library is missing, or the folder holds another run, or cannot be
            written.
    """
    try:
        import tensorboard
    except ImportError:
        raise OutputError("tensorboard needs an extra: pip install 'shoal[tensorboard]'") from None
    del tensorboard
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, and TensorBoard wants a folder; name another.")
    check_writable(folder / "events")
    there = sorted(folder.glob(_EVENTS)) if folder.is_dir() else []
    if force and not resume:
        there = [file for file in there if not file.name.endswith(_OURS)]
        if there:
            raise OutputError(
                f"{folder} holds a run that shoal did not write: force=True does not replace it; "
                "name another folder."
            )
    elif there and not resume:
        raise OutputError(
            f"{folder} holds another run; name another folder, or add force=True to replace it."
        )
