"""A sample of images and two augmented views of each, in the clusters of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.embedding.reduce import reduce
from shoal.embedding.table import ImageTable
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource, Track, silent
from shoal.scoring import quality
from shoal.scoring.appearance import identities
from shoal.scoring.assignment import assign, calibration_of
from shoal.scoring.consistency import combine, view_agreement
from shoal.scoring.evaluation_views import evaluation_views
from shoal.training.augmented_source import SAMPLE, AugmentedSource, views_of


@dataclass(frozen=True)
class UnderAugmentation:
    """A sample of images and two views of each, in their clusters."""

    images: AugmentedSource
    table: ImageTable
    views: tuple[ImageTable, ImageTable]

    @cached_property
    def view_agreement(self) -> float:
        """Agreement of the clusters of the images and of two views of them, in [-0.5, 1]."""
        return view_agreement([table.labels for table in (self.table, *self.views)])

    @cached_property
    def recognition(self) -> float:
        """Share of images with their own other view among the 20 nearest, in [0, 1]."""
        identity = identities(self.images, np.arange(len(self.images)))
        first, second = (view.embedding for view in self.views)
        return quality.recognition(first, second, identity=identity)

    @property
    def consistency(self) -> float:
        """The two in one, see `combine`."""
        return combine(self.view_agreement, self.recognition)


def predict_views(
    source: ImageSource, checkpoint: Checkpoint, *, most: int, seed: int, device: str = "cpu",
    track: Track = silent,
) -> UnderAugmentation:  # fmt: skip
    """Predict a sample of images as they are, and as they might as well have been taken.

    Args:
        source: the images.
        checkpoint: a finished one.
        most: a larger pile is looked at through a random sample of this many.
        seed: of the sample and the views.
        device: where the encoder runs.
        track: shows progress.
    """
    shown = views_of(source, evaluation_views(checkpoint), most=most, seed=seed)
    clustering, calibrated = clustering_of(checkpoint), calibration_of(checkpoint)
    tables = [
        assign(
            images, reduce(images, checkpoint, device=device, track=track), clustering, calibrated
        )
        for images in shown
    ]
    return UnderAugmentation(shown[0], tables[0], (tables[1], tables[2]))


class Survival(NamedTuple):
    """What is left of a checkpoint's groups when its images are shown differently."""

    consistency: float
    """See `combine`, in [0, 1]."""
    recognition: float
    """See `UnderAugmentation.recognition`, in [0, 1]; it does not depend on the groups."""


def survival_of(source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu") -> Survival:
    """Show the images of a finished checkpoint differently, and see what stays as it was.

    Args:
        source: the images that the clusters were found in.
        checkpoint: a finished one.
        device: where the encoder runs.
    """
    calibrated = calibration_of(checkpoint)
    if calibrated is not None:  # the same images were shown then
        signals = calibrated.signals
        return Survival(round(signals.consistency, 4), round(signals.recognition, 4))
    seed = checkpoint.recipe.seed
    seen = predict_views(source, checkpoint, most=SAMPLE, seed=seed, device=device)
    return Survival(round(seen.consistency, 4), round(seen.recognition, 4))
