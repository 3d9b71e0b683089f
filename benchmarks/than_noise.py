"""Are groups of real vectors told from those of noise? Both, by `scoring/than_noise.py`.

    python benchmarks/than_noise.py > /tmp/table.md

Prints a row for each set of vectors and number of clusters: the verdict, the score, the expected
accuracy, and for sets with kinds the adjusted mutual information with these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.preprocessing import scale

from shoal import pipeline
from shoal.images.vectors.source import VectorSource
from shoal.recipes.named import VECTORS
from shoal.scoring import label_free
from shoal.scoring.assignment import calibration_of

SEEDS = (0, 1, 2)


def noise(seed: int) -> Iterator[tuple[str, Any]]:
    """Vectors without any groups, by their name."""
    random = np.random.default_rng(seed)
    for n, d in ((400, 16), (400, 64), (1000, 2), (400, 1), (60, 8), (30, 3)):
        yield f"normal, {n} × {d}", random.normal(size=(n, d))
    for n, d in ((400, 2), (400, 3), (2000, 8)):
        yield f"even, {n} × {d}", random.random((n, d))
    yield "exponential, 400 × 16", random.exponential(size=(400, 16))
    yield "Student's t of 3, 400 × 4", random.standard_t(3, size=(400, 4))
    yield "zeros and ones, 400 × 16", random.random((400, 16)) > 0.5


def real() -> Iterator[tuple[str, Any, Any]]:
    """Vectors with kinds, by their name."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")()
        yield name, data.data, data.target
        yield f"{name}, scaled", scale(data.data), data.target
    yield "moons", *datasets.make_moons(500, noise=0.06, random_state=0)
    deviations = [0.5, 1.0, 1.5, 0.7, 1.2]
    made = datasets.make_blobs(600, centers=5, cluster_std=deviations, random_state=1)
    yield "5 blobs of several widths", made[0], made[1]
    random = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], [300, 60, 15])
    yield "blobs of 300, 60, 15", random.normal(size=(375, 8)) + 7 * np.eye(3, 8)[kinds], kinds
    kinds = np.repeat([0, 1], 200)
    for apart in (2, 3, 4, 6):
        for d in (2, 16):
            x = random.normal(size=(400, d))
            x[:, 0] += apart * kinds
            yield f"2 blobs, {apart} widths apart, {d} numbers", x, kinds


def row(name: str, x: Any, k: int | None, kinds: Any = None) -> str:
    """A row of the table; ``k`` None: the number is chosen."""
    source = VectorSource(np.asarray(x, np.float32))
    recipe = replace(VECTORS, n_clusters=k or 2)
    found, table = pipeline.cluster_vectors(source, recipe, auto_k=k is None, auto_metric=True)
    known = calibration_of(found)
    assert known is not None
    alike = math.nan if kinds is None else adjusted_mutual_info_score(kinds, table.labels)
    number = f"auto: {found.recipe.n_clusters}" if k is None else str(k)
    return (
        f"| {name} | {number} | {label_free.verdict_on(found).trust} | "
        f"{known.signals.beyond_noise:.2f} | {known.estimate.expected_accuracy:.2f} | {alike:.2f} |"
    )


if __name__ == "__main__":
    print("| vectors | k | verdict | score | expected | AMI |\n|---|---|---|---|---|---|")
    for name, x, kinds in real():
        for k in (len(np.unique(kinds)), None):
            print(row(name, x, k, kinds), flush=True)
    for seed in SEEDS:
        for name, x in noise(seed):
            for k in (None, 2, 3, 10):
                print(row(name, x, k), flush=True)
