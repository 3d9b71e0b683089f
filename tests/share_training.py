"""A few steps of several recipes, alone or under torchrun; run by test_workers.py, no test itself.

Prints JSON: of each recipe the loss, the spread and the digest of the weights after each step.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch

from shoal.images.array import ArraySource
from shoal.protocols import Workers
from shoal.recipes.named import BASELINE, BEST, DIGITS, IMPROVED
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.training.loop import train
from shoal.training.workers import ALONE, process_group

MOCO = replace(
    BEST, name="moco",
    objectives=(Part("moco", {"queue_size": 50}), Part("reconstruction", {"fraction": 0.5})),
)  # fmt: skip
STEPS = 4


def pile(n: int, side: int, channels: int) -> ArraySource:
    """Blurred noise: images that differ."""
    coarse = torch.rand(n, channels, 3, 3, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")
    return ArraySource((255 * smooth).permute(0, 2, 3, 1).numpy().astype(np.uint8))


def main() -> None:
    torch.set_num_threads(1)
    with process_group("gloo") if "RANK" in os.environ else nullcontext(ALONE) as workers:
        compare(workers)


def compare(workers: Workers) -> None:
    groups = np.where(np.arange(310) < 60, np.arange(310) % 3, -1)
    cases: list[tuple[str, Recipe, ArraySource, Any]] = [
        ("baseline", BASELINE, pile(310, 8, 3), None),
        ("improved", IMPROVED, pile(310, 16, 3), None),
        ("best", BEST, pile(310, 16, 3), groups),
        ("digits", DIGITS, pile(310, 8, 1), None),
        ("moco", MOCO, pile(310, 8, 3), None),
        # A step of two images: one for each of two workers, and no code to decode for the second.
        ("tiny", BEST, pile(25, 8, 3), None),
        ("whitened", replace(BEST, encoder=Part("whitened")), pile(310, 8, 3), None),
    ]
    said: dict[str, Any] = {}
    for name, recipe, source, known in [*cases, ("again", *cases[2][1:])]:
        recipe = replace(recipe, precision="fp32", epochs=9)  # each step has a row
        steps = train(source, recipe, groups=known, workers=workers)
        said[name] = [
            (state.history[-1]["loss"], state.history[-1]["spread"], state.weights_digest())
            for state in islice(steps, STEPS)
        ]
    if workers.rank == 0:
        json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
