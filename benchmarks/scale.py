"""What very many vectors cost: k-means, two levels, neighbours, copies; time, memory, quality.

    python benchmarks/scale.py                            # 10,000,000 × 128: 2.6 GB, hours
    python benchmarks/scale.py --n 1000000 kmeans loss    # some parts, another size
    python benchmarks/scale.py --table                    # only print what has been measured

The vectors are made, float16, of length 1: 20,000 kinds of uneven size in 50 families; those of a
kind vary along 16 directions, and a little along all. One in 1,000 is a copy of another with noise.
Each part runs in a process of its own, whose most memory is told (`ru_maxrss`: pages of mapped
files count, too). Seconds are told by the clock and of the processor: other work on the machine
changes the latter less.

- ``kmeans``: into 1,000 groups by `streamed.k_means`, and the assignment of all vectors.
- ``loss``: at most 1,000,000 vectors: the objective after `streamed.k_means` and that of faiss's
  k-means on all of them with as many steps.
- ``levels``: into 20,000 groups, on two levels.
- ``neighbours``: 12 neighbours by `inverted_file`; ``--asked`` vectors of all are looked up, and
  the time for all is that of these times their number. Recall is measured on 500 others than it
  was tuned by.
- ``copies``: `shoal duplicates`; the share of the made copies that it finds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import HERE, append, command, commit, is_there, machine, rows, threads

RESULTS = HERE / "results" / "scale.jsonl"
N, D, K, FINE, WANTED = 10_000_000, 128, 1_000, 20_000, 12
_KINDS, _FAMILIES, _OWN, _BASES = 20_000, 50, 16, 64
_BLOCK = 100_000
COPIED = 1_000
Row = dict[str, Any]


def make(path: Path, n: int, d: int = D) -> None:
    """Write n vectors float16 (n, d) to a .npy file; the first ones do not depend on n."""
    generator = np.random.default_rng(0)
    families = generator.standard_normal((_FAMILIES, d), dtype=np.float32)
    kinds = families[generator.integers(_FAMILIES, size=_KINDS)]
    kinds += 0.7 * generator.standard_normal((_KINDS, d), dtype=np.float32)
    bases = generator.standard_normal((_BASES, _OWN, d), dtype=np.float32) / np.sqrt(_OWN)
    weight = 1.0 / np.sqrt(np.arange(1, _KINDS + 1))
    weight /= weight.sum()
    out = np.lib.format.open_memmap(path, "w+", np.float16, (n, d))
    for start in range(0, n, _BLOCK):
        own, m = np.random.default_rng([1, start]), min(_BLOCK, n - start)
        kind = own.choice(_KINDS, m, p=weight)
        x, along = kinds[kind], own.standard_normal((m, _OWN), dtype=np.float32)
        for base in range(_BASES):
            some = kind % _BASES == base
            x[some] += along[some] @ bases[base]
        x += 0.1 * own.standard_normal((m, d), dtype=np.float32)
        copies = np.arange(COPIED // 2, m, COPIED)
        x[copies] = x[copies - 1] + 0.02 * own.standard_normal((len(copies), d), dtype=np.float32)
        out[start : start + m] = x / np.linalg.norm(x, axis=1, keepdims=True)
    out.flush()


def kmeans(path: Path, k: int = K) -> Row:
    """k-means of all vectors of a file, streamed."""
    from shoal import open_vectors
    from shoal.clustering import streamed

    source = open_vectors(path)
    found = streamed.k_means(source, k)
    learned = time.monotonic()
    assigned = streamed.assign(source, found.centres)
    sizes = assigned.sizes(k)
    return {
        "k": k, "objective": assigned.objective, "r_squared": 1 - assigned.objective / found.spread,
        "n_sample": found.n_sample, "assign_seconds": round(time.monotonic() - learned, 1),
        "empty": int((sizes == 0).sum()), "said": found.describe(),
    }  # fmt: skip


def loss(path: Path, k: int = K) -> Row:
    """How much the streamed k-means loses against k-means of all vectors."""
    from shoal import open_vectors
    from shoal.clustering import streamed
    from shoal.clustering.centres import Centres, train

    source = open_vectors(path)
    some = streamed.k_means(source, k)
    sampled = streamed.assign(source, some.centres).objective
    everything = source.vectors(np.arange(len(source)))
    whole = streamed.assign(source, Centres(train(everything, k, 0))).objective
    return {"k": k, "objective": sampled, "of_all": whole, "loss": sampled / whole - 1,
            "n_sample": some.n_sample}  # fmt: skip


def levels(path: Path) -> Row:
    """As many groups as are found on two levels."""
    return kmeans(path, FINE)


def neighbours(path: Path, asked: int) -> Row:
    """The nearest neighbours of some vectors among all."""
    from shoal import open_vectors
    from shoal.search import inverted_file as files

    source = open_vectors(path)
    marks = [time.monotonic()]
    learned = files.learn(source)
    marks.append(time.monotonic())
    shard = files.Shard(learned, source)
    marks.append(time.monotonic())
    learned = files.tuned(learned, shard, WANTED)
    marks.append(time.monotonic())
    before, n_asked = time.process_time(), 0
    for block, _, _ in files.all_others(shard, WANTED):
        n_asked += len(block)
        if n_asked >= asked:
            break
    spent = time.process_time() - before
    marks.append(time.monotonic())
    some = np.sort(np.random.default_rng(7).choice(len(source), 500, replace=False))
    queries = source.vectors(some)
    true = files.exact(source, queries, WANTED + 1)[1]
    got = shard.search(queries, WANTED + 1)[1]
    recall = (got[:, :, None] == true[:, None, :]).any(axis=1).mean()
    taken = np.diff(marks).round(1).tolist()
    return {
        "k": WANTED, "recall": round(float(recall), 4), "learn_seconds": taken[0],
        "index_seconds": taken[1], "tune_seconds": taken[2], "asked": n_asked,
        "search_seconds": taken[3], "search_cpu_each": spent / n_asked,
        "cells": learned.n_cells, "probes": learned.n_probes, "refined": learned.refined,
    }  # fmt: skip


def copies(path: Path, n: int) -> Row:
    """`shoal duplicates` from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "copies.csv"
        given = ("--csv", str(out), "--picture", str(Path(folder) / "copies.png"), "--quiet")
        taken, spent, gb, _ = command("duplicates", str(path), *given)
        found = {line.split(",")[1] for line in out.read_text().splitlines()[1:]}
    starts = range(0, n, _BLOCK)
    made = [s + c for s in starts for c in range(COPIED // 2, min(_BLOCK, n - s), COPIED)]
    share = np.mean([str(row) in found and str(row - 1) in found for row in made])
    return {
        "found": round(float(share), 4), "made": len(made), "listed": len(found),
        "seconds": round(taken, 1), "cpu_seconds": round(spent, 1), "gb": round(gb, 2),
    }  # fmt: skip


def measure(part: str, path: Path, n: int, asked: int) -> Row:
    """One part, in this process."""
    parts: dict[str, Callable[[], Row]] = {
        "kmeans": lambda: kmeans(path), "loss": lambda: loss(path),
        "levels": lambda: levels(path), "neighbours": lambda: neighbours(path, asked),
    }  # fmt: skip
    began = time.monotonic()
    row = parts[part]()
    own = resource.getrusage(resource.RUSAGE_SELF)
    return row | {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(own.ru_utime + own.ru_stime, 1),
        "gb": round(own.ru_maxrss / 1024**2, 2),
    }


def in_child(part: str, path: Path, n: int, asked: int) -> Row:
    """One part, in a process of its own."""
    words = [sys.executable, __file__, part, "--n", str(n), "--asked", str(asked)]
    done = subprocess.run(
        [*words, "--file", str(path), "--child"], stdout=subprocess.PIPE, check=True, text=True
    )
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def print_table() -> None:
    """What has been measured, a line each."""
    for row in rows(RESULTS):
        what = {"kmeans": "k-means", "levels": "k-means on two levels"}.get(
            row["part"], row["part"]
        )
        text = f"- {what}, {row['n']:,} × {row['d']}"
        text += f" into {row['k']:,} groups" if row["part"] in ("kmeans", "levels", "loss") else ""
        text += f": {row['seconds']:,.0f} s ({row['cpu_seconds']:,.0f} s of a core), {row['gb']} GB"
        if "loss" in row:
            text += f"; {row['loss']:.2%} above the objective of k-means of all"
        if "recall" in row:
            each = row["search_cpu_each"]
            text += (
                f"; recall {row['recall']:.3f}; {1e6 * each:.0f} µs of a core a vector, so "
                f"{each * row['n'] / 3600:.2f} core-hours for all"
            )
        if "found" in row:
            text += f"; {row['found']:.1%} of {row['made']:,} copies found"
        print(f"{text} ({row['machine']}, {row['threads']} threads, commit {row['commit']})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["kmeans", "loss", "levels", "neighbours", "copies"]
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument("--n", type=int, default=N)
    parser.add_argument("--asked", type=int, default=100_000)
    parser.add_argument("--file", type=Path, help="where the vectors are kept, or are to be made")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help="also what is measured already")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        print_table()
        return
    if given.child:
        print(json.dumps(measure(given.parts[0], given.file, given.n, given.asked)))
        return
    path = given.file or Path(tempfile.gettempdir()) / f"shoal-scale-{given.n}.npy"
    if not path.exists():
        make(path, given.n)
    for part in given.parts or parts:
        wanted = {"part": part, "n": given.n, "d": D}
        if is_there(wanted, rows(RESULTS)) and not given.again:
            continue
        if part == "copies":
            row = copies(path, given.n)
        else:
            row = in_child(part, path, given.n, given.asked)
        about = {"machine": machine(), "threads": threads(), "commit": commit()}
        append(RESULTS, [wanted | row | about])
        print(rows(RESULTS)[-1], flush=True)
    if given.file is None:
        os.remove(path)


if __name__ == "__main__":
    main()
