"""What a run measures, for whatever records it: TensorBoard, MLflow, Weights & Biases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from shoal.models.checkpoint import Checkpoint
from shoal.training.schedule import batch_size

_OWN = ("step", "epoch", "seconds", "learning_rate", "loss", "spread")


class Log(Protocol):
    """Records numbers by name, as ``mlflow.log_metrics`` and ``wandb.log`` do."""

    def __call__(self, measures: dict[str, float], /, *, step: int) -> Any: ...


def logged(steps: Iterable[Checkpoint], log: Log) -> Iterator[Checkpoint]:
    """The checkpoints of `train` as they come; what is measured on the way goes to ``log``.

    There are about a hundred measurements in a run, each the mean since the last: ``loss`` and its
    parts (``loss/nt_xent`` …), ``learning_rate``, ``epoch``, ``images_per_second`` and, if it was
    computed, ``spread``, how far embeddings point apart (near 0 they have collapsed). No labels are
    read, and the training does not change by a bit.

    Args:
        steps: what `train` returned.
        log: called as ``log({"loss": 1.2, …}, step=30)``.

    Example:
        ``for checkpoint in logged(train(source, recipe), mlflow.log_metrics): …``
    """
    seen: int | None = None
    for checkpoint in steps:
        history = checkpoint.history
        if seen is None:  # what a resumed run measured before is known already
            seen = sum(row["step"] < checkpoint.step for row in history)
        for place in range(seen, len(history)):
            log(measures(checkpoint, place), step=int(history[place]["step"]))
        seen = len(history)
        yield checkpoint


def measures(checkpoint: Checkpoint, place: int) -> dict[str, float]:
    """What row ``place`` of the history of a checkpoint says, by the names that `logged` gives."""
    row = checkpoint.history[place]
    before = checkpoint.history[place - 1] if place else {"step": 0, "seconds": 0.0}
    found = {name: row[name] for name in _OWN if name in row and name not in ("step", "seconds")}
    found |= {f"loss/{name}": value for name, value in row.items() if name not in _OWN}
    seconds = row["seconds"] - before["seconds"]
    if seconds > 0:
        n_images = batch_size(checkpoint.recipe, checkpoint.n_images)
        found["images_per_second"] = (row["step"] - before["step"]) * n_images / seconds
    return found
