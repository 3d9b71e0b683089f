"""What was found, as files and as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal import figures
from shoal.checkpoint import Checkpoint
from shoal.embedding import EmbeddingTable
from shoal.layout import lay_out
from shoal.progress import Reporter
from shoal.protocols import ImageSource


def write(source: ImageSource, table: EmbeddingTable, folder: Path, report: Reporter) -> None:
    """Write prediction.csv, table.parquet, clusters.png and map.png, and say so."""
    table = replace(table, xy=lay_out(table.z, track=report))
    table.to_csv(folder / "prediction.csv")
    table.to_parquet(folder / "table.parquet")
    figures.write(figures.clusters(source, table), folder / "clusters.png")
    figures.write(figures.map_of(source, table), folder / "map.png")
    report.say(
        f"{summary(table)}\n"
        f"written to {folder}: checkpoint.pth, prediction.csv, table.parquet, clusters.png, map.png"
    )


def summary(table: EmbeddingTable) -> str:
    """How many images, in which clusters, and how surely, in one line."""
    sizes = np.bincount(table.labels)
    listed = ", ".join(f"{cluster}: {size:,}" for cluster, size in enumerate(sizes))
    return (
        f"{len(table.labels):,} images: clusters {listed}; "
        f"mean confidence {table.confidence.mean():.3f}"
    )


def about(checkpoint: Checkpoint, path: Path) -> dict[str, Any]:
    """All that is to be known of a checkpoint, as JSON values."""
    return {
        "file": str(path),
        "finished": checkpoint.finished,
        "image_shape": list(checkpoint.image_shape),
        "n_images": checkpoint.n_images,
        "step": checkpoint.step,
        "total_steps": checkpoint.total_steps,
        "epoch": checkpoint.epoch,
        "weights": sum(tensor.numel() for tensor in checkpoint.encoder_state.values()),
        "weights_sha256": checkpoint.weights_digest(),
        "provenance": checkpoint.provenance,
        "recipe": checkpoint.recipe.to_dict(),
        "history": checkpoint.history,
    }


def about_text(checkpoint: Checkpoint, path: Path) -> str:
    """The same for a reader; of the history a dozen rows."""
    known = about(checkpoint, path)
    height, width, channels = checkpoint.image_shape
    state = "finished" if checkpoint.finished else "along the way, without clusters"
    rows = checkpoint.history[:: max(1, len(checkpoint.history) // 12)]
    lines = [
        f"{path}: {state}",
        f"  images       {checkpoint.n_images:,} of {height} × {width} × {channels}",
        f"  epoch        {checkpoint.epoch:g} of {checkpoint.recipe.epochs:g} "
        f"(step {checkpoint.step:,} of {checkpoint.total_steps:,})",
        f"  weights      {known['weights']:,}, sha256 {known['weights_sha256'][:16]}…",
        *(f"  {name:<12} {value}" for name, value in checkpoint.provenance.items()),
        "recipe",
        *(f"  {name:<24} {value}" for name, value in checkpoint.recipe.describe().items()),
        "history",
        *("  " + "  ".join(f"{name} {value:.6g}" for name, value in row.items()) for row in rows),
    ]
    return "\n".join(lines)
