"""What fits into the minutes that were asked for."""

from __future__ import annotations

import time

import numpy as np

from shoal.checkpoint import Checkpoint
from shoal.embedding import BATCH, embed
from shoal.protocols import ImageSource
from shoal.recipes import Recipe
from shoal.schedule import batch_size
from shoal.sources.subset import Subset
from shoal.steadiness import SAMPLE
from shoal.training import Run


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
    trial = Run.start(source, recipe, device, None, {})
    for step in (1, 2):  # the first steps also allocate and compile
        trial.take_step(source, step)
    began, seconds, step = time.monotonic(), 0.0, 2
    while step < 5 or seconds < min(4.0, minutes * 3):
        step += 1
        float(sum(trial.take_step(source, step).values()))  # waits for the device
        seconds = time.monotonic() - began
    per_step = seconds / (step - 2)
    # Two checkpoints are judged, the last and one along the way: see `steadiness.SAMPLE`.
    n_embedded = len(source) + 7 * min(len(source), SAMPLE)
    embedding = n_embedded * _seconds_to_embed(source, trial.checkpoint(step, 0.0), device)
    left = minutes * 60 * 0.95 - embedding
    steps = max(10, int(left / per_step))
    per_epoch = len(source) // batch_size(recipe, len(source))
    return round(steps / per_epoch, 3), per_step


def _seconds_to_embed(source: ImageSource, checkpoint: Checkpoint, device: str) -> float:
    """What embedding an image of ``source`` takes, by that of a few."""
    few = Subset(source, np.arange(min(len(source), BATCH // 2)))
    seconds = []
    for _ in range(2):  # the first time also allocates
        began = time.monotonic()
        embed(few, checkpoint, device=device)
        seconds.append(time.monotonic() - began)
    return min(seconds) / len(few)
