"""What was found, as files and as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.clustering.splits import PIXELS_COUNT
from shoal.embedding.table import ImageTable
from shoal.models.checkpoint import Checkpoint
from shoal.plots.layout import lay_out
from shoal.plural import counted
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.scoring import label_free
from shoal.scoring.compare_splits import Alternative
from shoal.scoring.label_free import COMBINED, LabelFreeScores
from shoal.scoring.verdict import Verdict


def write(
    source: ImageSource, table: ImageTable, folder: Path, verdict: Verdict, report: Reporter
) -> ImageTable:
    """Write prediction.csv, table.parquet, clusters.png and map.png; the table with its map."""
    from shoal.plots import figures

    table = replace(table, xy=lay_out(table.embedding, track=report))
    table.to_csv(folder / "prediction.csv")
    table.to_parquet(folder / "table.parquet", verdict.metadata())
    figures.write(figures.clusters(source, table), folder / "clusters.png")
    figures.write(figures.map_of(source, table), folder / "map.png")
    return table


def written(table: ImageTable, folder: Path) -> str:
    """What came of a run and where it is, for a reader."""
    return (
        f"{summary(table)}\n"
        f"written to {folder}: report.html (look at this first), checkpoint.pth, prediction.csv, "
        "table.parquet, clusters.png, map.png"
    )


def summary(table: ImageTable) -> str:
    """How many images, in which clusters, and how surely, in one line."""
    sizes = np.bincount(table.labels)
    listed = ", ".join(f"{cluster}: {size:,}" for cluster, size in enumerate(sizes))
    return (
        f"{counted(len(table.labels), 'image')}: clusters {listed}; "
        f"mean confidence {table.confidence.mean():.3f}"
    )


def learned(checkpoint: Checkpoint) -> str:
    """The clusters that training found, for whoever has predicted nothing yet."""
    sizes = checkpoint.provenance["splits"][0]["sizes"]
    listed = ", ".join(f"{cluster}: {size:,}" for cluster, size in enumerate(sizes))
    return f"{counted(checkpoint.n_images, 'image')}: clusters {listed}"


def splits(found: list[Alternative]) -> str:
    """A table of the ways to divide the pile, the chosen one first, for a reader."""
    titles = ("split", "separation", "pixels explain", "stability", "views agree", "like 1")
    lines = ["  ".join([titles[0], f"{'images in each':<17}", *titles[1:]])]
    for number, one in enumerate(found, start=1):
        sizes = " + ".join(f"{size:,}" for size in one.split.sizes[:4])
        sizes += " + …" if len(one.split.sizes) > 4 else ""
        shares = (
            one.split.separation, one.split.pixel_share, one.stability, one.view_agreement,
            one.agreement[0],
        )  # fmt: skip
        cells = [f"{share:>{len(t)}.3f}" for t, share in zip(titles[1:], shares, strict=True)]
        lines.append("  ".join([f"{number:>5}", f"{sizes:<17}", *cells]))
    if len(found) == 1:
        lines.append(
            "This recipe's clusterer finds one only; --set clusterer=projection_pursuit looks for "
            "more."
        )
    elif len(found[0].split.sizes) == 2:
        lines.append(
            "Those nearly as separated as the best come first, in the order of separation less "
            f"{PIXELS_COUNT:g} of what pixels explain. 1 is the choice; the one you want may be "
            "another: look at the picture."
        )
    else:
        lines.append("1 is the clusterer's own; the others are ordered as they stand out.")
    return "\n".join(lines)


def measurement(measured: dict[str, Any]) -> str:
    """What `inference.evaluate` measured with labels, for a reader."""
    low, high = measured["accuracy_interval_95"]
    bins = measured["calibration"]
    parts = "tenths" if len(bins) == 10 else "parts"
    return "\n".join(
        [
            f"accuracy  {measured['accuracy']:.4f}   "
            f"(best naming; 95 % interval {low:.3f} to {high:.3f})",
            f"NMI       {measured['nmi']:.4f}",
            f"ARI       {measured['ari']:.4f}",
            f"MSE       {measured['mse']:.6f} (reconstruction, pixels in [0, 1])",
            f"images    {measured['n_images']:,}",
            f"by confidence, in {parts} of the images, the least confident first:",
            "  confidence  " + "  ".join(f"{part['confidence']:.2f}" for part in bins),
            "  accuracy    " + "  ".join(f"{part['accuracy']:.2f}" for part in bins),
        ]
    )


def judgement(scores: LabelFreeScores) -> str:
    """What `label_free.judge` found without labels, for a reader."""
    explained = {
        "view agreement": (scores.view_agreement, "clusters of the images and of two views of "
                           "them agree (1 always, 0 as by chance)"),
        "stability": (scores.stability, "clusters found from either half of the images agree "
                      "(1 always, 0 as by chance)"),
        "purity": (scores.neighbour_purity, "nearest neighbours are in the same cluster "
                   "(1 always, 0 as by chance)"),
        "overlap": (scores.neighbour_overlap, "nearest neighbours are the same in both views "
                    "(share)"),
        "recognition": (scores.recognition, "an image's other view is among its nearest "
                        "neighbours (share)"),
        "silhouette": (scores.silhouette, "own cluster is nearer than the next (-1 to 1)"),
        "cut": (scores.normalised_cut, "neighbour links that leave a cluster (share; lower is "
                "better)"),
        "MSE": (scores.mse, "reconstruction error; says nothing of the clusters"),
    }  # fmt: skip
    return "\n".join(
        [
            f"{'score':<15} {scores.combined:7.4f}   {COMBINED}",
            *(f"{name:<15} {value:7.4f}   {text}" for name, (value, text) in explained.items()),
            f"{'images':<15} {scores.n_images:>7,}   in {scores.n_clusters} clusters",
            label_free.verdict(scores),
        ]
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
        "verdict": label_free.verdict_on(checkpoint, path=path).to_json()
        if checkpoint.finished
        else None,
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
        *([str(label_free.verdict_on(checkpoint, path=path))] if checkpoint.finished else []),
        "checkpoint",
        f"  images       {checkpoint.n_images:,} of {height} × {width} × {channels}",
        f"  epoch        {checkpoint.epoch:g} of {checkpoint.recipe.epochs:g} "
        f"(step {checkpoint.step:,} of {checkpoint.total_steps:,})",
        f"  weights      {known['weights']:,}, sha256 {known['weights_sha256'][:16]}…",
        *(
            f"  {name:<12} {value}"
            for name, value in checkpoint.provenance.items()
            if name not in ("warnings", "splits")
        ),
        *(
            f"  split {number:<6} {' + '.join(f'{size:,}' for size in split['sizes'])}, separation "
            f"{split['separation']:.3f}, pixels explain {split['pixel_share']:.3f}"
            for number, split in enumerate(checkpoint.provenance.get("splits", []), start=1)
        ),
        "recipe",
        *(f"  {name:<24} {value}" for name, value in checkpoint.recipe.describe().items()),
        "history",
        *("  " + "  ".join(f"{name} {value:.6g}" for name, value in row.items()) for row in rows),
    ]
    return "\n".join(lines)
