"""How long a run takes, for the commands that train: the minutes asked for, and what fits in."""

from __future__ import annotations

import time
from collections.abc import Callable

from shoal.budget import UNCERTAIN, Speed, limit_for
from shoal.cli.request import Request
from shoal.distributed import torchrun
from shoal.models.checkpoint import Checkpoint
from shoal.plots.reading_time import seconds_to_pack
from shoal.plural import counted, rounded
from shoal.protocols import ImageSource
from shoal.recipes.efforts import DEFAULT_EFFORT, EFFORTS
from shoal.recipes.recipe import Recipe
from shoal.training.time_limit import MEASURED_SHARE, TimeLimit


def within_minutes(
    source: ImageSource, request: Request, before: Checkpoint | None, device: str,
    pictures: float, recipe: Recipe,
) -> tuple[TimeLimit, Recipe, Speed]:  # fmt: skip
    """The time limit of --minutes, the recipe with as many epochs as fit, and the speed."""
    assert request.minutes is not None
    pace = None if before is None else before.pace
    limit, timed, speed = limit_for(
        source, recipe, minutes=request.minutes, began=request.began,
        spent_before=0.0 if pace is None else pace.seconds, reports=request.hands_over,
        pictures=pictures, device=device, workers=request.workers or torchrun.n_workers(),
    )  # fmt: skip
    return limit, recipe if before is not None else timed, speed


def foretold(
    limit: TimeLimit, recipe: Recipe, speed: Speed, request: Request, before: Checkpoint | None
) -> list[str]:
    """What the minutes are enough for, after all that comes before training."""
    minutes = counted(request.minutes or 0, "minute")
    time_is = f"{minutes} {'is' if request.minutes == 1 else 'are'}"
    if limit.left() - limit.reserved() < 10 * speed.step:
        return [
            f"{time_is} too short for this pile: a few steps are made, and the rest takes as long "
            "as it takes"
        ]
    if before is not None:
        return []
    least, most = rounded(recipe.epochs / UNCERTAIN), rounded(recipe.epochs)
    return [
        f"{time_is} enough for about {least} to {counted(most, 'epoch')} at {speed.step:.3f} s a "
        "step or more; the speed is measured all the time, and the run made to fit"
    ]


def seconds_for_history(
    source: ImageSource, finished: Checkpoint, request: Request
) -> Callable[[], float]:
    """What measuring the checkpoints along the way may take in a run, asked when it begins.

    Of a run with a time limit that is what is left but for a little for the page; of another a
    tenth of the training time, or 10 seconds if that is more.
    """
    packing = 0.0 if request.minutes is None else seconds_to_pack(source)

    def left() -> float:
        if request.minutes is None or request.began is None:
            return max(10.0, MEASURED_SHARE * finished.origin.seconds)
        spent = time.monotonic() - request.began + finished.origin.earlier_seconds
        page = 4.0 + 2e-4 * finished.n_images + packing
        return request.minutes * 60 - spent - page

    return left


def other_efforts(source: ImageSource, request: Request) -> str:
    """What a quick and a thorough run would take, where nothing was said of the length."""
    if not request.length_is_default:
        return ""
    sides = getattr(source, "sides_by_effort", {})
    times = {
        name: effort.times * (sides.get(name, 1) / sides.get(DEFAULT_EFFORT, 1)) ** 2
        for name, effort in EFFORTS.items()
    }
    return (
        f"; --quick takes about {times['quick']:.0%} of that, --thorough about "
        f"{times['thorough']:.0f} times as long"
    )
