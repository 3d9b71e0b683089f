"""What fits into the minutes that were asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from shoal.embedding.embed import BATCH, embed
from shoal.images.subset import Subset
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe
from shoal.training.augmented_source import SAMPLE
from shoal.training.schedule import batch_size
from shoal.training.start import start_run


def epochs_for(
    source: ImageSource, recipe: Recipe, *, minutes: float, device: str = "cpu"
) -> tuple[float, float]:
    """How many epochs fit into ``minutes``, by the speed of a few seconds on a throw-away model.

    Left out is what embedding all images and judging the checkpoints will take, and a twentieth
    for clustering.

    Args:
        source: at least 2 images.
        recipe: what is to be done; its epochs do not matter.
        minutes: by the clock, for training, embedding and clustering together.
        device: cpu or cuda.

    Returns:
        The epochs, at least enough for 10 steps, and the measured seconds a step.
    """
    speed = measure(source, recipe, most=minutes * 3, device=device)
    return speed.epochs(source, recipe, minutes * 60 * 0.95 - speed.embedding(source)), speed.step


@dataclass(frozen=True)
class Speed:
    """What this machine took just now."""

    step: float
    """Seconds a training step."""
    image: float
    """Seconds to embed an image."""

    def embedding(self, source: ImageSource) -> float:
        """Seconds to embed all images and to judge two checkpoints, the last and one before it."""
        return (len(source) + 7 * min(len(source), SAMPLE)) * self.image

    def clustering(self, source: ImageSource, n_clusters: int) -> float:
        """Seconds to divide the images and to calibrate confidence, where nothing else works."""
        return 2.0 + 4e-4 * len(source) + 0.1 * n_clusters

    def embedding_again(self, source: ImageSource) -> float:
        """Seconds to embed all images for the prediction, and some for the report."""
        return 2 * len(source) * self.image

    def drawing(self, source: ImageSource) -> float:
        """Seconds to draw the map and the report, where nothing else works; not the history."""
        return 6.0 + 3e-3 * min(len(source), 5000) + 4e-4 * len(source)

    def epochs(self, source: ImageSource, recipe: Recipe, seconds: float) -> float:
        """How many epochs fit into ``seconds`` of training, at least enough for 10 steps."""
        steps = max(10, int(seconds / self.step))
        return round(steps / (len(source) // batch_size(recipe, len(source))), 3)


def measure(
    source: ImageSource, recipe: Recipe, *, most: float = 4.0, device: str = "cpu"
) -> Speed:
    """The speed of a throw-away model in ``most`` seconds, and no more than 4."""
    trial = start_run(source, recipe, device)
    for step in (1, 2):  # the first steps also allocate and compile
        trial.take_step(source, step)
    began, seconds, step = time.monotonic(), 0.0, 2
    while step < 5 or seconds < min(4.0, most):
        step += 1
        float(sum(trial.take_step(source, step).values()))  # waits for the device
        seconds = time.monotonic() - began
    per_step = seconds / (step - 2)
    return Speed(per_step, _seconds_to_embed(source, trial.checkpoint(step, 0.0), device))


def _seconds_to_embed(source: ImageSource, checkpoint: Checkpoint, device: str) -> float:
    """What embedding an image of ``source`` takes, by that of a few."""
    few = Subset(source, np.arange(min(len(source), BATCH // 2)))
    seconds = []
    for _ in range(2):  # the first time also allocates
        began = time.monotonic()
        embed(few, checkpoint, device=device)
        seconds.append(time.monotonic() - began)
    return min(seconds) / len(few)
