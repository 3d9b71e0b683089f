"""Vectors with labels: shoal's clusterers beside those of scikit-learn.

    python benchmarks/vectors.py digits signs steel flowers scenery
    python benchmarks/vectors.py --table

The vectors are what a person without a pre-trained network might have: the pixels of `digits`; of
`signs`, `steel` and `flowers` histograms of gradients (Dalal and Triggs 2005,
doi:10.1109/CVPR.2005.177) and of colours; of `scenery` the embedding of checkpoints/best.pth,
which learned from other images of that kind. Each method is told the number of kinds, but for
HDBSCAN, which finds its own. Rows go to results/vectors.jsonl.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import labelled_piles as piles
import numpy as np
from machine import HERE, append, commit, grouped, is_there, machine, rows, spread

RESULTS = HERE / "results" / "vectors.jsonl"
SEEDS = (0, 1, 2)
_ANGLES, _CELLS = 9, 6
_PCA = "pca(n_components=64)"


def vectors_of(name: str, folder: Path) -> tuple[Any, Any]:
    """The vectors float32 (n, d) of a set, and their kinds int64 (n,)."""
    images, kinds = piles.load(name, folder)
    images, kinds = images[kinds >= 0], kinds[kinds >= 0]  # of scenery most have no label
    if name == "digits":
        return images.reshape(len(images), -1).astype(np.float32), kinds
    if name == "scenery":
        import shoal

        checkpoint = shoal.load(HERE.parent / "checkpoints" / "best.pth")
        return shoal.embed(shoal.ArraySource(images), checkpoint), kinds
    return np.concatenate([gradients(images), colours(images)], axis=1), kinds


def gradients(images: Any) -> Any:
    """Histograms of gradients, float32 (n, cells² · angles): the root of each cell's shares."""
    grey = images.astype(np.float32).mean(axis=3)
    down, across = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, across)
    angle = (np.arctan2(down, across) % np.pi / np.pi * _ANGLES).astype(int) % _ANGLES
    edges = np.linspace(0, grey.shape[1], _CELLS + 1).round().astype(int)
    sides = list(itertools.pairwise(edges.tolist()))
    found = []
    for top, bottom in sides:
        for left, right in sides:
            cell = (slice(None), slice(top, bottom), slice(left, right))
            parts = [np.where(angle[cell] == a, strength[cell], 0).sum((1, 2)) for a in
                     range(_ANGLES)]  # fmt: skip
            found.append(np.stack(parts, axis=1))
    cells = np.stack(found, axis=1)
    return np.sqrt(cells / (cells.sum(axis=2, keepdims=True) + 50.0)).reshape(len(images), -1)


def colours(images: Any) -> Any:
    """Histograms of colours with 4 levels a channel, float32 (n, 64): the roots of the shares."""
    level = images.astype(np.int64) // 64
    place = (level * (4 ** np.arange(level.shape[3]))).sum(axis=3).reshape(len(images), -1)
    n_bins = 4 ** level.shape[3]
    counts = np.stack([np.bincount(row, minlength=n_bins) for row in place])
    return np.sqrt(counts / place.shape[1]).astype(np.float32)


def by_shoal(clusterer: str, reducers: str | None = None) -> Callable[[Any, int, int], Any]:
    """`shoal cluster` with a clusterer, and with other reducers than its own."""

    def labels(x: Any, k: int, seed: int) -> Any:
        from shoal import override
        from shoal.clustering.clustering import build_clusterer
        from shoal.recipes import parts
        from shoal.recipes.named import VECTORS

        settings = [f"clusterer={clusterer}"] + ([f"reducers={reducers}"] if reducers else [])
        recipe = replace(override(VECTORS, settings), n_clusters=k, seed=seed)
        for part in recipe.reducers:
            x = parts.build("reducers", part, random_state=seed).fit_transform(x)
        return build_clusterer(recipe, k).fit(x).predict_proba(x).argmax(axis=1)

    return labels


def _k_means(x: Any, k: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=10, random_state=seed).fit_predict(x)


def _spectral(x: Any, k: int, seed: int) -> Any:
    from sklearn.cluster import SpectralClustering

    return SpectralClustering(
        k, affinity="nearest_neighbors", n_neighbors=10, random_state=seed
    ).fit_predict(x)


def _hdbscan(x: Any, k: int, seed: int) -> Any:
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(min_cluster_size=15, min_samples=5, copy=True).fit_predict(x)


def by_default(x: Any, k: int, seed: int) -> Any:
    """`shoal cluster` as it is: it chooses the metric."""
    from shoal import VectorClusterer

    return VectorClusterer(k, random_state=seed).fit_predict(x)


METHODS: dict[str, Callable[[Any, int, int], Any]] = {
    "scikit-learn k-means": _k_means,
    "scikit-learn spectral": _spectral,
    "scikit-learn HDBSCAN": _hdbscan,
    "shoal spectral": by_shoal("spectral"),
    "shoal spectral, lengths kept": by_shoal("spectral", _PCA),
    "shoal kmeans": by_shoal("kmeans"),
    "shoal minibatch_kmeans": by_shoal("minibatch_kmeans"),
    "shoal agglomerative": by_shoal("agglomerative"),
    "shoal gaussian_mixture": by_shoal("gaussian_mixture"),
    "shoal projection_pursuit": by_shoal("projection_pursuit"),
    "shoal projection_pursuit, metric chosen (default)": by_default,
}


def measure(method: str, x: Any, kinds: Any, seed: int) -> dict[str, Any]:
    """Cluster once; where a method leaves vectors out, these are a cluster of their own."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    from shoal.scoring.evaluation import score

    began = time.monotonic()
    labels = METHODS[method](x, len(np.unique(kinds)), seed)
    seconds = time.monotonic() - began
    n_found = len(np.unique(labels[labels >= 0]))
    right = n_found == len(np.unique(kinds))
    return {
        "accuracy": round(score(labels, kinds).accuracy, 4) if right else None,
        "nmi": round(float(normalized_mutual_info_score(kinds, labels)), 4),
        "ari": round(float(adjusted_rand_score(kinds, labels)), 4),
        "clusters": n_found, "left_out": round(float((labels < 0).mean()), 4),
        "seconds": round(seconds, 2),
    }  # fmt: skip


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown: NMI of each method on each set, and its time."""
    found = [row for row in found if "method" in row]  # metric.py has rows here, too
    sets = list(dict.fromkeys(row["set"] for row in found))
    sizes = {row["set"]: f"{row['n']:,} × {row['d']}" for row in found}
    print("| NMI |", " | ".join(f"{name} ({sizes[name]})" for name in sets), "|")
    print("|---" * (len(sets) + 1) + "|")
    for method, group in grouped(found, "method").items():
        cells = []
        for name in sets:
            own = [row for row in group if row["set"] == name]
            more = "" if not own or own[0]["left_out"] == 0 else (
                f", {own[0]['clusters']} clusters, {own[0]['left_out']:.0%} left out"
            )  # fmt: skip
            cells.append(spread([row["nmi"] for row in own]) + more if own else "–")
        print(f"| {method} |", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*piles.N_CLUSTERS, []])
    parser.add_argument("--folder", type=Path, default=Path("piles"), help="where piles are kept")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    found = rows(RESULTS)
    for name in arguments.sets:
        x, kinds = vectors_of(name, arguments.folder)
        for method in arguments.methods:
            for seed in SEEDS[:1] if "HDBSCAN" in method else SEEDS:
                wanted = {"set": name, "method": method, "seed": seed}
                if is_there(wanted, found):
                    continue
                about = {"n": len(x), "d": x.shape[1], "machine": machine(), "commit": commit()}
                append(RESULTS, [wanted | measure(method, x, kinds, seed) | about])
                print(rows(RESULTS)[-1], flush=True)
    if arguments.table:
        print_table(rows(RESULTS))


if __name__ == "__main__":
    main()
