"""Commands that compare images: pairs, similar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    METRICS,
    ArrayName,
    Channels,
    CheckpointPath,
    Composite,
    Corrections,
    Csv,
    Data,
    Device,
    Force,
    HowMany,
    Metric,
    NoCache,
    NoCorrections,
    OpenOptions,
    Picture,
    Quiet,
)
from shoal.cli.outputs import check_outputs, replacing


def pairs(
    data: Data,
    checkpoint: CheckpointPath,
    out: Annotated[
        Path, typer.Argument(metavar="DECISIONS", help="The CSV to write.", show_default=False)
    ],
    listed: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="FILE",
            help="A CSV of pairs of ids, in two columns.",
            show_default="10,000 pairs at random",
        ),
    ] = None,
    metric: Metric = "cosine",
    threshold: Annotated[
        str, typer.Option(help="Two images at least this similar are of the same kind; or auto.")
    ] = "auto",
    space: Annotated[
        str, typer.Option(help="What is compared: clusters (their memberships) or embedding.")
    ] = "clusters",
    corrections: Corrections = None,
    no_corrections: NoCorrections = False,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Say of pairs of images whether they show the same kind.

    For each pair: similarity, percentile among random pairs, decision.
    """
    import numpy as np

    from shoal.cli import inference
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import say_next, similar_to, unless_done
    from shoal.cli.opening_as_learned import open_with
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import known_of
    from shoal.search import summaries
    from shoal.search.pairs import decide_pairs, read_pairs
    from shoal.search.similarity import check_metric
    from shoal.search.thresholds import check_space, check_threshold, parse_threshold, random_pairs

    value = parse_threshold(threshold)
    check_metric(metric)
    check_space(space)
    check_threshold(value, metric)
    report = Reporter(quiet=quiet)
    honouring = Honouring(checkpoint, corrections, no_corrections, report)
    inputs = [data, checkpoint, *([listed] if listed else []), *honouring.files]
    options = OpenOptions(array, channels, composite, cache=not no_cache)

    def check_listed() -> None:
        if listed is not None:
            opened, _ = open_with(checkpoint, data, report, options, at_least=2)
            read_pairs(listed, opened.ids)

    replaced = check_outputs([out], inputs, force=force, first=check_listed)
    source, loaded = open_with(checkpoint, data, report, options, at_least=2)
    if listed is None:
        rows = random_pairs(len(source), 10_000, np.random.default_rng(1))
    else:
        rows = read_pairs(listed, source.ids)
    with honouring.advised():
        decided = decide_pairs(
            source, loaded, rows, metric=metric, threshold=value, space=space,
            corrections=honouring.load(loaded), device=inference.ready(device), track=report,
        )  # fmt: skip
    decided.to_csv(out, force=force)
    text = summaries.of_pairs(decided, space=space, metric=metric, at_random=listed is None)
    text = inference.in_words_for(source, text)
    report.say(*replacing(replaced))
    report.say(f"{text}\nwritten to {out}")
    say_next(
        report, known_of(len(source), loaded),
        similar_to(rows[:, 0], source, loaded, data, checkpoint),
        unless_done("duplicates", data, checkpoint),
    )  # fmt: skip


def similar(
    data: Data,
    checkpoint: CheckpointPath,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Ids of images of DATA, or paths of image files.",
            show_default=False,
        ),
    ],
    n: HowMany = 12,
    metric: Annotated[
        str | None,
        typer.Option(help=METRICS, show_default="cosine, or as vectors were clustered"),
    ] = None,
    embedding: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Search the embedding in this table.parquet of DATA, as 'shoal run' or 'shoal "
            "predict --table' wrote it, and do not embed DATA anew.",
            show_default=False,
        ),
    ] = None,
    csv: Csv = Path("similar.csv"),
    picture: Picture = Path("similar.png"),
    corrections: Corrections = None,
    no_corrections: NoCorrections = False,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Find the images most like given ones."""
    from shoal.cli import inference
    from shoal.cli.honour import Honouring
    from shoal.cli.next_step import free_picture, say_next, unless_done
    from shoal.cli.opening_as_learned import open_with
    from shoal.export.prediction import load_prediction
    from shoal.images.output_checks import check_picture
    from shoal.plots import single_images
    from shoal.plots.figures import write
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import known_of
    from shoal.search import summaries
    from shoal.search.queries import resolve
    from shoal.search.similar import check_queries, find_similar

    check_queries(images, n, metric)
    report = Reporter(quiet=quiet)
    honouring = Honouring(checkpoint, corrections, no_corrections, report)
    inputs = [data, checkpoint, *([embedding] if embedding else []), *honouring.files]
    options = OpenOptions(array, channels, composite, cache=not no_cache)

    def check_images() -> None:
        check_picture(picture)
        resolve(images, open_with(checkpoint, data, report, options, at_least=2)[0])

    replaced = check_outputs(
        [csv, picture], inputs, force=force, perhaps=list(map(Path, images)), first=check_images,
        named_by={"--csv": csv, "--picture": picture},
    )  # fmt: skip
    check_picture(picture)
    source, loaded = open_with(checkpoint, data, report, options, at_least=2)
    known = None
    if embedding is not None:
        known = load_prediction(embedding, trust="label").embedding_of(source)
    with honouring.advised():
        alike = find_similar(
            source, loaded, images, n=n, metric=metric, z=known,
            corrections=honouring.load(loaded), device=inference.ready(device), track=report,
        )  # fmt: skip
    report.warn(*alike.warnings)
    alike.to_csv(csv, force=force)
    write(single_images.similar(source, alike, track=report), picture)
    if not quiet:
        print(summaries.of_similar(alike))
    report.say(*replacing(replaced))
    report.say(f"written to {csv} and {picture}")
    say_next(
        report, known_of(len(source), loaded), unless_done("duplicates", data, checkpoint),
        unless_done("outliers", data, checkpoint),
        ["splits", data, checkpoint, *free_picture("splits")],
    )  # fmt: skip
