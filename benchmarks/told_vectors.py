"""Vectors as they are: what learning from a few corrections makes of groups that are too few.

    python benchmarks/told_vectors.py
    python benchmarks/told_vectors.py --table

k-means finds half as many groups as there are kinds, and a person says of 10 and of 30 vectors,
drawn at random, which kind they are. `spread` then compares them as `balanced` has it for either
metric: by directions from the mean alone, or also by a kernel. The score is the accuracy over all
vectors. Sets are those of metric.py whose lengths count. Rows go to results/vectors.jsonl.
"""

from __future__ import annotations

import argparse
from statistics import mean
from typing import Any

import numpy as np
from machine import append, commit, is_there, machine, rows
from metric import SEEDS, blobs, of_scikit_learn, ray
from vectors import RESULTS

KIND, TOLD, MOST = "told", (10, 30), 900
WAYS = ("cosine", "euclidean")


def sets(seed: int) -> list[tuple[str, Any, Any]]:
    """Names, vectors and kinds."""
    made = [(f"blobs, {d} {'number' if d == 1 else 'numbers'}, {k} kinds", *blobs(d, k, seed))
            for d, k in ((1, 4), (1, 6), (2, 6), (3, 6), (10, 6))]  # fmt: skip
    made += [(f"three blobs in one direction, {d} numbers", *ray(d, seed)) for d in (2, 10)]
    return made + [each for each in of_scikit_learn() if "standardised" in each[0]]


def measure(x: Any, kinds: Any, way: str, seed: int) -> dict[str, float]:
    """The accuracy before a word, and after each number of vectors in `TOLD`."""
    from sklearn.cluster import KMeans

    from shoal.clustering.partitions import match
    from shoal.corrections.parts import balanced
    from shoal.corrections.spread import spread

    z = np.asarray(x, np.float32)
    compared = balanced(z, way)
    k = max(2, len(np.unique(kinds)) // 2)
    result = KMeans(k, n_init=3, random_state=seed).fit_predict(z).astype(np.int64) + 1
    group, decided, known = result.copy(), np.zeros(len(z), bool), np.asarray(kinds, np.int64)
    group_of: dict[int, int] = {}
    for kind, own in zip(match(result - 1, known).tolist(), result.tolist(), strict=True):
        group_of.setdefault(kind, own)

    def right(groups: Any) -> float:
        return float((match(groups, known) == known).mean())

    found = {"0": right(result)}
    for n, row in enumerate(np.random.default_rng(seed).permutation(len(z))[: max(TOLD)], start=1):
        group[row] = group_of.setdefault(int(known[row]), int(group.max()) + 1)
        decided[row] = True
        if n in TOLD:
            learned = spread(z, group, decided, result=result, x=compared)
            found[str(n)] = right(np.where(decided, group, learned.group))
    return found


def print_table(found: list[dict[str, Any]]) -> None:
    """A line for each set: the means over the seeds."""
    ends = [f"{way}, {n} told" for n in TOLD for way in WAYS]
    print(
        "| vectors | groups of k-means | " + " | ".join(ends) + " |\n|---|---|" + "---|" * len(ends)
    )
    for name in dict.fromkeys(row["set"] for row in found):
        own = {way: [r for r in found if (r["set"], r["way"]) == (name, way)] for way in WAYS}
        cells = [mean(row["0"] for row in own[WAYS[0]])]
        cells += [mean(row[str(n)] for row in own[way]) for n in TOLD for way in WAYS]
        print(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    for seed in () if arguments.table else SEEDS:
        for name, x, kinds in sets(seed):
            some = np.random.default_rng(seed).permutation(len(x))[:MOST]
            for way in WAYS:
                wanted = {"kind": KIND, "set": name, "way": way, "seed": seed}
                if is_there(wanted, rows(RESULTS)):
                    continue
                measured = measure(x[some], kinds[some], way, seed)
                about = {"n": len(some), "d": x.shape[1], "machine": machine(), "commit": commit()}
                append(RESULTS, [wanted | measured | about])
    print_table([row for row in rows(RESULTS) if row.get("kind") == KIND])


if __name__ == "__main__":
    main()
