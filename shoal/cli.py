"""The commands. Each checks what it was given before any work, then walks the straight line.

Heavy imports wait until a command needs them, so that ``--help`` is instant.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.errors import Interrupted, RecipeError

if TYPE_CHECKING:
    from shoal.checkpoint import Checkpoint
    from shoal.embedding import EmbeddingTable
    from shoal.progress import Reporter
    from shoal.protocols import ImageSource
    from shoal.recipes import Recipe

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
    typer.Argument(help="Images: a .npy or .npz file (N, H, W, 3) or (N, H, W), or a folder.",
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
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Clusters = Annotated[
    int | None,
    typer.Option("-k", "--clusters", show_default="the recipe's", help="How many clusters."),
]
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
    quiet: Quiet = False,
) -> None:
    """Learn from images and write a checkpoint; a trail of them is kept in CHECKPOINT.trail/."""
    from shoal.files import check_distinct, check_writable

    check_distinct([checkpoint], [data])
    check_writable(checkpoint)
    settings = [*(settings or [])]
    report = _reporter(quiet)
    source = _open(data, report, at_least=2)
    _train(source, checkpoint, recipe, epochs, minutes, seed, resume, device, settings, report)


@app.command(epilog="Example: shoal predict new.npy checkpoints/best.pth prediction.csv")
def predict(
    data: Data,
    checkpoint: CheckpointPath,
    prediction: Annotated[Path, typer.Argument(help="The CSV to write.", show_default=False)],
    clusters: Clusters = None,
    table: Annotated[
        Path | None,
        typer.Option(help="Also write a parquet table with confidence and embedding.",
                     show_default=False),
    ] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Assign each image to a cluster and write a CSV with the columns id and label."""
    from shoal.files import check_distinct, check_writable

    check_distinct([prediction, table], [data, checkpoint])
    for output in (prediction, table):
        if output is not None:
            check_writable(output)
    report = _reporter(quiet)
    loaded = _load(checkpoint)
    source = _open(data, report, image_shape=loaded.image_shape)
    result = _predict(source, loaded, clusters, device, report)
    result.to_csv(prediction)
    if table is not None:
        result.to_parquet(table)
    report.say(f"{len(source):,} images: {_sizes(result)}; written to {prediction}")


@app.command(epilog="Example: shoal evaluate checkpoints/best.pth valX.npy valY.npy")
def evaluate(
    checkpoint: CheckpointPath,
    images: Annotated[Path, typer.Argument(help="Labelled images.", show_default=False)],
    labels: Annotated[
        Path,
        typer.Argument(help="Their labels: .npy, or .csv with a column label.",
                       show_default=False),
    ],
    as_json: AsJson = False,
    device: Device = "auto",
) -> None:  # fmt: skip
    """Measure a checkpoint on labelled images: accuracy, NMI, ARI and reconstruction error."""
    from shoal import evaluation
    from shoal.quality import reconstruction_mse
    from shoal.training import resolve_device

    report = _reporter(quiet=True)
    loaded = _load(checkpoint)
    source = _open(images, report, image_shape=loaded.image_shape)
    truth = evaluation.load_labels(labels, len(source))
    result = _predict(source, loaded, None, device, report)
    scores = evaluation.score(result.labels, truth)
    mse = reconstruction_mse(source, loaded, device=resolve_device(device))
    low, high = evaluation.accuracy_interval(scores.accuracy, scores.n_images)
    if as_json:
        _print_json(
            {"n_images": scores.n_images, "accuracy": scores.accuracy,
             "accuracy_interval_95": [low, high], "nmi": scores.nmi, "ari": scores.ari,
             "mse": mse}
        )  # fmt: skip
        return
    print(f"accuracy  {scores.accuracy:.4f}   (best naming; 95 % interval {low:.3f} to {high:.3f})")
    print(f"NMI       {scores.nmi:.4f}")
    print(f"ARI       {scores.ari:.4f}")
    print(f"MSE       {mse:.6f} (reconstruction, pixels in [0, 1])")
    print(f"images    {scores.n_images:,}")


@app.command(epilog="Example: shoal run photos/ found/ -k 10 --minutes 15")
def run(
    data: Data,
    out_dir: Annotated[Path, typer.Argument(help="Folder for the results.", show_default=False)],
    clusters: Clusters = None,
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = None,
    resume: Resume = False,
    device: Device = "auto",
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Train, predict and draw what was found, in one go."""
    from shoal.files import check_writable

    check_writable(out_dir / "checkpoint.pth")
    report = _reporter(quiet)
    source = _open(data, report, at_least=2)
    settings = [*(settings or [])]
    if clusters is not None:
        from shoal.checks import check_n_clusters

        check_n_clusters(clusters, len(source))
        _check_once("n_clusters", settings, "-k")
        settings.append(f"n_clusters={clusters}")
    path = out_dir / "checkpoint.pth"
    finished = _train(source, path, recipe, epochs, minutes, seed, resume, device, settings, report)
    result = _predict(source, finished, None, device, report)
    _write_findings(source, result, out_dir, report)


@app.command(epilog="Example: shoal info checkpoints/best.pth")
def info(checkpoint: CheckpointPath, as_json: AsJson = False) -> None:
    """Show what a checkpoint is: recipe, epoch, time, data, versions, history."""
    loaded = _load(checkpoint)
    about = {
        "file": str(checkpoint),
        "finished": loaded.finished,
        "image_shape": list(loaded.image_shape),
        "n_images": loaded.n_images,
        "step": loaded.step,
        "total_steps": loaded.total_steps,
        "epoch": loaded.epoch,
        "weights": sum(tensor.numel() for tensor in loaded.encoder_state.values()),
        "weights_sha256": loaded.weights_digest(),
        "provenance": loaded.provenance,
        "recipe": loaded.recipe.to_dict(),
        "history": loaded.history,
    }
    if as_json:
        _print_json(about)
    else:
        _print_info(loaded, about)


@app.command(epilog="Example: shoal demo")
def demo(
    out_dir: Annotated[Path, typer.Argument(help="Folder for the results.")] = Path("demo"),
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Sort 1,797 real handwritten digits, and compare with k-means on pixels and on PCA."""
    from shoal.demo import print_scores, write_digits
    from shoal.files import check_writable

    check_writable(out_dir / "checkpoint.pth")
    report = _reporter(quiet)
    data = write_digits(out_dir)
    report.say(f"1,797 handwritten digits of 8 × 8 pixels, without their labels: {data}")
    report.say(f"$ shoal run {data} {out_dir} --recipe digits -k 10")
    source = _open(data, report)
    finished = _train(
        source, out_dir / "checkpoint.pth", "digits", None, None, seed, False, "cpu", [], report
    )
    result = _predict(source, finished, None, "cpu", report)
    _write_findings(source, result, out_dir, report)
    print_scores(source, result.labels, finished.provenance["seconds"])


def _reporter(quiet: bool) -> Reporter:
    from shoal.progress import Reporter

    return Reporter(quiet=quiet)


def _load(path: Path) -> Checkpoint:
    from shoal import checkpoint

    return checkpoint.load(path)


def _open(
    path: Path, report: Reporter, *, image_shape: tuple[int, int, int] | None = None,
    at_least: int = 1,
) -> ImageSource:  # fmt: skip
    from shoal.sources import open_source

    source = open_source(path, image_shape=image_shape, at_least=at_least)
    if source.skipped:
        # Said even with --quiet: these images are missing from every result.
        shown = [f"  {name}: {reason}" for name, reason in source.skipped[:20]]
        more = len(source.skipped) - len(shown)
        lines = [
            f"{len(source.skipped):,} of {len(source) + len(source.skipped):,} files could not be "
            "read and are left out:",
            *shown,
            *([f"  … and {more:,} more"] if more else []),
        ]
        print("\n".join(lines), file=sys.stderr)
    return source


def _recipe(name: str, epochs: float | None, seed: int | None, settings: list[str]) -> Recipe:
    from shoal.recipes import named
    from shoal.settings import override

    given = list(settings)
    if epochs is not None:
        _check_once("epochs", settings, "--epochs")
        given.append(f"epochs={epochs}")
    if seed is not None:
        _check_once("seed", settings, "--seed")
        given.append(f"seed={seed}")
    return override(named(name), given)


def _check_once(field: str, settings: list[str], option: str) -> None:
    if any(setting.partition("=")[:2] == (field, "=") for setting in settings):
        raise RecipeError(f"either {option} or --set {field}=… is expected, and both came.")


def _train(
    source: ImageSource, path: Path, recipe_name: str, epochs: float | None,
    minutes: float | None, seed: int | None, resume: bool, device: str, settings: list[str],
    report: Reporter,
) -> Checkpoint:  # fmt: skip
    """Train, or go on training, and say what came of it."""
    from dataclasses import replace

    import torch

    from shoal import pipeline
    from shoal.checks import check_n_clusters
    from shoal.recipes import differences
    from shoal.trail import Trail
    from shoal.training import check_resumable, epochs_for, resolve_device

    if epochs is not None and minutes is not None:
        raise RecipeError("either --epochs or --minutes is expected, and both came; give one.")
    if minutes is not None:
        _check_once("epochs", settings, "--minutes")
    if minutes is not None and not 0 < minutes <= 100_000:
        raise RecipeError(f"--minutes is expected above 0, and {minutes:g} came.")
    recipe = _recipe(recipe_name, epochs, seed, settings)
    device = resolve_device(device)
    check_n_clusters(recipe.n_clusters, len(source))
    notes: dict[str, Any] = {"command": shlex.join(["shoal", *sys.argv[1:]])}
    trail = Trail(path)
    before = trail.unfinished() if resume else None
    if before is not None:
        if minutes is not None:  # chosen once, when the run began
            recipe = replace(recipe, epochs=before.recipe.epochs)
        report.say(f"going on at epoch {before.epoch:.1f} of {before.recipe.epochs:g}")
        threads = before.provenance.get("threads")
        if threads != torch.get_num_threads():
            report.say(
                f"the run began with {threads} threads and goes on with "
                f"{torch.get_num_threads()}: its last bits will differ from an uninterrupted run's"
            )
    elif resume and path.exists():
        finished = _load(path)
        if minutes is not None:
            recipe = replace(recipe, epochs=finished.recipe.epochs)
        check_resumable(finished, recipe, source.fingerprint())
        report.say(f"{path} is finished; nothing to resume")
        return finished
    elif resume:
        report.say("nothing to resume; starting from the beginning")
    elif trail.resume_file.exists():
        report.say(f"an unfinished run is in {trail.folder}; it will be kept in {trail.previous}")
    if before is None and minutes is not None:
        chosen, per_step = epochs_for(source, recipe, minutes=minutes, device=device)
        recipe = replace(recipe, epochs=chosen)
        notes |= {"minutes": minutes, "measured_seconds_per_step": round(per_step, 5)}
        report.say(
            f"{minutes:g} minutes are enough for {chosen:g} epochs at {per_step:.3f} s a step"
        )
    recipe.check()
    height, width, channels = source.shape
    report.say(
        f"{len(source):,} images of {height} × {width} × {channels}, recipe {recipe.name}, "
        f"{recipe.epochs:g} epochs on {device}, seed {recipe.seed}"
    )
    try:
        finished = pipeline.fit(
            source, path, recipe, device=device, resume=before, notes=notes, track=report
        )
    except (Interrupted, KeyboardInterrupt) as error:
        stopped = trail.unfinished()
        # Before the first step an older run's state may still be there: it is not this one's.
        if stopped is None or differences(stopped.recipe, recipe):
            raise Interrupted("stopped before the first checkpoint; nothing was kept.") from error
        raise Interrupted(
            f"stopped at epoch {stopped.epoch:.1f} of {stopped.recipe.epochs:g} (step "
            f"{stopped.step:,} of {stopped.total_steps:,}); go on with the same command and "
            "--resume."
        ) from error
    sizes, confidence = pipeline.cluster_sizes(pipeline.fitted_clusterer(finished))
    report.say(
        f"trained in {finished.provenance['seconds'] / 60:.1f} minutes; "
        f"clusters of {', '.join(f'{size:,}' for size in sorted(sizes, reverse=True))}, "
        f"mean confidence {confidence:.3f}; "
        f"checkpoint {path}, {len(trail.files())} along the way in {trail.folder}"
    )
    return finished


def _predict(
    source: ImageSource, checkpoint: Checkpoint, clusters: int | None, device: str,
    report: Reporter,
) -> EmbeddingTable:  # fmt: skip
    from shoal import pipeline
    from shoal.checks import check_n_clusters
    from shoal.training import resolve_device

    if clusters is not None:
        check_n_clusters(clusters, len(source))
    return pipeline.predict(
        source, checkpoint, n_clusters=clusters, device=resolve_device(device), track=report
    )


def _write_findings(
    source: ImageSource, table: EmbeddingTable, out_dir: Path, report: Reporter
) -> None:
    """prediction.csv, table.parquet and the two pictures."""
    from dataclasses import replace

    from shoal import figures
    from shoal.layout import lay_out

    table = replace(table, xy=lay_out(table.z, track=report))
    table.to_csv(out_dir / "prediction.csv")
    table.to_parquet(out_dir / "table.parquet")
    figures.write(figures.clusters(source, table), out_dir / "clusters.png")
    figures.write(figures.map_of(source, table), out_dir / "map.png")
    report.say(
        f"{len(source):,} images: {_sizes(table)}\n"
        f"written to {out_dir}: checkpoint.pth, prediction.csv, table.parquet, clusters.png, "
        "map.png"
    )


def _sizes(table: EmbeddingTable) -> str:
    import numpy as np

    sizes = np.bincount(table.labels)
    listed = ", ".join(f"{cluster}: {size:,}" for cluster, size in enumerate(sizes))
    return f"clusters {listed}; mean confidence {table.confidence.mean():.3f}"


def _print_json(value: Any) -> None:
    import json

    print(json.dumps(value, indent=2))


def _print_info(checkpoint: Checkpoint, about: dict[str, Any]) -> None:
    height, width, channels = checkpoint.image_shape
    state = "finished" if checkpoint.finished else "along the way, without clusters"
    print(f"{about['file']}: {state}")
    print(f"  images       {checkpoint.n_images:,} of {height} × {width} × {channels}")
    print(
        f"  epoch        {checkpoint.epoch:g} of {checkpoint.recipe.epochs:g} "
        f"(step {checkpoint.step:,} of {checkpoint.total_steps:,})"
    )
    print(f"  weights      {about['weights']:,}, sha256 {about['weights_sha256'][:16]}…")
    for name, value in checkpoint.provenance.items():
        print(f"  {name:<12} {value}")
    print("recipe")
    for name, value in checkpoint.recipe.describe().items():
        print(f"  {name:<24} {value}")
    print("history")
    rows = checkpoint.history[:: max(1, len(checkpoint.history) // 12)]
    for row in rows:
        print("  " + "  ".join(f"{name} {value:.6g}" for name, value in row.items()))
