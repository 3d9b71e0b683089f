"""What two workers are worth: seconds a step of one process with two threads, of two workers with
one thread each under torchrun, and of two workers on a Ray.

    python benchmarks/scale_training.py [--rounds 3] [--steps 20] [--recipe best] [--device cpu]
    python benchmarks/scale_training.py --device cuda --ways alone torchrun

The three take turns in each round, so that a busy moment meets all. Steps are timed by the run's
own clock, the first one apart: "quick" is the quickest tenth of them, which other work on the
machine disturbs least; "median" is what it was. What starting takes stands beside it. On CUDA
devices the first way is one process on one of them, and the others are two on two; under torchrun
they share one, if there is only one.
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
    """Seconds a step, of the quickest tenth and of the median; and until the first was done."""
    began, start = time.monotonic(), 0.0
    history: list[dict[str, float]] = []
    for state in states:
        start, history = start or time.monotonic() - began, state.history
    steps = np.diff([row["seconds"] for row in history])  # a row a step
    quick, median = np.quantile(steps, [0.1, 0.5])
    return {"quick": quick, "median": median, "start": start, "loss": history[-1]["loss"]}


def measure(way: str, recipe: Recipe, device: str) -> dict[str, float] | None:
    """Time one way in this process; None in a worker that only shares the steps."""
    import torch

    from shoal.distributed.order import backend
    from shoal.training.allocator import keep_large_buffers
    from shoal.training.loop import train
    from shoal.training.workers import ProcessGroup

    keep_large_buffers()
    if way == "ray":
        from shoal.distributed.training import trainer

        return timed(trainer(pile, 2)(pile(), recipe, device=device))
    if way == "alone":
        return timed(train(pile(), recipe, device=device))
    exchange = backend(device)
    if device == "cuda":
        rank, n_devices = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        torch.cuda.set_device(rank % n_devices)
        if int(os.environ["LOCAL_WORLD_SIZE"]) > n_devices:  # NCCL refuses to share a device
            exchange = "gloo"
    torch.distributed.init_process_group(exchange)
    workers = ProcessGroup.here()
    found = timed(train(pile(), recipe, device=device, workers=workers))
    torch.distributed.destroy_process_group()
    return found if workers.rank == 0 else None


def started(way: str, words: list[str]) -> dict[str, float]:
    """Time one way in processes of its own."""
    threads = "2" if way == "alone" else "1"
    two = ["-m", "torch.distributed.run", "--nproc-per-node", "2"] if way == "torchrun" else []
    root = Path(__file__).resolve().parents[1]
    # As the command sets it, so that threads that wait for one another give up their core soon.
    spin = {"GOMP_SPINCOUNT": "10000"}
    environment = dict(os.environ, OMP_NUM_THREADS=threads, PYTHONPATH=str(root), **spin)
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
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--way", choices=WAYS, help="time this one alone, in this process")
    given = parser.parse_args()
    recipe = replace(named(given.recipe), precision=given.precision, checkpoints=2)
    recipe = replace(recipe, epochs=given.steps * recipe.batch_size / N_IMAGES)
    if given.way is not None:
        found = measure(given.way, recipe, given.device)
        if found is not None:
            print(json.dumps(found))
        return
    rounds = []
    for _ in range(given.rounds):
        rounds.append({way: started(way, sys.argv[1:]) for way in given.ways})
        print(json.dumps(rounds[-1]), file=sys.stderr, flush=True)
    print(f"{given.recipe}, {given.precision}, {given.device}, seed {recipe.seed}, ", end="")
    print(f"{given.steps} steps, {given.rounds} rounds: median (least to most)\n")
    print("| | quick | median | seconds to the first step | loss |\n|---|---|---|---|---|")
    for way in given.ways:
        of = [found[way] for found in rounds]
        told = [spread([found[name] for found in of]) for name in ("quick", "median", "start")]
        print(f"| {way} | {' | '.join(told)} | {of[0]['loss']:.4f} |")
    for above, below in (("alone", "torchrun"), ("alone", "ray"), ("ray", "torchrun")):
        if not {above, below} <= set(given.ways):
            continue
        told = [
            spread([found[above][name] / found[below][name] for found in rounds])
            for name in ("quick", "median")
        ]
        print(f"| {above} / {below} | {' | '.join(told)} | | |")


if __name__ == "__main__":
    main()
