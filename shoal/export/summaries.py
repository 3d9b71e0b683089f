"""Results as text for a terminal: of a run, of a checkpoint, and of scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shoal.clustering.splits import PIXELS_COUNT
from shoal.corrections.honoured import Corrections
from shoal.embedding.table import NOWHERE_NAME, ImageTable, equally_sure
from shoal.export.large_tables import LargeTable
from shoal.images.csv_files import printable
from shoal.models.checkpoint import Checkpoint
from shoal.models.provenance import CHANNELS, MEASURED
from shoal.plural import apart, counted, pixels
from shoal.recipes.noise import OFF
from shoal.scoring import label_free
from shoal.scoring.accuracy import share_text
from shoal.scoring.compare_splits import ComparedSplit
from shoal.scoring.label_free import COMBINED, LabelFreeScores

_LISTED = 50
"""Clusters up to which the size of each is told."""


def run_summary(table: ImageTable | LargeTable, folder: Path, noun: str = "image") -> str:
    """The clusters of a run, and the files that it wrote; ``noun`` is what was clustered."""
    return (
        f"{prediction_summary(table, noun)}\n"
        f"written to {folder}: report.html (look at this first), checkpoint.pth, prediction.csv, "
        "table.parquet, clusters.png, map.png"
    )


def prediction_summary(table: ImageTable | LargeTable, noun: str = "image") -> str:
    """How many images (or ``noun``), the sizes of the clusters, the mean confidence: a line.

    Of a single image its cluster and its own confidence.
    """
    if len(table.labels) == 1 and isinstance(table, ImageTable):
        return _of_one(table)
    nowhere = np.zeros(len(table.labels), dtype=bool)
    called: dict[int, str] = {}
    if isinstance(table, ImageTable) and table.names is not None:
        nowhere = table.nowhere
        called = table.called() if set(table.names) - {"", NOWHERE_NAME} else {}
    confidence, n = float(table.confidence.mean()), int(nowhere.sum())
    sizes = np.bincount(table.labels[~nowhere]).tolist()
    names = [called.get(label) for label in range(len(sizes))] if called else []
    what = f"{'groups' if called else 'clusters'} {_sizes(sizes, names)}"
    return (
        f"{counted(len(table.labels), noun)}: {what}{apart(n)}; "
        f"mean confidence {share_text(confidence, len(table.labels))}"
    )


def _of_one(table: ImageTable) -> str:
    """The cluster of the only image of a table, or the name of its group; and its confidence."""
    label = int(table.labels[0])
    name = table.called()[label]
    group = name if name != str(label) else f"cluster {label}"
    confidence = share_text(float(table.confidence[0]), 100)
    return f"{printable(table.ids[0])}: {printable(group)}, confidence {confidence}"


def training_summary(checkpoint: Checkpoint) -> str:
    """The number of images and the sizes of the clusters of a finished checkpoint, in one line."""
    sizes = checkpoint.facts.splits[0].sizes
    aside = apart(checkpoint.n_images - sum(sizes)) if checkpoint.noise else ""
    return f"{counted(checkpoint.n_images, 'image')}: clusters {_sizes(sizes)}{aside}"


def nothing_set_aside(checkpoint: Checkpoint) -> list[str]:
    """A line for a person who asked for noise to be set aside, where there was none."""
    recipe, n_clustered = checkpoint.recipe, sum(checkpoint.facts.splits[0].sizes)
    if recipe.noise == OFF or (checkpoint.noise and n_clustered < checkpoint.n_images):
        return []
    return [f"--noise {recipe.noise} found none of the {recipe.kind} to belong nowhere"]


def _sizes(sizes: Sequence[int], names: Sequence[str | None] = ()) -> str:
    """The sizes of clusters as text; of very many the first and the last ones.

    Of ``names``, those that no image has are None, and left out.

    >>> _sizes([3, 0, 2], ["cats", None, "dogs"])
    'cats: 3, dogs: 2'
    >>> _sizes([5, 3]), _sizes([*range(200, 100, -1)])[-39:]
    ('0: 5, 1: 3', '9: 191, … 98: 102, 99: 101 (100 in all)')
    """
    each = [
        f"{name}: {size:,}" for name, size in zip(names or range(len(sizes)), sizes, strict=True)
        if name is not None
    ]  # fmt: skip
    if len(each) <= _LISTED:
        return ", ".join(each)
    return f"{', '.join(each[:10])}, … {', '.join(each[-2:])} ({len(each):,} in all)"


def splits_table(splits: list[ComparedSplit], more: str = "") -> str:
    """A table of the ways to divide the pile, the chosen one first.

    Args:
        splits: the ways.
        more: a command that looks for more where there is one alone; empty if none does.
    """
    columns: dict[str, Sequence[float | None]] = {
        "separation": [split.split.separation for split in splits],
        "pixels explain": [split.split.pixel_share for split in splits],
        "stability": [split.stability for split in splits],
        "views agree": [split.view_agreement for split in splits],
        "like 1": [split.agreement[0] for split in splits],
    }
    # Vectors have no pixels and no views.
    known = {title: shares for title, shares in columns.items() if set(shares) != {None}}
    lines = ["  ".join(["split", f"{'images in each':<17}", *known])]
    for number, split in enumerate(splits, start=1):
        sizes = " + ".join(f"{size:,}" for size in split.split.sizes[:4])
        sizes += " + …" if len(split.split.sizes) > 4 else ""
        row = {title: shares[number - 1] for title, shares in known.items()}
        cells = [
            f"{'–':>{len(title)}}" if share is None else f"{share:>{len(title)}.3f}"
            for title, share in row.items()
        ]
        lines.append("  ".join([f"{number:>5}", f"{sizes:<17}", *cells]))
    if len(splits) == 1:
        looks = f"; {more} looks for more" if more else ""
        lines.append(f"This clusterer finds one way to divide them{looks}.")
    elif len(splits[0].split.sizes) == 2:
        less = f" minus {PIXELS_COUNT:g} times what pixels explain"
        lines.append(
            "Splits nearly as separated as the best one come first. They are ordered by separation"
            f"{less if 'pixels explain' in known else ''}. Split 1 is the choice, but you may want "
            "another one: look at the picture."
        )
    else:
        lines.append("Split 1 is the clusterer's own; the others are ordered by separation.")
    return "\n".join(lines)


def evaluation_text(scores: dict[str, Any]) -> str:
    """The scores of a checkpoint with labels, see `shoal.cli.inference.evaluate`."""
    low, high = scores["accuracy_interval_95"]
    bins = scores["calibration"]
    parts = "tenths" if len(bins) == 10 else "parts"
    by_confidence = [
        f"by confidence, in {parts} of the images, the least confident first:",
        "  confidence  " + "  ".join(f"{part['confidence']:.2f}" for part in bins),
        "  accuracy    " + "  ".join(f"{part['accuracy']:.2f}" for part in bins),
    ]
    if equally_sure(np.array([part["confidence"] for part in bins])):
        by_confidence = [
            f"confidence is {bins[0]['confidence']:.2f} for all images: none can be told as the "
            "least confident"
        ]
    return "\n".join(
        [
            f"accuracy  {scores['accuracy']:.4f}   "
            f"(each cluster matched to one label; 95 % interval {low:.3f} to {high:.3f})",
            f"NMI       {scores['nmi']:.4f}",
            f"ARI       {scores['ari']:.4f}",
            *(
                [f"MSE       {scores['mse']:.6f} (reconstruction, pixels in [0, 1])"]
                if "mse" in scores
                else []
            ),
            f"images    {scores['n_images']:,}",
            *by_confidence,
        ]
    )


def label_free_text(scores: LabelFreeScores) -> str:
    """The scores of a checkpoint without labels, each with its meaning."""
    rows = {
        "score": (scores.combined, COMBINED),
        "view agreement": (scores.view_agreement, "clusters of the images and of two views of "
                           "them agree (1 always, 0 as by chance)"),
        "stability": (scores.stability, "clusters formed from either half of the images agree "
                      "(1 always, 0 as by chance)"),
        "purity": (scores.neighbour_purity, "nearest neighbours are in the same cluster "
                   "(1 always, 0 as by chance)"),
        "overlap": (scores.neighbour_overlap, "nearest neighbours are the same in both views "
                    "(share)"),
        "recognition": (scores.recognition, "the other view of an image is among its nearest "
                        "neighbours (share)"),
        "silhouette": (scores.silhouette, "images are nearer to their own cluster than to the "
                       "next (-1 to 1)"),
        "cut": (scores.normalised_cut, "neighbour links leave their cluster (share; lower is "
                "better)"),
        "MSE": (scores.mse, "reconstruction error; it does not depend on the clusters"),
    }  # fmt: skip
    return "\n".join(
        [
            *(
                f"{name:<15} {value:7.4f}   {text}"
                for name, (value, text) in rows.items()
                if math.isfinite(value)
            ),
            f"{'images':<15} {scores.n_images:>7,}   in {counted(scores.n_clusters, 'cluster')}",
            label_free.verdict(scores),
        ]
    )


def checkpoint_facts(
    checkpoint: Checkpoint, path: Path, data: Path | None = None
) -> dict[str, Any]:
    """All facts about a checkpoint, as JSON values; ``data`` is where its images are now."""
    return {
        "file": str(path),
        "finished": checkpoint.finished,
        "image_shape": list(checkpoint.image_shape),
        "n_dimensions": checkpoint.n_dimensions,
        "n_images": checkpoint.n_images,
        "step": checkpoint.step,
        "total_steps": checkpoint.total_steps,
        "epoch": checkpoint.epoch,
        "weights": sum(tensor.numel() for tensor in checkpoint.encoder_state.values()),
        "weights_sha256": checkpoint.weights_digest(),
        "verdict": label_free.verdict_on(checkpoint, path=path, data=data).to_json()
        if checkpoint.finished
        else None,
        "origin": checkpoint.origin.to_json(),
        "provenance": checkpoint.provenance,
        "facts": checkpoint.facts.to_json(),
        "recipe": checkpoint.recipe.to_dict(),
        "history": checkpoint.history,
    }


def corrections_facts(corrections: Corrections) -> dict[str, Any]:
    """What a person corrected, as JSON values."""
    groups = corrections.groups
    return {
        "file": str(corrections.path),
        "corrections": len(corrections),
        "decided": int(groups.decided.sum()),
        "groups": [
            {"name": groups.title(group), "images": size} for group, size in groups.sizes.items()
        ],
    }


def corrections_text(corrections: Corrections) -> str:
    """What a person corrected, as text."""
    facts = corrections_facts(corrections)
    listed = ", ".join(f"{each['name']} ({each['images']:,})" for each in facts["groups"])
    n = len(corrections.groups.decided)
    return (
        f"{counted(len(corrections), 'correction')} by hand in {corrections.path}: "
        f"{facts['decided']:,} of {counted(n, 'image')} decided; the groups are {listed}; "
        "what is said below of the groups is of the result before these corrections"
    )


def _representation(checkpoint: Checkpoint) -> list[str]:
    """What the clusters were found in, and how it compares with the pixels."""
    found = checkpoint.facts.representation
    if found is None:
        return []
    scores = ", ".join(f"{name} {score:.3f}" for name, score in found.scores.items())
    line = f"{found.choice}; agrees {found.agreement:.3f} with PCA of the pixels and k-means"
    return [f"  found in       {line}" + (f"; scores: {scores}" if scores else "")]


def checkpoint_text(checkpoint: Checkpoint, path: Path) -> str:
    """The facts about a checkpoint as text, with at most 12 rows of its history."""
    facts = checkpoint_facts(checkpoint, path)
    colour = checkpoint.provenance.get(CHANNELS) != MEASURED
    size = pixels(*checkpoint.image_shape, colour=colour)
    pile = f"  images         {checkpoint.n_images:,} of {size}"
    if checkpoint.n_dimensions:
        numbers = counted(checkpoint.n_dimensions, "number")
        n_vectors = counted(checkpoint.n_images, "vector")
        pile = f"  pile           {n_vectors} of {numbers}, from elsewhere"
    state = "finished" if checkpoint.finished else "along the way, without clusters"
    rows = checkpoint.history[:: max(1, -(-len(checkpoint.history) // 12))]
    lines = [
        f"{path}: {state}",
        "checkpoint",
        pile,
        *(_of_training(checkpoint, facts) if not checkpoint.n_dimensions else []),
        *(f"  {name:<14} {value}" for name, value in facts["origin"].items() if value),
        *(f"  {name:<14} {value}" for name, value in checkpoint.provenance.items()),
        *(
            f"  consistency    {score:.4f} at step {step:,}"
            for step, score in sorted(checkpoint.facts.consistency.items())
        ),
        *_representation(checkpoint),
        *_metric(checkpoint),
        *([f"  n_clusters     {chosen.reason}"] if (chosen := checkpoint.facts.chosen) else []),
        *(
            f"  split {number:<8} {' + '.join(f'{size:,}' for size in split.sizes)}, separation "
            f"{split.separation:.3f}"
            + ("" if split.pixel_share is None else f", pixels explain {split.pixel_share:.3f}")
            for number, split in enumerate(checkpoint.facts.splits, start=1)
        ),
        "recipe",
        *(f"  {name:<24} {value}" for name, value in checkpoint.recipe.describe().items()),
        "history",
        *("  " + "  ".join(f"{name} {value:.6g}" for name, value in row.items()) for row in rows),
    ]
    return "\n".join(lines)


def _metric(checkpoint: Checkpoint) -> list[str]:
    """How vectors from elsewhere are compared."""
    if not checkpoint.n_dimensions:
        return []
    known = checkpoint.chosen_metric
    return [f"  metric         {known.metric}: {known.explained}"]


def _of_training(checkpoint: Checkpoint, facts: dict[str, Any]) -> list[str]:
    return [
        f"  epoch          {checkpoint.epoch:g} of {checkpoint.recipe.epochs:g} "
        f"(step {checkpoint.step:,} of {checkpoint.total_steps:,})",
        f"  weights        {facts['weights']:,}, sha256 {facts['weights_sha256'][:16]}…",
    ]
