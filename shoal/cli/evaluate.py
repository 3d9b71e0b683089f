"""Commands that look at a finished checkpoint: splits, evaluate, info."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import (
    CORRECTED,
    LABELS,
    ArrayName,
    AsJson,
    Channels,
    CheckpointPath,
    Composite,
    Data,
    Device,
    Force,
    NoCache,
    OpenOptions,
    Picture,
    Quiet,
)
from shoal.cli.outputs import replacing
from shoal.errors import DataError

if TYPE_CHECKING:
    from shoal.embedding.table import ImageTable


def splits(
    data: Data,
    checkpoint: CheckpointPath,
    picture: Picture = Path("splits.png"),
    as_json: AsJson = False,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """List and draw the ways to divide the pile."""
    from shoal.cli import inference
    from shoal.cli.next_step import Words, free_picture, say_next
    from shoal.cli.opening_as_learned import check_answer, open_with
    from shoal.export import summaries
    from shoal.images.files import free
    from shoal.plots import figures
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import known_of

    replaced = check_answer([], picture, data, checkpoint, force=force)
    report = Reporter(quiet=quiet or as_json)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options)
    compared = inference.splits(source, loaded, report, device=device)
    figures.write(
        figures.splits(source, [split.table for split in compared], track=report), picture
    )
    if as_json:
        print(json.dumps([split.to_json() for split in compared], indent=2))
        return
    known = known_of(len(source), loaded)
    if not quiet:
        more = inference.more_splits(loaded, data, checkpoint) if known.answers("run") else ""
        print(inference.in_words_for(source, summaries.splits_table(compared, more)))
    report.say(*replacing(replaced))
    report.say(f"members of each: {picture}")
    second: Words = ["predict", data, checkpoint, free(Path("split-2.csv")), "--split", 2]
    say_next(
        report, known, second if len(compared) > 1 else None,
        ["clusters", data, checkpoint, *free_picture("n_clusters")],
    )  # fmt: skip


def evaluate(
    data: Data,
    checkpoint: CheckpointPath,
    labels: Annotated[
        Path | None,
        typer.Argument(metavar="LABELS", help=LABELS, show_default=False),
    ] = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Measure what can be measured without labels.")
    ] = False,
    corrections: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=CORRECTED,
            show_default="the result as it is",
        ),
    ] = None,
    as_json: AsJson = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
) -> None:
    """Measure a checkpoint, with labels or without.

    With LABELS: accuracy, NMI, ARI and reconstruction error; with --corrections, of the groups that
    a person made of the result. With --no-labels: how consistent the clusters are.
    """
    from shoal.cli import inference
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import free_outputs, free_picture, say_next, unless_done
    from shoal.cli.opening_as_learned import open_with
    from shoal.export import summaries
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known, known_of

    inference.check_labels_or_none(labels, no_labels)
    if labels is None and corrections is not None:
        raise DataError("corrections need labels to be measured with; give LABELS.")
    report = Reporter(quiet=as_json)
    honouring = Honouring(checkpoint, corrections, corrections is None, report)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options)
    if labels is None:
        judged = inference.judge(source, loaded, report, device=device)
        more = {"combined": judged.combined, "clusters_found_here": not loaded.finished}
        facts = asdict(judged) | more
        text = inference.in_words_for(source, summaries.label_free_text(judged))
        print(json.dumps(facts, indent=2) if as_json else text)
        if loaded.finished:
            say_next(
                report, known_of(len(source), loaded),
                ["splits", data, checkpoint, *free_picture("splits")],
                unless_done("outliers", data, checkpoint),
            )  # fmt: skip
        else:
            say_next(report, Known(), ["info", checkpoint])
        return
    known = honouring.load(loaded)
    division = honouring.division(known, None, None, loaded)

    def corrected(table: ImageTable) -> ImageTable:
        if known is None:
            return table
        return honouring.honour(table, known, loaded, source, division).table

    measured = inference.evaluate(
        source, loaded, labels, device=device, division=division, corrected=corrected
    )
    text = inference.in_words_for(source, summaries.evaluation_text(measured))
    print(json.dumps(measured, indent=2) if as_json else text)
    outliers = ["outliers", data, checkpoint, *free_outputs("outliers")]
    say_next(report, known_of(len(source), loaded), outliers)


def info(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", help="A checkpoint file, or the folder of a run.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show what a checkpoint is, and how far to trust its clusters.

    Recipe, epoch, time, data, versions, history, warnings.
    """
    from shoal.cli.next_step import say_next
    from shoal.cli.run_identity import begun_again, data_of_run
    from shoal.export import summaries
    from shoal.export.load_corrections import corrections_beside
    from shoal.models import checkpoint as checkpoints
    from shoal.models.history import CheckpointHistory
    from shoal.models.history_places import is_begun
    from shoal.progress import Reporter
    from shoal.scoring import label_free
    from shoal.scoring.worth_asking import Known

    folder, checkpoint = checkpoint, _file_of(checkpoint)
    if checkpoint.is_dir() and is_begun(folder) and not as_json:
        print(f"The run in {folder} was stopped before anything of it was kept, or has just begun.")
        _say_unfinished(begun_again(folder), folder / "checkpoint.pth")
        return
    loaded = checkpoints.load(checkpoint)
    data = data_of_run(checkpoint.parent) if checkpoint.name == "checkpoint.pth" else None
    corrections, lacks = corrections_beside(checkpoint)
    if as_json:
        facts = summaries.checkpoint_facts(loaded, checkpoint, data)
        if corrections is not None:
            facts["corrections"] = summaries.corrections_facts(corrections)
        if lacks:
            facts["corrections_lack"] = lacks
        print(json.dumps(facts, indent=2))
    else:
        print(summaries.checkpoint_text(loaded, checkpoint))
        if lacks:
            print(lacks)
        if corrections is not None:
            print(summaries.corrections_text(corrections))
        if loaded.finished:
            begun = begun_again(checkpoint.parent) if checkpoint.name == "checkpoint.pth" else ""
            if begun:
                print(
                    "The run that began here last has not ended: this checkpoint, and what lies "
                    "beside it, may be of the one before."
                )
                _say_unfinished(begun, checkpoint)
            # Last, so that the verdict is what a person sees.
            print(label_free.verdict_on(loaded, path=checkpoint, data=data))
        elif checkpoint.parent.name:
            final = checkpoint.parent.with_suffix("")
            if final.is_file():
                say_next(Reporter(), Known(), ["info", final])
            elif checkpoint == CheckpointHistory(final).resume_file:
                print("The run is not finished: it was interrupted, or is still training.")
                _say_unfinished(loaded.origin.command, final)


def _say_unfinished(began: str, final: Path) -> None:
    """Say what puts the checkpoint of an earlier run back, and what goes on with an unfinished one.

    Args:
        began: the command line of the unfinished run.
        final: the checkpoint that it is to write.
    """
    from shoal.cli.going_on import DATA, going_on_here
    from shoal.cli.run_identity import data_of_run
    from shoal.models.history_places import put_back
    from shoal.progress import Reporter
    from shoal.scoring.training_command import trained_by

    back = "" if final.exists() else put_back(final)
    if back:
        print(f"The checkpoint of an earlier run is kept; to put it back: {back}", flush=True)
    training = trained_by(began)
    of_run = training is not None and training.verb != "train"
    out, data = (final.parent, data_of_run(final.parent)) if of_run else (final, None)
    again = going_on_here(began, out, data)
    if again and "SHOAL_COMMAND" not in os.environ:
        unknown = ", with your images in place of DATA" if DATA in again.split() else ""
        Reporter().say(f"next{unknown}: {again}")


def _file_of(place: Path) -> Path:
    """The checkpoint of a run's folder; of one that is not finished, what it would go on from."""
    from shoal.models.history import CheckpointHistory

    final = place / "checkpoint.pth"
    resume = CheckpointHistory(final).resume_file
    return next((file for file in (final, resume) if place.is_dir() and file.is_file()), place)
