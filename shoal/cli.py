"""The commands. Each checks what it was given before any work, then walks the straight line.

Heavy imports wait until a command needs them, so that ``--help`` is instant.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Sort a pile of unlabelled images, learning from that pile alone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    Path,
    typer.Argument(help="Images: a .npy or .npz file (N, H, W, 3) or (N, H, W), a .parquet file "
                   "with a column of encoded images, or a folder.",
                   show_default=False),
]  # fmt: skip
CheckpointPath = Annotated[Path, typer.Argument(help="A checkpoint file.", show_default=False)]
RecipeName = Annotated[str, typer.Option("--recipe", help="baseline, improved, best or digits.")]
Epochs = Annotated[
    float | None,
    typer.Option(help="How often every image is seen.", show_default="the recipe's"),
]
Minutes = Annotated[
    float | None,
    typer.Option(help="Choose the epochs so that the run takes this long.", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="0")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", show_default=False,
                 help="Change a field of the recipe; may be repeated."),
]  # fmt: skip
LowMemory = Annotated[
    bool,
    typer.Option(
        "--low-memory",
        help="Give memory back to the system after every step: slower.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", help="Say nothing but errors; 'shoal info' shows the warnings of a training run."
    ),
]
Clusters = Annotated[
    int | None,
    typer.Option("-k", "--clusters", show_default="the recipe's", help="How many clusters."),
]
OutDir = Annotated[Path, typer.Argument(help="Folder for the results.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from shoal import __version__

        print(f"shoal {__version__}")
        raise typer.Exit


@app.command(epilog="Example: shoal train trainX.npy checkpoints/best.pth --minutes 10")
def train(
    data: Data,
    checkpoint: CheckpointPath,
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = None,
    resume: Resume = False,
    device: Device = "auto",
    settings: Settings = None,
    low_memory: LowMemory = False,
    quiet: Quiet = False,
) -> None:
    """Learn from images and write a checkpoint; a trail of them is kept in CHECKPOINT.trail/."""
    from shoal import session
    from shoal.files import check_distinct, check_writable
    from shoal.progress import Reporter

    check_distinct([checkpoint], [data])
    check_writable(checkpoint)
    request = session.Request(
        recipe, epochs, minutes, seed, None, resume, device, tuple(settings or ()), low_memory
    )
    source = session.open_images(data, at_least=2)
    session.train(source, checkpoint, request, Reporter(quiet=quiet))


@app.command(epilog="Example: shoal predict new.npy checkpoints/best.pth prediction.csv")
def predict(
    data: Data,
    checkpoint: CheckpointPath,
    prediction: Annotated[Path, typer.Argument(help="The CSV to write.", show_default=False)],
    clusters: Clusters = None,
    split: Annotated[
        int, typer.Option(help="Which way to divide the pile; 'shoal splits' lists them.")
    ] = 1,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Also write a parquet table with confidence and embedding.", show_default=False
        ),
    ] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Assign each image to a cluster and write a CSV with the columns id and label."""
    from shoal import checkpoint as checkpoints
    from shoal import findings, session
    from shoal.files import check_distinct, check_writable
    from shoal.progress import Reporter

    check_distinct([prediction, table], [data, checkpoint])
    for output in (prediction, table):
        if output is not None:
            check_writable(output)
    report = Reporter(quiet=quiet)
    loaded = checkpoints.load(checkpoint)
    source = session.open_images(data, image_shape=loaded.image_shape)
    result = session.predict(source, loaded, report, clusters=clusters, split=split, device=device)
    result.to_csv(prediction)
    if table is not None:
        result.to_parquet(table)
    report.say(f"{findings.summary(result)}; written to {prediction}")


@app.command(epilog="Example: shoal splits photos/ found/checkpoint.pth splits.png")
def splits(
    data: Data,
    checkpoint: CheckpointPath,
    picture: Annotated[Path, typer.Argument(help="Picture to write.")] = Path("splits.png"),
    as_json: AsJson = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """List the ways to divide the pile that a checkpoint holds, and draw members of each."""
    from shoal import checkpoint as checkpoints
    from shoal import figures, findings, session
    from shoal.files import check_distinct, check_picture, check_writable
    from shoal.progress import Reporter

    check_distinct([picture], [data, checkpoint])
    check_picture(picture)
    check_writable(picture)
    loaded = checkpoints.load(checkpoint)
    source = session.open_images(data, image_shape=loaded.image_shape)
    found = session.splits(source, loaded, Reporter(quiet=quiet or as_json), device=device)
    figures.write(figures.splits(source, [one.table for one in found]), picture)
    if as_json:
        print(json.dumps([one.to_json() for one in found], indent=2))
        return
    print(findings.splits(found))
    print(f"members of each: {picture}; 'shoal predict … --split N' uses the N-th")


@app.command(epilog="Example: shoal evaluate checkpoints/best.pth valX.npy valY.npy")
def evaluate(
    checkpoint: CheckpointPath,
    images: Annotated[Path, typer.Argument(help="Images to measure on.", show_default=False)],
    labels: Annotated[
        Path | None,
        typer.Argument(help="Their labels: .npy, or .csv with a column label.", show_default=False),
    ] = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Score what can be known without labels.")
    ] = False,
    as_json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Measure a checkpoint: accuracy, NMI, ARI and reconstruction error, or --no-labels scores."""
    from shoal import checkpoint as checkpoints
    from shoal import findings, session
    from shoal.progress import Reporter

    session.check_labels_or_none(labels, no_labels)
    loaded = checkpoints.load(checkpoint)
    source = session.open_images(images, image_shape=loaded.image_shape)
    if labels is None:
        judged = session.judge(source, loaded, Reporter(quiet=as_json), device=device)
        more = {"combined": judged.combined, "clusters_found_here": not loaded.finished}
        known = asdict(judged) | more
        print(json.dumps(known, indent=2) if as_json else findings.judgement(judged))
        return
    measured = session.evaluate(source, loaded, labels, device=device)
    print(json.dumps(measured, indent=2) if as_json else findings.measurement(measured))


@app.command(epilog="Example: shoal run photos/ found/ -k 10 --minutes 15")
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
    quiet: Quiet = False,
) -> None:
    """Train, predict and draw what was found, in one go."""
    from shoal import findings, session
    from shoal.checks import check_n_clusters
    from shoal.files import check_writable
    from shoal.progress import Reporter

    check_writable(out_dir / "checkpoint.pth")
    report = Reporter(quiet=quiet)
    source = session.open_images(data, at_least=2)
    if clusters is not None:
        check_n_clusters(clusters, len(source))
    request = session.Request(
        recipe, epochs, minutes, seed, clusters, resume, device, tuple(settings or ()), low_memory
    )
    finished = session.train(source, out_dir / "checkpoint.pth", request, report)
    result = session.predict(source, finished, report, device=device)
    findings.write(source, result, out_dir, report)


@app.command(epilog="Example: shoal info checkpoints/best.pth")
def info(checkpoint: CheckpointPath, as_json: AsJson = False) -> None:
    """Show what a checkpoint is: recipe, epoch, time, data, versions, history."""
    from shoal import checkpoint as checkpoints
    from shoal import findings

    loaded = checkpoints.load(checkpoint)
    if as_json:
        print(json.dumps(findings.about(loaded, checkpoint), indent=2))
    else:
        print(findings.about_text(loaded, checkpoint))


@app.command(epilog="Example: shoal demo")
def demo(out_dir: OutDir = Path("demo"), seed: Seed = None, quiet: Quiet = False) -> None:
    """Sort 1,797 real handwritten digits, and compare with k-means on pixels and on PCA."""
    from shoal import findings, session
    from shoal.demo import print_scores, write_digits
    from shoal.files import check_writable
    from shoal.progress import Reporter

    check_writable(out_dir / "checkpoint.pth")
    report = Reporter(quiet=quiet)
    data = write_digits(out_dir)
    source = session.open_images(data)
    report.say(f"{len(source):,} handwritten digits, without their labels: {data}")
    report.say(f"$ shoal run {data} {out_dir} --recipe digits")
    request = session.Request("digits", seed=seed, device="cpu")
    finished = session.train(source, out_dir / "checkpoint.pth", request, report)
    result = session.predict(source, finished, report, device="cpu")
    findings.write(source, result, out_dir, report)
    print_scores(source, result.labels, finished.provenance["seconds"])
