"""How long a run takes, and how much training fits into a number of minutes.

Both follow from the speed of a few seconds' training of a throw-away model.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from shoal.embedding.embed import BATCH, embed
from shoal.images.subset import Subset
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe
from shoal.training.augmented_source import SAMPLE
from shoal.training.schedule import batch_size, n_steps, steps_an_epoch
from shoal.training.start import start_run
from shoal.training.time_limit import MEASURED_SHARE, TimeLimit

_BRIEFLY = 0.5
"""Seconds of steps that a forecast is made from, at least."""
_MOST_PICTURES = 0.15
"""No more than this share of the minutes is kept free to read originals: a few large files among
those that are timed say too much of the others, and training must not starve for it."""
UNCERTAIN = 1.4
"""A run takes up to this many times its forecast: other programs and heat slow a machine down. Runs
with a time limit made the forecast epochs, and down to this part of them."""


def limit_for(
    source: ImageSource, recipe: Recipe, *, minutes: float, began: float | None = None,
    spent_before: float = 0.0, reports: bool = False, pictures: float = 0.0, device: str = "cpu",
    workers: int = 1,
) -> tuple[TimeLimit, Recipe, Speed]:  # fmt: skip
    """Return a time limit, and the recipe with as many epochs as fit into it.

    What follows training is left free: embedding, clustering, calibrating and judging. The limit
    makes the run longer or shorter on the way, so the epochs are a first guess.

    Args:
        source: the images, at least 2.
        recipe: its epochs do not matter.
        minutes: for everything, by the clock.
        began: when the minutes began, by `time.monotonic`; None: now.
        spent_before: seconds that a run had taken before it was interrupted.
        reports: whether a map and a report follow, within the minutes.
        pictures: seconds that reading originals for these takes, see `plots.reading_time`.
        device: cpu or cuda.
        workers: how many processes share a step.

    Returns:
        The limit, the recipe and the measured speed. The epochs make 10 steps at least.
    """
    began = time.monotonic() if began is None else began
    speed = measure(source, recipe, most=minutes * 3, device=device, workers=workers)
    after, writing = speed.embedding(source), 0.0
    fixed = speed.clustering(source, recipe.n_clusters)
    if reports:
        writing = speed.embedding_again(source)
        after += writing
        fixed += speed.drawing(source) + minutes * 60 * MEASURED_SHARE
        fixed += min(pictures, minutes * 60 * _MOST_PICTURES)
    limit = TimeLimit(
        minutes * 60, began=began, spent_before=spent_before, after=after, fixed=fixed,
        step=speed.step, writing=writing,
    )  # fmt: skip
    epochs = speed.epochs(source, recipe, limit.left() - limit.reserved())
    return limit, replace(recipe, epochs=epochs), speed


def forecast(
    source: ImageSource, recipe: Recipe, *, epochs_before: float = 0.0,
    reports: bool = False, pictures: float = 0.0, device: str = "cpu", workers: int = 1,
) -> tuple[float, float]:  # fmt: skip
    """Return how many seconds a run without a time limit takes, at least and at most, roughly.

    Costs a second or a few steps, whichever takes longer. `plural.duration` writes the range out.

    Args:
        source: the images, at least 2.
        recipe: decides the run.
        epochs_before: epochs that a resumed run has behind it.
        reports: whether a map and a report follow.
        pictures: see `limit_for`.
        device: cpu or cuda.
        workers: how many processes share a step.
    """
    speed = measure(source, recipe, most=_BRIEFLY, device=device, workers=workers)
    left = max(0.0, 1.0 - epochs_before / recipe.epochs)
    training = left * n_steps(recipe, len(source)) * speed.step
    least = training + speed.embedding(source) + speed.clustering(source, recipe.n_clusters)
    most = least
    if reports:
        least += speed.embedding_again(source) + speed.drawing(source) + pictures
        most = least + max(10.0, MEASURED_SHARE * training)
    return least, UNCERTAIN * most


@dataclass(frozen=True)
class Speed:
    """The speed of this machine, measured just now."""

    step: float
    """Seconds a training step."""
    image: float
    """Seconds to embed an image."""

    def embedding(self, source: ImageSource) -> float:
        """Seconds to embed all images and to judge two checkpoints, the last and an earlier one."""
        return (len(source) + 7 * min(len(source), SAMPLE)) * self.image

    def clustering(self, source: ImageSource, n_clusters: int) -> float:
        """Seconds to cluster the images and to calibrate confidence, on an idle machine."""
        return 2.0 + 4e-4 * len(source) + 0.1 * n_clusters

    def embedding_again(self, source: ImageSource) -> float:
        """Seconds to embed and reconstruct images for a report."""
        return len(source) * self.image

    def drawing(self, source: ImageSource) -> float:
        """Seconds to draw the map and the report, where nothing else works.

        What it takes to measure the history and to read originals comes on top.
        """
        return 6.0 + 3e-3 * min(len(source), 5000) + 4e-4 * len(source)

    def epochs(self, source: ImageSource, recipe: Recipe, seconds: float) -> float:
        """How many epochs fit into ``seconds`` of training; they make 10 steps at least."""
        steps = max(10, int(seconds / self.step))
        return round(steps / steps_an_epoch(recipe, len(source)), 3)


def measure(
    source: ImageSource, recipe: Recipe, *, most: float = 4.0, device: str = "cpu",
    workers: int = 1,
) -> Speed:  # fmt: skip
    """Measure the speed with a throw-away model, for ``most`` seconds and no more than 4.

    Of several workers that is the speed of one with its share of a step.
    """
    share = -(-batch_size(recipe, len(source)) // workers)
    recipe = replace(recipe, batch_size=max(2, share))
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
    """Seconds to embed an image of ``source``, by those of a few."""
    few = Subset(source, np.arange(min(len(source), BATCH // 2)))
    seconds = []
    for _ in range(2):  # the first time also allocates
        began = time.monotonic()
        embed(few, checkpoint, device=device)
        seconds.append(time.monotonic() - began)
    return min(seconds) / len(few)
