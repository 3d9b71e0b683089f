"""Do the scores without labels follow the true accuracy? Points, correlations, calibration.

    python benchmarks/label_free.py --data digits                 # 72 points, a few minutes
    python benchmarks/label_free.py --data scenery cifar --cifar X.npy Y.npy
    python benchmarks/label_free.py --table                       # only print what was measured

A point is one checkpoint of the history of one short run, clustered and scored: on each data set
five ways to train, good and bad on purpose, one of them clustered in two ways, and two seeds.
Each finished point is appended to results/label_free.jsonl at once and skipped when it is there.
Of scenery (found in ../shared/data/scenery, or in the folder given by --scenery) the first 3,000
photographs are trained on, the first 1,000 clustered and scored, and the accuracy is that on the
500 labelled ones; of CIFAR-10 (any array of its images, with labels) the first 3,000 are trained
on, and the first 1,000 clustered, scored and compared with their labels.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from machine import DATA, commit, is_there, machine, sources
from scipy.stats import spearmanr

from shoal import pipeline
from shoal.clustering.clustering import clustering_of
from shoal.embedding.neighbours import nearest
from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.recipes.named import named
from shoal.recipes.parts import Part
from shoal.recipes.settings import override
from shoal.scoring import evaluation, label_free
from shoal.scoring.assignment import assign, calibration_of
from shoal.scoring.label_free import LabelFreeScores
from shoal.training.loop import train

RESULTS = Path(__file__).resolve().parent / "results" / "label_free.jsonl"
N_IMAGES = 3000
N_SCORED = 1000
NO_COLOUR = [f"views.{name}=0" for name in ("brightness", "contrast")]
NO_CHROMA = [f"views.{name}=0" for name in ("saturation", "hue", "grey_probability")]
NO_MOVES = [f"views.{name}=0" for name in ("rotation", "zoom", "shear", "shift")]

PHOTOGRAPHS = {
    "course": ["baseline", "epochs=3", "reducers=pca(n_components=64)", "clusterer=kmeans"],
    "improved": ["improved", "epochs=6"],
    "best": ["best", "epochs=12"],
    "weak views": ["best", "epochs=5", "views.min_crop=0.9", *NO_COLOUR, *NO_CHROMA],
    "frozen": ["best", "epochs=4", "learning_rate=1e-5"],
}
DIGITS = {
    "course": ["baseline", "epochs=12", "reducers=pca(n_components=20)", "clusterer=kmeans"],
    "improved": ["improved", "epochs=24"],
    "best": ["digits", "epochs=40"],
    "weak views": ["digits", "epochs=20", *NO_MOVES, *NO_COLOUR],
    "frozen": ["digits", "epochs=20", "learning_rate=1e-5"],
}
DATA_SETS = {"digits": "digits", "scenery": "scenery", "cifar": "CIFAR-10"}
SCORES = {
    "combined": "**the combined score**",
    "view_agreement": "agreement of two views",
    "stability": "stability over halves",
    "neighbour_purity": "neighbours in the cluster",
    "neighbour_overlap": "neighbours that two views share",
    "recognition": "own view among the 20 nearest",
    "silhouette": "silhouette",
    "normalised_cut": "normalised cut",
    "mse": "reconstruction error (MSE)",
}
LOWER_IS_BETTER = ("normalised_cut", "mse")


def load(name: str, options: argparse.Namespace) -> tuple[Any, Any, Any]:
    """The images to learn from, those to measure on, and the labels of the latter."""
    if name == "scenery":
        names = ("trainX", "valX", "valY")
        x, val_x, val_y = (np.load(options.scenery / f"{file}.npy") for file in names)
        return x[:N_IMAGES], val_x, val_y
    if name == "cifar":
        if options.cifar is None:
            sys.exit("CIFAR-10's images and labels are needed: --cifar X.npy Y.npy")
        x, y = (np.load(path)[:N_IMAGES] for path in options.cifar)
        return x, x, y
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return x, x, digits.target.astype(np.int64)


def train_once(
    name: str, run: str, seed: int, source: ArraySource, folder: Path
) -> CheckpointHistory:
    """The checkpoint history of a run, trained unless it is there."""
    history = CheckpointHistory(folder / f"{name}-{run}-{seed}".replace(" ", "_"))
    if history.files() and not history.resume_file.exists():
        return history
    recipe, *settings = (DIGITS if name == "digits" else PHOTOGRAPHS)[run]
    n_clusters = 2 if name == "scenery" else 10
    settings += [f"n_clusters={n_clusters}", f"seed={seed}"]
    settings += [f"checkpoints={6 if name == 'digits' else 5}"]
    for checkpoint in train(source, override(named(recipe), settings)):
        if checkpoint.step == 1:
            history.begin()
        history.save(checkpoint)
    history.finish()
    return history


def point(source: ArraySource, val: ArraySource, y: Any, checkpoint: Checkpoint) -> dict[str, Any]:
    """Organise one checkpoint, score it without labels, and look the truth up."""
    began = time.monotonic()
    finished = pipeline.cluster(source, checkpoint)[0]
    scores = label_free.judge(source, finished)
    judged = time.monotonic() - began
    clusterer = clustering_of(finished)
    learned = assign(source, clusterer.reference, clusterer, calibration_of(finished))
    table = learned if val is source else pipeline.predict(val, finished)
    truth = evaluation.score(table.labels, y)
    right = evaluation.match(table.labels, y) == y
    row = asdict(scores) | {"accuracy": truth.accuracy, "nmi": truth.nmi, "seconds": judged}
    confidences = {"vote": table.confidence, "smoothed": smoothed(table, learned)}
    for way, confidence in confidences.items():
        row |= {f"{way}_{key}": value for key, value in ranking(confidence, right).items()}
    return {key: round(float(value), 5) for key, value in row.items()}


def smoothed(table: ImageTable, learned: ImageTable) -> Any:
    """Mean confidence of an image's 50 nearest in its own cluster, 0 for those in another."""
    indices = nearest(learned.embedding, table.embedding, 50)[1]
    same = learned.labels[indices] == table.labels[:, None]
    return (learned.confidence[indices] * same).mean(axis=1)


def ranking(confidence: Any, right: Any) -> dict[str, float]:
    """How well a confidence ranks: area under the ROC curve, share of errors in the last tenth."""
    from sklearn.metrics import roc_auc_score

    if right.all() or not right.any():
        return {"auc": float("nan"), "errors": float("nan")}
    order = np.lexsort((np.random.default_rng(0).random(len(right)), confidence))
    last = ~right[order[: len(right) // 10]]
    return {"auc": roc_auc_score(right, confidence), "errors": last.sum() / (~right).sum()}


def measure(name: str, seed: int, options: argparse.Namespace, folder: Path) -> None:
    """Every point of one data set and seed that is not there yet."""
    x, val_x, y = load(name, options)
    n_scored = len(x) if name == "digits" else N_SCORED
    source = ArraySource(x[:n_scored])
    val = source if val_x is x else ArraySource(val_x)
    for run in options.runs:
        history = train_once(name, run, seed, ArraySource(x), folder)
        for file in history.files()[:: -options.every]:
            for clusterer in ("own", "kmeans") if run == "best" else ("own",):
                checkpoint = checkpoints.load(file)
                key = {"data": name, "run": run, "clusterer": clusterer, "seed": seed,
                       "step": checkpoint.step}  # fmt: skip
                if is_there(key, read()):
                    continue
                if clusterer != "own":
                    recipe = replace(checkpoint.recipe, clusterer=Part(clusterer))
                    checkpoint.recipe = recipe
                row = key | point(source, val, y[: len(val)], checkpoint)
                row |= {"commit": commit(), "machine": machine()}
                RESULTS.parent.mkdir(exist_ok=True)
                with RESULTS.open("a") as file_:
                    file_.write(json.dumps(row) + "\n")
                print(*key.values(), f"accuracy {row['accuracy']:.3f}", flush=True)


def read() -> list[dict[str, Any]]:
    """Every point so far."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines()]


def spearman(rows: list[dict[str, Any]], name: str) -> str:
    """Rank correlation with the accuracy, and its 95 % interval by a bootstrap over runs.

    Over runs, not points: the points of one run are alike, and would make the interval too narrow.
    """
    runs = defaultdict(list)
    for row in rows:
        runs[row["run"], row["clusterer"], row["seed"]].append((value(row, name), row["accuracy"]))
    groups = [np.array(group) for group in runs.values()]

    def correlation(chosen: Any) -> float:
        points = np.concatenate([groups[i] for i in chosen])
        return float(spearmanr(points[:, 0], points[:, 1])[0])

    generator = np.random.default_rng(0)
    drawn = [correlation(generator.integers(0, len(groups), len(groups))) for _ in range(2000)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return f"{correlation(range(len(groups))):.2f} ({low:.2f} to {high:.2f})"


def ordered(rows: list[dict[str, Any]], *alike: str) -> str:
    """The share of pairs with these fields alike that the combined score orders as the accuracy."""
    right = []
    for a, b in itertools.combinations(rows, 2):
        gap = a["accuracy"] - b["accuracy"]
        if gap and all(a[field] == b[field] for field in alike):
            right.append((value(a, "combined") - value(b, "combined")) * gap > 0)
    return f"{np.mean(right):.2f}"


def value(row: dict[str, Any], name: str) -> float:
    """A score of a point, turned so that more is better."""
    if name == "combined":
        fields = LabelFreeScores.__dataclass_fields__
        return LabelFreeScores(**{field: row[field] for field in fields}).combined
    return -row[name] if name in LOWER_IS_BETTER else row[name]


def print_tables(rows: list[dict[str, Any]]) -> None:
    """The correlations, what choosing by the score gives, and the calibration, in Markdown."""
    groups = {name: [row for row in rows if row["data"] == name] for name in DATA_SETS}
    groups = {name: group for name, group in groups.items() if group}
    print("| score | " + " | ".join(DATA_SETS[name] for name in groups) + " |")
    print("|---|" + "---|" * len(groups))
    for name, text in SCORES.items():
        print(f"| {text} | " + " | ".join(spearman(g, name) for g in groups.values()) + " |")
    print()
    for name, group in groups.items():
        accuracy = [row["accuracy"] for row in group]
        runs = len({(row["run"], row["clusterer"], row["seed"]) for row in group})
        chosen = {
            way: max(group, key=lambda row: value(row, way))["accuracy"]
            for way in ("combined", "mse")
        }
        print(
            f"{DATA_SETS[name]}: {len(group)} points of {runs} runs, accuracy {min(accuracy):.3f} "
            f"to {max(accuracy):.3f}; that of the point with the best score "
            f"{chosen['combined']:.3f}, with the least MSE {chosen['mse']:.3f}."
        )
    print("\nPairs that the combined score orders right:")
    for name, group in groups.items():
        print(
            f"{DATA_SETS[name]}: {ordered(group)} of all, "
            f"{ordered(group, 'run', 'clusterer', 'seed')} of those within one run, "
            f"{ordered(group, 'run', 'seed', 'step')} of two clusterings of the same embedding."
        )
    print("\n| confidence | area under the ROC curve | errors in the least confident tenth |")
    print("|---|---|---|")
    for name, group in groups.items():
        for way in ("vote", "smoothed"):
            auc, errors = (
                np.nanmean([row[f"{way}_{key}"] for row in group]) for key in ("auc", "errors")
            )
            print(f"| {DATA_SETS[name]}, {way} | {auc:.3f} | {errors:.0%} |")
    print(f"\nMeasured on {sources(rows)}")


def main() -> None:
    """Measure what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["digits"], choices=list(DATA_SETS))
    parser.add_argument("--scenery", type=Path, default=DATA)
    parser.add_argument("--cifar", type=Path, nargs=2, metavar=("X", "Y"))
    parser.add_argument("--runs", nargs="+", default=list(DIGITS), choices=list(DIGITS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--every", type=int, default=1, help="score each n-th of a history")
    parser.add_argument("--histories", type=Path, help="keep the runs' checkpoints in this folder")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        with tempfile.TemporaryDirectory() as folder:
            for name in options.data:
                for seed in options.seeds:
                    measure(name, seed, options, options.histories or Path(folder))
    print_tables(read())


if __name__ == "__main__":
    main()
