"""Vectors of many kinds: what `--metric auto` chooses, and what each metric gives.

    python benchmarks/metric.py            # made sets, and those of scikit-learn
    python benchmarks/metric.py --piles signs scenery --folder piles    # sets of vectors.py
    python benchmarks/metric.py --table

`shoal cluster` is told the number of kinds; beside it, k-means of scikit-learn on the vectors as
they are. Made sets: normal blobs that are not centred at the origin, blobs in one direction at
several distances, and directions around k centres times random lengths, as of a network's
embeddings (von Mises and Fisher's distribution, nearly). Rows go to results/vectors.jsonl.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import labelled_piles as piles
import numpy as np
from machine import append, commit, grouped, is_there, machine, rows
from vectors import RESULTS, vectors_of

KIND = "metric"
SEEDS = (0, 1, 2)


def blobs(d: int, k: int, seed: int) -> tuple[Any, Any]:
    """Blobs of width 1 around centres at least 6 apart, all on one side of the origin."""
    generator = np.random.default_rng(seed)
    while True:
        centres = generator.uniform(3, 3 + 15 * k ** (1 / d), (k, d))
        apart = np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(k, 1)]
        if apart.min() > 6:
            break
    kinds = np.arange(450) % k
    return centres[kinds] + generator.normal(size=(450, d)), kinds


def ray(d: int, seed: int) -> tuple[Any, Any]:
    """Three blobs in the same direction."""
    generator, kinds = np.random.default_rng(seed), np.arange(450) % 3
    middle = np.outer(8.0 * (kinds + 1), np.ones(d) / np.sqrt(d))
    return middle + generator.normal(size=(450, d)), kinds


def embeddings(d: int, k: int, spread: float, seed: int) -> tuple[Any, Any]:
    """Directions around k centres; lengths with this standard deviation of their logarithm."""
    generator, kinds = np.random.default_rng(seed), np.arange(450) % k
    centres = generator.normal(size=(k, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    x = centres[kinds] + 0.5 / np.sqrt(d) * generator.normal(size=(450, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x * np.exp(spread * generator.normal(size=(450, 1))), kinds


def made(seed: int) -> Iterator[tuple[str, Any, Any]]:
    """The made sets, each with its kinds."""
    for d in (1, 2, 3, 10):
        for k in (2, 3, 5):
            yield f"blobs, {d} numbers, {k} kinds", *blobs(d, k, seed)
        if d > 1:
            yield f"ray, {d} numbers, 3 kinds", *ray(d, seed)
    for d in (16, 64, 512):
        for k in (2, 10):
            for spread in (0.0, 0.1, 0.3, 0.6, 1.0):
                yield (
                    f"embeddings, {d} numbers, {k} kinds, {spread:g}",
                    *embeddings(d, k, spread, seed),
                )


def of_scikit_learn() -> Iterator[tuple[str, Any, Any]]:
    """Its small sets, raw and standardised."""
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, kinds = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield f"{name}, raw", x, kinds
        yield f"{name}, standardised", StandardScaler().fit_transform(x), kinds


def measure(x: Any, kinds: Any, seed: int) -> dict[str, Any]:
    """What is chosen with k and without, and the NMI by either metric and by k-means."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    from shoal.clustering.choose_metric import SAMPLE, choose_metric
    from shoal.clustering.clustering import build_clusterer
    from shoal.images.sampling import sample_rows
    from shoal.recipes import parts
    from shoal.recipes.metric import COSINE, EUCLIDEAN, with_metric
    from shoal.recipes.named import VECTORS

    x, k = np.asarray(x, np.float32), len(np.unique(kinds))
    recipe = replace(VECTORS, n_clusters=k, seed=seed)
    sample = x[sample_rows(len(x), SAMPLE, seed)]
    began = time.monotonic()
    chosen = choose_metric(sample, recipe)
    seconds = time.monotonic() - began
    without_k = choose_metric(sample, recipe, auto_k=True)
    found: dict[str, Any] = {"chosen": chosen.metric, "chosen_auto_k": without_k.metric}
    for metric in (EUCLIDEAN, COSINE):
        z = x
        for part in with_metric(recipe, metric).reducers:
            z = parts.build("reducers", part, random_state=seed).fit_transform(z)
        labels = build_clusterer(recipe, k).fit(z).predict(z)
        found[metric] = round(float(normalized_mutual_info_score(kinds, labels)), 4)
    plain = KMeans(k, n_init=10, random_state=seed).fit_predict(x)
    found["k-means"] = round(float(normalized_mutual_info_score(kinds, plain)), 4)
    return found | {"seconds": round(seconds, 2)}


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown: the means over seeds."""
    print("| vectors | k-means | euclidean | cosine | auto | auto, k not given |")
    print("|---" * 6 + "|")
    for name, group in grouped(found, "set").items():
        cells = [
            f"{mean(row[way] for row in group):.2f}" for way in ("k-means", "euclidean", "cosine")
        ]
        for column in ("chosen", "chosen_auto_k"):
            nmi = mean(row[row[column]] for row in group)
            metrics = sorted({row[column] for row in group})
            cells.append(f"{nmi:.2f} ({' or '.join(metrics)})")
        print(f"| {name} |", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--piles", nargs="*", default=[], choices=list(piles.N_CLUSTERS))
    parser.add_argument("--folder", type=Path, default=Path("piles"), help="where piles are kept")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    for seed in () if arguments.table else SEEDS:
        if arguments.piles:
            sets: Any = ((name, *vectors_of(name, arguments.folder)) for name in arguments.piles)
        else:
            sets = [*made(seed), *of_scikit_learn()]
        for name, x, kinds in sets:
            wanted = {"kind": KIND, "set": name, "seed": seed}
            if is_there(wanted, rows(RESULTS)):
                continue
            about = {"n": len(x), "d": x.shape[1], "machine": machine(), "commit": commit()}
            append(RESULTS, [wanted | measure(x, kinds, seed) | about])
            print(rows(RESULTS)[-1], flush=True)
    print_table([row for row in rows(RESULTS) if row.get("kind") == KIND])


if __name__ == "__main__":
    main()
