"""What `--noise` sets aside of a pile of which a tenth is foreign.

    python benchmarks/noise.py                          # vectors, three draws each
    python benchmarks/noise.py --images --minutes 1     # images, with a training of each, one draw
    python benchmarks/noise.py --table                  # only print what was measured

Vectors are those of vectors.py: histograms of gradients and of colours. Images are clustered as
`shoal run` does it, so that the encoder learns from the foreign ones, too. Rows go to
results/noise.jsonl.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import labelled_piles as piles
import numpy as np
from machine import HERE, append, commit, grouped, is_there, machine, rows
from vectors import vectors_of

RESULTS = HERE / "results" / "noise.jsonl"
PAIRS = (("flowers", "signs"), ("signs", "flowers"))
SEEDS = (0, 1, 2)
_MOST = 2000
_FOREIGN = 0.1


def mixed(own: Any, others: Any, seed: int) -> tuple[Any, Any]:
    """A pile of which a tenth is foreign, in any order, and which of it is: bool (n,)."""
    generator = np.random.default_rng(seed)
    n_own = min(len(own), round(_MOST * (1 - _FOREIGN)))
    n_others = round(n_own * _FOREIGN / (1 - _FOREIGN))
    pile = np.concatenate([
        own[generator.permutation(len(own))[:n_own]],
        others[generator.permutation(len(others))[:n_others]],
    ])  # fmt: skip
    order = generator.permutation(len(pile))
    return pile[order], order >= n_own


def reduced(vectors: Any, seed: int) -> Any:
    """Vectors as `shoal cluster` reduces them."""
    from shoal.recipes import parts
    from shoal.recipes.named import VECTORS

    for part in VECTORS.reducers:
        vectors = parts.build("reducers", part, random_state=seed).fit_transform(vectors)
    return vectors


def learned(images: Any, n_clusters: int, minutes: float, seed: int) -> Any:
    """The embedding of images, reduced, after a training of so many minutes."""
    import time

    import shoal
    from shoal.budget import limit_for
    from shoal.estimator.parameters import recipe_of

    recipe = recipe_of(
        "best", n_clusters=n_clusters, effort="default", epochs=None, minutes=minutes, settings=(),
        random_state=seed,
    )  # fmt: skip
    source = shoal.ArraySource(images)
    limit, recipe, _ = limit_for(
        source, recipe, minutes=minutes, began=time.monotonic(), device="cpu"
    )
    with tempfile.TemporaryDirectory() as folder:
        _, table = shoal.fit(source, Path(folder) / "c.pth", recipe, limit=limit)
    return table.embedding


def measure(z: Any, foreign: Any, seed: int) -> dict[str, float]:
    """What each way of `--noise` sets aside, and how much of it is foreign."""
    from shoal.clustering.noise import fit_noise, is_noise

    found: dict[str, float] = {}
    for way in ("0.1", "auto"):
        aside = is_noise(z, fit_noise(z, way, seed))
        found[f"{way}: set aside"] = float(aside.mean())
        found[f"{way}: of that foreign"] = float(foreign[aside].mean()) if aside.any() else 0.0
        found[f"{way}: of foreign set aside"] = float(aside[foreign].mean())
    return {name: round(share, 4) for name, share in found.items()}


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown: the means over the draws."""
    columns = [name for name in found[0] if ": " in name]
    print("| pile + foreign |", " | ".join(columns), "| draws |")
    print("|---" * (len(columns) + 2) + "|")
    for pile, group in grouped(found, "pile").items():
        for kind, own in grouped(group, "of").items():
            cells = [f"{mean(row[column] for row in own):.2f}" for column in columns]
            print(f"| {pile}, {kind} |", " | ".join(cells), f"| {len(own)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("piles"), help="where piles are kept")
    parser.add_argument("--images", action="store_true", help="train on images, one draw")
    parser.add_argument("--minutes", type=float, default=1.0, help="of each training")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    kind = "images" if arguments.images else "vectors"
    for own, others in () if arguments.table else PAIRS:
        for seed in SEEDS[:1] if arguments.images else SEEDS:
            wanted = {"pile": f"{own} + {others}", "of": kind, "seed": seed}
            if is_there(wanted, rows(RESULTS)):
                continue
            if arguments.images:
                a, b = (piles.load(name, arguments.folder)[0] for name in (own, others))
                images, foreign = mixed(a, b, seed)
                z = learned(images, piles.N_CLUSTERS[own], arguments.minutes, seed)
            else:
                a, b = (vectors_of(name, arguments.folder)[0] for name in (own, others))
                x, foreign = mixed(a, b, seed)
                z = reduced(x, seed)
            about = {"n": len(z), "machine": machine(), "commit": commit()}
            append(RESULTS, [wanted | measure(z, foreign, seed) | about])
            print(rows(RESULTS)[-1], flush=True)
    print_table(rows(RESULTS))


if __name__ == "__main__":
    main()
