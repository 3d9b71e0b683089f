"""Kill what predicts in shards, again and again at random moments, and compare the bytes.

Workers, the command itself and Ray's head are killed in turn. A command that ended is run again.

    python benchmarks/shards_killed.py checkpoints/best.pth --kills 30
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_TARGETS = {"worker": "ray::predict_shard", "command": "", "head": "gcs_server", "raylet": "raylet"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pile = folder / "pile.npy"
        shape = (options.images, 32, 32, 3)
        np.save(pile, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        run([pile, options.checkpoint, folder / "plain.csv", "--table", folder / "plain.parquet"])
        out = [pile, options.checkpoint, folder / "out.csv", "--table", folder / "out.parquet"]
        targets = [list(_TARGETS)[number % len(_TARGETS)] for number in range(options.kills)]
        whole = 0
        while targets:
            kept = len(list(folder.glob("out.csv.parts/part-*")))
            process = begin([*out, "--ray", "--workers", "2"])
            while process.poll() is None and targets:
                if not any(is_a(child, "worker") for child in below(process.pid)):
                    time.sleep(0.1)  # nothing is done yet
                    continue
                time.sleep(chance.uniform(0.0, 6.0))
                if process.poll() is None and kill(process.pid, targets[0]):
                    there = len(list(folder.glob("out.csv.parts/part-*")))
                    print(f"killed {targets.pop(0)}: {there} parts", flush=True)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(2.0)
            _, said = process.communicate(timeout=300)
            print(f"  from {kept} parts: exit {process.returncode}: {said.strip()[-150:]}")
            if process.returncode == 0:
                compare(folder)
                whole += 1
        while not (folder / "out.parquet").exists() and whole == 0:
            run([*out, "--ray", "--workers", "2"])
            compare(folder)
            whole += 1
        print(f"{options.kills} kills, {whole} whole results, all of the same bytes")


def compare(folder: Path) -> None:
    for suffix in ("csv", "parquet"):
        one, other = folder / f"out.{suffix}", folder / f"plain.{suffix}"
        assert one.read_bytes() == other.read_bytes(), f"the {suffix} files differ"
        one.unlink()
    assert not (folder / "out.csv.parts").exists()


def begin(words: list[object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shoal", "predict", *map(str, words)], text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(words: list[object]) -> None:
    process = begin(words)
    _, said = process.communicate()
    assert process.returncode == 0, said


def kill(command: int, target: str) -> bool:
    """Kill a process of the kind ``target`` below a command, or the command itself."""
    if target == "command":
        os.kill(command, signal.SIGKILL)
        return True
    for process in below(command):
        with contextlib.suppress(OSError):
            if is_a(process, target):
                os.kill(process, signal.SIGKILL)
                return True
    return False


def is_a(process: int, target: str) -> bool:
    """Whether a process is of the kind ``target``."""
    try:
        words = (Path("/proc") / str(process) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(words[0].decode()).name.startswith(_TARGETS[target])


def below(process: int) -> Iterator[int]:
    """The processes that a process started, and those that these did."""
    with contextlib.suppress(OSError):
        for task in (Path("/proc") / str(process) / "task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from below(child)


if __name__ == "__main__":
    main()
