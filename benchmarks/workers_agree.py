"""How long the losses of two workers, and of two threads, are those of one thread in fp32.

    python benchmarks/workers_agree.py

Forty steps of each recipe on 310 made images, seed 0, three times: one thread, two threads, and two
workers of one thread under torchrun. Prints a table for docs/cluster.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from shoal.images.array import ArraySource
from shoal.recipes.named import BASELINE, BEST, DIGITS, IMPROVED
from shoal.training.loop import train
from shoal.training.workers import ALONE, process_group

STEPS, WANTED = 40, 1e-4
RECIPES = ((BASELINE, 8, 3), (IMPROVED, 16, 3), (BEST, 16, 3), (DIGITS, 8, 1))
"""Each with the side and the channels of its images."""
TORCHRUN = (
    "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d",
    "--rdzv-endpoint", "localhost:0",
)  # fmt: skip


def pile(side: int, channels: int) -> ArraySource:
    """Blurred noise: images that differ."""
    coarse = torch.rand(310, channels, 3, 3, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")
    return ArraySource((255 * smooth).permute(0, 2, 3, 1).numpy().astype(np.uint8))


def learn(threads: int, out: Path) -> None:
    """Write the losses of the steps of each recipe, as JSON, to ``out``."""
    torch.set_num_threads(threads)
    losses = {}
    with process_group("gloo") if "RANK" in os.environ else nullcontext(ALONE) as workers:
        for recipe, side, channels in RECIPES:
            asked = replace(recipe, precision="fp32", epochs=9)  # each step has a row
            steps = train(pile(side, channels), asked, workers=workers)
            losses[recipe.name] = [state.history[-1]["loss"] for state in islice(steps, STEPS)]
        if workers.rank == 0:
            out.write_text(json.dumps(losses))


def losses_of(threads: int, *launcher: str) -> dict[str, list[float]]:
    """What `learn` writes in a process of its own, or in several by ``launcher``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "losses.json"
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        subprocess.run(
            [sys.executable, *launcher, __file__, str(threads), str(out)], check=True,
            env=environment,
        )  # fmt: skip
        return dict(json.loads(out.read_text()))


def main() -> None:
    alone = losses_of(1)
    others = {"two workers": losses_of(1, *TORCHRUN), "two threads": losses_of(2)}
    print(f"| recipe | against one thread | first 4 steps | first step beyond {WANTED} | at most |")
    print("|---|---|---|---|---|")
    for name in alone:
        for who, losses in others.items():
            apart = np.abs(np.subtract(losses[name], alone[name]))
            beyond = np.flatnonzero(apart > WANTED)
            first = str(beyond[0] + 1) if len(beyond) else f"none of {STEPS}"
            print(f"| {name} | {who} | {apart[:4].max():.0e} | {first} | {apart.max():.0e} |")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        learn(int(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
