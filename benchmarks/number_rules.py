"""Rules for the number of clusters, from what `many_numbers.py` measures, and their table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pile_list import halves

NUMBERS = range(2, 13)
NOTHING, ALIKE = 0.2, 0.01
"""As in `shoal.clustering.n_clusters`."""
Row = dict[str, Any]
Rule = Callable[[Row], list[int]]
"""Numbers of clusters, the chosen one first."""


def by_strength(strength: Any) -> list[int]:
    """As `shoal clusters` chooses: the largest of those that are nearly the strongest."""
    strength = np.asarray(strength)
    order = [NUMBERS[place] for place in np.argsort(-strength, kind="stable")]
    if strength.max() < NOTHING:
        chosen = NUMBERS[0]
    else:
        chosen = max(
            k for k, s in zip(NUMBERS, strength, strict=True) if s >= strength.max() - ALIKE
        )
    return [chosen, *(k for k in order if k != chosen)]


def ordered(score: Any) -> list[int]:
    """The highest score first."""
    return [NUMBERS[place] for place in np.argsort(-np.asarray(score), kind="stable")]


def with_two(row: Row, which: int) -> list[float]:
    """Strengths, of two clusters as `best` divides, if that is found again more surely."""
    return [max(row["strength"][0], row["in_two"][which]), *row["strength"][1:]]


def eigengaps(row: Row, time: int = 1) -> list[float]:
    """How far eigenvalue k is from k + 1 after so many steps of the walk."""
    values = np.array([*row["eigenvalues"], 0.0]) ** time
    return [float(values[k - 1] - values[k]) if k < len(values) else 0.0 for k in NUMBERS]


def hills(row: Row) -> list[float]:
    """By how much the last of k hills of the density stands out more than the next."""
    heights = np.array([*row["modes"], *[0.0] * NUMBERS[-1]])
    return [float(heights[k - 2] - heights[k - 1]) for k in NUMBERS]


def _sum(row: Row) -> Any:
    few = -0.1 * np.log(np.array(NUMBERS))
    return with_two(row, 1) + 0.2 * np.array(hills(row)) + 3 * np.array(eigengaps(row)) + few


RULES: dict[str, Rule] = {
    "as shoal chooses": lambda row: by_strength(row["strength"]),
    "two clusters as `best` divides, its choice": lambda row: by_strength(with_two(row, 0)),
    "two clusters as `best` divides, any candidate": lambda row: by_strength(with_two(row, 1)),
    "the same, hills, eigengap and few clusters (fitted)": lambda row: ordered(_sum(row)),
    "stability over halves": lambda row: ordered(row["stability"]),
    "eigengap": lambda row: ordered(eigengaps(row)),
    "eigengap after 16 steps": lambda row: ordered(eigengaps(row, 16)),
    "hills of the density": lambda row: ordered(hills(row)),
    "silhouette": lambda row: ordered(row["silhouette"]),
    "silhouette less that of a Gaussian": lambda row: ordered(
        np.subtract(row["silhouette"], row["null_silhouette"])
    ),
    "modularity less that of a Gaussian": lambda row: ordered(
        np.subtract(row["modularity"], row["null_modularity"])
    ),
    "agreement of two encoders": lambda row: ordered(row.get("encoders", [0.0] * len(NUMBERS))),
    "always two, then three": lambda row: list(NUMBERS),
}


def print_table(found: list[Row], rules: dict[str, Rule] = RULES) -> None:
    """How often the right number is first, and among the first two, on each half, in Markdown."""
    print("| rule | half | right first | among two | of two kinds | of more kinds |")
    print("|---" * 6 + "|")
    for name, rule in rules.items():
        for half, names in zip(("fitted on", "other"), halves(), strict=True):
            part = [row for row in found if row["pile"] in names]
            ranks = [rule(row).index(row["k"]) for row in part]
            in_two = [row["k"] == 2 for row in part]
            cells = [_share([rank < n for rank in ranks]) for n in (1, 2)]
            for wanted in (True, False):
                some = [rank for rank, two in zip(ranks, in_two, strict=True) if two is wanted]
                cells.append(", ".join(_share([rank < n for rank in some]) for n in (1, 2)))
            print(f"| {name} | {half} | {' | '.join(cells)} |")


def _share(right: list[bool]) -> str:
    return f"{sum(right)} of {len(right)}"
