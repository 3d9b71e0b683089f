"""The checkpoint history: checkpoints kept along the way, in a folder beside the final file."""

from __future__ import annotations

import filecmp
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from shoal.errors import CheckpointError, DistributedError, Interrupted, LostError, OutputError
from shoal.images.output_checks import already_there, check_writable
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history_places import RESUME, earlier_checkpoint, history_folder, places_aside

RESUME_EVERY = 20.0
"""Seconds between two writes of the file that a run is resumed from."""
CHECKPOINT_SUFFIXES = (".pth", ".pt", ".ckpt")
"""The suffixes by which a checkpoint is known, a damaged one, too."""


class CheckpointHistory:
    """``<checkpoint>.history/``: a fixed number of evenly spaced checkpoints, and ``resume.pth``.

    However long the run, the folder holds ``recipe.checkpoints`` files of weights alone (fewer only
    when the run has fewer steps) and one with the optimiser's state, so the disk does not fill.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.folder = history_folder(self.path)
        self._written = time.monotonic()

    @property
    def resume_file(self) -> Path:
        """The file from which an interrupted run is resumed."""
        return self.folder / RESUME

    @property
    def goes_on(self) -> str:
        """What goes on with the interrupted run, in Python, where the images are ``source``."""
        resume, path = str(self.resume_file), str(self.path)
        load = f"state = shoal.load({resume!r})"
        return f"{load}; shoal.fit(source, {path!r}, state.recipe, resume=state)"

    @property
    def previous(self) -> Path:
        """Where an earlier run goes when another one begins: the first such name that is free."""
        return next(filter(_is_free, places_aside(self.folder)))

    def check_writable(self) -> None:
        """Fail now, not after the training, if the checkpoint or its history could not be written.

        Raises:
            OutputError: a folder is in the place of a file, or a file in that of the folder.
        """
        check_writable(self.path)
        check_writable(self.resume_file)

    def check_free(self, *, force: bool) -> None:
        """Fail if a new run would replace an earlier one, unless ``force``, or another file ever.

        With ``force`` the earlier run is moved aside, see `begin`. A damaged checkpoint is known by
        its suffix.

        Raises:
            OutputError: something is there.
        """
        if self.path.is_file() and self.path.suffix.lower() not in CHECKPOINT_SUFFIXES:
            try:
                checkpoints.load(self.path)
            except CheckpointError as error:
                raise OutputError(
                    f"{self.path} exists and is not a checkpoint, and training replaces nothing "
                    f"else; name another file, such as {self.path.with_suffix('.pth').name}."
                ) from error
        if force:
            return
        if os.path.lexists(self.path):
            raise already_there(self.path)
        if self.resume_file.exists():
            raise OutputError(
                f"{self.path} belongs to a run that was interrupted; add force=True to begin anew, "
                f"or go on with: {self.goes_on}"
            )

    def files(self) -> list[Path]:
        """The checkpoints of the history, oldest first."""
        return sorted(self.folder.glob("step-*.pth"))

    def file(self, step: int) -> Path:
        """Where the checkpoint after ``step`` is kept."""
        return self.folder / f"step-{step:08d}.pth"

    def of_the_second_half(self) -> list[Path]:
        """Two checkpoints, at half and at three quarters of the run; fewer if so few were kept."""
        files = self.files()[:-1]
        return list(dict.fromkeys(files[share * len(files) // 4] for share in (2, 3) if files))

    def unfinished(self) -> Checkpoint | None:
        """The state to resume from, if there is one.

        Raises:
            CheckpointError: the file is there and cannot be read.
        """
        return checkpoints.load(self.resume_file) if self.resume_file.exists() else None

    def begin(self) -> Path | None:
        """Make room for a new run. What an older one left is moved aside; the folder is returned.

        Its finished checkpoint, too, so that none stands beside a new history, and none is lost if
        the new run does not end. Each earlier run has a folder of its own.
        """
        older = [self.path] if self.path.is_file() else []
        if not (older or self.files() or self.resume_file.exists()):
            return None
        # The folder of the history itself stays: it is what a run in progress has locked.
        older += self.folder.iterdir() if self.folder.is_dir() else ()
        aside = self.previous
        aside.mkdir(exist_ok=True)
        for file in older:
            file.replace(aside / file.name)
        return aside

    def take_back(self) -> Path | None:
        """Undo `begin`, where a person put the earlier checkpoint back in its place.

        What the run in between left is moved aside in its turn; the folder is returned, None if
        nothing was to be done.
        """
        earlier = earlier_checkpoint(self.path)
        if earlier is None or not filecmp.cmp(earlier, self.path, shallow=False):
            return None
        left, aside = list(self.folder.iterdir()), self.previous
        if left:
            aside.mkdir(exist_ok=True)
        for file in left:
            file.replace(aside / file.name)
        for file in earlier.parent.iterdir():
            if file != earlier:
                file.replace(self.folder / file.name)
        earlier.unlink()  # a copy of what is in its place
        earlier.parent.rmdir()
        return aside if left else None

    def save(self, checkpoint: Checkpoint, *, now: bool = False) -> None:
        """Keep ``checkpoint`` if its turn has come, and the state to resume from now and then.

        Args:
            checkpoint: the latest.
            now: write the state to resume from whatever the time.

        Raises:
            OutputError: the disk is full or the folder cannot be written.
        """
        if is_kept(checkpoint):
            slim = replace(checkpoint, optimizer_states=None)
            checkpoints.save(slim, self.file(checkpoint.step), force=True)
            now = True
        if now or time.monotonic() - self._written > RESUME_EVERY:
            checkpoints.save(checkpoint, self.resume_file, force=True)
            self._written = time.monotonic()

    def record(self, steps: Iterable[Checkpoint], resumed: Checkpoint | None) -> Checkpoint:
        """Keep the checkpoints of a run as they come, and return the last.

        Args:
            steps: the states of the run, after each step.
            resumed: the state that the run goes on from, if any.

        Raises:
            Interrupted, DistributedError: from ``steps``, after the state to resume from was saved.
            OutputError: the disk is full or the folder cannot be written.
        """
        last = resumed
        try:
            for last in steps:
                if last.step == 1:
                    self.begin()  # not before: a run that cannot start must not cost an older one
                self.save(last)
        except (Interrupted, DistributedError) as error:  # the last state is whole
            if last is not None:
                self.save(last, now=True)
                if isinstance(error, LostError):
                    kept = f"what is done is kept, go on with: {self.goes_on}"
                    raise LostError(error.what, kept) from error
            raise
        assert last is not None  # a run has at least one step
        return last

    def finish(self) -> None:
        """The run is complete: what it would have been resumed from is no longer needed."""
        self.resume_file.unlink(missing_ok=True)


def is_kept(checkpoint: Checkpoint) -> bool:
    """Whether a state of a run is among those that its history keeps."""
    count = checkpoint.recipe.checkpoints
    if checkpoint.pace is not None:
        return checkpoint.pace.keeps(checkpoint.step, count)
    return checkpoint.step in kept_steps(checkpoint.total_steps, count)


def kept_steps(total_steps: int, count: int) -> set[int]:
    """The steps whose checkpoints are kept: ``count`` evenly spaced ones, the last included.

    >>> sorted(kept_steps(100, 4)), sorted(kept_steps(2, 4))
    ([25, 50, 75, 100], [1, 2])
    """
    if total_steps <= count:
        return set(range(1, total_steps + 1))
    return {round(total_steps * i / count) for i in range(1, count + 1)}


def _is_free(folder: Path) -> bool:
    """Whether nothing is there but, at most, an empty folder."""
    return not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir()))
