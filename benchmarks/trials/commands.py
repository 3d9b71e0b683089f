"""Damaged files given to real commands, each a process of its own, as a person would."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from trials import kills
from trials.checkpoints import damaged_checkpoint
from trials.disks import check_refused
from trials.kills import Undisturbed
from trials.runs import Place
from trials.samples import IMAGES, whole
from trials.verdicts import damaged

_MANY = 60


def trial(run: Undisturbed, folder: Path, seed: int, share: float) -> dict[str, Any]:
    """``shoal predict`` on a folder of damaged images, or a command on a damaged checkpoint."""
    place = kills.new_place(run, folder)
    stage, problems = (_images if seed % 2 else _checkpoint)(run, place, seed)
    return {
        "seed": seed, "stage": stage, "outcome": "failure" if problems else "fine", "what": problems
    }  # fmt: skip


def _images(run: Undisturbed, place: Place, seed: int) -> tuple[str, list[str]]:
    pile = place.folder / "damaged"
    pile.mkdir()
    (pile / "good.png").write_bytes(whole("png")[0])
    for number in range(_MANY):
        kind = list(IMAGES)[number % len(IMAGES)]
        (pile / f"{number:03}.{kind}").write_bytes(damaged(kind, seed * 1000 + number))
    checkpoint = str(run.place.out / "checkpoint.pth")
    done = place.end(("predict", "damaged", checkpoint, "prediction.csv", "--table", "t.parquet"))
    if done.code or "Traceback" in done.err:
        return "images", [f"ended with {done.code}: {done.err[-900:]}"]
    names = [row[0] for row in _rows(place.folder / "prediction.csv")]
    names += [row[0] for row in _rows(place.folder / "prediction.skipped.csv")]
    given = sorted(path.name for path in pile.iterdir())
    if sorted(names) != given:
        return "images", [f"not accounted for: {sorted(set(given) ^ set(names))}"]
    return "images", []


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]


def _checkpoint(run: Undisturbed, place: Place, seed: int) -> tuple[str, list[str]]:
    generator = np.random.default_rng([seed, 5])
    content = (run.place.out / "checkpoint.pth").read_bytes()
    (place.folder / "c.pth").write_bytes(damaged_checkpoint(content, generator))
    arguments = ("info", "c.pth") if seed % 4 else ("predict", "pile", "c.pth", "prediction.csv")
    done = place.end(arguments)
    if done.code == 0 and "Traceback" not in done.err:
        return "checkpoint", []
    return "checkpoint", check_refused(done, "checkpoint")
