"""How far `best` moves when nothing changes but how it is computed: threads, precision, the seed.

    python benchmarks/reproducible.py --reference checkpoints/best.pth
    python benchmarks/reproducible.py --reference checkpoints/best.pth --ways fp32 --threads 1
    python benchmarks/reproducible.py --table

The reference is a checkpoint of seed 0. Trained again in each way: ``again``, the very same, which
on the same machine and as many threads is to give the same bits; ``fp32``, in full precision;
``seed 1``, for comparison. Told are the validation accuracy, in how many of the 8,500 images the
clusters are those of the reference, and whether the weights are the same. Rows are appended to
results/reproducible.jsonl when they are done, and are skipped when they are there for this machine,
as many threads and the same reference: its weights and how it embeds. Each reference has a table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import (
    DATA,
    HERE,
    append,
    command,
    commit,
    grouped,
    is_there,
    machine,
    rows,
    sources,
    threads,
)
from quality import evaluate

RESULTS = HERE / "results" / "reproducible.jsonl"
WAYS = {
    "again": ("--seed", "0"),
    "fp32": ("--seed", "0", "--set", "precision=fp32"),
    "seed 1": ("--seed", "1"),
}


def labels(checkpoint: Path, data: Path, folder: Path) -> list[str]:
    """The cluster of each image learned from."""
    out = folder / "prediction.csv"
    command("predict", str(data / "trainX.npy"), str(checkpoint), str(out), "--quiet")
    with out.open(newline="") as file:
        return [row["label"] for row in csv.DictReader(file)]


def known(checkpoint: Path) -> Any:
    """What ``shoal info`` says of it."""
    *_, output = command("info", str(checkpoint), "--json")
    return json.loads(output)


def described(told: Any) -> str:
    """By what a reference is known again: the weights, and how large they are shown images."""
    times = told["recipe"]["embedding_resolution"]
    return f"weights {told['weights_sha256'][:12]}, images {times:g} times as large"


def measure(way: str, reference: Path, data: Path) -> dict[str, Any]:
    """Train in that way, and compare with the reference."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "best.pth"
        seconds, *_ = command("train", str(data / "trainX.npy"), str(path), "--recipe", "best",
                              *WAYS[way], "--quiet")  # fmt: skip
        pairs = list(zip(labels(reference, data, folder), labels(path, data, folder), strict=True))
        same = sum(a == b for a, b in pairs) / len(pairs)
        there, here = known(reference), known(path)
        return {
            "way": way, "threads": threads(), "precision": here["provenance"]["precision"],
            "commit": commit(), "machine": machine(), "seconds": round(seconds, 1),
            "load": round(os.getloadavg()[0], 2), "reference": described(there),
            "reference_threads": there["provenance"]["threads"],
            "reference_precision": there["provenance"]["precision"],
            "agreement": round(max(same, 1.0 - same), 4),  # two clusters, whose names may swap
            "same_bits": here["weights_sha256"] == there["weights_sha256"],
            "reference_accuracy": evaluate(reference, data)["accuracy"],
        } | evaluate(path, data)  # fmt: skip


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown, the reference first."""
    print("| `best`, seed 0 | threads | precision | validation accuracy | images as the reference "
          "| same bits |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    first = found[0]
    print(
        f"| the reference | {first['reference_threads']} | {first['reference_precision']} "
        f"| {first['reference_accuracy']:.3f} | | |"
    )
    for row in found:
        print(
            f"| {row['way']} | {row['threads']} | {row['precision']} | {row['accuracy']:.3f} "
            f"| {row['agreement']:.3f} | {'yes' if row['same_bits'] else 'no'} |"
        )
    print(f"\nThe reference: {first['reference']}. Measured on {sources(found)}\n")


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--reference", type=Path, help="a checkpoint of best, seed 0")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--threads", type=int, help="to train with; all if left out")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if not options.table:
        if options.reference is None:
            sys.exit("name the checkpoint to compare with by --reference")
        reference = described(known(options.reference))
        for way in options.ways:
            wanted = {
                "way": way, "threads": threads(), "machine": machine(), "reference": reference,
            }  # fmt: skip
            if not is_there(wanted, rows(RESULTS)):
                append(RESULTS, [measure(way, options.reference, options.data)])
    for found in grouped(rows(RESULTS), "reference").values():
        print_table(found)


if __name__ == "__main__":
    main()
