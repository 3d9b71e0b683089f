"""How fast shoal is, each time beside what it is compared with, on the machine it runs on.

    python benchmarks/speed.py                            # everything: about an hour on 2 cores
    python benchmarks/speed.py --only training allocator  # some of it
    python benchmarks/speed.py --table                    # only print what has been measured

Two sides of a comparison work in processes of their own and take turns, so that both meet the
same load; ratios are taken turn by turn, and their median and range are told. Each measurement is
appended to results/speed.jsonl at once and skipped when it is there for this commit and number of
threads (`--again` repeats it). OMP_NUM_THREADS sets the threads. `--quick` tries every piece on
few images; its rows are marked, and no table shows them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median

from machine import DATA, HERE, append, command, commit, machine, rows
from speed_tables import print_tables
from turns import Row, Side, largest, once, ratio, seconds, take_turns

RESULTS = HERE / "results" / "speed.jsonl"
CHECKPOINTS = HERE.parent / "checkpoints"


@dataclass
class Plan:
    """What the measurements need to know."""

    data: Path
    folder: Path
    blocks: int
    quick: bool

    def images(self, n: int | None = None) -> str:
        """A file of ``n`` images: the data, again and again with noise, or made up without it."""
        n = n or self.size
        path = self.folder / f"{n}.npy"
        if not path.exists():
            once("images", path=str(path), n=n, base=str(self.data / "trainX.npy"))
        return str(path)

    @property
    def size(self) -> int:
        """The assignment's 8,500 images, unless the script is only tried."""
        return 1024 if self.quick else 8500

    def steps(self, n: int) -> int:
        """That many steps, unless the script is only tried."""
        return 1 if self.quick else n


def usual(plan: Plan, way: str) -> Row:
    """A step of `best` as shoal takes it, and as it is usually written."""
    path, warm = plan.images(), plan.steps(5)
    with (
        Side("training", path=path, way="shoal", keep=True, warm=warm) as shoal,
        Side("training", path=path, way=way, keep=False, warm=warm) as other,
    ):
        found = take_turns({"shoal": shoal, way: other}, plan.steps(6), plan.blocks)
    fast, slow = seconds(found["shoal"]), seconds(found[way])
    return {
        "steps": plan.steps(6), **found["shoal"][0]["how"],
        "shoal_seconds_per_step": fast, "usual_seconds_per_step": slow,
        "gb": [largest(answers) for answers in found.values()], **ratio(slow, fast),
    }  # fmt: skip


def allocator(plan: Plan) -> Row:
    """A step of `best` with large buffers kept, and given back to the system."""
    path, warm = plan.images(), plan.steps(5)
    with (
        Side("training", path=path, way="shoal", keep=True, warm=warm) as kept,
        Side("training", path=path, way="shoal", keep=False, warm=warm) as given,
    ):
        found = take_turns({"kept": kept, "given": given}, plan.steps(10), plan.blocks)
    fast, slow = seconds(found["kept"]), seconds(found["given"])
    return {
        "steps": plan.steps(10), **found["kept"][0]["how"],
        "kept_seconds_per_step": fast, "given_back_seconds_per_step": slow,
        "gb": [largest(answers) for answers in found.values()], **ratio(slow, fast),
    }  # fmt: skip


def prediction(plan: Plan, name: str) -> Row:
    """`shoal predict`: the work alone and the whole command, and its memory."""
    path, checkpoint = plan.images(), str(CHECKPOINTS / f"{name}.pth")
    output = str(plan.folder / "prediction.csv")
    work, whole, gb = [], [], []
    with Side("prediction", path=path, checkpoint=checkpoint, output=output) as side:
        for _ in range(plan.blocks):
            work.append(side())
            taken = command("predict", path, checkpoint, output, "--quiet", "--device", "cpu")
            whole.append(round(taken[0], 3))
            gb.append(round(taken[2], 2))
    return {"n": plan.size, "work_seconds": seconds(work), "seconds": whole, "gb": max(gb)}


def clustering(plan: Plan) -> Row:
    """What follows training in a run: the pile embedded once, and, as it was, once more."""
    path, checkpoint = plan.images(), str(CHECKPOINTS / "best.pth")
    fixed = {"PYTHONHASHSEED": "0"}  # so that both sides' labels can be compared by their hashes
    with (
        Side("clustering", fixed, path=path, checkpoint=checkpoint, again=False) as once_,
        Side("clustering", fixed, path=path, checkpoint=checkpoint, again=True) as twice,
    ):
        found = take_turns({"once": once_, "twice": twice}, 1, plan.blocks)
    labels = {answer["labels"] for answers in found.values() for answer in answers}
    fast, slow = seconds(found["once"]), seconds(found["twice"])
    return {
        "n": plan.size, "once_seconds": fast, "twice_seconds": slow,
        "same_labels": len(labels) == 1,
        "gb": [largest(answers) for answers in found.values()], **ratio(slow, fast),
    }  # fmt: skip


def memory(plan: Plan, *options: str) -> Row:
    """The most memory that `shoal train` of `best` takes: a few epochs, and the clustering."""
    epochs = "0.2" if plan.quick else "4"
    taken, _, gb, _ = command("train", plan.images(), str(plan.folder / "memory.pth"), "--quiet",
                              "--epochs", epochs, "--device", "cpu", *options)  # fmt: skip
    return {"n": plan.size, "epochs": epochs, "seconds": round(taken, 1), "gb": round(gb, 2)}


def start(plan: Plan, code: str) -> Row:
    """A line of Python in fresh processes, without Python's own start."""
    timed = f"import time; began = time.perf_counter(); {code}; print(time.perf_counter() - began)"
    found = [
        subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
        for _ in range(2 * plan.blocks + 1)
    ]
    return {"seconds": [round(float(done.stdout), 4) for done in found[1:]]}


def course(plan: Plan, way: str) -> Row:
    """The course's kernel PCA, t-SNE and mini-batch k-means: shoal's, and scikit-learn's."""
    codes = str(plan.folder / "codes.npy")
    size = once("codes", paths=[plan.images(), str(plan.data / "valX.npy")],
                checkpoint=str(CHECKPOINTS / "baseline.pth"), output=codes)  # fmt: skip
    outputs = [str(plan.folder / f"{name}.npz") for name in ("shoal", "scikit-learn")]
    with (
        Side("course", codes=codes, way=way, output=outputs[0]) as shoal,
        Side("course", codes=codes, way="scikit-learn", output=outputs[1]) as other,
    ):
        found = take_turns({"shoal": shoal, "scikit-learn": other}, size["n"], plan.blocks)
    quality = once("agreement", codes=codes, outputs=outputs, truth=str(plan.data / "valY.npy"))
    fast, slow = seconds(found["shoal"]), seconds(found["scikit-learn"])
    stages = {
        name: [round(median(a["stages"][name] for a in answers), 2) for answers in found.values()]
        for name in found["shoal"][0]["stages"]
    }
    return quality | {
        "n": size["n"], "d": size["d"], "shoal_seconds": fast, "sklearn_seconds": slow,
        "stages": stages, "gb": [largest(answers) for answers in found.values()],
        **ratio(slow, fast),
    }  # fmt: skip


def growth(plan: Plan, name: str, n: int) -> Row:
    """The cost of each stage on ``n`` images: it should grow with them, and not faster."""
    checkpoint = str(CHECKPOINTS / f"{name}.pth")
    return once("growth", path=plan.images(n), checkpoint=checkpoint, steps=plan.steps(10))


def pieces(plan: Plan) -> dict[str, dict[str, Callable[[], Row]]]:
    """What there is to measure: cases by name, in pieces by name."""
    sizes = {
        "best": (1024, 2048) if plan.quick else (8500, 50_000, 200_000),
        "baseline": (1024,) if plan.quick else (8500, 17_000),
    }
    return {
        "training": {
            "augmented by Pillow": partial(usual, plan, "pillow"),
            "augmented by batched views": partial(usual, plan, "batched"),
        },
        "allocator": {"training step": partial(allocator, plan)},
        "clustering": {"after training": partial(clustering, plan)},
        "prediction": {
            name: partial(prediction, plan, name) for name in ("best", "improved", "baseline")
        },
        "memory": {
            "shoal train": partial(memory, plan),
            "shoal train --low-memory": partial(memory, plan, "--low-memory"),
        },
        "start": {
            code: partial(start, plan, code) for code in ("import shoal", "import shoal; shoal.fit")
        },
        "course": {
            "kernel PCA, t-SNE, k-means": partial(course, plan, "shoal"),
            "kernel PCA, interpolated t-SNE, k-means": partial(course, plan, "shoal, interpolated"),
        },
        "growth": {
            f"{name}, {n:,} images": partial(growth, plan, name, n)
            for name, numbers in sizes.items()
            for n in numbers
        },
    }


@cache
def torch_here() -> Row:
    """PyTorch's version and threads, asked elsewhere: this process stays small."""
    code = "import torch; print(torch.__version__, torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, threads = done.stdout.split()
    return {"torch": version, "threads": int(threads)}


def main() -> None:
    """Measure what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="PIECE", help="some pieces of it")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--blocks", type=int, default=5, help="turns of each side")
    parser.add_argument("--again", action="store_true", help="also what is measured already")
    parser.add_argument("--quick", action="store_true", help="only try the script")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        with tempfile.TemporaryDirectory() as folder:
            blocks = 2 if options.quick else options.blocks
            measure(Plan(options.data, Path(folder), blocks, options.quick), options)
    print_tables(rows(RESULTS))


def measure(plan: Plan, options: argparse.Namespace) -> None:
    """Measure, and write down at once, what is asked for and not there."""
    known = pieces(plan)
    photographs = (plan.data / "trainX.npy").exists()
    for piece in options.only or known:
        if piece not in known:
            sys.exit(f"no piece {piece!r}; there are {', '.join(known)}")
        for case, work in known[piece].items():
            key = {"piece": piece, "case": case, "quick": plan.quick, "commit": commit(),
                   "machine": machine(), **torch_here()}  # fmt: skip
            if not options.again and any(row.items() >= key.items() for row in rows(RESULTS)):
                continue
            about = {"load": round(os.getloadavg()[0], 2),  # before: the work itself is a load
                     "date": datetime.date.today().isoformat(),
                     "images": "photographs" if photographs else "made up"}  # fmt: skip
            found = work()
            append(RESULTS, [key | about | found])
            print(f"{piece}, {case}: {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main()
