"""What the commands share: from what was typed to a finished checkpoint, saying what happens."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from shoal import pipeline
from shoal.budget import Speed, measure
from shoal.choose_k import AUTO, check_enough, is_settled, settle, weigh_remembered
from shoal.embedding.embed import EmbeddingTable
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.errors import DataError, Interrupted, RecipeError
from shoal.images.checks import check_n_clusters
from shoal.images.files import locked, sweep
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.models.provenance import command_line
from shoal.plural import counted, lasted
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe, check_divides, differences, named
from shoal.recipes.settings import override
from shoal.scoring import compare_splits, evaluation, label_free, warnings
from shoal.scoring.compare_splits import Alternative
from shoal.scoring.label_free import LabelFreeScores
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import resolve_device
from shoal.training.loop import Run, check_resumable
from shoal.training.time_limit import MEASURED_SHARE, TimeLimit


@dataclass(frozen=True)
class Request:
    """What a person asked of a training run; see the options of ``shoal train``."""

    recipe: str
    epochs: float | None = None
    minutes: float | None = None
    seed: int | None = None
    clusters: int | str | None = None
    """A number, or ``auto``: chosen after training, see `settling`."""
    resume: bool = False
    device: str = "auto"
    settings: tuple[str, ...] = ()
    low_memory: bool = False
    force: bool = False
    """Replace what another run left."""
    began: float | None = None
    """When the command began, by `time.monotonic`: --minutes count from there."""
    hands_over: bool = False
    """Whether a prediction, a map and a report follow, within the minutes."""

    def resolve(self) -> Recipe:
        """The recipe with all that was asked.

        Raises:
            RecipeError: something unknown, out of range, or asked twice.
        """
        if self.epochs is not None and self.minutes is not None:
            raise RecipeError("either --epochs or --minutes is expected, and both came; give one.")
        if self.resume and self.force:
            raise RecipeError("--resume goes on and --force begins anew; give one of them.")
        if self.minutes is not None and not 0 < self.minutes <= 100_000:
            raise RecipeError(f"--minutes is expected above 0, and {self.minutes:g} came.")
        settings = list(self.settings)
        asked = {
            "--epochs": ("epochs", self.epochs),
            "--minutes": ("epochs", self.minutes),
            "--seed": ("seed", self.seed),
            "-k": ("n_clusters", self.clusters),
        }
        for option, (field, value) in asked.items():
            if value is None:
                continue
            if any(setting.partition("=")[:2] == (field, "=") for setting in self.settings):
                raise RecipeError(f"either {option} or --set {field}=… is expected, and both came.")
            if option != "--minutes" and value != AUTO:
                settings.append(f"{field}={value}")
        recipe = override(named(self.recipe), settings)
        check_divides(recipe)
        return recipe

    @property
    def auto(self) -> bool:
        """Whether the number of clusters is to be chosen."""
        return self.clusters == AUTO


def rehearse(source: ImageSource, request: Request) -> None:
    """Fail now, before anything older makes room, if training could not begin.

    Raises:
        ShoalError: see `train`.
    """
    recipe = request.resolve()
    check_n_clusters(recipe.n_clusters, len(source))
    if request.auto:
        check_enough(len(source))
    Run.start(source, recipe, resolve_device(request.device), None, {})


def train(source: ImageSource, path: Path, request: Request, report: Reporter) -> Checkpoint:
    """Train, or go on training, and say what came of it.

    Raises:
        OutputError: another process trains to ``path``.
    """
    sweep(path.parent)
    sweep(CheckpointHistory(path).folder)
    if not request.resume:
        rehearse(source, request)
    with locked(CheckpointHistory(path).folder, str(path)):
        return _train(source, path, request, report)


def _train(source: ImageSource, path: Path, request: Request, report: Reporter) -> Checkpoint:
    recipe = request.resolve()
    device = resolve_device(request.device)
    check_n_clusters(recipe.n_clusters, len(source))
    if request.auto:
        check_enough(len(source))
    allocator = "system: as asked" if request.low_memory else keep_large_buffers()
    notes: dict[str, Any] = {"command": command_line(), "allocator": allocator}
    if (larger := _larger_size(source)) is not None:
        notes["larger_size"] = larger
    before = _before(path, request, report)
    if before is not None and request.minutes is not None:  # chosen once, when the run began
        recipe = replace(recipe, epochs=before.recipe.epochs)
    limit = None
    if request.minutes is not None and (before is None or not before.finished):
        limit, speed = _limit(source, recipe, request, before, device)
        notes |= {"earlier_seconds": limit.spent_before}
        if before is None:
            epochs = speed.epochs(source, recipe, limit.left() - limit.reserved())
            recipe = replace(recipe, epochs=epochs)
            notes |= {"minutes": request.minutes, "measured_seconds_per_step": round(speed.step, 5)}
            report.say(
                f"{request.minutes:g} minutes are enough for about {epochs:g} epochs at "
                f"{speed.step:.3f} s a step; measured all the time, and made to fit"
            )
        if limit.left() - limit.reserved() < 10 * speed.step:
            report.say(
                f"{request.minutes:g} minutes are too short for this pile: a few steps are made, "
                "and the rest takes as long as it takes"
            )
    if before is not None and before.finished:
        if request.auto and is_settled(before):
            recipe = replace(recipe, n_clusters=before.recipe.n_clusters)
        check_resumable(before, recipe, source.digest())
        if not request.auto or is_settled(before):
            report.say(f"{path} is finished; nothing to resume")
            return before
        return _settled(source, before, path, report, device)
    height, width, channels = source.shape
    report.say(
        f"{counted(len(source), 'image')} of {height} × {width} × {channels}, "
        f"recipe {recipe.name}, {counted(recipe.epochs, 'epoch')} on {device}, seed {recipe.seed}"
    )
    report.warn(*warnings.few_images(len(source), recipe.n_clusters))  # known before the wait
    try:
        finished = pipeline.fit(
            source, path, recipe, device=device, resume=before, notes=notes, limit=limit,
            track=report,
        )  # fmt: skip
    except (Interrupted, KeyboardInterrupt) as error:
        raise _stopped(path, recipe) from error
    if request.auto:
        finished = _settled(source, finished, path, report, device)
    history = CheckpointHistory(path)
    report.say(
        f"trained in {lasted(finished.provenance['seconds'])}; checkpoint {path}, "
        f"{len(history.files())} along the way in {history.folder}"
    )
    return finished


def _limit(
    source: ImageSource, recipe: Recipe, request: Request, before: Checkpoint | None, device: str
) -> tuple[TimeLimit, Speed]:
    """The minutes asked for, with what follows training, by the speed of a few seconds."""
    assert request.minutes is not None
    began = time.monotonic() if request.began is None else request.began
    speed = measure(source, recipe, most=request.minutes * 3, device=device)
    after, writing = speed.embedding(source), 0.0
    fixed = speed.clustering(source, recipe.n_clusters)
    if request.hands_over:
        writing = speed.embedding_again(source)
        after += writing
        fixed += speed.drawing(source) + request.minutes * 60 * MEASURED_SHARE
    pace = None if before is None else before.pace
    limit = TimeLimit(
        request.minutes * 60, began=began, spent_before=0.0 if pace is None else pace.seconds,
        after=after, fixed=fixed, step=speed.step, writing=writing,
    )  # fmt: skip
    return limit, speed


def seconds_for_history(finished: Checkpoint, request: Request) -> Callable[[], float]:
    """What measuring the checkpoints along the way may take in a run, asked when it begins.

    Of a run with a time limit that is what is left but for a little for the page; of another a
    tenth of the training time, or 10 seconds if that is more.
    """

    def left() -> float:
        if request.minutes is None or request.began is None:
            return max(10.0, MEASURED_SHARE * float(finished.provenance["seconds"]))
        spent = time.monotonic() - request.began + finished.provenance.get("earlier_seconds", 0.0)
        page = 4.0 + 2e-4 * finished.n_images
        return request.minutes * 60 - spent - page

    return left


def predict(
    source: ImageSource,
    checkpoint: Checkpoint,
    report: Reporter,
    *,
    clusters: int | str | None = None,
    split: int = 1,
    device: str = "auto",
) -> EmbeddingTable:
    """Assign the images, with progress; of clusters found anew, warn of tiny and empty ones.

    Not of the checkpoint's own clusters: new images may well be of few of its kinds. ``auto``
    chooses their number among the images that the checkpoint remembers. Other images than those
    it learned from are also asked whether they are like any of them.
    """
    if clusters == AUTO:
        found = weigh_remembered(checkpoint, track=report)
        report.say(found.reason)
        clusters = found.n_clusters
    clusters = None if clusters is None else int(clusters)
    table = pipeline.predict(
        source,
        checkpoint,
        n_clusters=clusters,
        split=split,
        new=source.digest() != checkpoint.provenance.get("fingerprint"),
        device=ready(device),
        track=report,
    )
    report.warn(*warnings.unfamiliar(table))
    if clusters is not None and not warnings.few_images(len(source), clusters):
        report.warn(*warnings.tiny_clusters(np.bincount(table.labels, minlength=clusters)))
    return table


def splits(
    source: ImageSource, checkpoint: Checkpoint, report: Reporter, *, device: str = "auto"
) -> list[Alternative]:
    """Describe the ways to divide the pile, with progress."""
    return compare_splits.compare(source, checkpoint, device=ready(device), track=report)


def check_labels_or_none(labels: Path | None, no_labels: bool) -> None:
    """Raise unless either labels are given or it is said that there are none.

    Raises:
        DataError: both, or neither.
    """
    if no_labels == (labels is not None):
        came = "both came; leave out one" if no_labels else "neither came; give one"
        raise DataError(f"either a file of labels or --no-labels is expected, and {came}.")


def evaluate(
    source: ImageSource, checkpoint: Checkpoint, labels: Path, *, device: str = "auto"
) -> dict[str, Any]:
    """Accuracy with its interval, NMI, ARI, MSE and calibration, as JSON values."""
    truth = evaluation.load_labels(labels, len(source))
    device = ready(device)
    table = pipeline.predict(source, checkpoint, device=device)
    scores = evaluation.score(table.labels, truth)
    bins = evaluation.calibration(table.confidence, table.labels, truth)
    return asdict(scores) | {
        "accuracy_interval_95": list(evaluation.accuracy_interval(scores.accuracy, len(source))),
        "mse": reconstruction_mse(source, checkpoint, device=device),
        "calibration": [asdict(part) for part in bins],
    }


def say_verdict(checkpoint: Checkpoint, report: Reporter) -> None:
    """Whether the clusters can be trusted, why, and what to do next: what a run ends with."""
    report.say(str(label_free.verdict_on(checkpoint, words=sys.argv[1:])))


def judge(
    source: ImageSource, checkpoint: Checkpoint, report: Reporter, *, device: str = "auto"
) -> LabelFreeScores:
    """Score the clusters without labels; those of a checkpoint along the way are found first."""
    device = ready(device)
    if not checkpoint.finished:
        report.say(
            "this checkpoint was kept along the way and has no clusters: they are found first, "
            f"among these {len(source):,} images"
        )
        check_n_clusters(checkpoint.recipe.n_clusters, len(source))
        checkpoint = pipeline.organise(source, checkpoint, device=device, track=report)
    return label_free.judge(source, checkpoint, device=device, track=report)


def _settled(
    source: ImageSource, finished: Checkpoint, path: Path, report: Reporter, device: str
) -> Checkpoint:
    finished = settle(source, finished, device=device, track=report)
    checkpoints.save(finished, path)
    report.say(finished.provenance["n_clusters"])
    return finished


def ready(device: str) -> str:
    """The device asked for; embedding, too, is faster when buffers are kept."""
    keep_large_buffers()
    return resolve_device(device)


def _before(path: Path, request: Request, report: Reporter) -> Checkpoint | None:
    """What to go on from: the state of an unfinished run, a finished checkpoint, or nothing."""
    history = CheckpointHistory(path)
    if not request.resume:
        if history.resume_file.exists():
            report.say(
                f"an unfinished run is in {history.folder}; it is kept in {history.previous}"
            )
        elif path.is_file():
            report.say(f"the earlier {path} is kept in {history.previous}")
        return None
    before = history.unfinished()
    if before is None:
        if path.exists():
            return checkpoints.load(path)
        report.say("nothing to resume; starting from the beginning")
        return None
    report.say(f"going on at epoch {before.epoch:.1f} of {before.recipe.epochs:g}")
    threads, now = before.provenance.get("threads"), torch.get_num_threads()
    if threads != now:
        report.say(
            f"the run began with {threads} threads and goes on with {now}: its last bits will "
            "differ from an uninterrupted run's"
        )
    return before


def typed(*options: str) -> str:
    """The command as it was typed, with ``options`` that it did not have; to be typed again."""
    script = os.environ.get("SHOAL_COMMAND")  # set by the scripts of the assignment
    words = shlex.split(script) if script else ["shoal", *sys.argv[1:]]
    if "--resume" in options:  # which goes on, where --force began anew
        words = [word for word in words if word != "--force"]
    return shlex.join([*words, *(option for option in options if option not in words)])


def _larger_size(source: ImageSource) -> int | None:
    """Pixels a side that would show more of a pile, if it was shrunk; see its ``notes``."""
    offered = re.search(r"--size (\d+) shows more", " ".join(getattr(source, "notes", ())))
    return None if offered is None else int(offered.group(1))


def _stopped(path: Path, recipe: Recipe) -> Interrupted:
    state = CheckpointHistory(path).unfinished()
    # Before the first step an older run's state may still be there: it is not this one's.
    if state is None or differences(state.recipe, recipe):
        return Interrupted("stopped before the first checkpoint; nothing was kept.")
    return Interrupted(
        f"stopped at epoch {state.epoch:.1f} of {state.recipe.epochs:g} (step {state.step:,} of "
        f"{state.total_steps:,}); go on with '{typed('--resume')}'."
    )
