"""What training with a person's corrections gives to images that the person did not decide.

    python benchmarks/corrected_training.py signs.zip -k 10 --epochs 12 --said 0 100 500

A simulated person decides images at random, right every time; their kind is the folder they are
in. Of the other images it measures how many are in the right cluster, and how many are in the right
group after learning from the same decisions in the embedding (`corrections.spread`), which is what
a person has without training again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from shoal import pipeline
from shoal.corrections.spread import spread
from shoal.embedding.table import ImageTable
from shoal.images.open import open_source
from shoal.protocols import ImageSource, IntArray
from shoal.recipes.named import BEST
from shoal.recipes.settings import override
from shoal.scoring.evaluation import score
from shoal.training.loop import train


def clusters_after(
    source: ImageSource, groups: IntArray | None, *, seed: int, n_clusters: int, epochs: float
) -> ImageTable:
    """The clusters after training, with or without known groups."""
    recipe = override(
        replace(BEST, seed=seed, n_clusters=n_clusters, epochs=epochs), ["checkpoints=1"]
    )
    *_, last = train(source, recipe, groups=groups)
    return pipeline.cluster(source, last, thorough=False)[1]


def learned(table: ImageTable, truth: IntArray, said: IntArray) -> IntArray:
    """The kind of each image after learning from the images ``said`` in the embedding."""
    decided = np.zeros(len(truth), dtype=bool)
    decided[said] = True
    k = max(int(truth.max()), int(table.labels.max())) + 1
    votes = np.zeros((k, k))
    np.add.at(votes, (table.labels[said], truth[said]), 1)
    named = linear_sum_assignment(-votes)[1][table.labels] + 1  # clusters as the person names them
    group = np.where(decided, truth + 1, named).astype(np.int64)
    return spread(table.embedding, group, decided, result=named.astype(np.int64)).group - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pile", type=Path)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--epochs", type=float, default=12)
    parser.add_argument("--said", type=int, nargs="+", default=[0, 100, 500])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    given = parser.parse_args()
    source = open_source(given.pile, size=32)
    truth = np.unique([Path(name).parent.name for name in source.ids], return_inverse=True)[1]
    for seed in given.seeds:
        order = np.random.default_rng(100 + seed).permutation(len(truth))
        for n_said in given.said:
            began = time.monotonic()
            groups = np.full(len(truth), -1, dtype=np.int64)
            groups[order[:n_said]] = truth[order[:n_said]]
            table = clusters_after(
                source, groups if n_said else None, seed=seed, n_clusters=given.k,
                epochs=given.epochs,
            )  # fmt: skip
            row: dict[str, float] = {"seed": seed, "said": n_said}
            for m in [n_said] if n_said else [n for n in given.said if n]:
                rest = order[m:]
                row[f"clusters, all but {m}"] = score(table.labels[rest], truth[rest]).accuracy
                kinds = learned(table, truth, order[:m])
                row[f"learned, all but {m}"] = float((kinds[rest] == truth[rest]).mean())
            row["seconds"] = round(time.monotonic() - began)
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
