"""What tells whether clusters found in the pixels are right: overlap of views, or what images show?

    python benchmarks/calibration_pixels.py --piles signs steel cells   # measures, some 6 s each
    python benchmarks/calibration_pixels.py --table                     # prints what was measured

In the embedding of an encoder the overlap tells how far it is trained, see calibration.py. The
principal components of the pixels are not trained. A row is one pile, clustered in them: how many
images are right, and what is expected: by the overlap, without it, and as shoal does, by how well
what the images show tells the clusters, and less where light tells them better. Rows go to
results/calibration_pixels.jsonl.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from labelled_piles import N_CLUSTERS, load
from machine import HERE, append, commit, is_there, machine, rows, sources

RESULTS = HERE / "results" / "calibration_pixels.jsonl"
_MOST = 3000
WITH, WITHOUT = "expected with overlap", "expected without overlap"
SHOWN = "expected by what images show"
"""The key of what shoal expects. It is older than the weight of light, which counts in it."""
LABELS = {SHOWN: f"{SHOWN}, and less where light tells more"}
"""What a key is called where the key alone would mislead."""


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Accuracy, signals and the expected accuracy of a pile, clustered in its pixels."""
    from shoal import pipeline
    from shoal.clustering.partitions import match
    from shoal.embedding.reduce import reduce
    from shoal.images.array import ArraySource
    from shoal.recipes.asked_views import AskedViews
    from shoal.recipes.named import BEST
    from shoal.recipes.parts import Part
    from shoal.scoring import accuracy, quality
    from shoal.scoring.assignment import calibration_of
    from shoal.scoring.evaluation_views import evaluation_views
    from shoal.training.augmented_source import SAMPLE, views_of
    from shoal.training.loop import train
    from shoal.training.suit import suit

    images, kinds = (array[:_MOST] for array in load(name, folder))
    source = ArraySource(images)
    recipe = replace(
        BEST, n_clusters=N_CLUSTERS[name], embedding="pixels", reducers=(),
        clusterer=Part("kmeans"), epochs=0.01, batch_size=64,
    )  # fmt: skip
    asked = AskedViews.of(None, None, (), recipe_named=False)
    recipe, _ = suit(source, recipe, asked)
    *_, trained = train(source, recipe)  # a single step: the encoder plays no part
    finished, table = pipeline.cluster(source, trained)
    found = calibration_of(finished)
    assert found is not None
    _, *views = views_of(source, evaluation_views(finished), most=SAMPLE, seed=recipe.seed)
    overlap = quality.neighbour_overlap(*(reduce(view, finished) for view in views))
    known, sizes = kinds >= 0, np.bincount(table.labels, minlength=recipe.n_clusters)
    nan = float("nan")
    signals = {
        WITH: replace(found.signals, neighbour_overlap=overlap, shown=nan),
        WITHOUT: replace(found.signals, neighbour_overlap=nan, shown=nan),
        SHOWN: found.signals,
    }
    right = match(table.labels[known], kinds[known]) == kinds[known]
    return {
        "images": len(images), "k": recipe.n_clusters, "accuracy": float(right.mean()),
        **asdict(found.signals), "neighbour_overlap": overlap,
        **{name: accuracy.estimate(each, sizes).expected_accuracy
           for name, each in signals.items()},
    }  # fmt: skip


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown, and the mean errors."""
    print(
        "| pile | clusters | overlap | stability | purity | accuracy | with | without | by shoal |"
    )
    print("|---" * 9 + "|")
    names = ("neighbour_overlap", "stability", "purity", "accuracy")
    expected = (WITH, WITHOUT, SHOWN)
    for row in found:
        numbers = " | ".join(f"{row[name]:.2f}" for name in (*names, *expected))
        print(f"| {row['pile']} | {row['k']} | {numbers} |")
    for name in expected:
        off = np.array([row[name] - row["accuracy"] for row in found])
        told = LABELS.get(name, name)
        print(f"\n{told}: off by {np.abs(off).mean():.3f}, over by {off.max():.2f} at most.")
    print(f"\n{sources(found)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--piles", nargs="+", default=[], choices=list(N_CLUSTERS))
    parser.add_argument("--folder", type=Path, default=Path("piles"), help="where piles are kept")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    for name in asked.piles:
        if not is_there({"pile": name}, rows(RESULTS)):
            row = {"pile": name, **measure(name, asked.folder)}
            append(RESULTS, [row | {"machine": machine(), "commit": commit()}])
            print(name, f"{row['accuracy']:.2f}", flush=True)
    if asked.table:
        print_table(rows(RESULTS))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
