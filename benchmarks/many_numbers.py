"""How many kinds has each of the many piles? What can be said of each number without labels.

    python benchmarks/many_numbers.py EMBEDDINGS --labels labels.npz
    python benchmarks/many_numbers.py --table

EMBEDDINGS and the labels are what `many_piles.py` writes. Every pile is divided into 2 to 12
clusters as `shoal clusters` does, and each number is described. Most piles have two kinds; so parts
of the piles are asked about, too: the images of some of the classes, at least three, in the
embedding of the whole. Rules are fitted on one half of the piles, see `pile_list.halves`, and
judged on the other: how often the right number is first, and how often among the first two.
"""

from __future__ import annotations

import zlib
from typing import Any

import many_piles
import numpy as np
from machine import HERE, append, commit, is_there, machine, rows
from number_rules import NUMBERS, Row, print_table
from pile_list import PILES

RESULTS = HERE / "results" / "many_numbers.jsonl"
PARTS_A_PILE = 2
_FEWEST = 60
"""Images of a class, in a part."""
_HALVINGS = 4
_HALVINGS_IN_TWO = 3
_NEAREST = 20


def measure(z: Any, other: Any | None, seed: int = 0) -> Row:
    """What is said of each number for one training.

    Args:
        z: float32 (n, d), what is clustered.
        other: the same images in the embedding of another training, if there is one.
        seed: of the halves.
    """
    from shoal.clustering.graph import modularity
    from shoal.clustering.partitions import agreement
    from shoal.clustering.prediction_strength import compare_halves, divide, prediction_strength

    runs = [compare_halves(z, NUMBERS, [seed, run]) for run in range(_HALVINGS)]
    groups, diffusion = divide(z, NUMBERS, seed)
    null = _null(z, seed)
    of_null, null_map = divide(null, NUMBERS, seed)
    row: Row = {
        "strength": np.concatenate([strength for strength, _ in runs]).mean(axis=0),
        "stability": np.mean([stability for _, stability in runs], axis=0),
        "eigenvalues": diffusion.values[: NUMBERS[-1] + 1],
        "null_eigenvalues": null_map.values[: NUMBERS[-1] + 1],
        "silhouette": _silhouettes(diffusion.places(), groups, seed),
        "null_silhouette": _silhouettes(null_map.places(), of_null, seed),
        "modularity": [
            modularity(diffusion.graph, _of_core(diffusion, groups[k])) for k in NUMBERS
        ],
        "null_modularity": [
            modularity(null_map.graph, _of_core(null_map, of_null[k])) for k in NUMBERS
        ],
        "smallest": [np.bincount(groups[k]).min() / len(z) for k in NUMBERS],
        "in_two": _in_two(z, seed),
        "modes": _modes(z),
    }
    if other is not None:
        theirs = divide(other, NUMBERS, seed)[0]
        row["encoders"] = [agreement(groups[k], theirs[k]) for k in NUMBERS]
        row["encoders_strength"] = [
            (prediction_strength(groups[k], theirs[k]) + prediction_strength(theirs[k], groups[k]))
            / 2
            for k in NUMBERS
        ]
    return {name: [round(float(v), 4) for v in values] for name, values in row.items()}


def parts(name: str, classes: Any) -> dict[tuple[int, ...], Any]:
    """Parts of a pile: the classes of each, and the rows of their images; the same every time."""
    sizes = np.bincount(classes)
    large = np.flatnonzero(sizes >= _FEWEST)
    most = len(large) - (len(large) == len(np.flatnonzero(sizes)))
    generator, found = np.random.default_rng(zlib.crc32(name.encode())), {}
    for _ in range(PARTS_A_PILE if most >= 3 else 0):
        size = int(generator.integers(3, most + 1))
        chosen = np.sort(generator.choice(large, size, replace=False))
        found[tuple(chosen.tolist())] = np.flatnonzero(np.isin(classes, chosen))
    return found


def _null(z: Any, seed: int) -> Any:
    """Gaussian points with the covariance of ``z``: no clusters, but as long and as flat."""
    values, vectors = np.linalg.eigh(np.cov(z.T))
    drawn = np.random.default_rng([seed, 28]).normal(size=z.shape)
    drawn *= np.sqrt(np.maximum(values, 0))
    return (drawn @ vectors.T + z.mean(axis=0)).astype(np.float32)


def _of_core(diffusion: Any, labels: Any) -> Any:
    """The labels of the points that are in the graph."""
    found = np.zeros(diffusion.graph.shape[0], dtype=np.int64)
    found[diffusion.core] = labels
    return found


def _silhouettes(places: Any, groups: Any, seed: int) -> list[float]:
    from sklearn.metrics import pairwise_distances, silhouette_score

    few = np.random.default_rng(seed).permutation(len(places))[:1000]
    distances = pairwise_distances(places[few])
    return [
        silhouette_score(distances, groups[k][few], metric="precomputed")
        if len(np.unique(groups[k][few])) > 1
        else 0.0
        for k in NUMBERS
    ]


def _in_two(z: Any, seed: int) -> tuple[float, float]:
    """How strongly the ways that `best` divides in two are found again: the first, the best."""
    import shoal
    from shoal.clustering.prediction_strength import prediction_strength
    from shoal.embedding.neighbours import nearest
    from shoal.recipes import parts

    first, best = [], []
    for run in range(_HALVINGS_IN_TWO):
        order = np.random.default_rng([seed, run]).permutation(len(z))
        halves = [z[np.sort(order[::2])], z[np.sort(order[1::2])]]
        ways = [
            parts.build("clusterers", shoal.BEST.clusterer, n_clusters=2, random_state=run)
            .fit(half)
            .candidate_labels_.astype(np.int64)
            for half in halves
        ]
        for side in (0, 1):
            votes = nearest(halves[1 - side], halves[side], 5)[1]
            theirs = [(way[votes].sum(axis=1) > 2).astype(np.int64) for way in ways[1 - side]]
            found = np.array(
                [[prediction_strength(way, other) for other in theirs] for way in ways[side]]
            )
            first.append(found[0, 0])
            best.append(found[0].max())
    return float(np.mean(first)), float(np.mean(best))


def _modes(z: Any) -> list[float]:
    """How far each hill of the density stands out, in logarithms, the most prominent first.

    Points climb to the densest of their neighbours; where two hills meet, the lower ends: the
    difference of its top and the pass (ToMATo, Chazal et al. 2013, doi:10.1145/2535927).
    """
    from shoal.embedding.neighbours import nearest

    distances, near = nearest(z, z, _NEAREST + 1)
    density = -np.log(np.maximum(distances[:, 1:].mean(axis=1), 1e-9))
    density *= min(10, z.shape[1])
    top = np.full(len(z), -1)
    heights: list[float] = []
    for point in np.argsort(-density):
        above = [_root(top, other) for other in near[point, 1:] if top[other] >= 0]
        if not above:
            top[point] = point
            continue
        best = max(above, key=lambda other: density[other])
        top[point] = best
        for lower in set(above) - {best}:
            heights.append(float(density[lower] - density[point]))
            top[lower] = best
    return sorted(heights, reverse=True)[: NUMBERS[-1] + 3]


def _root(top: Any, point: int) -> int:
    while top[point] != point:
        top[point] = top[top[point]]
        point = top[point]
    return point


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = many_piles.options_of(__doc__, RESULTS)
    parser.add_argument("--piles", nargs="+", default=list(PILES), choices=list(PILES))
    options = parser.parse_args()
    if not options.table:
        runs = many_piles.load(options.embeddings)
        with np.load(options.labels) as labels:
            for name in (name for name in options.piles if (name, 0) in runs):
                z, other = runs[name, 0]["z"], runs.get((name, 1), {}).get("z")
                wanted = {(): np.arange(len(z))} | parts(name, labels[name])
                for chosen, kept in wanted.items():
                    case = {"pile": name, "classes": list(chosen)}
                    if not is_there(case, rows(options.results)):
                        case |= {"k": len(chosen) or PILES[name].n_kinds}
                        row = measure(z[kept], None if other is None else other[kept])
                        about = {"commit": commit(), "machine": machine()}
                        append(options.results, [case | row | about])
                        print(name, chosen, flush=True)
    print_table(rows(options.results))


if __name__ == "__main__":
    main()
