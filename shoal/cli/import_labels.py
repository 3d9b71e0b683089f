"""The command import-labels: work done elsewhere comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    ArrayName,
    Channels,
    CheckpointPath,
    Composite,
    Data,
    Device,
    NoCache,
    OpenOptions,
    Quiet,
)


def import_labels(
    data: Data,
    checkpoint: CheckpointPath,
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS", show_default=False,
            help="CSV (id,label), Label Studio or COCO JSON, FiftyOne's labels.json, Hugging "
            "Face's metadata, or a folder with a folder for each label.",
        ),
    ],
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Take over labels from another tool.

    Each label joins the group of that name, names the group in which most of its images are, or
    becomes a new group. They count as your own word, are kept beside the checkpoint in
    .corrections.jsonl, and 'shoal review' can undo them.
    """
    import numpy as np

    from shoal.cli import inference
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import open_with
    from shoal.corrections.groups import start
    from shoal.corrections.imported import import_labels as imported_from
    from shoal.corrections.journal_file import start_entry
    from shoal.corrections.labels import read_labels
    from shoal.progress import Reporter
    from shoal.review.opening import open_review
    from shoal.scoring.worth_asking import Known

    given = read_labels(labels)
    report = Reporter(quiet=quiet)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options, at_least=2)
    nothing_said = start(start_entry(source.ids, np.zeros(len(source), dtype=np.int64)))
    imported_from(nothing_said, given)  # refuses what it must before a journal is begun
    reviewed = open_review(
        source, loaded, checkpoint, device=inference.ready(device), track=report
    )  # fmt: skip
    with reviewed.journal as journal:
        report.say(*reviewed.notes)
        imported = imported_from(journal.history.groups, given)
        entries = [imported.entry] if imported.changes else []
        entries += [imported.guesses] if imported.guesses is not None else []
        for entry in entries:
            said = journal.append(entry)  # which may speak of vectors
            report.say(said.says, *said.about.get("notes", ()))
        if entries:
            report.say(f"kept in {journal.path}")
        else:
            report.say(*imported.notes, f"nothing changed: {journal.path} says all of it already")
    say_next(report, Known(len(source)), ["review", data, checkpoint])
