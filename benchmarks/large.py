"""Whether a pile of a million images costs more memory, or more time a step, than a small one.

    python benchmarks/large.py                        # all: 3 GB of disk, long
    python benchmarks/large.py --only steps           # some of it: steps, train, predict
    python benchmarks/large.py --quick                # only try it, on few images; rows are marked
    python benchmarks/large.py --table                # only print what has been measured

The pile is the assignment's photographs (or made-up images) again and again with noise, 32 × 32
pixels, in a temporary file.

- ``steps``: steps of `best` on 1,000,000 images and on 8,500, in processes of their own that take
  turns; told are seconds by the clock, processor seconds, which other work on the machine changes
  less, and the most memory.
- ``train``: `shoal train` on 1,000,000 images from start to end, embedding and clusters included,
  for a few steps: its most memory. Its encoder is narrow (``NARROW``), or embedding would take
  a quarter of an hour on two cores; its codes, which are what grows with the pile, are as long as
  those of `best`.
- ``predict``: `shoal predict` on 200,000 images and on 20,000 that it was not trained on, with
  that checkpoint: the most memory of each.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from machine import DATA, HERE, append, command, commit, machine, rows, threads
from turns import Row, Side, largest, once, ratio, seconds, take_turns

RESULTS = HERE / "results" / "large.jsonl"
MANY, PREDICTED, FEW = 1_000_000, 200_000, 8_500
NARROW = "encoder.widths=(8,8,16,256)"


def images(folder: Path, n: int) -> str:
    """A file of ``n`` images."""
    path = folder / f"{n}.npy"
    if not path.exists():
        once("images", path=str(path), n=n, base=str(DATA / "trainX.npy"))
    return str(path)


def steps(folder: Path, many: int, few: int, blocks: int) -> Row:
    """Steps on a large pile and on a small one, turn by turn."""
    options: dict[str, Any] = {"way": "shoal", "keep": True, "warm": 2}
    with (
        Side("training", path=images(folder, many), **options) as large,
        Side("training", path=images(folder, few), **options) as small,
    ):
        found = take_turns({"large": large, "small": small}, 3, blocks)
    sides = {name: seconds(answers) for name, answers in found.items()}
    cpu = {name: [round(one["cpu"], 4) for one in answers] for name, answers in found.items()}
    processor = ratio(cpu["large"], cpu["small"])
    return {
        "n": many, "few": few, "seconds_per_step": sides["large"],
        "few_seconds_per_step": sides["small"], "cpu_ratio": processor["ratio"],
        "cpu_ratio_range": processor["ratio_range"],
        "gb": largest(found["large"]), "few_gb": largest(found["small"]),
        **ratio(sides["large"], sides["small"]),
    }  # fmt: skip


def checkpoint(folder: Path) -> Path:
    """Where `train` leaves its checkpoint for `predict`."""
    return folder / "narrow.pth"


def train(folder: Path, many: int) -> Row:
    """The most memory of a whole training command."""
    # Ten steps of `best`.
    given = ("--quiet", "--device", "cpu", "--epochs", f"{10 * 384 / many:g}", "--set", NARROW)
    taken, spent, gb, _ = command("train", images(folder, many), str(checkpoint(folder)), *given)
    return {"n": many, "setting": NARROW, "seconds": round(taken, 1),
            "cpu_seconds": round(spent, 1), "gb": round(gb, 2)}  # fmt: skip


def predict(folder: Path, many: int) -> Row:
    """The most memory of `shoal predict` on many images, and on a tenth of them."""
    if not checkpoint(folder).exists():
        train(folder, 5_000)
    out, found = str(folder / "prediction.csv"), []
    for n in (many, many // 10):
        pile = images(folder, n)
        found.append(command("predict", pile, str(checkpoint(folder)), out, "--quiet"))
    (taken, spent, gb, _), (_, _, few_gb, _) = found
    return {
        "n": many, "few": many // 10, "setting": NARROW, "seconds": round(taken, 1),
        "cpu_seconds": round(spent, 1), "gb": round(gb, 2), "few_gb": round(few_gb, 2),
    }  # fmt: skip


def print_table() -> None:
    """What has been measured in earnest, a line each."""
    for row in rows(RESULTS):
        if row["quick"]:
            continue
        text = f"- {row['piece']}, {row['n']:,} images: {row['gb']:.2f} GB at most"
        if "few_gb" in row:
            text += f", {row['few']:,} images {row['few_gb']:.2f} GB"
        if "ratio" in row:
            low, high = row["ratio_range"]
            text += (
                f"; a step takes {row['ratio']:.2f} times as long ({low:.2f} to {high:.2f}), in "
                f"processor time {row['cpu_ratio']:.2f} times"
            )
        print(f"{text} (commit {row['commit']}, {row['threads']} threads, load {row['load']})")


def main() -> None:
    """Measure, write down, and print what there is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="PIECE", help="steps, train, predict")
    parser.add_argument("--blocks", type=int, default=5, help="turns of each side of steps")
    parser.add_argument("--quick", action="store_true", help="only try the script")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    shrink = 100 if options.quick else 1
    blocks = 2 if options.quick else options.blocks
    work: dict[str, Callable[[Path], Row]] = {
        "steps": partial(steps, many=MANY // shrink, few=FEW, blocks=blocks),
        "train": partial(train, many=MANY // shrink),
        "predict": partial(predict, many=PREDICTED // shrink),
    }
    unknown = set(options.only or ()) - set(work)
    if unknown:
        sys.exit(f"no piece {min(unknown)!r}; there are {', '.join(work)}")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        for piece in [] if options.table else options.only or work:
            about = {
                "piece": piece, "quick": options.quick, "commit": commit(), "machine": machine(),
                "threads": threads(), "load": round(os.getloadavg()[0], 2),
                "date": datetime.date.today().isoformat(),
                "images": "photographs" if (DATA / "trainX.npy").exists() else "made up",
            }  # fmt: skip
            row = about | work[piece](Path(folder))
            append(RESULTS, [row])
            print(json.dumps(row), flush=True)
    print_table()


if __name__ == "__main__":
    main()
