"""What a report is about: checkpoints, the images they learned from, and, if any, labelled ones."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from shoal import pipeline
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError, DataError
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.protocols import ImageSource, IntArray, Track, silent
from shoal.scoring import evaluation
from shoal.scoring.evaluation import Scores
from shoal.training.devices import fast_bf16

SHOWN = (1, 2, 3, 6, 7, 9)
"""The images that the assignment asks to see reconstructed."""


@dataclass
class Trained:
    """A finished checkpoint and its history."""

    path: Path
    checkpoint: Checkpoint

    @staticmethod
    def load(path: Path) -> Trained:
        """Read one.

        Raises:
            CheckpointError: it cannot be read, or has no clusters.
        """
        checkpoint = checkpoints.load(path)
        if not checkpoint.finished:
            raise CheckpointError(
                f"{path}: a finished checkpoint is expected, and this one was kept along the way; "
                "give the final file, whose checkpoint history this is part of."
            )
        return Trained(path, checkpoint)

    @property
    def name(self) -> str:
        """How the report calls it."""
        return self.path.stem

    @property
    def history(self) -> CheckpointHistory:
        """What was kept along the way."""
        return CheckpointHistory(self.path)


@dataclass
class Subject:
    """What a report is about. See `check` for what may be combined."""

    train: ImageSource
    """The images learned from."""
    before: Trained | None = None
    after: Trained | None = None
    best: Trained | None = None
    images: ImageSource | None = None
    """Images to measure on; may be those learned from."""
    labels: IntArray | None = None
    """int64 (n,): what they are. Measures, never trains."""
    show: tuple[int, ...] = SHOWN
    """Images of ``train`` to reconstruct, by index."""
    device: str = "cpu"
    track: Track = silent

    @property
    def all(self) -> list[Trained]:
        """The checkpoints, in the order before, after, best, each file once."""
        named = [one for one in (self.before, self.after, self.best) if one is not None]
        return list({one.path.resolve(): one for one in named}.values())

    def check(self) -> None:
        """Raise one sentence if the parts do not belong together.

        Raises:
            CheckpointError: no checkpoint, one of other images or of another shape, or one before
                and none after.
            DataError: labels without images, more kinds of them than clusters can name, or an
                image to show that does not exist.
        """
        if not self.all:
            raise CheckpointError(
                "at least one checkpoint is expected, and none came; give --best, or --before and "
                "--after."
            )
        if (self.before is None) != (self.after is None):
            came, missing = ("after", "before") if self.before is None else ("before", "after")
            raise CheckpointError(
                f"both --before and --after are expected, and --{came} came alone; give "
                f"--{missing} too, or this one as --best."
            )
        came_print = self.train.digest()  # reads every image: once
        for one in self.all:
            if one.checkpoint.image_shape != self.train.shape:
                raise CheckpointError(
                    f"{one.path} learned from images of {_size(one.checkpoint.image_shape)}, and "
                    f"these are of {_size(self.train.shape)}; give the images it learned from."
                )
            known = one.checkpoint.provenance.get("fingerprint")
            if known is not None and known != came_print:
                raise CheckpointError(
                    f"{one.path} learned from other images than these: by the digest of their "
                    f"pixels {known[:8]}…, and {came_print[:8]}… came; give the "
                    "images it learned from."
                )
        if self.labels is not None and self.images is None:
            raise DataError("labels came without images; give --images too.")
        if self.labels is not None:
            kinds = len(np.unique(self.labels))
            fewest = min(one.checkpoint.recipe.n_clusters for one in self.all)
            if kinds > fewest:
                raise DataError(
                    f"at most {fewest} kinds of labels are expected, as many as clusters can name, "
                    f"and {kinds} came; check the labels, or train with -k {kinds}."
                )
        wrong = [index for index in self.show if not 0 <= index < len(self.train)]
        if wrong:
            raise DataError(
                f"images to show are expected from 0 to {len(self.train) - 1:,}, and {wrong[0]:,} "
                "came; change --show."
            )

    @cached_property
    def measured(self) -> list[Measured]:
        """What was measured of each of `all`, in that order."""
        return [measure(self, one) for one in self.all]

    @cached_property
    def main(self) -> Measured:
        """The checkpoint that reconstructions and clusters are shown of.

        The most accurate where there are labels; otherwise the latest.
        """
        if self.labels is not None:
            return max(self.measured, key=lambda one: one.scores.accuracy if one.scores else 0.0)
        return self.of(self.latest)

    @property
    def latest(self) -> Trained:
        """The checkpoint whose history is shown: the best, or the one after."""
        latest = self.best or self.after
        assert latest is not None  # see `check`
        return latest

    def of(self, trained: Trained) -> Measured:
        """What was measured of one of `all`, whatever the name it came under."""
        path = trained.path.resolve()
        return next(one for one in self.measured if one.trained.path.resolve() == path)


@dataclass(frozen=True)
class Measured:
    """A checkpoint and how good it is."""

    trained: Trained
    mse: float
    """Of the reconstruction of all images learned from."""
    table: ImageTable | None
    """The labelled images, if any."""
    scores: Scores | None
    """With labels only."""


def parse_shown(text: str) -> tuple[int, ...]:
    """The places of images in ``1,2,3``.

    Raises:
        DataError: something else.

    >>> parse_shown("1, 2,9")
    (1, 2, 9)
    """
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise DataError(
            f"images to show are expected as whole numbers between commas, like 1,2,3, and "
            f"{text!r} came."
        ) from None


def measure(subject: Subject, one: Trained) -> Measured:
    """Reconstruct all images learned from, and compare with labels if there are any."""
    table = scores = None
    if subject.images is not None:
        table = pipeline.predict(
            subject.images, one.checkpoint, device=subject.device, track=subject.track
        )
    if subject.labels is not None and table is not None:
        scores = evaluation.score(table.labels, subject.labels)
    with fast(subject.device):
        mse = reconstruction_mse(
            subject.train, one.checkpoint, device=subject.device, track=subject.track
        )
    return Measured(one, mse, table, scores)


def fast(device: str) -> AbstractContextManager[None]:
    """A context in which networks run in bf16 where that is fast.

    For what is measured many times over: it moves the MSE by less than a thousandth of itself
    (benchmarks/LOG.md).
    """
    return torch.autocast(device, torch.bfloat16, enabled=fast_bf16(device))


def _size(shape: tuple[int, int, int]) -> str:
    return " × ".join(map(str, shape))
