"""Which clustering comes first in piles of more than two kinds: cut evenly, or small groups merged?

    python benchmarks/uneven.py EMBEDDINGS --labels labels.npz
    python benchmarks/uneven.py --table

EMBEDDINGS and the labels are what `many_piles.py` writes. Of each pile of more than two kinds, and
of the parts of piles that `many_numbers.py` draws, the first clustering of `best` (`spectral`) and
`small_groups.merged` are described without labels, then compared with them. A rule puts the merged
groups first where its signal says so; it is fitted on one half of the piles, see
`pile_list.halves`, and judged on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import many_piles
import numpy as np
from machine import HERE, append, commit, is_there, machine, rows
from many_numbers import parts
from number_rules import Row
from pile_list import PILES, halves
from piles import scored

RESULTS = HERE / "results" / "uneven.jsonl"
WAYS = ("spectral", "merged")
_HALVINGS = 1
UNEVEN = 1.5
"""Kinds are uneven if the largest is so many times the smallest, in images."""


def _cases(name: str, classes: Any) -> Iterator[tuple[Row, Any, Any]]:
    """What to look at of a pile: its name, the rows of its images, their kinds."""
    pile = PILES[name]
    if pile.n_kinds > 2:
        whole = {"pile": name, "classes": [], "k": pile.n_kinds}
        yield whole, np.arange(len(classes)), pile.answers(classes)[0]
    for chosen, kept in parts(name, classes).items():
        kinds = np.searchsorted(chosen, classes[kept])
        yield {"pile": name, "classes": list(chosen), "k": len(chosen)}, kept, kinds


def _spectral(z: Any, k: int, seed: int) -> Any:
    from shoal.clustering.clusterers import spectral

    return spectral.build(n_clusters=k, random_state=seed).fit(z).reference_labels_


def _merged(z: Any, k: int, seed: int) -> Any:
    from shoal.clustering.small_groups import merged

    return merged(z, k, seed)


_FOUND: dict[str, Callable[[Any, int, int], Any]] = {"spectral": _spectral, "merged": _merged}


def measure(z: Any, k: int, seed: int, kinds: Any) -> Row:
    """What is said of both clusterings, and how right they are; a list each, in the order of WAYS.

    Args:
        z: float32 (n, d), what is clustered.
        k: the number of kinds.
        seed: of the training.
        kinds: int64 (n,), looked at when all else is done.
    """
    from split_signals import white

    from shoal.clustering.graph import modularity, neighbour_graph, normalised_cut
    from shoal.clustering.partitions import r_squared
    from shoal.embedding.neighbours import nearest

    found = [_FOUND[way](z, k, seed) for way in WAYS]
    graph, space = neighbour_graph(z, 20), white(z)
    near = nearest(z, z, 16)[1][:, 1:]
    row: Row = {
        "modularity": [modularity(graph, labels) for labels in found],
        "separation": [r_squared(space, labels) for labels in found],
        "neighbours": [float((labels[near] == labels[:, None]).mean()) for labels in found],
        "largest": [np.bincount(labels).max() / len(z) for labels in found],
        "smallest": [np.bincount(labels).min() / len(z) for labels in found],
        "stability": [_stability(z, k, seed, way) for way in WAYS],
        "cut": [normalised_cut(graph, labels) for labels in found],
    }
    sizes = np.bincount(kinds)
    row["uneven"] = [sizes.max() / sizes.min()] * 2
    scores = [scored(labels, kinds) for labels in found]
    row |= {name: [score[name] for score in scores] for name in ("accuracy", "nmi")}
    return {name: [round(float(v), 4) for v in values] for name, values in row.items()}


def _stability(z: Any, k: int, seed: int, way: str) -> float:
    """The adjusted Rand index of a half's clusters and what the other half makes of it."""
    from shoal.clustering.partitions import agreement
    from shoal.embedding.neighbours import nearest

    found = []
    for run in range(_HALVINGS):
        order = np.random.default_rng([seed, run]).permutation(len(z))
        one, other = z[np.sort(order[::2])], z[np.sort(order[1::2])]
        own, theirs = (_FOUND[way](half, k, seed) for half in (one, other))
        votes = np.eye(k)[theirs[nearest(other, one, 5)[1]]].sum(axis=1)
        found.append(agreement(own, votes.argmax(axis=1)))
    return float(np.mean(found))


def print_table(found: list[Row]) -> None:
    """How often merged groups are better, and what each signal says of them, in Markdown."""
    print("| half | kinds | cases | NMI cut, merged | accuracy | merged better |")
    print("|---" * 6 + "|")
    for half, names in zip(("fitted on", "other"), halves(), strict=True):
        for kinds, is_wanted in (("even", False), ("uneven", True)):
            some = [
                row for row in found
                if row["pile"] in names and (row["uneven"][0] > UNEVEN) is is_wanted
            ]  # fmt: skip
            if some:
                means = [np.mean([row[x] for row in some], axis=0) for x in ("nmi", "accuracy")]
                texts = [f"{cut:.3f}, {merged:.3f}" for cut, merged in means]
                better = sum(row["nmi"][1] > row["nmi"][0] for row in some)
                print(f"| {half} | {kinds} | {len(some)} | {' | '.join(texts)} | {better} |")


def main() -> None:
    """Measure what is missing, then print the table."""
    options = many_piles.options_of(__doc__, RESULTS).parse_args()
    if not options.table:
        runs = many_piles.load(options.embeddings)
        with np.load(options.labels) as labels:
            for name in (name for name in PILES if (name, 0) in runs):
                for case, kept, kinds in _cases(name, labels[name]):
                    if not is_there(case, rows(options.results)):
                        row = measure(runs[name, 0]["z"][kept], case["k"], 0, kinds)
                        about = {"commit": commit(), "machine": machine()}
                        append(options.results, [case | row | about])
                        print(name, case["classes"], flush=True)
    print_table(rows(options.results))


if __name__ == "__main__":
    main()
