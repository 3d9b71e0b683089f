"""What two workers are worth: seconds a step of one process with two threads, of two workers with
one thread each under torchrun, and of two workers on a Ray.

    python benchmarks/scale_training.py [--rounds 3] [--steps 20] [--recipe best] [--device cpu]

The three take turns in each round, so that a busy moment meets all. A step is timed by the run's
own clock, from the end of the first step to the end of the last; what starting takes stands beside
it. On CUDA devices the first way is one process on one of them, and the others are two on two.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from shoal.images.array import ArraySource
from shoal.models.checkpoint import Checkpoint
from shoal.recipes.named import named
from shoal.recipes.recipe import Recipe

WAYS = ("alone", "torchrun", "ray")
N_IMAGES, SIDE = 4000, 32


def pile() -> ArraySource:
    """Noise: a step takes the same time on any images."""
    shape = (N_IMAGES, SIDE, SIDE, 3)
    return ArraySource(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def timed(states: Iterable[Checkpoint]) -> dict[str, float]:
    """Seconds a step, and seconds until the first step was done."""
    began, first, last = time.monotonic(), None, None
    start = 0.0
    for last in states:
        if first is None:
            first, start = (last.step, last.origin.seconds), time.monotonic() - began
    assert first is not None
    assert last is not None
    per_step = (last.origin.seconds - first[1]) / (last.step - first[0])
    return {"step": per_step, "start": start, "loss": last.history[-1]["loss"]}


def measure(way: str, recipe: Recipe, device: str) -> dict[str, float] | None:
    """Time one way in this process; None in a worker that only shares the steps."""
    import torch

    from shoal.training.allocator import keep_large_buffers
    from shoal.training.loop import train
    from shoal.training.workers import ProcessGroup

    keep_large_buffers()
    if way == "ray":
        from shoal.distributed.training import trainer

        return timed(trainer(pile, 2)(pile(), recipe, device=device))
    if way == "alone":
        return timed(train(pile(), recipe, device=device))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo")
    workers = ProcessGroup.here()
    found = timed(train(pile(), recipe, device=device, workers=workers))
    torch.distributed.destroy_process_group()
    return found if workers.rank == 0 else None


def started(way: str, words: list[str]) -> dict[str, float]:
    """Time one way in processes of its own."""
    threads = "2" if way == "alone" else "1"
    two = ["-m", "torch.distributed.run", "--nproc-per-node", "2"] if way == "torchrun" else []
    root = Path(__file__).resolve().parents[1]
    environment = dict(os.environ, OMP_NUM_THREADS=threads, PYTHONPATH=str(root))
    done = subprocess.run(
        [sys.executable, *two, __file__, *words, "--way", way],
        env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--way", choices=WAYS, help="time this one alone, in this process")
    given = parser.parse_args()
    recipe = replace(named(given.recipe), precision=given.precision, checkpoints=2)
    recipe = replace(recipe, epochs=given.steps * recipe.batch_size / N_IMAGES)
    if given.way is not None:
        found = measure(given.way, recipe, given.device)
        if found is not None:
            print(json.dumps(found))
        return
    rounds = [{way: started(way, sys.argv[1:]) for way in WAYS} for _ in range(given.rounds)]
    print(f"{given.recipe}, {given.precision}, {given.device}, seed {recipe.seed}, ", end="")
    print(f"{given.steps} steps, {given.rounds} rounds")
    print("\n| way | seconds a step | seconds to the first step | loss |\n|---|---|---|---|")
    for way in WAYS:
        of = [found[way] for found in rounds]
        print(f"| {way} | {spread([f['step'] for f in of])} | {spread([f['start'] for f in of])} | "
              f"{of[0]['loss']:.4f} |")  # fmt: skip
    print("\n| ratio, within a round | median (least to most) |\n|---|---|")
    for above, below in (("alone", "torchrun"), ("alone", "ray"), ("ray", "torchrun")):
        ratios = [found[above]["step"] / found[below]["step"] for found in rounds]
        print(f"| {above} / {below} | {spread(ratios)} |")


if __name__ == "__main__":
    main()
