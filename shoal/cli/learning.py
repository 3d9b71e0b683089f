"""Commands that train: train, run, demo."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import (
    ArrayName,
    CheckpointPath,
    Clusters,
    Data,
    Device,
    Epochs,
    LowMemory,
    Minutes,
    NoCache,
    OutDir,
    Quiet,
    RecipeName,
    Resume,
    Seed,
    Settings,
    Size,
)  # fmt: skip


def train(
    data: Data,
    checkpoint: CheckpointPath,
    clusters: Clusters = None,
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = None,
    resume: Resume = False,
    device: Device = "auto",
    settings: Settings = None,
    low_memory: LowMemory = False,
    size: Size = None,
    array: ArrayName = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Learn from images and write a checkpoint; a trail of them is kept in CHECKPOINT.trail/."""
    from shoal import opening, session
    from shoal.files import check_distinct, check_writable
    from shoal.progress import Reporter

    check_distinct([checkpoint], [data])
    check_writable(checkpoint)
    request = session.Request(
        recipe, epochs, minutes, seed, clusters, resume, device, tuple(settings or ()), low_memory
    )
    report = Reporter(quiet=quiet)
    source = opening.open_images(
        data, at_least=2, size=size, array=array, cache=not no_cache, report=report
    )
    session.train(source, checkpoint, request, report)


def run(
    data: Data,
    out_dir: OutDir,
    clusters: Clusters = None,
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = None,
    resume: Resume = False,
    device: Device = "auto",
    settings: Settings = None,
    low_memory: LowMemory = False,
    size: Size = None,
    array: ArrayName = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Train, predict and draw what was found, in one go."""
    from shoal import opening, session
    from shoal.checks import check_n_clusters
    from shoal.devices import resolve_device
    from shoal.files import check_writable
    from shoal.progress import Reporter
    from shoal.reporting.assembly import hand_over
    from shoal.sources import write_skipped

    check_writable(out_dir / "checkpoint.pth")
    report = Reporter(quiet=quiet)
    source = opening.open_images(
        data, at_least=2, size=size, array=array, cache=not no_cache, report=report
    )
    if isinstance(clusters, int):
        check_n_clusters(clusters, len(source))
    request = session.Request(
        recipe, epochs, minutes, seed, clusters, resume, device, tuple(settings or ()), low_memory
    )
    finished = session.train(source, out_dir / "checkpoint.pth", request, report)
    result = session.predict(source, finished, report, device=device)
    write_skipped(source, out_dir / "skipped.csv")
    hand_over(source, result, out_dir, report, device=resolve_device(device))


def demo(out_dir: OutDir = Path("demo"), seed: Seed = None, quiet: Quiet = False) -> None:
    """Sort 1,797 real handwritten digits, and compare with k-means on pixels and on PCA."""
    from shoal import opening, session
    from shoal.demo import print_scores, write_digits
    from shoal.files import check_writable
    from shoal.progress import Reporter
    from shoal.reporting.assembly import hand_over

    check_writable(out_dir / "checkpoint.pth")
    report = Reporter(quiet=quiet)
    data = write_digits(out_dir)
    source = opening.open_images(data)
    report.say(f"{len(source):,} handwritten digits, without their labels: {data}")
    report.say(f"$ shoal run {data} {out_dir} --recipe digits")
    request = session.Request("digits", seed=seed, device="cpu")
    finished = session.train(source, out_dir / "checkpoint.pth", request, report)
    result = session.predict(source, finished, report, device="cpu")
    hand_over(source, result, out_dir, report, device="cpu")
    print_scores(source, result.labels, finished.provenance["seconds"])
