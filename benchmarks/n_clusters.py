"""How many clusters does `shoal clusters` see? Over checkpoints, and seeds of the halves.

    shoal demo demo                                                # digits: seed 0; others:
    shoal train demo/digits.npy digits-1.pth --recipe digits -k 10 --seed 1
    python benchmarks/n_clusters.py digits demo/digits.npy demo/checkpoint.pth digits-1.pth
    python benchmarks/n_clusters.py scenery trainX.npy ../checkpoints/best.pth
    python benchmarks/n_clusters.py --table

Each checkpoint is asked with three seeds. Rows go to results/n_clusters.jsonl, and what is there
already, by the digest of the weights, is not measured again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from machine import HERE, append, commit, grouped, is_there, machine, rows

RESULTS = HERE / "results" / "n_clusters.jsonl"
SEEDS = (0, 1, 2)


def measure(data: Path, checkpoint: Any, seed: int) -> dict[str, Any]:
    """Ask once."""
    import shoal

    found = shoal.choose_n_clusters(shoal.open_source(data), checkpoint, seed=seed)
    return {
        "choice": found.n_clusters,
        "clear": found.clear,
        "strength": {str(each.n_clusters): round(each.strength, 4) for each in found.evidence},
        "stability": {str(each.n_clusters): round(each.stability, 4) for each in found.evidence},
    }


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown: what was chosen how often, and how strong that and the next best number are."""
    groups = grouped(found, "pile")
    print("| pile | trainings × seeds | chosen (how often) | called clear | its strength "
          "| the next best's |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for pile, group in groups.items():
        chosen = Counter(row["choice"] for row in group)
        best = [row["strength"][str(row["choice"])] for row in group]
        others = [
            max(strength for k, strength in row["strength"].items() if k != str(row["choice"]))
            for row in group
        ]
        trainings = len({row["weights"] for row in group})
        print(
            f"| {pile} | {trainings} × {len(group) // trainings} "
            f"| {', '.join(f'{k} ({times})' for k, times in chosen.most_common())} "
            f"| {sum(row['clear'] for row in group)} of {len(group)} "
            f"| {mean(best):.2f} ({min(best):.2f} to {max(best):.2f}) "
            f"| {mean(others):.2f} ({min(others):.2f} to {max(others):.2f}) |"
        )


def main() -> None:
    """Ask of every checkpoint what has not been asked, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pile", nargs="?", help="its name in the table")
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("checkpoints", nargs="*", type=Path)
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        if not options.checkpoints:
            parser.error("a name, images and checkpoints are needed, or --table")
        import shoal

        for path in options.checkpoints:
            checkpoint = shoal.load(path)
            for seed in SEEDS:
                case = {
                    "pile": options.pile, "weights": checkpoint.weights_digest(),
                    "training_seed": checkpoint.recipe.seed, "seed": seed,
                }  # fmt: skip
                if not is_there(case, rows(RESULTS)):
                    found = measure(options.data, checkpoint, seed)
                    append(RESULTS, [case | {"commit": commit(), "machine": machine()} | found])
                    print(f"{path}, seed {seed}: {found['choice']}", file=sys.stderr, flush=True)
    print_table(rows(RESULTS))


if __name__ == "__main__":
    main()
