"""Where a number comes from: what every row of results says of the commit and the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "shared" / "data" / "scenery"
"""The assignment's data or a twin of it: trainX.npy, valX.npy, valY.npy."""
AFTER_TRAINING = ("embedding", "embedding_resolution", "reducers", "clusterer")
"""What of a recipe is not asked for until the encoder is trained."""


def commit() -> str:
    """The commit measured, marked when the tree has changes on top of it."""
    git = ["git", "-C", str(HERE)]
    name = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    dirty = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "../shoal"], check=False)
    return name.stdout.strip() + ("+" if dirty.returncode else "")


def machine() -> str:
    """Processor and cores, as a reader of the table wants to know them."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        flags = "avx512_bf16" in cpuinfo.read_text()
        model = lines[0].split(":")[1].strip() + (" with bf16" if flags else "") if lines else model
    return f"{model}, {os.cpu_count()} cores"


def threads() -> int:
    """How many threads the measured commands compute with."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def command(*arguments: str) -> tuple[float, float, float, str]:
    """Run ``shoal``: seconds by the clock and of processor time, peak memory in GB, its output.

    Linux counts the memory of whoever starts a process as the process's own, so the caller should
    be small: a script that has imported torch hides whatever took less than itself.
    """
    before = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "shoal", *arguments], stdout=subprocess.PIPE, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: shoal {' '.join(arguments)}")
    per_unit = 1024**3 if platform.system() == "Darwin" else 1024**2
    spent = usage.ru_utime + usage.ru_stime
    return time.monotonic() - before, spent, usage.ru_maxrss / per_unit, output


def rows(path: Path) -> list[dict[str, Any]]:
    """Every measurement in a file of results so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def now(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `best` as it is now; the others say ``before`` which change of it they were made."""
    return [row for row in found if "before" not in row]


def program(row: dict[str, Any]) -> str:
    """Which `best` a measurement is of, as text."""
    return f"before {row['before']}" if "before" in row else "as it is now"


def is_there(wanted: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    """Whether any measurement has all that is wanted, whatever else it has."""
    return any(wanted.items() <= row.items() for row in found)


def sources(found: list[dict[str, Any]]) -> str:
    """On which machines, at which commits: as text."""
    return "; ".join(sorted({f"{row['machine']}, commit {row['commit']}" for row in found}))


def grouped(found: list[dict[str, Any]], column: str) -> dict[Any, list[dict[str, Any]]]:
    """Measurements by what they have in a column, in the order of appearance."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault(row[column], []).append(row)
    return groups


def quiet(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose times say something: trained on as many threads as any, and with the cores free.

    A training that got less than nine tenths of them had other work beside; all are returned where
    each did.
    """
    most = max(row["threads"] for row in found)  # a campaign may give each seed one core
    widest = [row for row in found if row["threads"] == most]
    got = [row["train_cpu_seconds"] / row["train_seconds"] / most for row in widest]
    return [row for row, share in zip(widest, got, strict=True) if share >= 0.9] or widest


def between(values: list[float], digits: int) -> str:
    """The least to the greatest of measurements, as text; once where they print alike."""
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def listed(seeds: list[int]) -> str:
    """Seeds as text: the first and last of more than three in a row, otherwise each."""
    seeds = sorted(seeds)
    if len(seeds) > 3 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def spread(values: list[float], digits: int = 3) -> str:
    """Mean and range over seeds, as text."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f} (one seed)"
    return f"{mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def append(path: Path, found: list[dict[str, Any]]) -> None:
    """Add measurements to a file of results."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in found)
