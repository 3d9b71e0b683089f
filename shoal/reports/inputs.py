"""The inputs of a report: checkpoints, the images they learned from, and labelled images."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from shoal import pipeline
from shoal.corrections.honoured import Corrections
from shoal.embedding.embed import batches
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError, DataError
from shoal.images.vectors.source import n_dimensions_of
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.plural import counted, pixels
from shoal.protocols import ImageSource, IntArray, Track, silent
from shoal.scoring import evaluation
from shoal.scoring.evaluation import Scores
from shoal.search.copies import content_of, digests
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
        """Read a checkpoint file.

        Raises:
            CheckpointError: it cannot be read, or has no clusters.
        """
        checkpoint = checkpoints.load(path)
        if not checkpoint.finished:
            raise CheckpointError(
                f"{path} is not finished: it was kept along the way. Give the final file, whose "
                "checkpoint history it is part of."
            )
        return Trained(path, checkpoint)

    @property
    def name(self) -> str:
        """How the report calls it."""
        return self.path.stem

    @property
    def history(self) -> CheckpointHistory:
        """The checkpoints kept along the way."""
        return CheckpointHistory(self.path)


@dataclass
class ReportInputs:
    """The checkpoints and images of a report. See `check` for what may be combined."""

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
    corrections: Corrections | None = None
    """By a person, of the clusters of `latest`."""
    device: str = "cpu"
    track: Track = silent

    @property
    def all(self) -> list[Trained]:
        """The checkpoints, in the order before, after, best, each file once."""
        given = [trained for trained in (self.before, self.after, self.best) if trained is not None]
        return list({trained.path.resolve(): trained for trained in given}.values())

    def check(self) -> None:
        """Check that the parts belong together.

        Raises:
            CheckpointError: there is no checkpoint, ``before`` or ``after`` stands alone, or a
                checkpoint learned from other images than ``train``.
            DataError: labels came without images, there are more kinds of labels than clusters, or
                an image to show does not exist.
        """
        if not self.all:
            raise CheckpointError("No checkpoint was given; give best, or both before and after.")
        if (self.before is None) != (self.after is None):
            alone, missing = ("after", "before") if self.before is None else ("before", "after")
            raise CheckpointError(
                f"{alone} needs {missing}; give both, or give this checkpoint as best."
            )
        digest = self.train.digest()  # reads every image: once
        for trained in self.all:
            shape = trained.checkpoint.image_shape
            if trained.checkpoint.n_dimensions != n_dimensions_of(self.train):
                raise CheckpointError(
                    f"{trained.path} learned from {_kind(trained.checkpoint.n_dimensions)}, but "
                    f"these are {_kind(n_dimensions_of(self.train))}; give what it learned from."
                )
            if not trained.checkpoint.n_dimensions and shape != self.train.shape:
                raise CheckpointError(
                    f"{trained.path} learned from images of {_size(shape)}, but these are of "
                    f"{_size(self.train.shape)}; give the images it learned from."
                )
            known = trained.checkpoint.origin.digest
            if known and known != digest:
                raise CheckpointError(
                    f"{trained.path} learned from other images: their digest is {known[:8]}…, that "
                    f"of these is {digest[:8]}…; give the images it learned from."
                )
        if self.labels is not None and self.images is None:
            raise DataError("labels needs images; give the labelled images, too.")
        if self.labels is not None:
            kinds = len(np.unique(self.labels))
            fewest = min(trained.checkpoint.recipe.n_clusters for trained in self.all)
            if kinds > fewest:
                raise DataError(
                    f"labels must be of at most {fewest} kinds, as many as there are clusters, got "
                    f"{kinds}; check the labels, or train with n_clusters={kinds}."
                )
        wrong = [index for index in self.show if not 0 <= index < len(self.train)]
        if wrong:
            raise DataError(
                f"show must name images from 0 to {len(self.train) - 1:,}, got {wrong[0]:,}."
            )

    @cached_property
    def measured(self) -> list[Measured]:
        """The measurements of each checkpoint of `all`, in that order."""
        return [measure(self, trained) for trained in self.all]

    @cached_property
    def main(self) -> Measured:
        """The checkpoint that reconstructions and clusters are shown of.

        The most accurate where there are labels; otherwise the latest.
        """
        if self.labels is not None:
            return max(self.measured, key=lambda m: m.scores.accuracy if m.scores else 0.0)
        return self.of(self.latest)

    @property
    def latest(self) -> Trained:
        """The checkpoint whose history is shown: the best, or the one after."""
        latest = self.best or self.after
        assert latest is not None  # see `check`
        return latest

    @property
    def honoured(self) -> Corrections | None:
        """The corrections in the clusters shown; None if these are of another checkpoint."""
        return self.corrections if self.main.trained is self.latest else None

    @cached_property
    def n_copies(self) -> int:
        """How many of the images learned from are the same as an earlier one, as they were seen."""
        seen: set[bytes] = set()
        for rows in batches(self.train):
            seen.update(digests(content_of(self.train, rows)))
        return len(self.train) - len(seen)

    def of(self, trained: Trained) -> Measured:
        """The measurements of a checkpoint of `all`, under whatever name it was given."""
        path = trained.path.resolve()
        return next(m for m in self.measured if m.trained.path.resolve() == path)


@dataclass(frozen=True)
class Measured:
    """A checkpoint and how good it is."""

    trained: Trained
    mse: float
    """The error of the reconstruction of all images learned from; NaN of vectors."""
    table: ImageTable | None
    """The labelled images, if any."""
    scores: Scores | None
    """With labels only."""


def parse_shown(text: str) -> tuple[int, ...]:
    """The rows of images in a text such as ``1,2,3``.

    Raises:
        DataError: the text is none.

    >>> parse_shown("1, 2,9")
    (1, 2, 9)
    """
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise DataError(
            f"show must be whole numbers between commas, such as 1,2,3, got {text!r}."
        ) from None


def measure(inputs: ReportInputs, trained: Trained) -> Measured:
    """Reconstruct all images learned from, and compare with labels if there are any."""
    table = scores = None
    if inputs.images is not None:
        table = pipeline.predict(
            inputs.images, trained.checkpoint, device=inputs.device, track=inputs.track
        )
    if inputs.labels is not None and table is not None:
        scores = evaluation.score(table.labels, inputs.labels)
    if trained.checkpoint.n_dimensions:  # nothing reconstructs vectors
        return Measured(trained, float("nan"), table, scores)
    with fast(inputs.device):
        mse = reconstruction_mse(
            inputs.train, trained.checkpoint, device=inputs.device, track=inputs.track
        )
    return Measured(trained, mse, table, scores)


def fast(device: str) -> AbstractContextManager[None]:
    """A context in which networks run in bf16 where that is fast.

    For what is measured many times over: it moves the MSE by less than a thousandth of itself
    (benchmarks/LOG.md).
    """
    return torch.autocast(device, torch.bfloat16, enabled=fast_bf16(device))


def _size(shape: tuple[int, int, int]) -> str:
    return pixels(*shape)


def _kind(n_dimensions: int) -> str:
    return f"vectors of {counted(n_dimensions, 'number')}" if n_dimensions else "images"
