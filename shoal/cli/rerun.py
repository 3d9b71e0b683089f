"""Training to a path where a checkpoint is already: may it be replaced, or is it the same run?"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from shoal.cli.channel_options import colours_as_typed
from shoal.cli.going_on import going_on
from shoal.cli.request import Request
from shoal.cli.run_identity import as_typed, of_another_kind
from shoal.errors import CheckpointError, OutputError
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.models.history_places import earlier_checkpoint, put_back
from shoal.protocols import ImageSource, IntArray
from shoal.recipes.asked_views import AUTO
from shoal.recipes.recipe import differences
from shoal.training.start import groups_digest


def find_same_run(path: Path, request: Request) -> Checkpoint | None:
    """Fail now, before the images are opened, if training to ``path`` would lose another run.

    Returns:
        The finished checkpoint of a run with the same settings, if it is at ``path``.

    Raises:
        OutputError: a checkpoint of other settings, or an unfinished run, or no checkpoint at all.
    """
    history = CheckpointHistory(path)
    history.check_free(force=True)  # what is no checkpoint is replaced by nobody
    if request.force or request.resume:
        return None
    if history.resume_file.exists():
        return _same_run(path, path, request) or _refuse(history, request)
    there = _existing(path)
    if there is not None:
        _check_same_run(path, there, request)
    return there


def _same_run(file: Path, path: Path, request: Request) -> Checkpoint | None:
    """The finished checkpoint in ``file`` if it is what ``request`` would train; else None."""
    with contextlib.suppress(OutputError):
        there = _existing(file)
        if there is not None:
            _check_same_run(path, there, request)
        return there
    return None


def _refuse(history: CheckpointHistory, request: Request) -> NoReturn:
    earlier = earlier_checkpoint(history.path)
    if earlier is not None and _same_run(earlier, history.path, request) is not None:
        raise OutputError(
            f"{history.path} belongs to a run that was begun in place of this one and was "
            f"interrupted; this one is kept, and this puts it back: {put_back(history.path)}"
        )
    began = ""
    with contextlib.suppress(CheckpointError):
        unfinished = history.unfinished()
        began = "" if unfinished is None else unfinished.origin.command
    raise OutputError(
        f"{history.path} belongs to a run that was interrupted; add --force to begin anew, or go "
        f"on with: {going_on(began, history.path.parent)}"
    )


def check_same_images(
    path: Path, there: Checkpoint, source: ImageSource, groups: IntArray | None = None
) -> None:
    """Fail if the checkpoint ``there``, of the same settings, learned from other images.

    Or if it was told other corrections: ``groups``, see `train`.

    Raises:
        OutputError: it did.
    """
    if there.origin.digest != source.digest():
        raise OutputError(_of_another_run(path, "it learned from other images"))
    if there.origin.groups != groups_digest(groups):
        was = "other" if there.origin.groups else "no"
        raise OutputError(_of_another_run(path, f"it was trained with {was} corrections"))


def _check_same_run(path: Path, there: Checkpoint, request: Request) -> None:
    """Fail if the finished checkpoint ``there`` is not what ``request`` would train.

    Raises:
        OutputError: naming the first setting that differs.
    """
    wanted = request.resolve()
    if there.n_dimensions:
        raise OutputError(_of_another_run(path, of_another_kind(vectors=True)))
    minutes = there.origin.minutes
    if minutes != request.minutes:
        raise OutputError(_of_another_run(path, as_typed("minutes", minutes)))
    colours = colours_as_typed(there.within.colours)
    if colours != (request.colours or AUTO):
        raise OutputError(_of_another_run(path, as_typed("colours", colours)))
    if request.minutes is not None:
        wanted = replace(wanted, epochs=there.recipe.epochs)
    if request.auto != (there.facts.chosen is not None):
        known = None if there.facts.chosen is not None else there.recipe.n_clusters
        raise OutputError(_of_another_run(path, as_typed("n_clusters", known)))
    if request.auto:
        wanted = replace(wanted, n_clusters=there.recipe.n_clusters)
    wanted = request.views.expected(wanted, there.recipe.views, there.image_shape[2])
    wanted = request.as_kept(wanted, there.recipe)
    changed = differences(there.recipe, wanted)
    if changed:
        name, (before, _) = next(iter(changed.items()))
        raise OutputError(_of_another_run(path, as_typed(name, before)))


def _of_another_run(path: Path, why: str) -> str:
    return (
        f"{path} is the checkpoint of another run ({why}); name another file, or add --force to "
        "replace it."
    )


def _existing(path: Path) -> Checkpoint | None:
    """The finished checkpoint at ``path``; None if nothing is there.

    Raises:
        OutputError: something else is there.
    """
    if not os.path.lexists(path):
        return None
    try:
        there = checkpoints.load(path)
    except CheckpointError as error:
        raise OutputError(
            f"{path} exists, and is no checkpoint that can be read; name another file, or add "
            "--force to replace it."
        ) from error
    if not there.finished:
        raise OutputError(_of_another_run(path, "it was kept along the way"))
    return there
