"""The checkpoints of a history, measured one by one, and what the numbers say."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal import pipeline
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.errors import CheckpointError, OutputError
from shoal.images.files import atomic_path
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.reports.inputs import Subject, Trained, fast
from shoal.scoring import evaluation, quality
from shoal.scoring.under_augmentation import Seen, look
from shoal.training.augmented_source import Shown

FEWEST_SHOWN = 4
"""Of fewer measured in the time there was, nothing is to be seen."""
FEWEST = 10
"""The assignment asks for at least this many checkpoints."""
CLUSTERED = 2000
"""Clusters of a checkpoint along the way are found among this many images of a larger pile."""
SCORED = 1000
"""Label-free scores of a checkpoint along the way are of this many."""
LABEL_FREE = (
    "label-free score", "view agreement", "recognition", "neighbour purity", "silhouette"
)  # fmt: skip
"""Those of `label_free.LabelFreeScores` that are shown; the first is their `combined`."""
FILE = "measurements.json"


@dataclass(frozen=True)
class Point:
    """A checkpoint of a history, measured."""

    epoch: float
    step: int
    mse: float
    """Of the reconstruction of all images learned from, pixels in [0, 1]."""
    label_free: dict[str, float]
    """By the names of `LABEL_FREE`."""
    accuracy: float | None = None
    """Of the labelled images; None without labels."""
    interval: tuple[float, float] | None = None
    """The accuracy's 95 % interval."""


_FIELDS = tuple(field.name for field in fields(Point))


def progression(subject: Subject, one: Trained, seconds: float | None = None) -> list[Point]:
    """Measure a history's checkpoints, oldest first, or as many as ``seconds`` are enough for.

    The last is measured first, then the one half way, at a quarter and so on, so that those
    measured are spread over the run.

    What was measured is kept beside the checkpoints in ``measurements.json``, by the digests of
    weights, images and labels, and is not measured twice; that file alone is enough where the
    checkpoints themselves were not passed on.

    Raises:
        CheckpointError: fewer than 10 are there, some of them were deleted, or the file alone is
            there, and of other images or labels.
    """
    files = one.history.files()
    if not files:
        return _passed_on(subject, one)
    _check_whole(len(files), one)
    known, prints = _read(one.history.folder / FILE), _prints(subject)
    errors = {each.trained.checkpoint.weights_digest(): each.mse for each in subject.measured}
    weights, points = set(), []
    began, longest = time.monotonic(), 0.0
    order = files if seconds is None else _spread(files)
    for path in subject.track(order, "measuring checkpoints", len(order)):
        checkpoint = checkpoints.load(path)
        digest = checkpoint.weights_digest()
        entry = next((e for e in known if e["weights"] == digest and _serves(e, prints)), None)
        if entry is None:
            start = time.monotonic()
            if seconds is not None and start - began + longest > seconds:
                continue  # one that is known already may follow
            with fast(subject.device):  # the last has the weights of the final one: measured
                point = _measure(subject, checkpoint, mse=errors.get(digest))
            entry = {"weights": digest, "run": _run(checkpoint), "of": prints} | asdict(point)
            known.append(entry)
            _write(one.history.folder / FILE, known)
            longest = max(longest, time.monotonic() - start)
        weights.add(digest)
        points.append(_point(entry, subject))
    points.sort(key=lambda point: point.step)
    if seconds is not None:
        return points
    current = [entry for entry in known if entry["weights"] in weights]
    if len(current) < len(known):  # of an earlier run, whose checkpoints are no longer there
        _write(one.history.folder / FILE, current)
    return points


def _spread(files: list[Path]) -> list[Path]:
    """The last, the one half way, at a quarter, at three quarters, and so on.

    >>> [int(path.name) for path in _spread([Path(str(i)) for i in range(1, 9)])]
    [8, 4, 2, 6, 1, 3, 5, 7]
    """
    order, parts = [len(files)], 2
    while len(order) < len(files):
        places = (max(1, len(files) * share // parts) for share in range(1, parts, 2))
        order += [place for place in dict.fromkeys(places) if place not in order]
        parts *= 2
    return [files[place - 1] for place in order]


def check(subject: Subject, one: Trained) -> None:
    """Raise what `progression` would of a checkpoint history that will not do, before any work.

    Raises:
        CheckpointError: see there.
    """
    files = one.history.files()
    if files:
        _check_whole(len(files), one)
    else:
        _passed_on(subject, one)


def _passed_on(subject: Subject, one: Trained) -> list[Point]:
    """What was measured of checkpoints that are not there themselves."""
    path, prints = one.history.folder / FILE, _prints(subject)
    entries = [entry for entry in _read(path) if _belongs(entry, one)]
    serving = {entry["weights"]: entry for entry in entries if _serves(entry, prints)}
    if entries and not serving:
        raise CheckpointError(
            f"{path}: what was measured of these images and labels is expected, as the checkpoints "
            "themselves are not beside it, and it is of others; give those that it is of, or copy "
            "the whole folder."
        )
    _check_whole(len(serving), one)
    return [
        _point(entry, subject) for entry in sorted(serving.values(), key=lambda e: int(e["step"]))
    ]


def _measure(subject: Subject, checkpoint: Checkpoint, mse: float | None) -> Point:
    sample = Shown(subject.train, None, most=CLUSTERED, seed=0)
    finished = pipeline.organise(sample, checkpoint, examine=False, device=subject.device)
    seen = look(sample, finished, most=SCORED, seed=0, device=subject.device)
    accuracy = interval = None
    if subject.labels is not None and subject.images is not None:
        table = pipeline.predict(subject.images, finished, device=subject.device)
        accuracy = evaluation.score(table.labels, subject.labels).accuracy
        interval = evaluation.accuracy_interval(accuracy, len(subject.labels))
    if mse is None:
        mse = reconstruction_mse(subject.train, checkpoint, device=subject.device)
    return Point(
        epoch=checkpoint.epoch,
        step=checkpoint.step,
        mse=mse,
        label_free=_scores(seen),
        accuracy=accuracy,
        interval=interval,
    )


def _scores(seen: Seen) -> dict[str, float]:
    z, labels = seen.table.embedding, seen.table.labels
    values = (
        seen.steadiness, seen.view_agreement, seen.recognition,
        quality.neighbour_purity(z, labels), quality.silhouette(z, labels),
    )  # fmt: skip
    return dict(zip(LABEL_FREE, values, strict=True))


def _check_whole(count: int, one: Trained) -> None:
    recipe, total = one.checkpoint.recipe, one.checkpoint.total_steps
    expected = min(recipe.checkpoints, total)
    if count < FEWEST:
        more = f" with --set checkpoints={FEWEST + 2}" if recipe.checkpoints < FEWEST else ""
        raise CheckpointError(
            f"at least {FEWEST} checkpoints along the way are expected in {one.history.folder}, "
            f"and {count} are there; keep that folder beside {one.path.name}, or train again{more}."
        )
    if count != expected:
        raise CheckpointError(
            f"{one.history.folder}: {expected} checkpoints along the way are expected, and "
            f"{count} are there: some were deleted; train again, or copy the whole folder."
        )


def _prints(subject: Subject) -> dict[str, str | None]:
    labels = None
    if subject.labels is not None:
        labels = hashlib.sha256(np.ascontiguousarray(subject.labels).tobytes()).hexdigest()
    images = subject.images.digest() if subject.images is not None else None
    return {"train": subject.train.digest(), "images": images, "labels": labels}


def _run(checkpoint: Checkpoint) -> str:
    """A digest that tells one training run from another: recipe, images, length."""
    recipe, total = checkpoint.recipe.to_dict(), checkpoint.total_steps
    if checkpoint.pace is not None:  # its length was decided on the way
        recipe, total = recipe | {"epochs": None}, checkpoint.pace.first_total
    told = {
        "recipe": recipe,
        "fingerprint": checkpoint.provenance.get("fingerprint"),
        "total_steps": total,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _serves(entry: dict[str, Any], prints: dict[str, str | None]) -> bool:
    """Whether it is of these images and labels, or, where there are none, of these images."""
    of: dict[str, str | None] = entry["of"]
    return of == prints or (prints["labels"] is None and of["train"] == prints["train"])


def _belongs(entry: dict[str, Any], one: Trained) -> bool:
    last = entry["step"] == one.checkpoint.step
    same_end = not last or entry["weights"] == one.checkpoint.weights_digest()
    return bool(entry["run"] == _run(one.checkpoint) and same_end)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries:
            _ = Point(**{name: entry[name] for name in _FIELDS}), entry["weights"], entry["run"]
            _ = entry["of"]["train"]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # not ours, or of another version: measured anew
    return list(entries)


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    except OutputError:
        return  # a folder that cannot be written to costs the next report time, not this one


def _point(entry: dict[str, Any], subject: Subject) -> Point:
    point = Point(**{name: entry[name] for name in _FIELDS})
    if subject.labels is None:
        return replace(point, accuracy=None, interval=None)
    low, high = entry["interval"]
    return replace(point, interval=(low, high))
