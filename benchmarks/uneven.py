"""Which clustering comes first in piles of more than two kinds: cut evenly, or small groups merged?

    python benchmarks/uneven.py EMBEDDINGS --labels labels.npz
    python benchmarks/uneven.py --table

EMBEDDINGS and the labels are what `many_piles.py` writes. Of each training of a pile of more than
two kinds the first clustering of `best` (`spectral`) and `small_groups.merged` are described
without labels, then compared with them. A rule puts the merged groups first where its signal says
so; it is fitted on one half of the piles, see `pile_list.halves`, and judged on the other.
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
from piles import scored

RESULTS = HERE / "results" / "uneven.jsonl"
WAYS = ("spectral", "merged")
_HALVINGS = 3
Row = dict[str, Any]


def _spectral(z: Any, k: int, seed: int) -> Any:
    from shoal.clustering.clusterers import spectral

    return spectral.build(n_clusters=k, random_state=seed).fit(z).reference_labels_


def _merged(z: Any, k: int, seed: int) -> Any:
    from shoal.clustering.small_groups import merged

    return merged(z, k, seed)


_FOUND: dict[str, Callable[[Any, int, int], Any]] = {"spectral": _spectral, "merged": _merged}


def measure(z: Any, other: Any | None, k: int, seed: int, kinds: Any) -> Row:
    """What is said of both clusterings, and how right they are; a list each, in the order of WAYS.

    Args:
        z: float32 (n, d), what is clustered.
        other: the same images in the embedding of another training, if there is one.
        k: the number of kinds.
        seed: of the training.
        kinds: int64 (n,), looked at when all else is done.
    """
    from split_signals import white

    from shoal.clustering.graph import modularity, neighbour_graph
    from shoal.clustering.partitions import agreement, r_squared
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
        "cut": [_normalised_cut(graph, labels) for labels in found],
    }
    if other is not None:
        row["encoders"] = [
            agreement(labels, _FOUND[way](other, k, 1 - seed))
            for way, labels in zip(WAYS, found, strict=True)
        ]
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


def _normalised_cut(graph: Any, labels: Any) -> float:
    """The mean over clusters of the share of edges that leave: small where none is cut in two."""
    edges = graph.tocoo()
    one, other = edges.coords
    ends = np.bincount(labels[one], edges.data)
    leaving = labels[one] != labels[other]
    left = np.bincount(labels[one][leaving], edges.data[leaving], len(ends))
    return float((left / ends).mean())


def print_table(found: list[Row]) -> None:
    """Every pile, the means over its trainings, in Markdown."""
    signals = [name for name in found[0] if isinstance(found[0][name], list)]
    print("| half | pile | trainings | " + " | ".join(f"{x}: cut, merged" for x in signals) + " |")
    print("|---" * (3 + len(signals)) + "|")
    for half, names in zip(("fitted on", "other"), halves(), strict=True):
        for name in names:
            some = [row for row in found if row["pile"] == name]
            if some:
                cells = [_pair([row[x] for row in some if x in row]) for x in signals]
                print(f"| {half} | {name} | {len(some)} | {' | '.join(cells)} |")


def _pair(values: list[list[float]]) -> str:
    return ", ".join(f"{value:.3f}" for value in np.mean(values, axis=0)) if values else ""


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("embeddings", nargs="?", type=Path)
    parser.add_argument("--labels", type=Path, default=Path("labels.npz"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    options = parser.parse_args()
    if not options.table:
        runs = many_piles.load(options.embeddings)
        with np.load(options.labels) as labels:
            for (name, seed), run in sorted(runs.items()):
                case, k = {"pile": name, "training_seed": seed}, PILES[name].n_kinds
                if k > 2 and not is_there(case, rows(options.results)):
                    other = runs.get((name, 1 - seed), {}).get("z")
                    kinds = PILES[name].answers(labels[name])[0]
                    row = measure(run["z"], other, k, seed, kinds)
                    append(
                        options.results, [case | row | {"commit": commit(), "machine": machine()}]
                    )
                    print(name, seed, flush=True)
    print_table(rows(options.results))


if __name__ == "__main__":
    main()
