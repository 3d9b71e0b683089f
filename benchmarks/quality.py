"""How good the recipes are: the table of README, made from nothing by the real commands.

    python benchmarks/quality.py                     # all recipes, seeds 0, 1, 2, on scenery
    python benchmarks/quality.py --recipes best --seeds 3 4
    python benchmarks/quality.py --table             # only print what has been measured

Each finished measurement is appended to results/quality.jsonl at once, with its seed, commit,
machine, time and peak memory, and is skipped when it is there already, so that a campaign can be
stopped and continued; those of an older `best` say before which change of it they were measured.
The data (`trainX.npy`, `valX.npy`, `valY.npy` of the assignment, or a twin of it) is looked for in
../shared/data/scenery; name another folder with --data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

from machine import (
    DATA,
    HERE,
    append,
    between,
    command,
    commit,
    grouped,
    is_there,
    listed,
    machine,
    now,
    quiet,
    sources,
    spread,
    threads,
)
from machine import rows as read

RESULTS = HERE / "results" / "quality.jsonl"

# The means by which `improved` betters `baseline`, told apart: the autoencoder is trained in
# steps, and each is clustered both in the course's way and by the cut of the neighbour graph.
ENCODERS = {
    "baseline": ["--recipe", "baseline"],
    "plain": ["--recipe", "improved", "--set", "views.brightness=0", "--set", "views.contrast=0",
              "--set", "views.saturation=0", "--set", "views.hue=0",
              "--set", "views.grey_probability=0"],
    "improved": ["--recipe", "improved"],
    "best": ["--recipe", "best"],
}  # fmt: skip


def measure(name: str, seed: int, data: Path, keep: Path | None) -> list[dict[str, Any]]:
    """Train, predict and evaluate once; a row for each way of clustering."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        train, train_cpu, memory, _ = command(
            "train", str(data / "trainX.npy"), str(path), *ENCODERS[name], "--seed", str(seed)
        )
        predict, _, predict_memory, _ = command(
            "predict", str(data / "trainX.npy"), str(path), f"{folder}/p.csv", "--quiet"
        )
        row = {
            "encoder": name, "seed": seed, "commit": commit(), "machine": machine(),
            "threads": threads(), "load": round(os.getloadavg()[0], 2),
            "train_seconds": round(train, 1), "train_cpu_seconds": round(train_cpu, 1),
            "train_gb": round(memory, 2), "predict_seconds": round(predict, 1),
            "predict_gb": round(predict_memory, 2), "file_mb": round(path.stat().st_size / 1e6, 2),
        }  # fmt: skip
        rows = [row | evaluate(path, data) | {"clustering": "own"}]
        ways = ("graph cut", "own size") if name == "best" else ("course", "graph cut")
        # Another process brings torch: in this one it would be counted as the next command's.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += [row | process.submit(other, path, data, way).result() for way in ways]
        if keep is not None and name != "plain":
            keep.mkdir(parents=True, exist_ok=True)
            kept = keep / (f"{name}-{seed}.pth" if seed else f"{name}.pth")
            shutil.rmtree(f"{kept}.history", ignore_errors=True)
            shutil.move(path, kept)
            shutil.move(f"{path}.history", f"{kept}.history")
    return rows


def evaluate(path: Path, data: Path) -> dict[str, Any]:
    """What ``shoal evaluate --json`` says on the validation images."""
    *_, output = command(
        "evaluate", str(data / "valX.npy"), str(path), str(data / "valY.npy"), "--json"
    )
    scores = json.loads(output)
    return {key: round(scores[key], 6) for key in ("accuracy", "nmi", "ari", "mse")}


def other(path: Path, data: Path, clustering: str) -> dict[str, Any]:
    """The same encoder, clustered in the course's way, by the cut of the graph, or in its own way
    with images embedded as large as they are."""
    from shoal import pipeline
    from shoal.images.open import open_source
    from shoal.models import checkpoint
    from shoal.recipes.named import BASELINE, IMPROVED

    loaded = checkpoint.load(path)
    loaded.recipe = replace(loaded.recipe, embedding_resolution=1.0)
    if clustering != "own size":
        recipe = {"course": BASELINE, "graph cut": IMPROVED}[clustering]
        embedding = "encoder" if loaded.recipe.embedding == "encoder" else "projection"
        loaded.recipe = replace(
            loaded.recipe, embedding=embedding, reducers=recipe.reducers, clusterer=recipe.clusterer
        )
    loaded = pipeline.cluster(open_source(data / "trainX.npy"), loaded)[0]
    changed = path.with_name("other.pth")
    checkpoint.save(loaded, changed, force=True)
    return evaluate(changed, data) | {"clustering": clustering}


def print_tables(rows: list[dict[str, Any]]) -> None:
    """The table of README and that of docs/measurements.md, in Markdown."""
    groups = defaultdict(list)
    for row in now(rows):
        groups[row["encoder"], row["clustering"]].append(row)
    print("| recipe | seeds | validation accuracy | NMI | ARI | MSE | training | memory "
          "| predicting 8,500 | memory | file |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in ("baseline", "improved", "best"):
        found = groups.get((name, "own"), [])
        if found:
            seeds = listed([row["seed"] for row in found])
            values: dict[str, list[Any]] = {
                key: [row[key] for row in found] for key in ("accuracy", "nmi", "ari", "mse")
            }
            processors = grouped(found, "machine")
            with_bf16_first = sorted(processors, key=lambda name: "bf16" not in name)
            timed = [quiet(processors[name]) for name in with_bf16_first]
            training = " / ".join(
                between([row["train_seconds"] / 60 for row in rows], digits=1) for rows in timed
            )
            predicting = " / ".join(
                f"{max(row['predict_seconds'] for row in rows):.0f}" for rows in timed
            )
            print(
                f"| {name} | {seeds} | {spread(values['accuracy'])} | {mean(values['nmi']):.3f} "
                f"| {mean(values['ari']):.3f} | {mean(values['mse']):.4f} "
                f"| {training} min | {max(row['train_gb'] for row in found):.1f} GB "
                f"| {predicting} s | {max(row['predict_gb'] for row in found):.1f} GB "
                f"| {max(row['file_mb'] for row in found):.1f} MB |"
            )
    print("\n| autoencoder | clustered in the course's way | by the cut of the neighbour graph |")
    print("|---|---|---|")
    names = {
        "baseline": "the course's",
        "plain": "batch norm, short code, AdamW with cosine",
        "improved": "the same, denoising colours",
    }
    for name, text in names.items():
        cells = [groups.get((name, way), []) for way in ("course", "graph cut")]
        if all(cells):
            print(f"| {text} | " + " | ".join(spread([r["accuracy"] for r in c]) for c in cells)
                  + " |")  # fmt: skip
    print(f"\nMeasured on {sources(now(rows))}")


def main() -> None:
    """Measure what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--recipes", nargs="+", default=list(ENCODERS), choices=list(ENCODERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--keep", type=Path, help="keep the checkpoints in this folder")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        if not (options.data / "trainX.npy").exists():
            sys.exit(f"no trainX.npy in {options.data}; name the folder with --data")
        for seed in options.seeds:
            for name in options.recipes:
                wanted = {"encoder": name, "seed": seed, "clustering": "own"}
                if is_there(wanted, now(read(RESULTS))):
                    continue
                rows = measure(name, seed, options.data, options.keep)
                append(RESULTS, rows)
                found = [f"{row['clustering']} {row['accuracy']:.3f}" for row in rows]
                print(f"{name}, seed {seed}: {', '.join(found)}", flush=True)
    print_tables(read(RESULTS))


if __name__ == "__main__":
    main()
