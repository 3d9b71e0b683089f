"""What is reviewed: the pile, the table that the person sees, and the journal beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from shoal import pipeline
from shoal.clustering.clustering import check_finished
from shoal.clustering.digest import CLUSTERING, IMAGES, clustering_digest, clustering_metadata
from shoal.corrections.carry import carry
from shoal.corrections.journal import Journal
from shoal.corrections.journal_file import cut_off, journal_beside, reviewed_beside, start_of
from shoal.corrections.known import known_rows, with_new_ids
from shoal.corrections.nouns import said_of_vectors
from shoal.embedding.table import ImageTable, result_digest
from shoal.errors import DataError
from shoal.export.clustering_digest import stored_digest
from shoal.export.neighbours import with_map
from shoal.export.prediction import load_prediction
from shoal.images.csv_files import as_text, printable
from shoal.images.vectors.source import has_pictures
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.protocols import ImageSource, Track, silent
from shoal.review.nouns import noun_shown

_LISTED = 10
"""Conflicts that are told in the terminal, at most."""


@dataclass(frozen=True)
class Reviewed:
    """A pile that is reviewed."""

    source: ImageSource
    checkpoint: Checkpoint
    table: ImageTable
    """Of all images, in the order of the source, with embedding and, mostly, a map."""
    journal: Journal
    notes: tuple[str, ...] = ()
    """What the person should know before they go on, in sentences."""


def open_review(
    source: ImageSource, checkpoint: Checkpoint, path: Path, *, device: str = "cpu",
    track: Track = silent,
) -> Reviewed:  # fmt: skip
    """Open the journal beside a checkpoint, and the table that belongs to it.

    Args:
        source: the images.
        checkpoint: a finished one.
        path: the checkpoint's file.
        device: where the encoder runs, where images must be embedded.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint has no clusters.
        DataError: the journal is damaged, or is of other images.
        OutputError: it cannot be written, or another process has it.
    """
    check_finished(checkpoint)
    place = journal_beside(path)
    table = table_of(source, checkpoint, path, device=device, track=track)
    about = {
        "result": result_digest(table.ids, table.labels), "images": source.digest(),
        "clustering": clustering_digest(checkpoint),
    }  # fmt: skip
    journal = Journal(
        place,
        start_of(table, about),
        vectors=not has_pictures(source),
    )
    try:
        notes = [cut_off(place)] if journal.torn else []
        if journal.kept is not None:
            notes.append(
                f"{place} was cut off within its first line and held nothing that can be read; the "
                f"review begins anew, and what was there is kept as {journal.kept}"
            )
        notes += _carry_over(journal, table, about, noun_shown(source))
        _keep(table, checkpoint, reviewed_beside(place), about["images"])
    except BaseException:
        journal.close()
        raise
    return Reviewed(source, checkpoint, table, journal, tuple(notes))


def _carry_over(
    journal: Journal, table: ImageTable, about: Mapping[str, str], noun: str
) -> list[str]:
    """Carry what was said over to this result, if it was said of another; what there is to say.

    Raises:
        DataError: it was said of other images.
    """
    history, groups = journal.history, journal.history.groups
    began = history.began.about
    ids = tuple(as_text(name) for name in table.ids)
    if began.get("result") == about["result"] and groups.ids == ids:
        return []
    reviewed, file = None, reviewed_beside(journal.path)
    if stored_digest(file) == about["clustering"]:
        with contextlib.suppress(DataError):
            reviewed = load_prediction(file)
    try:
        same = began.get("images") == about["images"]
        known = known_rows(table, groups, same_pile=same, reviewed=reviewed)
        if not known.any():
            raise DataError("none of these images are among those that were corrected.")
    except DataError as error:
        why = str(error) if noun == "image" else said_of_vectors(str(error))
        raise DataError(
            f"{journal.path} is about other {noun}s: {why} Move it away to begin a new review."
        ) from None
    named = with_new_ids(table, known, groups)
    entry = journal.append(carry(groups, named, reviewed=reviewed, about=about).entry)
    if len(history.entries) == 1:  # nothing was said
        return []
    notes = ["the result has changed since the last review: what you said was carried over"]
    conflicts = entry.about.get("conflicts", ())
    if conflicts:
        notes += [f"conflict: {printable(conflict)}" for conflict in conflicts[:_LISTED]]
        notes.append(f"{counted(len(conflicts), 'conflict')}, which the page shows, too")
    return notes


def table_of(
    source: ImageSource, checkpoint: Checkpoint, path: Path, *, device: str, track: Track
) -> ImageTable:
    """The clusters of all images: as they were reviewed or written before, else computed now."""
    wanted = clustering_digest(checkpoint)
    reviewed, of_run = reviewed_beside(journal_beside(path)), path.with_name("table.parquet")
    files = [reviewed] if stored_digest(reviewed, IMAGES) == source.digest() else []
    if checkpoint.origin.digest == source.digest():
        files.append(of_run)
    for file in files:
        with contextlib.suppress(DataError):
            if stored_digest(file, CLUSTERING) == wanted:
                return _in_order(load_prediction(file), source)
    table = pipeline.predict(source, checkpoint, device=device, track=track)
    return with_map(table, track=track)


def _in_order(table: ImageTable, source: ImageSource) -> ImageTable:
    """The table in the order of the source.

    Raises:
        DataError: it is of other images, or has no embedding.
    """
    names = [as_text(name) for name in source.ids]
    if not table.has_embedding or sorted(table.ids) != sorted(names):
        raise DataError("a table of other images")
    if list(table.ids) == names:
        return table
    row_of = {name: row for row, name in enumerate(table.ids)}
    rows = [row_of[name] for name in names]
    return replace(
        table, ids=names, labels=table.labels[rows], embedding=table.embedding[rows],
        confidence=table.confidence[rows], xy=None if table.xy is None else table.xy[rows],
        familiarity=None if table.familiarity is None else table.familiarity[rows],
        names=None if table.names is None else [table.names[row] for row in rows],
    )  # fmt: skip


def _keep(table: ImageTable, checkpoint: Checkpoint, path: Path, images: str) -> None:
    """Write the table that the person sees, unless it is there already."""
    metadata = clustering_metadata(checkpoint) | {IMAGES: images.encode()}
    if any(stored_digest(path, key) != value.decode() for key, value in metadata.items()):
        table.to_parquet(path, metadata, force=True)
