"""What is computed on the embedding from what a person said: stand-ins until corrections has it."""

from __future__ import annotations

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.embedding.neighbours import nearest
from shoal.protocols import FloatArray, IntArray


def default_parts(n: int) -> int:
    return int(np.clip(round(np.sqrt(n / 8)), 2, 12))


def parts(z: FloatArray, n_parts: int, seed: int = 0) -> IntArray:
    from sklearn.cluster import KMeans

    n_parts = min(n_parts, len(z))
    labels = KMeans(n_parts, n_init=1, random_state=seed, max_iter=30).fit_predict(z)
    order = np.argsort(-np.bincount(labels, minlength=n_parts), kind="stable")
    rank = np.empty(n_parts, dtype=np.int64)
    rank[order] = np.arange(n_parts)
    return rank[labels]


def dissolve(z: FloatArray, group: IntArray, which: int) -> IntArray:
    own, others = group == which, (group != which) & (group != NOWHERE)
    known = group[others]
    k = min(10, len(known))
    _, near = nearest(z[others], z[own], k)
    return np.array([np.bincount(known[row]).argmax() for row in near], dtype=np.int64)


def spread(z: FloatArray, group: IntArray, decided: np.ndarray) -> IntArray:
    target = group.copy()
    if not decided.any():
        return target
    ids = np.unique(group[group != NOWHERE])
    weight = np.where(decided, 5.0, 1.0)
    centres = np.stack([np.average(z[group == g], axis=0, weights=weight[group == g]) for g in ids])
    _, near = nearest(centres.astype(np.float32), z, 1)
    free = ~decided & (group != NOWHERE)
    target[free] = ids[near[free, 0]]
    return target
