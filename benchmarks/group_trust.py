"""Can it be told of a single group how many of its images are right? On many piles.

    python benchmarks/group_trust.py --keep DIR              # what `calibration.py` trained there
    python benchmarks/group_trust.py --keep DIR --mixed 5    # piles of easy and hard kinds as well
    python benchmarks/group_trust.py --table                 # prints what was measured

A row is one clustering of one pile, with its groups: the share of images that are right under the
best one-to-one naming, the share of the group's commonest kind, and what shoal knows of the group
without labels. Each is appended to results/group_trust.jsonl at once, and skipped when it is there.

A mixed pile has two to four kinds that are mostly told apart and two to five that mostly are not.
It is clustered into as many groups as kinds, two fewer and three more.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import made_piles
import numpy as np
from calibration import made
from labelled_piles import N_CLUSTERS, load
from machine import append, commit, is_there, machine, rows, sources

from shoal import pipeline
from shoal.clustering.partitions import aligned, match
from shoal.embedding.neighbours import nearest_others
from shoal.images.array import ArraySource
from shoal.images.sampling import sample_rows
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource
from shoal.recipes.named import named
from shoal.recipes.settings import override
from shoal.scoring import calibration
from shoal.scoring.assignment import calibration_of
from shoal.scoring.structure import describe_structure
from shoal.training.augmented_source import SAMPLE
from shoal.training.loop import train

RESULTS = Path(__file__).resolve().parent / "results" / "group_trust.jsonl"
EASY = ["textures", "steel", "signs", "textures", "steel"]
HARD = ["cifar10", "glyphs", "flowers", "shapes", "cifar10", "hard_glyphs"]
BINS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)


def histories(keep: Path) -> Iterator[tuple[str, int, int, Path]]:
    """Pile, images, epochs and last checkpoint of each run of seed 0 that `calibration.py` kept."""
    for folder in sorted((keep / "runs").glob("*-s0.history")):
        pile, _, rest = folder.name.partition(".")
        n_images, _, epochs = rest.removesuffix("-s0.history").partition("-e")
        yield pile.replace("_", " "), int(n_images), int(epochs), max(folder.glob("step-*.pth"))


def pile_of(name: str, n_images: int, keep: Path) -> tuple[ImageSource, Any]:
    """A pile as `calibration.py` trained on it, with the kinds of its images."""
    if name in made_piles.PILES:
        return made(name, n_images, keep / "piles")
    x, y = load(name, keep / "piles")
    return ArraySource(x[:n_images]), y[:n_images]


def mixed(seed: int, keep: Path) -> tuple[ImageSource, Any, Any]:
    """A pile of easy and hard kinds, 100 to 299 images of each; and what draws what comes next."""
    generator = np.random.default_rng([77, seed])
    kinds: list[tuple[str, int]] = []
    numbers = generator.integers(2, 5), generator.integers(2, 6)
    for pool, n_kinds in zip((EASY, HARD), numbers, strict=True):
        names = list(generator.choice(pool, generator.integers(1, 3)))
        for place in range(n_kinds):
            name = names[place % len(names)]
            y = load(name.replace("_", " "), keep / "piles")[1]
            there = generator.permutation(np.unique(y[y >= 0])).tolist()
            kinds += [(name, kind) for kind in there if (name, kind) not in kinds][:1]
    images = []
    for name, kind in kinds:
        x, y = load(name.replace("_", " "), keep / "piles")
        chosen = generator.permutation(np.flatnonzero(y == kind))[: generator.integers(100, 300)]
        images.append(x[chosen] if x.shape[3] == 3 else x[chosen].repeat(3, axis=3))
    truth = np.repeat(np.arange(len(kinds)), list(map(len, images)))
    order = generator.permutation(len(truth))
    return ArraySource(np.concatenate(images)[order]), truth[order], generator


class Watched:
    """`calibration.calibrate`, which keeps what it was given of the first candidate."""

    def __init__(self, calibrate: Callable[..., Any]) -> None:
        self.calibrate = calibrate
        self.seen: tuple[Any, ...] = ()

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.seen = self.seen or given
        return self.calibrate(*given, **named)


def measure(source: ImageSource, y: Any, checkpoint: Checkpoint) -> dict[str, Any]:
    """One checkpoint, clustered: its accuracy and its groups."""
    before = calibration.calibrate
    calibration.calibrate = watched = Watched(before)
    try:
        finished, table = pipeline.cluster(source, checkpoint)
    finally:
        calibration.calibrate = before
    z, membership, reclusterings, _, views = watched.seen[:5]
    found = calibration_of(finished)
    assert found is not None
    labels = membership.argmax(axis=1)
    alike = [aligned(other, labels) == labels for other in reclusterings.methods]
    told = told_by_structure(source, sample_rows(len(source), SAMPLE, 0), labels)
    each = {
        "stable": reclusterings.stability(labels),  # found again in halves
        "alike": np.mean(alike, axis=0),  # by k-means
        "stay": np.mean([view == labels for view in views], axis=0),  # shown differently
        "near": (labels[nearest_others(z, 20)[1]] == labels[:, None]).mean(axis=1),
        "told": told == labels,  # by what they show
        "members": membership.max(axis=1),
    }
    known = y >= 0
    right = np.zeros(len(y), dtype=bool)
    right[known] = match(table.labels[known], y[known]) == y[known]
    groups = []
    for group in range(found.n_clusters):
        own, members = labels == group, (table.labels == group) & known
        if min(own.sum(), members.sum()) < 5:
            continue
        telling = (labels == group)[told == group]
        shares = {
            "right": right[members].mean(),
            "pure": np.bincount(y[members]).max() / members.sum(),
            "confidence": table.confidence[table.labels == group].mean(),
            **{name: value[own].mean() for name, value in each.items()},
            "telling": telling.mean() if len(telling) else 0.0,
        }
        size = int((table.labels == group).sum())
        groups.append({"size": size} | {k: round(float(v), 4) for k, v in shares.items()})
    return {
        "accuracy": round(float(right[known].mean()), 4),
        "expected": round(found.estimate.expected_accuracy, 4),
        "k": found.n_clusters,
        "n_kinds": int(y.max()) + 1,
        "groups": groups,
    }


def told_by_structure(source: ImageSource, sample: Any, labels: Any) -> Any:
    """The group of each image that what it shows tells, see `structure.predictability`."""
    from sklearn.linear_model import LogisticRegression

    structure = describe_structure(source, sample)
    assert structure is not None
    fold = np.random.default_rng(0).permutation(len(labels)) % 3
    told = np.full(len(labels), -1)
    for number in range(3):
        known, asked = fold != number, fold == number
        model = LogisticRegression(C=0.3, max_iter=100).fit(structure[known], labels[known])
        told[asked] = model.predict(structure[asked])
    return told


def print_table(found: Sequence[dict[str, Any]]) -> None:
    """Expected against true shares of the groups, in bins of what is expected, in Markdown."""
    groups = [group for row in found for group in row["groups"]]
    expected, right, pure = (
        np.array([group[name] for group in groups]) for name in ("confidence", "right", "pure")
    )
    print("| expected | groups | mean | right | of them above 0.8 | commonest kind |")
    print("|---" * 6 + "|")
    for low, high in pairwise(BINS):
        some = (expected >= low) & (expected < high)
        if some.any():
            print(
                f"| {low:g} to {high:g} | {some.sum()} | {expected[some].mean():.2f} | "
                f"{right[some].mean():.2f} | {(right[some] > 0.8).mean():.0%} | "
                f"{pure[some].mean():.2f} |"
            )
    off = np.abs(expected - right)
    print(
        f"\n{len(found)} clusterings, {len(groups)} groups: off by {off.mean():.2f} in the mean, "
        f"root mean square {np.sqrt((off**2).mean()):.2f}. Measured on {sources(list(found))}\n"
    )


def main() -> None:
    """Measure what is missing, or print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, nargs="+", default=[], help="of calibration.py")
    parser.add_argument("--mixed", type=int, default=0, help="so many mixed piles")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="print what has been measured")
    options = parser.parse_args()

    def add(key: dict[str, Any], source: ImageSource, y: Any, checkpoint: Checkpoint) -> None:
        row = key | measure(source, y, checkpoint)
        append(options.results, [row | {"commit": commit(), "machine": machine()}])
        print(*key.values(), row["accuracy"], row["expected"], flush=True)

    for keep in options.keep:
        for name, n_images, epochs, path in histories(keep):
            key = {"pile": name, "images": n_images, "epochs": epochs, "seed": 0}
            known = name in N_CLUSTERS or name in made_piles.PILES
            if known and not is_there(key, rows(options.results)):
                add(key, *pile_of(name, n_images, keep), checkpoints.load(path))
    for seed in range(options.mixed):
        source, y, generator = mixed(seed, options.keep[0])
        n_kinds, epochs = int(y.max()) + 1, int(generator.choice([4, 12, 20]))
        *_, last = train(source, override(named("best"), [f"epochs={epochs}", "seed=0"]))
        for k in (n_kinds, max(2, n_kinds - 2), n_kinds + 3):
            key = {"pile": f"mixed {seed}", "images": len(source), "epochs": epochs, "k": k}
            if not is_there(key, rows(options.results)):
                add(key, source, y, replace(last, recipe=replace(last.recipe, n_clusters=k)))
    if options.table:
        for name, of_mixed in (("Piles of one sort", False), ("Mixed piles", True)):
            print(f"{name}:\n")
            found = rows(options.results)
            print_table([row for row in found if row["pile"].startswith("mixed") is of_mixed])


if __name__ == "__main__":
    main()
