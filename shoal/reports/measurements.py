"""Measurements of the checkpoints of a history, kept in a file beside them.

Measuring takes minutes and gives the same numbers every time. The file is also all that a report
needs where the checkpoints themselves were not passed on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import OutputError
from shoal.images.files import atomic_path
from shoal.models.checkpoint import Checkpoint
from shoal.reports.inputs import ReportInputs

FILE = "measurements.json"

Entry = dict[str, Any]
"""A `Point` as JSON values, with the digests of the ``weights``, of the ``run``, and ``of`` what
images and labels it was measured on."""


@dataclass(frozen=True)
class Point:
    """A checkpoint of a history, measured."""

    epoch: float
    step: int
    mse: float
    """The error of the reconstruction of all images learned from, pixels in [0, 1]."""
    label_free: dict[str, float]
    """The scores by their names, see `progression.LABEL_FREE`."""
    accuracy: float | None = None
    """The accuracy on the labelled images; None without labels."""
    interval: tuple[float, float] | None = None
    """The accuracy's 95 % interval."""


_FIELDS = tuple(field.name for field in fields(Point))


def to_entry(point: Point, checkpoint: Checkpoint, digests: dict[str, str | None]) -> Entry:
    """A measurement as it is kept; ``digests`` as `input_digests` gives them."""
    identity = {"weights": checkpoint.weights_digest(), "run": _run(checkpoint), "of": digests}
    return identity | asdict(point)


def to_point(entry: Entry, *, labelled: bool) -> Point:
    """The measurement in an entry, without its accuracy unless the report is ``labelled``."""
    point = Point(**{name: entry[name] for name in _FIELDS})
    if not labelled:
        return replace(point, accuracy=None, interval=None)
    low, high = entry["interval"]
    return replace(point, interval=(low, high))


def input_digests(inputs: ReportInputs) -> dict[str, str | None]:
    """Digests of the images learned from, of the labelled images, and of the labels."""
    labels = None
    if inputs.labels is not None:
        labels = hashlib.sha256(np.ascontiguousarray(inputs.labels).tobytes()).hexdigest()
    images = inputs.images.digest() if inputs.images is not None else None
    return {"train": inputs.train.digest(), "images": images, "labels": labels}


def serves(entry: Entry, digests: dict[str, str | None]) -> bool:
    """Whether it was measured on these images and labels; without labels, on these images."""
    measured: dict[str, str | None] = entry["of"]
    return measured == digests or (
        digests["labels"] is None and measured["train"] == digests["train"]
    )


def of_the_run(entries: list[Entry], checkpoint: Checkpoint) -> list[Entry]:
    """Those measured of the run that ``checkpoint`` is of."""
    digest = checkpoint.weights_digest()
    runs = {entry["run"] for entry in entries if entry["weights"] == digest}
    return [entry for entry in entries if entry["run"] in runs]


def read(path: Path) -> list[Entry]:
    """The entries of a file; none if there is no file, or one of another version."""
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries:
            _ = Point(**{name: entry[name] for name in _FIELDS}), entry["weights"], entry["run"]
            _ = entry["of"]["train"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list(entries)


def write(path: Path, entries: list[Entry]) -> None:
    """Keep entries; in a folder that cannot be written to they are measured again next time."""
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    except OutputError:
        return


def _run(checkpoint: Checkpoint) -> str:
    """A digest that tells one training run from another: recipe, images, length."""
    recipe, total = checkpoint.recipe.to_dict(), checkpoint.total_steps
    if checkpoint.pace is not None:  # the length was decided on the way
        recipe, total = recipe | {"epochs": None}, checkpoint.pace.first_total
    run = {
        "recipe": recipe,
        "fingerprint": checkpoint.origin.digest,
        "total_steps": total,
    }
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()
