"""Is the right split chosen, and is it among the first two? Over training and clustering seeds.

    python benchmarks/splits.py --data FOLDER --cifar train.parquet --trained FOLDER
    python benchmarks/splits.py --table

Four piles with two true kinds each: the photographs of README's table, and three made of CIFAR-10.
Each training seed is trained once (kept in --trained, and used again if it is there) and clustered
with several clustering seeds. A choice fails when it agrees with the truth on 5 points less than
the best candidate does. Rows of an older `best` say before which change of it they were measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from machine import (
    AFTER_TRAINING,
    DATA,
    append,
    commit,
    grouped,
    machine,
    now,
    program,
    rows,
    spread,
)

from shoal.embedding.reduce import reduce

RESULTS = Path(__file__).parent / "results" / "splits.jsonl"
# CIFAR-10's classes on each side, and the seed by which 4,500 images of each side are drawn.
PILES = {
    "animals or vehicles": ([2, 3, 4, 5, 6, 7], [0, 1, 8, 9], 1),
    "aeroplanes and ships, or cats and dogs": ([0, 8], [3, 5], 2),
    "cars and lorries, or horses and deer": ([1, 9], [4, 7], 3),
}


def piles(data: Path, cifar: Path | None) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, images to learn from, images to measure on, their labels."""
    from shoal import ArraySource, open_source

    if (data / "trainX.npy").exists():
        source, measured = open_source(data / "trainX.npy"), open_source(data / "valX.npy")
        yield "scenery", source, measured, np.load(data / "valY.npy", allow_pickle=False)
    if cifar is None:
        return
    import pyarrow.parquet as pq

    labels = np.array(pq.read_table(cifar, columns=["label"])["label"])
    images = open_source(cifar)
    for name, (one, other, seed) in PILES.items():
        generator = np.random.default_rng(seed)
        sides = [np.flatnonzero(np.isin(labels, side)) for side in (one, other)]
        chosen = [generator.permutation(side)[:4500] for side in sides]
        indices = generator.permutation(np.concatenate(chosen))
        source = ArraySource(images.read(indices))
        yield name, source, source, np.isin(labels[indices], other).astype(np.int64)


def as_now(checkpoint: Any) -> Any:
    """Its recipe, with ``best``'s way of going on once the encoder is trained."""
    import shoal

    changes = {name: getattr(shoal.BEST, name) for name in AFTER_TRAINING}
    return replace(checkpoint.recipe, **changes)


def trained(source: Any, path: Path, seed: int) -> Any:
    """A checkpoint of ``best``, from ``path`` if it is there."""
    import shoal

    recipe = replace(shoal.BEST, seed=seed)
    if path.exists():
        checkpoint = shoal.load(path)
        if as_now(checkpoint) != recipe:
            sys.exit(f"{path} was trained with another recipe; name another folder with --trained")
        return checkpoint
    shoal.keep_large_buffers()
    return shoal.fit(source, path, recipe)[0]


def embedded(checkpoint: Any, source: Any, measured: Any) -> tuple[Any, Any]:
    """Both piles as the recipe ``best`` reduces them now."""
    from shoal import pipeline

    organised = pipeline.cluster(source, replace(checkpoint, recipe=as_now(checkpoint)))[0]
    return reduce(source, organised), reduce(measured, organised)


def measure(source: Any, z: Any, z_measured: Any, labels: Any, seed: int) -> dict[str, Any]:
    """Cluster with a seed, choose, and see how each candidate agrees with the truth."""
    import shoal
    from shoal.clustering import splits
    from shoal.clustering.clustering import Clustering
    from shoal.recipes import parts

    clusterer = parts.build("clusterers", shoal.BEST.clusterer, n_clusters=2, random_state=seed)
    clustering, found = splits.choose(source, Clustering(clusterer.fit(z)), z)
    candidates = clustering.candidates(z_measured)
    return {
        "accuracy": [round(shoal.score(one, labels).accuracy, 4) for one in candidates],
        "separation": [round(split.separation, 4) for split in found],
        "pixel_share": [round(split.pixel_share or 0.0, 4) for split in found],
    }


def case(row: dict[str, Any]) -> str:
    """The pile, and before which change of ``best`` it was measured, if any came since."""
    return f"{row['pile']}, {program(row)}" if "before" in row else str(row["pile"])


def as_ranked(row: dict[str, Any]) -> list[float]:
    """Accuracy of the candidates in the order that the rule gives them now."""
    from shoal.clustering import splits
    from shoal.models.facts import Split

    pairs = zip(row["separation"], row["pixel_share"], strict=True)
    order = splits.ranking([Split((), *pair) for pair in pairs])
    return [row["accuracy"][index] for index in order]


def print_table(measured: list[dict[str, Any]]) -> None:
    """Failures of the choice and of the first two, in Markdown."""
    groups = grouped([row | {"case": case(row)} for row in measured], "case")
    print("| pile | training × clustering seeds | accuracy of the choice | choice fails "
          "| not among the first two | most separated alone fails |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for name, found in groups.items():
        n = len(found)
        best = [max(row["accuracy"]) - 0.05 for row in found]
        shown = [as_ranked(row) for row in found]
        chosen = [accuracy[0] for accuracy in shown]
        alone = [row["accuracy"][int(np.argmax(row["separation"]))] for row in found]
        failed = sum(a < b for a, b in zip(chosen, best, strict=True))
        lost = sum(max(accuracy[:2]) < b for accuracy, b in zip(shown, best, strict=True))
        without = sum(a < b for a, b in zip(alone, best, strict=True))
        seeds = len({row["training_seed"] for row in found})
        print(
            f"| {name} | {seeds} × {n // seeds} | {spread(chosen)} "
            f"| {failed} of {n} | {lost} of {n} | {without} of {n} |"
        )


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cifar", type=Path, help="CIFAR-10's train.parquet")
    parser.add_argument("--trained", type=Path, help="folder to keep checkpoints in")
    parser.add_argument("--training-seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--clustering-seeds", type=int, default=5)
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        if options.trained is None:
            sys.exit("name a folder to keep the checkpoints in with --trained")
        options.trained.mkdir(parents=True, exist_ok=True)
        for name, source, measured, labels in piles(options.data, options.cifar):
            for training in options.training_seeds:
                done = {
                    row["clustering_seed"]
                    for row in now(rows(RESULTS))
                    if (row["pile"], row["training_seed"]) == (name, training)
                }
                missing = [s for s in range(options.clustering_seeds) if s not in done]
                if not missing:
                    continue
                slug = name.replace(" ", "-").replace(",", "")
                checkpoint = trained(source, options.trained / f"{slug}-{training}.pth", training)
                both = embedded(checkpoint, source, measured)
                for clustering in missing:
                    row = {
                        "pile": name, "training_seed": training, "clustering_seed": clustering,
                        "epochs": checkpoint.recipe.epochs, "commit": commit(),
                        "machine": machine(),
                    } | measure(source, *both, labels, clustering)  # fmt: skip
                    append(RESULTS, [row])
                    print(name, training, clustering, row["accuracy"], flush=True)
    print_table(rows(RESULTS))


if __name__ == "__main__":
    main()
