"""Vectors as a stranger brings them: copies, uneven groups, one thing that hangs together.

    python benchmarks/odd_vectors.py [SEED …] > /tmp/table.md

Prints the rows of than_noise.py for them, the number of clusters given and chosen. What has no
kinds has no groups either: the answer should be no.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn import datasets
from than_noise import row


def copies(random: np.random.Generator) -> Iterator[tuple[str, Any, int, None]]:
    """Few different vectors without groups, each many times."""
    for different, times, d, k in (
        (25, 20, 16, 10),
        (40, 12, 8, 5),
        (200, 5, 8, 5),
        (200, 5, 2, 4),
    ):
        x = np.repeat(random.normal(size=(different, d)), times, axis=0)
        yield f"{different} different, {times} times each, {d} numbers", x, k, None


def connected(random: np.random.Generator, seed: int) -> Iterator[tuple[str, Any, int, None]]:
    """One thing, and spreads that are neither normal nor even."""
    t = np.sqrt(random.random(600)) * 4 * np.pi
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    yield "spiral", spiral + 0.2 * random.normal(size=(600, 2)), 4, None
    for d in (8, 2):
        yield (
            f"path of a walk, {d} numbers",
            np.cumsum(random.normal(size=(600, d)), axis=0),
            5,
            None,
        )
    line = np.outer(random.random(500), [1, 2, 3]) + 0.02 * random.normal(size=(500, 3))
    yield "line", line, 4, None
    turn = random.random(500) * 2 * np.pi
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) + 0.05 * random.normal(size=(500, 2))
    yield "ring", ring, 4, None
    yield "sheet rolled up", datasets.make_swiss_roll(800, random_state=seed)[0], 6, None
    ball = random.normal(size=(600, 3))
    yield "sphere", ball / np.linalg.norm(ball, axis=1, keepdims=True), 5, None
    yield "normal of rank 10", random.normal(size=(500, 10)) @ random.normal(size=(10, 40)), 6, None
    yield "lognormal", np.exp(random.normal(size=(500, 8))), 4, None
    yield "Cauchy", random.standard_cauchy(size=(400, 4)), 3, None
    yield "counts", random.poisson(2, size=(500, 16)), 4, None
    yield "shares (Dirichlet)", random.dirichlet([0.5] * 12, size=500), 6, None


def grouped(random: np.random.Generator, seed: int) -> Iterator[tuple[str, Any, int, Any]]:
    """Groups of uneven sizes and of several shapes, with their kinds."""
    for sizes in ((500, 60, 20), (380, 20), (300, 60, 15)):
        kinds = np.repeat(np.arange(len(sizes)), sizes)
        x = random.normal(size=(len(kinds), 8)) + 7 * np.eye(len(sizes), 8)[kinds]
        yield f"blobs of {', '.join(map(str, sizes))}", x, len(sizes), kinds
    rings, kinds = datasets.make_circles(500, noise=0.04, factor=0.45, random_state=seed)
    yield "two rings", rings, 2, kinds
    kinds = np.repeat(np.arange(8), 60)
    x = random.normal(size=(480, 64)) + 1.2 * random.normal(size=(8, 64))[kinds]
    yield "8 blobs, 64 numbers", x, 8, kinds
    kinds = np.repeat(np.arange(6), 70)
    x = random.normal(size=(420, 4)) + 5 * random.normal(size=(6, 4))[kinds]
    yield "6 stretched blobs", x @ random.normal(size=(4, 4)), 6, kinds
    kinds = np.repeat(np.arange(3), 150)
    bits = random.random((450, 40)) < np.array([0.2, 0.5, 0.8])[kinds][:, None]
    yield "3 kinds of zeros and ones", bits, 3, kinds


if __name__ == "__main__":
    print("| vectors | k | verdict | score | expected | AMI |\n|---|---|---|---|---|---|")
    for seed in map(int, sys.argv[1:] or ["0"]):
        random = np.random.default_rng(seed + 100)
        for sets in (copies(random), connected(random, seed), grouped(random, seed)):
            for name, x, n_clusters, kinds in sets:
                for k in (n_clusters, None):
                    print(row(f"{name} (seed {seed})", x, k, kinds), flush=True)
