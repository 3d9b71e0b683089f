"""How training went: every checkpoint of a history measured."""

from __future__ import annotations

import time
from pathlib import Path

from shoal import pipeline
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.errors import CheckpointError
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.reports import measurements
from shoal.reports.inputs import ReportInputs, Trained, fast
from shoal.reports.measurements import FILE, Point
from shoal.scoring import evaluation, quality
from shoal.scoring.under_augmentation import UnderAugmentation, predict_views
from shoal.training.augmented_source import AugmentedSource

FEWEST_SHOWN = 4
"""Where the time was enough for fewer, nothing can be seen from them."""
FEWEST = 10
"""The assignment asks for at least this many checkpoints."""
CLUSTERED = 2000
"""A checkpoint along the way is clustered with this many images of a larger pile."""
SCORED = 1000
"""Label-free scores of a checkpoint along the way are of this many images."""
LABEL_FREE = (
    "label-free score", "view agreement", "recognition", "neighbour purity", "silhouette"
)  # fmt: skip
"""Those of `label_free.LabelFreeScores` that are shown; the first is their `combined`."""


def progression(
    inputs: ReportInputs, trained: Trained, seconds: float | None = None
) -> list[Point]:
    """Measure a history's checkpoints, oldest first, or as many as ``seconds`` are enough for.

    With little time the last is measured first, then the one half way, at a quarter and so on, so
    that those measured are spread over the run. Measurements are kept, see `measurements`.

    Raises:
        CheckpointError: there are fewer than 10, some were deleted, or they are known from their
            measurements alone, and those are of other images or labels.
    """
    files = trained.history.files()
    if not files:
        return _from_measurements(inputs, trained)
    _check_whole(len(files), trained)
    path, digests = trained.history.folder / FILE, measurements.input_digests(inputs)
    entries = measurements.read(path)
    labelled = inputs.labels is not None
    errors = {m.trained.checkpoint.weights_digest(): m.mse for m in inputs.measured}
    weights, points = set(), []
    began, longest = time.monotonic(), 0.0
    order = files if seconds is None else _spread(files)
    for file in inputs.track(order, "measuring checkpoints", len(order)):
        checkpoint = checkpoints.load(file)
        digest = checkpoint.weights_digest()
        entry = next(
            (e for e in entries if e["weights"] == digest and measurements.serves(e, digests)), None
        )
        if entry is None:
            start = time.monotonic()
            if seconds is not None and start - began + longest > seconds:
                continue  # a later one may be measured already
            with fast(inputs.device):  # the last has the weights of the final file
                point = _measure(inputs, checkpoint, mse=errors.get(digest))
            entry = measurements.to_entry(point, checkpoint, digests)
            entries.append(entry)
            measurements.write(path, entries)
            longest = max(longest, time.monotonic() - start)
        weights.add(digest)
        points.append(measurements.to_point(entry, labelled=labelled))
    points.sort(key=lambda point: point.step)
    current = [entry for entry in entries if entry["weights"] in weights]
    if seconds is None and len(current) < len(entries):  # the others are of an earlier run
        measurements.write(path, current)
    return points


def check(inputs: ReportInputs, trained: Trained) -> None:
    """Raise what `progression` would of a history that will not do, before any work.

    Raises:
        CheckpointError: see there.
    """
    files = trained.history.files()
    if files:
        _check_whole(len(files), trained)
    else:
        _from_measurements(inputs, trained)


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


def _from_measurements(inputs: ReportInputs, trained: Trained) -> list[Point]:
    """The measurements of checkpoints that are no longer kept themselves."""
    path, digests = trained.history.folder / FILE, measurements.input_digests(inputs)
    entries = measurements.of_the_run(measurements.read(path), trained.checkpoint)
    serving = {e["weights"]: e for e in entries if measurements.serves(e, digests)}
    if entries and not serving:
        raise CheckpointError(
            f"{path} was measured on other images or labels, and the checkpoints to measure again "
            "are not beside it; give the images and labels it was measured on, or copy the whole "
            "folder."
        )
    _check_whole(len(serving), trained)
    return [
        measurements.to_point(entry, labelled=inputs.labels is not None)
        for entry in sorted(serving.values(), key=lambda e: int(e["step"]))
    ]


def _check_whole(count: int, trained: Trained) -> None:
    recipe, total = trained.checkpoint.recipe, trained.checkpoint.total_steps
    kept = min(recipe.checkpoints, total)
    if count < FEWEST:
        more = f" with checkpoints={FEWEST + 2}" if recipe.checkpoints < FEWEST else ""
        raise CheckpointError(
            f"{trained.history.folder} must hold at least {FEWEST} checkpoints, but holds {count}; "
            f"keep that folder beside {trained.path.name}, or train again{more}."
        )
    if count != kept:
        raise CheckpointError(
            f"{trained.history.folder} must hold {kept} checkpoints, but holds {count}: some were "
            "deleted; copy the whole folder, or train again."
        )


def _measure(inputs: ReportInputs, checkpoint: Checkpoint, mse: float | None) -> Point:
    """Cluster a sample anew with the checkpoint, and score that; ``mse`` if it is known."""
    sample = AugmentedSource(inputs.train, None, most=CLUSTERED, seed=0)
    finished, _ = pipeline.cluster(sample, checkpoint, thorough=False, device=inputs.device)
    seen = predict_views(sample, finished, most=SCORED, seed=0, device=inputs.device)
    accuracy = interval = None
    if inputs.labels is not None and inputs.images is not None:
        table = pipeline.predict(inputs.images, finished, device=inputs.device)
        accuracy = evaluation.score(table.labels, inputs.labels).accuracy
        interval = evaluation.accuracy_interval(accuracy, len(inputs.labels))
    if mse is None:
        mse = reconstruction_mse(inputs.train, checkpoint, device=inputs.device)
    return Point(
        epoch=checkpoint.epoch,
        step=checkpoint.step,
        mse=mse,
        label_free=_scores(seen),
        accuracy=accuracy,
        interval=interval,
    )


def _scores(seen: UnderAugmentation) -> dict[str, float]:
    z, labels = seen.table.embedding, seen.table.labels
    values = (
        seen.consistency, seen.view_agreement, seen.recognition,
        quality.neighbour_purity(z, labels), quality.silhouette(z, labels),
    )  # fmt: skip
    return dict(zip(LABEL_FREE, values, strict=True))
