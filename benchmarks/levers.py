"""Settings of training compared at equal processor time: what the features know, what is found.

    python benchmarks/levers.py --piles signs flowers --seeds 0 1
    python benchmarks/levers.py --piles signs flowers --seeds 0 1 --set views.n_local_crops=4
    python benchmarks/levers.py --piles signs --steps 300 --set … --set …
    python benchmarks/levers.py --piles cifar10 --steps 730 --images 10000 --device cuda \\
        --set encoder=whitened --dear 0.7                      # the cost as it is on a processor
    python benchmarks/levers.py --table                        # only print what was measured

Each run may take as much processor time as so many steps of `best`. What a step of the settings
costs is measured beside one of `best`, in turns, so that other work on the machine slows both; a
GPU, where a step costs something else, is told it with --dear. The
piles are those of `labelled_piles.py`. Kinds are looked at when all is done: the share of 1 and of
20 nearest neighbours of the same kind, a linear probe, and the clusters, mean over seeds.

Read the steps and the cost of a step beside the scores: the machine's other work shows there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import labelled_piles
import numpy as np
from machine import HERE, append, commit, grouped, is_there, machine, rows, spread
from piles import scored

RESULTS = HERE / "results" / "levers.jsonl"
SCORES = ("neighbours_1", "neighbours_20", "probe", "accuracy", "nmi")
_TURNS, _WARM = 6, 2


def recipe_of(settings: list[str], n_clusters: int, seed: int) -> Any:
    """The recipe `best` with these settings, for so many clusters."""
    from shoal.recipes.named import BEST
    from shoal.recipes.settings import override

    return replace(override(BEST, settings), n_clusters=n_clusters, seed=seed)


def times_as_dear(recipe: Any, usual: Any, source: Any) -> float:
    """The processor time of a step, as a multiple of that of the usual recipe's."""
    from shoal.training.start import start_run

    both = [start_run(source, each, "cpu", None) for each in (recipe, usual)]
    spent: list[list[float]] = [[], []]
    for step in range(1, _WARM + _TURNS + 1):
        for run, times in zip(both, spent, strict=True):
            began = time.process_time()
            run.take_step(source, step)
            times.append(time.process_time() - began)
    mine, theirs = (statistics.median(times[_WARM:]) for times in spent)
    return mine / theirs


def measure(
    pile: str,
    seed: int,
    steps: int,
    settings: list[str],
    folder: Path,
    n: int,
    keep: Path | None,
    clusterings: int,
    device: str,
    dear: float | None,
) -> dict[str, Any]:
    """Train for as much processor time as ``steps`` of `best` take, embed, cluster, and judge."""
    from shoal.embedding.reduce import fit_reduction
    from shoal.images.array import ArraySource
    from shoal.training.loop import train
    from shoal.training.schedule import steps_an_epoch

    images, kinds = labelled_piles.load(pile, folder)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(images))[:n])
    images, kinds = images[chosen], kinds[chosen]
    source = ArraySource(images)
    k = labelled_piles.N_CLUSTERS[pile]
    recipe, usual = recipe_of(settings, k, seed), recipe_of([], k, seed)
    if dear is None:
        dear = times_as_dear(recipe, usual, source) if settings else 1.0
    epochs = max(1, round(steps / dear)) / steps_an_epoch(recipe, len(images))
    recipe = replace(recipe, epochs=epochs)
    began = time.process_time()
    last = deque(train(source, recipe, device=device), maxlen=1)[0]
    spent = time.process_time() - began
    z = fit_reduction(source, last, device=device).fitted
    known = kinds >= 0
    if keep is not None:
        name = "_".join([pile, str(seed), str(steps), *settings]).replace("/", "")
        np.savez(keep / f"{name}.npz", z=z, kinds=kinds)
    row = {"images": len(images), "steps": last.step, "dear": round(dear, 3)}
    row |= {"cpu_seconds": round(spent, 1), **judged(z[known], kinds[known])}
    return row | (found(z, kinds, recipe, clusterings) if clusterings else {})


def judged(z: Any, kinds: Any) -> dict[str, float]:
    """How many neighbours share the kind, and how many kinds a linear classifier tells."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=21).fit(z).kneighbors(z, return_distance=False)[:, 1:]
    same = kinds[near] == kinds[:, None]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    probe = cross_val_score(RidgeClassifier(alpha=1e-3 * len(z)), z / z.std(), kinds, cv=folds)
    scores = (same[:, 0].mean(), same.mean(), probe.mean())
    return dict(zip(SCORES, [round(float(score), 4) for score in scores], strict=False))


def found(z: Any, kinds: Any, recipe: Any, clusterings: int) -> dict[str, float]:
    """Accuracy and NMI of the clusters, means over clustering seeds."""
    from shoal.clustering.clustering import build_clusterer

    known, each = kinds >= 0, []
    for seed in range(clusterings):
        clusterer = build_clusterer(replace(recipe, seed=seed), recipe.n_clusters).fit(z)
        labels = clusterer.predict_proba(z).argmax(1).astype(np.int64)
        each.append(scored(labels[known], kinds[known]))
    return {name: round(float(np.mean([x[name] for x in each])), 4) for name in ("accuracy", "nmi")}


def print_table(measured: list[dict[str, Any]]) -> None:
    """Every pile and setting as Markdown, the mean over its seeds."""
    print("| pile | settings | seeds | neighbours 1 | 20 | probe | accuracy | NMI | step | CPU |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for pile, of_pile in grouped(measured, "pile").items():
        ways: dict[str, list[dict[str, Any]]] = {}
        for row in of_pile:
            ways.setdefault(f"{row['steps_of_best']}: {' '.join(row['settings'])}", []).append(row)
        for way, some in ways.items():
            found = [told(some, name, 3) for name in SCORES]
            cost = [told(some, name, 2) for name in ("dear", "cpu_seconds")]
            seeds = len({row["seed"] for row in some})
            print(f"| {pile} | {' | '.join([way, str(seeds), *found, *cost])} |")


def told(some: list[dict[str, Any]], name: str, digits: int) -> str:
    """Mean and range of those that have it."""
    values = [row[name] for row in some if name in row]
    return spread(values, digits) if values else "-"


def main() -> None:
    """Measure what is asked for, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--piles", nargs="+", choices=labelled_piles.N_CLUSTERS, default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=200, help="of best, whose time a run may take")
    parser.add_argument("--images", type=int, default=5000, help="of a pile, at most")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/shoal-piles"))
    parser.add_argument("--clusterings", type=int, default=3, help="0: features are enough")
    parser.add_argument("--keep", type=Path, help="folder for the embeddings")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--dear", type=float, help="what a step costs on a processor; best: 1")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only print what was measured")
    asked = parser.parse_args()
    for seed in asked.seeds:
        for pile in asked.piles:
            case = {"pile": pile, "seed": seed, "steps_of_best": asked.steps,
                    "settings": asked.set, "most": asked.images}  # fmt: skip
            if not asked.table and not is_there(case, rows(asked.results)):
                row = case | measure(
                    pile,
                    seed,
                    asked.steps,
                    asked.set,
                    asked.folder,
                    asked.images,
                    asked.keep,
                    asked.clusterings,
                    asked.device,
                    asked.dear,
                )
                row |= {"machine": machine(), "commit": commit()}
                append(asked.results, [row])
                print(json.dumps(row), flush=True)
    if asked.table:
        print_table(rows(asked.results))


if __name__ == "__main__":
    main()
