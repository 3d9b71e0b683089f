"""How soon the images most like one are found among very many, and how surely.

    python benchmarks/similar.py --checkpoint checkpoints/best.pth [--points 1000000]
    python benchmarks/similar.py --table

The points are those that a checkpoint remembers, repeated with noise as wide as half the way to
their nearest neighbour, so that they lie as embeddings do and no two are the same. Measured are
building the index, one query at a time after it, by the clock and in processor time, which other
work on the machine changes less, and the share of the true 12 nearest found.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import append, commit, machine, rows, threads

RESULTS = Path(__file__).parent / "results" / "similar.jsonl"
QUERIES = 200
NEIGHBOURS = 12


def made(checkpoint: Path, n: int, seed: int) -> Any:
    """Points like the embedding of a pile of ``n`` images, float32 (n, d)."""
    import shoal
    from shoal.clustering.clustering import clustering_of
    from shoal.embedding.neighbours import nearest

    reference = clustering_of(shoal.load(checkpoint)).reference
    width = float(np.median(nearest(reference, reference, 2)[0][:, 1]))
    generator = np.random.default_rng(seed)
    points = reference[generator.integers(0, len(reference), n)]
    scale = np.float32(0.5 * width / np.sqrt(points.shape[1]))
    for start in range(0, n, 65_536):  # a million at once would need the memory twice
        block = points[start : start + 65_536]
        block += scale * generator.standard_normal(block.shape, dtype=np.float32)
    return points


def measure(points: Any, exact: bool) -> dict[str, Any]:
    """Seconds to build, milliseconds a query, and the share of true neighbours found."""
    from shoal.search.similarity import Index

    began = time.perf_counter()
    index = Index(points, exact_up_to=points.size if exact else 0)
    built = time.perf_counter() - began
    chosen = np.random.default_rng(1).choice(len(points), QUERIES, replace=False)
    index.search(points[chosen[:1]], NEIGHBOURS)  # the first call wakes threads up
    taken, spent = [], []
    for row in chosen:
        began, used = time.perf_counter(), time.process_time()
        index.search(points[row : row + 1], NEIGHBOURS)
        spent.append(1000 * (time.process_time() - used))
        taken.append(1000 * (time.perf_counter() - began))
    low, middle, high = np.quantile(taken, [0.05, 0.5, 0.95]).round(3).tolist()
    return {
        "points": len(points),
        "dimensions": points.shape[1],
        "index": "exact" if exact else "inverted file",
        "build_s": round(built, 2),
        "query_ms": {"p5": low, "median": middle, "p95": high},
        "query_cpu_ms": round(float(np.median(spent)), 3),
        "gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2),
        "recall": round(index.recall, 4),
    }


def table() -> str:
    """The results as a Markdown table."""
    lines = [
        "| points | index | built in | a query (median, 95 %) | of it work | neighbours found "
        "| memory | threads | load |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows(RESULTS):
        query = row["query_ms"]
        lines.append(
            f"| {row['points']:,} × {row['dimensions']} | {row['index']} | {row['build_s']:.1f} s "
            f"| {query['median']:.1f} ms, {query['p95']:.1f} ms | {row['query_cpu_ms']:.1f} ms "
            f"| {row['recall']:.3f} | {row['gb']:.1f} GB | {row['threads']} | {row['load']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/best.pth"))
    parser.add_argument("--points", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        print(table())
        return
    for n in arguments.points:
        points = made(arguments.checkpoint, n, arguments.seed)
        for exact in (True, False):
            found = measure(points, exact)
            about = {"seed": arguments.seed, "threads": threads(), "machine": machine(),
                     "load": round(os.getloadavg()[0], 2), "commit": commit()}  # fmt: skip
            append(RESULTS, [found | about])
            print(found, flush=True)


if __name__ == "__main__":
    main()
