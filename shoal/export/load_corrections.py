"""Reading a person's corrections, and the table of the images that they are about."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from shoal.clustering.digest import IMAGES, clustering_digest
from shoal.corrections.honoured import Corrections
from shoal.corrections.journal_file import journal_beside, read_journal, reviewed_beside
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.export.clustering_digest import stored_digest
from shoal.export.prediction import load_prediction
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint


def load_corrections(
    path: str | Path, checkpoint: Checkpoint | None = None, *, beside: str | Path | None = None
) -> Corrections:
    """Read a journal of corrections, as ``shoal review`` writes it.

    Args:
        path: the journal, ``<checkpoint>.corrections.jsonl``.
        checkpoint: whose clusters are to be corrected. The tables ``<checkpoint>.reviewed.parquet``
            and ``table.parquet`` beside the journal show where new images belong.
        beside: the file of the checkpoint, if it lies elsewhere.

    Raises:
        DataError: there is none, it is damaged, or a newer version of shoal wrote it.
    """
    path = Path(path)
    read = read_journal(path)
    corrections = Corrections(path, read.history, read.torn)
    if checkpoint is None:
        return corrections
    wanted = clustering_digest(checkpoint)
    places = [path, *([journal_beside(beside)] if beside is not None else [])]
    for place in places:
        for file in (reviewed_beside(place), place.with_name("table.parquet")):
            pile = _table(file, wanted)
            if pile is not None:
                images = stored_digest(file, IMAGES) or checkpoint.origin.digest
                return replace(corrections, pile=pile, clustering=wanted, images=images)
    return corrections


def corrections_of(checkpoint: str | Path, loaded: Checkpoint | None = None) -> Corrections | None:
    """The corrections beside a checkpoint's file; None if there are none.

    Args:
        checkpoint: the file.
        loaded: what it holds, if it was read before.

    Raises:
        DataError: see `load_corrections`.
    """
    path = journal_beside(checkpoint)
    if not path.exists():
        return None
    found = load_corrections(path, loaded or checkpoints.load(checkpoint))
    return found if len(found) else None


def corrections_beside(checkpoint: str | Path) -> tuple[Corrections | None, str]:
    """What a person said of a checkpoint's clusters, for commands that only speak of it.

    Args:
        checkpoint: the file.

    Returns:
        The corrections, without the table that they are about; None where nothing was said, or it
        cannot be read. And what cannot be read, as a sentence; empty where there is no such thing.
    """
    path = journal_beside(checkpoint)
    if not path.exists():
        return None, ""
    try:
        found = load_corrections(path)
    except DataError as error:
        return None, str(error)
    return found if len(found) else None, found.lacks


def _table(file: Path, clustering: str) -> ImageTable | None:
    """A table with the embedding of a checkpoint; None if the file is none."""
    if stored_digest(file) != clustering:
        return None
    with contextlib.suppress(DataError):
        table = load_prediction(file, trust="label")
        return table if table.has_embedding else None
    return None
