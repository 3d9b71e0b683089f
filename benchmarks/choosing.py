"""Which of the ways to divide a pile is the right one? Signals without labels, on many piles.

    python benchmarks/choosing.py EMBEDDINGS --folder FOLDER --labels labels.npz
    python benchmarks/choosing.py --table

EMBEDDINGS, FOLDER and the labels are what `many_piles.py` writes. Each pile of two kinds that was
trained with both seeds is divided as `best` divides it, and every candidate is described without
labels. Then the labels say how many images each puts right. The rule may be fitted on one half of
the piles, see `pile_list.halves`; the other half judges it.

A choice is right if it puts at most 3 points fewer images right than the best candidate does; of
several right answers to a pile, the one counts that a candidate is nearest to.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import many_piles
import numpy as np
from machine import HERE, append, commit, is_there, machine, rows
from pile_list import PILES, halves
from split_signals import Row, measure, ranked

RESULTS = HERE / "results" / "choosing.jsonl"
SEEDS = (0, 1)


def _by(score: Callable[[Row], Any]) -> Callable[[Row], list[int]]:
    return lambda row: np.argsort(-np.asarray(score(row)), kind="stable").tolist()


def _of(name: str) -> Callable[[Row], list[int]]:
    return _by(lambda row: row[name])


def _colours_less(row: Row) -> Any:
    separation, pixels, colour = (
        np.array(row[name]) for name in ("separation", "pixel_share", "colour_share")
    )
    return separation - 0.07 * pixels + 0.03 * colour


def _with_neighbours(row: Row) -> Any:
    separation, pixels, near = (
        np.array(row[name]) for name in ("separation", "pixel_share", "neighbours")
    )
    return separation - 0.095 * pixels + 0.094 * near


RULES: dict[str, Callable[[Row], list[int]]] = {
    "as shoal chooses": ranked,
    "what colour explains held against it less": _by(_colours_less),
    "what neighbours say added": _by(_with_neighbours),
    "separation alone": _of("separation"),
    "evenness alone": _of("smaller"),
    "least explained by pixels": _by(lambda row: -np.array(row["pixel_share"])),
    "neighbours on the same side": _of("neighbours"),
    "stable over halves": _of("stability"),
    "the same in augmented views": _of("views"),
    "clear to the other seed": _of("other_separation"),
    "found by the other seed": _of("other_finds"),
    "learnable from both seeds (TURTLE)": _by(
        lambda row: np.add(row["learnable"], row["other_learnable"])
    ),
}
"""Ways to order the candidates. What the second and the third add was fitted on one half."""


def is_alone(row: Row) -> bool:
    """Whether no other candidate is as clear as the choice, as the verdict counts them."""
    from shoal.clustering.splits import n_rivals

    return not n_rivals([row["separation"][index] for index in ranked(row)], 2)


def lead(row: Row) -> float:
    """By how much the score of the choice exceeds that of the second shown."""
    score = np.array(row["separation"]) - 0.07 * np.array(row["pixel_share"])
    order = ranked(row)
    return float(score[order[0]] - score[order[1]]) if len(order) > 1 else np.inf


SURE: dict[str, Callable[[Row], bool]] = {
    "no other is as clear (the verdict)": is_alone,
    "the score is ahead by 0.01": lambda row: lead(row) >= 0.01,
    "both seeds choose the same": lambda row: row["seeds_agree"] >= 0.6,
}
"""When to be sure of the choice; the second was named before the other half was looked at."""


def _good(row: Row, order: list[int]) -> bool:
    return max(row["accuracy"][i] for i in order) >= max(row["accuracy"]) - 0.03


def print_table(found: list[Row]) -> None:
    """How often each rule is right on each half, and how often when it is sure, in Markdown."""
    parts = [[row for row in found if row["pile"] in half] for half in halves()]
    print("| ordered by | fitted on: first | among two | other half: first | among two | where "
          "some way has 0.75 |")  # fmt: skip
    print("|---" * 6 + "|")
    for name, order in RULES.items():
        cells = []
        for part in parts:
            cells += [_share([_good(row, order(row)[:n]) for row in part]) for n in (1, 2)]
        able = [row for row in parts[1] if max(row["accuracy"]) >= 0.75]
        print(f"| {name} | {' | '.join(cells)} "
              f"| {_share([_good(row, order(row)[:1]) for row in able])} |")  # fmt: skip
    print("\n| sure if | half | right when sure | piles | right else | among two else |")
    print("|---" * 6 + "|")
    for name, sure in SURE.items():
        for half, part in zip(("fitted on", "other"), parts, strict=True):
            yes, no = ([row for row in part if sure(row) is answer] for answer in (True, False))
            print(f"| {name} | {half} | {_share([_good(row, ranked(row)[:1]) for row in yes])} "
                  f"| {len({row['pile'] for row in yes})} | "
                  + " | ".join(_share([_good(row, ranked(row)[:n]) for row in no])
                               for n in (1, 2)) + " |")  # fmt: skip


def _share(right: list[bool]) -> str:
    return f"{sum(right)} of {len(right)} ({np.mean(right):.2f})" if right else "none"


def main() -> None:
    """Measure what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("embeddings", nargs="?", type=Path)
    parser.add_argument("--folder", type=Path, help="where `many_piles.py prepare` wrote images")
    parser.add_argument("--labels", type=Path, default=Path("labels.npz"))
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        runs = many_piles.load(options.embeddings)
        with np.load(options.labels) as labels:
            for name, pile in PILES.items():
                pair = [runs.get((name, seed)) for seed in SEEDS]
                if pile.n_kinds != 2 or not all(pair) or is_there({"pile": name}, rows(RESULTS)):
                    continue
                trained = [run for run in pair if run]
                about = {"commit": commit(), "machine": machine()}
                measured = measure(name, trained, options.folder, labels[name])
                append(RESULTS, [row | about for row in measured])
                print(name, [max(row["accuracy"]) for row in measured], flush=True)
    print_table(rows(RESULTS))


if __name__ == "__main__":
    main()
