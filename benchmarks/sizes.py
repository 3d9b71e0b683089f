"""What the side of the images is worth: the same recipe at several sides, for the same time.

    python benchmarks/sizes.py signs steel flowers --sizes 32 64 --epochs 28 --seeds 0

A pile is a name of `labelled_piles`, or a folder whose folders are called by the kinds.
The time is that of the processor, so that other programs change nothing: ``--seconds`` of training
are turned into epochs by the cost of a step. With ``--epochs`` each side gets as many epochs.
Labels are only compared with. One line of JSON a run; results and verdicts: benchmarks/LOG.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import labelled_piles as piles
import numpy as np
import torch

import shoal
from shoal.images.array import ArraySource
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.recipes.named import BEST
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import override
from shoal.scoring.evaluation import score
from shoal.training.schedule import steps_an_epoch
from shoal.training.start import start_run


def opened(pile: str, size: int) -> tuple[Any, np.ndarray]:
    """The images at that side, and their kinds. Arrays have one size of their own."""
    file = piles.SHARED / "piles" / f"{pile}.zip"
    if Path(pile).is_dir():
        file = Path(pile)
    if not file.exists():
        images, kinds = piles.load(pile, Path(tempfile.gettempdir()) / "shoal-piles")
        return ArraySource(images), kinds
    source = shoal.open_source(file, size=size)
    folders = [Path(i).parent.name for i in source.ids]
    return source, np.unique(folders, return_inverse=True)[1]


def cost(source: Any, recipe: Recipe) -> float:
    """Seconds of the processor that a step takes."""
    trial = start_run(source, recipe, "cpu")
    for step in range(1, 3):
        trial.take_step(source, step)
    began = time.process_time()
    for step in range(3, 6):
        trial.take_step(source, step)
    return (time.process_time() - began) / 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("piles", nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 48, 64, 96])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--seconds", type=float, help="of training; in place of --epochs")
    parser.add_argument("--epochs", type=float, default=BEST.epochs)
    parser.add_argument("--images", type=int, help="a random sample of so many")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    asked = parser.parse_args()
    for pile in asked.piles:
        for size in asked.sizes:
            source, kinds = opened(pile, size)
            if asked.images is not None:
                rows = sample_rows(len(source), asked.images, 0)
                source, kinds = Subset(source, rows), kinds[rows]
            n_clusters = len(np.unique(kinds[kinds >= 0]))
            recipe = override(replace(BEST, n_clusters=n_clusters), asked.settings)
            step = cost(source, recipe)
            epochs = asked.epochs
            if asked.seconds is not None:
                epochs = round(asked.seconds / step / steps_an_epoch(recipe, len(source)), 2)
            for seed in asked.seeds:
                measure(pile, source, kinds, replace(recipe, epochs=epochs, seed=seed), step)


def measure(pile: str, source: Any, kinds: np.ndarray, recipe: Recipe, step: float) -> None:
    began = time.process_time()
    *_, checkpoint = shoal.train(source, recipe, device="cpu")
    trained = time.process_time() - began
    _, table = shoal.cluster(source, checkpoint, thorough=False)
    known = kinds >= 0
    scores = score(table.labels[known], kinds[known])
    print(json.dumps({
        "pile": Path(pile).name, "images": len(source), "size": source.shape[0],
        "seed": recipe.seed, "epochs": recipe.epochs, "step": round(step, 3),
        "train_s": round(trained), "accuracy": round(scores.accuracy, 3),
        "nmi": round(scores.nmi, 3),
    }), flush=True)  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
