"""Commands that find what a person may want to take out of a pile: duplicates, outliers."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    FIT,
    ArrayName,
    Channels,
    CheckpointPath,
    Composite,
    Csv,
    Data,
    Device,
    Every,
    Force,
    HowMany,
    NoCache,
    OpenOptions,
    Pages,
    Picture,
    Quiet,
    Ray,
    Size,
    Workers,
    check_ray,
)
from shoal.cli.outputs import check_outputs, replacing


def duplicates(
    data: Data,
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="CHECKPOINT",
            help="A checkpoint file: images that it places near each other are compared, too.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--max-distance",
            help="The greatest distance between copies; 0: exact copies only.",
            show_default="0.5, of vectors 0.25, or less where all are alike",
        ),
    ] = None,
    csv: Csv = Path("duplicates.csv"),
    picture: Picture = Path("duplicates.png"),
    force: Force = False,
    device: Device = "auto",
    size: Size = None,
    fit: Annotated[
        str | None,
        typer.Option(help=FIT, show_default="stretch, or as the checkpoint has it"),
    ] = None,
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    every: Every = None,
    pages: Pages = "auto",
    no_cache: NoCache = False,
    ray: Ray = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Find copies, exact and near, and say which to keep."""
    from shoal.cli import inference
    from shoal.cli.flags import in_flags
    from shoal.cli.next_step import free_picture, say_next, unless_done
    from shoal.cli.opening_as_learned import check_as_learned, open_as_learned, open_pile
    from shoal.images.files import free
    from shoal.images.open import holds_array
    from shoal.images.output_checks import check_picture
    from shoal.images.vectors.open import holds_vectors
    from shoal.models import checkpoint as checkpoints
    from shoal.plots import single_images
    from shoal.plots.figures import write
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known, known_of
    from shoal.search import summaries
    from shoal.search.duplicates import check_threshold, find_duplicates
    from shoal.search.own_files import sizes_of_files

    check_threshold(threshold)
    check_ray(ray, workers, device)
    inputs = [data, *([checkpoint] if checkpoint else [])]
    replaced = check_outputs(
        [csv, picture], inputs, force=force, first=lambda: check_picture(picture),
        named_by={"--csv": csv, "--picture": picture},
    )  # fmt: skip
    check_picture(picture)
    report = Reporter(quiet=quiet)
    loaded = None if checkpoint is None else checkpoints.load(checkpoint)
    check_as_learned(size, fit, loaded)
    options = OpenOptions(array, channels, composite, every, pages, cache=not no_cache)
    if loaded is None or loaded.n_dimensions or holds_vectors(data):
        if fit is None and not (holds_vectors(data) or holds_array(data)):
            fit = "stretch"  # whole images, whatever the shapes of the others in the pile
        source = open_pile(data, checkpoint, options, size=size, fit=fit, report=report)
    else:
        source = open_as_learned(data, loaded, options, size=size, report=report)
    with contextlib.ExitStack() as parts:
        seen = None
        if ray is not None:
            from shoal.cli import sharded

            known = None if checkpoint is None or loaded is None else (checkpoint, loaded)
            order = sharded.order_for(data, source, known, options, size=size, fit=fit)
            seen = parts.enter_context(sharded.seen(
                source, order, csv, report, ray=ray, workers=workers, device=device, force=force
            ))  # fmt: skip
        copies = find_duplicates(
            source, loaded, threshold=threshold, sizes=sizes_of_files(source), seen=seen,
            device=inference.ready(device), track=report,
        )  # fmt: skip
        copies.to_csv(csv, force=force)
        write(single_images.duplicates(source, copies, track=report), picture)
    report.say(*replacing(replaced))
    text = inference.in_words_for(source, summaries.of_duplicates(copies))
    text = in_flags(text, "duplicates", {"--max-distance"})
    report.say(f"{text}\nwritten to {csv} and {picture}")
    if copies.groups and loaded is None:  # no training is needed to go on from here
        report.say(f"look at {picture} first; what can go has keep 0 in {csv}")
    elif checkpoint is None or loaded is None:
        verb = "cluster" if holds_vectors(data) else "run"
        pile = Known(len(source), indistinct=copies.all_the_same)
        say_next(report, pile, [verb, data, free(Path("found"))])
    else:
        say_next(
            report, known_of(len(source), loaded, indistinct=copies.all_the_same),
            unless_done("outliers", data, checkpoint),
            ["splits", data, checkpoint, *free_picture("splits")],
        )  # fmt: skip


def outliers(
    data: Data,
    checkpoint: CheckpointPath,
    n: HowMany = 100,
    csv: Csv = Path("outliers.csv"),
    picture: Picture = Path("outliers.png"),
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Rank the oddest images, each with its reasons."""
    from shoal.cli import inference
    from shoal.cli.next_step import say_next, similar_to, unless_done
    from shoal.cli.opening_as_learned import check_answer, open_with
    from shoal.plots import single_images
    from shoal.plots.figures import write
    from shoal.progress import Reporter
    from shoal.scoring.of_vectors import warn_without_direction
    from shoal.scoring.worth_asking import known_of
    from shoal.search import summaries
    from shoal.search.outliers import check_count, find_outliers

    check_count(n)
    replaced = check_answer([], picture, data, checkpoint, force=force, csv=csv)
    report = Reporter(quiet=quiet)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options, at_least=2)
    ranked = find_outliers(source, loaded, n=n, device=inference.ready(device), track=report)
    report.warn(*warn_without_direction(source, loaded))
    ranked.to_csv(csv, force=force)
    write(single_images.outliers(source, ranked, track=report), picture)
    report.say(*replacing(replaced))
    report.say(
        f"{summaries.of_outliers(ranked, noun=loaded.recipe.kind)}\nwritten to {csv} and {picture}"
    )
    say_next(
        report, known_of(len(source), loaded, indistinct=ranked.all_the_same),
        similar_to(ranked.rows, source, loaded, data, checkpoint),
        unless_done("duplicates", data, checkpoint),
    )  # fmt: skip
