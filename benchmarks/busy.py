"""What a training step of `best` takes beside a process that keeps one core busy, and alone.

    python benchmarks/busy.py                 # about 3 minutes on 2 cores
    python benchmarks/busy.py --blocks 6 --steps 4

Each way of waiting for the other thread works in a process of its own; the ways take turns, so
that all meet the same machine, and in each turn every way works alone and beside the load. The
ratio is taken turn by turn. OpenMP's settings must stand before PyTorch is loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from machine import DATA, commit, machine
from turns import Side, once

# Not "active": its second thread spins while the other ways are timed, and is a load of its own.
WAYS: dict[str, dict[str, str]] = {
    "as it is": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin a little": {"GOMP_SPINCOUNT": "10000"},
    "one thread": {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    # As in a run with --minutes; give it blocks of 25 steps and more to choose in.
    "chosen threads": {"GOMP_SPINCOUNT": "10000"},
    "four threads": {"OMP_NUM_THREADS": "4", "GOMP_SPINCOUNT": "10000"},
}


def main() -> None:
    """Measure, and print a line of JSON a way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--blocks", type=int, default=5, help="turns of each way")
    parser.add_argument("--steps", type=int, default=3, help="steps a turn")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "images.npy")
        once("images", path=path, n=8500, base=str(options.data / "trainX.npy"))
        how = {"path": path, "way": "shoal", "keep": True, "warm": 3}
        sides = {
            way: Side("training", WAYS[way], **how, choose=way == "chosen threads")
            for way in options.ways
        }
        for side in sides.values():
            side.__enter__()
        alone: dict[str, list[float]] = {way: [] for way in sides}
        beside: dict[str, list[float]] = {way: [] for way in sides}
        for _ in range(options.blocks):
            for way, side in sides.items():
                alone[way].append(side(options.steps)["seconds"])
                load = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                try:
                    beside[way].append(side(options.steps)["seconds"])
                finally:
                    load.kill()
                    load.wait()
        for side in sides.values():
            side.__exit__()
    about = {"commit": commit(), "machine": machine(), "load": round(os.getloadavg()[0], 2)}
    print(json.dumps(about))
    first = next(iter(sides))
    for way in sides:
        slower = [b / a for a, b in zip(alone[way], beside[way], strict=True)]
        print(json.dumps({
            "way": way,
            "alone": round(median(alone[way]), 4),
            "beside": round(median(beside[way]), 4),
            "beside_to_alone": [round(q, 2) for q in (min(slower), median(slower), max(slower))],
            "alone_to_first": round(median(
                a / b for a, b in zip(alone[way], alone[first], strict=True)), 3),
        }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
