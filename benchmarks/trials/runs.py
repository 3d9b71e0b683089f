"""A small run of real commands, which the trials disturb, and what is compared of its results."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from trials import ROOT
from trials.forked import Forked
from trials.samples import picture

OPTIONS = ("-k", "2", "--epochs", "2", "--seed", "0", "--device", "cpu",
           "--set", "encoder.widths=(8,16)", "--set", "checkpoints=4")  # fmt: skip
Process: TypeAlias = "subprocess.Popen[str] | Forked"
LONGEST = 180.0
"""Seconds after which a command hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, or minus the signal; its two streams; seconds."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Place:
    """Where a run takes place: a folder of its own with the pile, its results and its cache."""

    folder: Path

    @property
    def pile(self) -> Path:
        return self.folder / "pile"

    @property
    def out(self) -> Path:
        return self.folder / "found"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    def run(self, *more: str, out: Path | None = None) -> tuple[str, ...]:
        """The command line of the run."""
        return ("run", "pile", str((out or self.out).relative_to(self.folder)), *OPTIONS, *more)

    def start(self, arguments: Sequence[str]) -> Process:
        """Start a command in this place, in a process group of its own."""
        self.temporary.mkdir(exist_ok=True)
        known = {
            "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(self.cache), "COLUMNS": "500",
            "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        if os.environ.get("SHOAL_TRIALS_FORKED"):
            return Forked(arguments, self.folder, known)
        return subprocess.Popen(
            [sys.executable, "-m", "shoal", *arguments], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env={**os.environ, **known}, start_new_session=True,
        )  # fmt: skip

    def end(self, arguments: Sequence[str]) -> Ended:
        """Run a command to its end."""
        return ended(self.start(arguments))


def ended(process: Process, began: float | None = None) -> Ended:
    """Wait for a command; one that hangs is killed, and its code is that of the signal."""
    began = time.monotonic() if began is None else began
    try:
        out, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out, err, time.monotonic() - began)


def make_pile(folder: Path, n: int, side: int = 320) -> None:
    """``n`` photographs, sorted into two folders, and one file that is none."""
    for number in range(n):
        image = picture(number % 50).resize((side, side))
        noise = np.random.default_rng(number).integers(-9, 10, (side, side, 3))
        levels = np.clip(np.asarray(image).astype(np.int64) + noise, 0, 255).astype(np.uint8)
        below = folder / f"{number % 2}"
        below.mkdir(parents=True, exist_ok=True)
        type(image).save(_image(levels), below / f"{number:04}.jpg", quality=80)
    (folder / "1" / "broken.jpg").write_bytes(b"\xff\xd8\xff not an image")


def _image(levels: np.ndarray[Any, Any]) -> Any:
    from PIL import Image

    return Image.fromarray(levels)


def next_command(said: str) -> tuple[str, ...] | None:
    """The command that a message tells to type, if it spells one out after a colon.

    >>> next_command("stopped; go on with: shoal run a b --set 'x=(1,)' --resume")
    ('run', 'a', 'b', '--set', 'x=(1,)', '--resume')
    """
    found = re.search(r": shoal ((?:run|train) .*)$", said, re.MULTILINE)
    return None if found is None else tuple(shlex.split(found[1]))


def results(out: Path) -> dict[str, str]:
    """A digest of each thing that a run finds, and of each file that tells no time.

    Weights and clusters are taken from the checkpoint, whose provenance has times.
    """
    import pyarrow.parquet as pq

    from shoal.models import checkpoint as checkpoints

    found: dict[str, str] = {}
    loaded = checkpoints.load(out / "checkpoint.pth")
    found["weights"] = loaded.weights_digest()
    learned = {"clusterer": loaded.clusterer, "familiar": loaded.familiar}
    learned |= {f"reducer {number}": one for number, one in enumerate(loaded.reducers)}
    for name, arrays in learned.items():
        for key, array in arrays.items():
            found[f"{name} {key}"] = _digest(np.ascontiguousarray(array).tobytes())
    table = pq.read_table(out / "table.parquet")
    for name in table.column_names:
        found[f"table {name}"] = _digest(repr(table[name].to_pylist()).encode())
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.suffix in (".csv", ".png", ".html", ".svg"):
            found[path.relative_to(out).as_posix()] = _digest(path.read_bytes())
    return found


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """What two runs found differently, or only one of them has."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
