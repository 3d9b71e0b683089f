"""CIFAR-10 from start to end, as a person would: `shoal run -k 10`, then compared with the labels.

    python benchmarks/cifar.py --cifar train.parquet               # half an hour on two cores
    python benchmarks/cifar.py --cifar train.parquet --draw 1      # other images
    python benchmarks/cifar.py --cifar train.parquet --images 50000
    python benchmarks/cifar.py --cifar train.parquet --images 50000 --minutes 7 --device cuda \\
        --set encoder=residual --set encoder.width=64       # another machine, another recipe
    python benchmarks/cifar.py --cifar train.parquet --images 500 --minutes 0.2 --quick
    python benchmarks/cifar.py --table                             # only print what was measured

Ten kinds, 10,000 random training images, in a parquet file as Hugging Face has it, whose labels are
taken out before shoal sees it; the run is given so many minutes of training that all of it, the
report included, stays below half an hour on two cores that are free. Rows go to
results/cifar.jsonl, and one that is there is not measured again; those of an older `best` say
before which change of it they were measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from machine import HERE, append, command, commit, is_there, machine, now, program, rows, threads

RESULTS = HERE / "results" / "cifar.jsonl"
USUAL: dict[str, Any] = {"settings": [], "device": "cpu"}
"""Of rows measured before these were asked for."""
CASE = ("n", "draw", "minutes", "seed", *USUAL)
SCORES = ("accuracy", "nmi", "ari")


def take_out_labels(cifar: Path, n: int, draw: int, folder: Path) -> tuple[Path, Path]:
    """``n`` random images as a parquet file without labels, and their labels as .npy."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pq.read_table(cifar, columns=["image", "label"])
    chosen = np.random.default_rng(draw).choice(whole.num_rows, n, replace=False)
    batch = whole.take(np.sort(chosen))
    images, labels = folder / "images.parquet", folder / "labels.npy"
    pq.write_table(pa.table({"image": batch.column("image")}), images)
    np.save(labels, batch.column("label").to_numpy())
    return images, labels


def measure(
    cifar: Path, n: int, draw: int, minutes: float, seed: int, settings: list[str], device: str,
    keep: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """The run and its scores; what it wrote is left in ``keep``, if given."""
    with tempfile.TemporaryDirectory() as name:
        folder = keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        images, labels = take_out_labels(cifar, n, draw, folder)
        options = ["-k", "10", "--minutes", f"{minutes:g}", "--seed", str(seed), "--quiet"]
        options += ["--device", device]
        for setting in settings:
            options += ["--set", setting]
        seconds, spent, gb, _ = command("run", str(images), str(folder / "found"), *options)
        finished = str(folder / "found" / "checkpoint.pth")
        told = command("evaluate", str(images), finished, str(labels), "--json")[3]
        about = json.loads(command("info", finished, "--json")[3])
    scores = json.loads(told)
    return {
        "n": n, "draw": draw, "minutes": minutes, "seed": seed, "settings": settings,
        "device": device, "on": about["provenance"]["device"], "epochs": about["recipe"]["epochs"],
        **{score: round(scores[score], 4) for score in SCORES},
        "accuracy_interval_95": scores["accuracy_interval_95"],
        "seconds": round(seconds, 1), "cpu_seconds": round(spent, 1), "gb": round(gb, 2),
    }  # fmt: skip


def measured() -> list[dict[str, Any]]:
    """Every row so far, each with its whole `CASE`."""
    return [USUAL | row for row in rows(RESULTS)]


def print_table() -> None:
    """What has been measured in earnest."""
    print("| program | images | draw, seed | epochs | accuracy | NMI | ARI | all of `shoal run` "
          "| memory |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for row in measured():
        if not row["quick"]:
            scores = " | ".join(f"{row[score]:.3f}" for score in SCORES)
            how = ", ".join(
                [program(row), *row["settings"], *([row["on"]] if row["device"] != "cpu" else [])]
            )
            print(
                f"| {how} | {row['n']:,} | {row['draw']}, {row['seed']} "
                f"| {row['epochs']:.0f} | {scores} | {row['seconds'] / 60:.0f} min "
                f"| {row['gb']:.1f} GB |"
            )


def main() -> None:
    """Measure, write down, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cifar", type=Path, help="train.parquet: image {bytes, path}, label")
    parser.add_argument("--images", dest="n", type=int, default=10_000)
    parser.add_argument("--draw", type=int, default=0, help="which random images")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="settings", action="append", default=[], help="as of shoal")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--keep", type=Path, help="folder to leave checkpoint and report in")
    parser.add_argument("--quick", action="store_true", help="mark the row as a try")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        if options.cifar is None:
            parser.error("CIFAR-10 is needed: --cifar train.parquet")
        about = {
            "quick": options.quick, "commit": commit(), "machine": machine(), "threads": threads(),
            "load": round(os.getloadavg()[0], 2), "date": datetime.date.today().isoformat(),
        }  # fmt: skip
        case = {name: getattr(options, name) for name in CASE}
        if not is_there(case, now(measured())):
            row = about | measure(options.cifar, **case, keep=options.keep)
            append(RESULTS, [row])
            print(json.dumps(row), flush=True)
    print_table()


if __name__ == "__main__":
    main()
