"""Commands that train: train, run."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    CORRECTED,
    ArrayName,
    Channels,
    Clusters,
    Colours,
    Composite,
    Device,
    Epochs,
    Every,
    Fit,
    Force,
    Images,
    Intensity,
    LowMemory,
    Minutes,
    NoCache,
    Noise,
    OpenOptions,
    Orientation,
    OutDir,
    Pages,
    PixelRange,
    Quick,
    Quiet,
    Ray,
    RecipeName,
    Resume,
    Seed,
    Settings,
    Size,
    TensorBoardFolder,
    Thorough,
    Workers,
    check_ray,
    effort_of,
)  # fmt: skip


def train(
    data: Images,
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CHECKPOINT", help="The .pth file to write.", show_default=False),
    ],
    clusters: Clusters = None,
    recipe: RecipeName = None,
    orientation: Orientation = None,
    intensity: Intensity = None,
    colours: Colours = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    quick: Quick = False,
    thorough: Thorough = False,
    seed: Seed = None,
    resume: Resume = False,
    force: Force = False,
    device: Device = "auto",
    settings: Settings = None,
    noise: Noise = None,
    corrections: Annotated[
        Path | None,
        typer.Option("--corrections", metavar="FILE", help=CORRECTED, show_default=False),
    ] = None,
    low_memory: LowMemory = False,
    size: Size = None,
    fit: Fit = None,
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    every: Every = None,
    pages: Pages = "auto",
    pixel_range: PixelRange = None,
    no_cache: NoCache = False,
    tensorboard: TensorBoardFolder = None,
    ray: Ray = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Learn from images and write a checkpoint.

    The checkpoints made along the way are kept in CHECKPOINT.history/. With --corrections the
    encoder learns from the images that a person decided, too.
    """
    began = time.monotonic()
    from shoal.cli import fit as training
    from shoal.cli import inference, opening
    from shoal.cli.honour import journal_for
    from shoal.cli.outputs import check_outputs, check_suffix
    from shoal.cli.request import Request, rehearse
    from shoal.cli.rerun import check_same_images, find_same_run
    from shoal.corrections.decided import decided_groups
    from shoal.export import summaries
    from shoal.export.load_corrections import load_corrections
    from shoal.models.history import CHECKPOINT_SUFFIXES, CheckpointHistory
    from shoal.plural import counted
    from shoal.progress import Reporter
    from shoal.tracking.tensorboard import check_folder

    check_outputs([checkpoint], [data], force=True)  # an older run there: see find_same_run
    CheckpointHistory(checkpoint).check_writable()
    journal_for(checkpoint, corrections, without=False)
    request = Request(
        recipe, epochs, minutes, seed, clusters, resume, device, tuple(settings or ()), low_memory,
        force, began, orientation=orientation, intensity=intensity, noise=noise,
        colours=colours,
        effort=effort_of(quick, thorough),
        tensorboard=tensorboard, ray=ray, workers=workers,
    )  # fmt: skip
    check_ray(ray, workers, device)
    request.resolve()  # what can be refused without the images is refused before they are opened
    if tensorboard is not None:
        check_folder(tensorboard, resume=resume, force=force)
    opening.check_any_images(data)
    options = OpenOptions(array, channels, composite, every, pages, not no_cache, colours)
    opening.check_asked(data, options, request, size=size, fit=fit, pixel_range=pixel_range)
    there = find_same_run(checkpoint, request)
    check_suffix(checkpoint, CHECKPOINT_SUFFIXES, "a checkpoint")
    report = Reporter(quiet=quiet)
    source, request = opening.open_to_learn(
        data, options, request, report, size=size, fit=fit, pixel_range=pixel_range
    )
    if corrections is not None:
        found = load_corrections(corrections)
        if found.lacks:
            report.warn(found.lacks)
        told = decided_groups(source, found)
        request, n_told = replace(request, groups=told), int((told >= 0).sum())
        report.say(f"learns from {counted(n_told, 'image')} decided by hand in {corrections}, too")
        if 10 * n_told < len(source):  # benchmarks/LOG.md
            report.warn(
                "fewer than a tenth of the images are decided: training with so few was no better "
                "than learning from them in 'shoal review'"
            )
    if there is not None:
        check_same_images(checkpoint, there, source, request.groups)
        if CheckpointHistory(checkpoint).resume_file.exists():
            training.take_back(checkpoint, report)
        report.say(
            f"{checkpoint} is the finished checkpoint of this run already; add --force to train it "
            "again"
        )
        return
    if not request.resume:
        rehearse(source, request)
    finished, _ = training.train(source, checkpoint, request, report)
    report.say(summaries.training_summary(finished))
    inference.say_verdict(finished, report)


def run(
    data: Images,
    folder: OutDir,
    clusters: Clusters = None,
    recipe: RecipeName = None,
    orientation: Orientation = None,
    intensity: Intensity = None,
    colours: Colours = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    quick: Quick = False,
    thorough: Thorough = False,
    seed: Seed = None,
    resume: Resume = False,
    force: Force = False,
    device: Device = "auto",
    settings: Settings = None,
    noise: Noise = None,
    low_memory: LowMemory = False,
    size: Size = None,
    fit: Fit = None,
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    every: Every = None,
    pages: Pages = "auto",
    pixel_range: PixelRange = None,
    no_cache: NoCache = False,
    tensorboard: TensorBoardFolder = None,
    ray: Ray = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Train, cluster and draw a pile, all in one go."""
    began = time.monotonic()
    from shoal.cli import fit as training
    from shoal.cli import inference, opening
    from shoal.cli.minutes import seconds_for_history
    from shoal.cli.next_step import say_next
    from shoal.cli.outputs import listed_in
    from shoal.cli.request import MOST_CLUSTERED, Request
    from shoal.cli.reviewed import review_of
    from shoal.cli.run_folder import already, corrections_kept, open_run
    from shoal.images.open import write_skipped
    from shoal.progress import Reporter
    from shoal.reports.assembly import hand_over
    from shoal.scoring.worth_asking import known_of
    from shoal.tracking.tensorboard import check_folder
    from shoal.training.devices import resolve_device

    request = Request(
        recipe, epochs, minutes, seed, clusters, resume, device, tuple(settings or ()), low_memory,
        force, began, hands_over=True, orientation=orientation, intensity=intensity, noise=noise,
        colours=colours,
        effort=effort_of(quick, thorough),
        tensorboard=tensorboard, ray=ray, workers=workers,
    )  # fmt: skip
    check_ray(ray, workers, device)
    request.resolve()
    if tensorboard is not None:
        check_folder(tensorboard, resume=resume, force=force)
    opening.check_any_images(data)
    report = Reporter(quiet=quiet)
    options = OpenOptions(array, channels, composite, every, pages, not no_cache, colours)
    opening.check_asked(data, options, request, size=size, fit=fit, pixel_range=pixel_range)
    with open_run(folder, data, request) as opened:
        source, request = opening.open_to_learn(
            data, options, request, report, size=size, fit=fit, pixel_range=pixel_range
        )
        run = opened.of(source, request, report)
        if run.done:
            report.say(*already(run))
            return
        finished, table = training.train(source, run.checkpoint, request, report)
        spare = seconds_for_history(source, finished, request)
        if request.ray is not None and len(source) > MOST_CLUSTERED:
            from shoal.cli import sharded

            order = sharded.order_for(data, source, (run.checkpoint, finished), options)
            sharded.finish_run(
                source, order, finished, run, report, ray=request.ray, workers=workers,
                device=device, spare=spare, n_clustered=MOST_CLUSTERED,
            )  # fmt: skip
        else:
            result = table or inference.predict(source, finished, report, device=device)
            with run.results(result.ids, result.labels, report):
                write_skipped(source, folder / "skipped.csv")
                report.say(*listed_in(source, folder / "skipped.csv"))
                hand_over(
                    source, finished, result, folder, report, device=resolve_device(device),
                    spare=spare,
                )  # fmt: skip
        report.say(*corrections_kept(run.checkpoint))
        inference.say_verdict(finished, report)
        say_next(report, known_of(len(source), finished), review_of(folder, data))
