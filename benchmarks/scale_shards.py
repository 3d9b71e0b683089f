"""Embedding in shards with Ray against the plain command: seconds, and memory of a worker.

Images are made up: 32 × 32 pixels in colour, random. For each number of workers, one thread each,
the plain command has as many threads. Ray's start is apart from the rest, as it does not grow with
the pile.

    python benchmarks/scale_shards.py checkpoints/best.pth --images 200000 --workers 1 2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from shoal import pipeline
from shoal.distributed.engine import connect
from shoal.distributed.opening import Order
from shoal.distributed.parts import Plan, opened
from shoal.distributed.shards import do_missing, gathered
from shoal.images.files import digest_of
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import peak_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--images", type=int, default=10_240)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain is not None:
        plain(options.plain, options.checkpoint)
        return
    with tempfile.TemporaryDirectory() as folder:
        pile = Path(folder) / "pile.npy"
        make(options.images, pile)
        print(f"{options.images:,} images of 32 × 32 pixels, {options.checkpoint}")
        print("workers  Ray's start  in shards  plain  times  a worker's memory  plain's memory")
        for workers in options.workers:
            start, sharded, peak = in_shards(pile, options.checkpoint, workers)
            alone, memory = in_one_process(pile, options.checkpoint, workers)
            print(
                f"{workers:7d}  {start:9.1f} s  {sharded:7.1f} s  {alone:3.1f} s  "
                f"{sharded / alone:5.3f}  {peak:14.2f} GB  {memory:11.2f} GB",
                flush=True,
            )


def make(n: int, path: Path) -> None:
    generator = np.random.default_rng(0)
    file = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 32, 32, 3))
    for start in range(0, n, 4096):
        rows = file[start : start + 4096]
        rows[:] = generator.integers(0, 256, rows.shape, dtype=np.uint8)
    file.flush()


def in_shards(pile: Path, checkpoint: Path, workers: int) -> tuple[float, float, float]:
    """Seconds of Ray's start, seconds of all else, and the most memory of a worker in GB."""
    began = time.monotonic()
    source = open_source(pile)
    order = Order(pile, str(checkpoint.resolve()))
    plan = Plan("predict", source.digest(), len(source), digest_of(checkpoint))
    ready = time.monotonic()
    with connect("local", workers) as engine:
        connected = time.monotonic()
        with opened(pile.with_suffix(".csv"), plan) as parts:
            peak = do_missing(source, order, parts, engine)
            table = gathered(source, parts, 10)
            table.to_csv(pile.with_name("a.csv"), force=True)
            table.to_parquet(pile.with_name("a.parquet"), force=True)
        ended = time.monotonic()
    assert peak is not None
    return connected - ready, ended - connected + ready - began, peak


def in_one_process(pile: Path, checkpoint: Path, threads: int) -> tuple[float, float]:
    """Seconds of the same without Ray in a process of so many threads, and its memory in GB."""
    words = [sys.executable, __file__, str(checkpoint), "--plain", str(pile)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    said = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    seconds, memory = said.stdout.split()
    for suffix in ("csv", "parquet"):
        first, second = (pile.with_name(f"{name}.{suffix}").read_bytes() for name in "ab")
        assert first == second, f"the {suffix} files differ"
    return float(seconds), float(memory)


def plain(pile: Path, path: Path) -> None:
    keep_large_buffers()
    checkpoint = checkpoints.load(path)
    began = time.monotonic()
    source = open_source(pile)
    source.digest()
    table = pipeline.predict(source, checkpoint)
    table.to_csv(pile.with_name("b.csv"), force=True)
    table.to_parquet(pile.with_name("b.parquet"), force=True)
    print(time.monotonic() - began, peak_memory())


if __name__ == "__main__":
    main()
