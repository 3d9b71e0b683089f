"""What 100 million and 1,000 million images cost, from rates that were measured; for docs/scale.md.

    python benchmarks/scale_estimate.py

Each step's seconds of a core for an image, or for a vector, are those of the newest row of
results/speed.jsonl (embedding and training with `best`) and results/scale.jsonl; what does not grow
with the pile is taken from the same rows. Nothing is added for trouble: benchmarks/stragglers.py
simulates that. The hardware is named: machines of 16 cores like those measured on, each with
64 GB of memory and 10 Gbit/s, and a store that gives all of them that much.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from machine import HERE, rows

HOUR = 3600.0
PILES = (10**8, 10**9)
CORES, MACHINES, GBIT = 16, 64, 10.0
D = 128
"""Numbers of a vector."""
SHARD = 16_384
IMAGE = 3072
"""Bytes of an image of 32 × 32 pixels in three colours, as shards of pixels hold it."""
FINE = 20_000


@dataclass(frozen=True)
class Step:
    """A step of the work on a pile."""

    name: str
    each: float
    """Seconds of a core for an image."""
    once: float = 0.0
    """Seconds of a core whatever the pile."""
    n_bytes: float = 0.0
    """Bytes for an image that travel from the store to a worker."""

    def core_hours(self, n: int) -> float:
        """Hours of a core for n images."""
        return (self.once + self.each * n) / HOUR

    def wire_hours(self, n: int, n_machines: int) -> float:
        """Hours that the bytes take to all machines at their full rate."""
        return n * self.n_bytes / (n_machines * GBIT * 1e9 / 8) / HOUR


def steps() -> list[Step]:
    """The steps with the rates measured last."""
    speed = rows(HERE / "results" / "speed.jsonl")
    scale = rows(HERE / "results" / "scale.jsonl")
    predicted = _last(speed, piece="prediction", case="best")
    trained = _last(speed, piece="training", case="augmented by batched views")
    embed = median(predicted["work_seconds"]) * predicted["threads"] / predicted["n"]
    train = median(trained["shoal_seconds_per_step"]) * trained["threads"] / trained["batch"]
    vector = 2.0 * D
    found = [
        Step("training, an epoch", train, n_bytes=IMAGE),
        Step("embedding", embed, n_bytes=IMAGE),
    ]
    for part, name in (
        ("kmeans", "k-means, 1,000 groups"),
        ("levels", f"k-means, {FINE:,} groups"),
    ):
        each, once = line(scale, part)
        found.append(Step(name, each, once, 2 * vector))
    nearest = _last(scale, part="neighbours")
    index = (nearest["cpu_seconds"] - nearest["search_cpu_each"] * nearest["asked"]) / nearest["n"]
    found.append(
        Step("12 neighbours of each", index + nearest["search_cpu_each"], 0.0, 49 * vector)
    )
    return found


def line(found: list[dict[str, Any]], part: str) -> tuple[float, float]:
    """Seconds of a core for each vector and once, by the smallest and the largest pile measured.

    From one pile alone everything counts as for each vector.
    """
    sizes = {row["n"]: row["cpu_seconds"] for row in found if row["part"] == part}
    low, high = min(sizes), max(sizes)
    if low == high:
        return sizes[low] / low, 0.0
    each = (sizes[high] - sizes[low]) / (high - low)
    return each, max(0.0, sizes[low] - each * low)


def _last(found: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return [row for row in found if wanted.items() <= row.items()][-1]


def main() -> None:
    measured = steps()
    head = " | ".join(f"{n:,}: core-hours | minutes on {MACHINES} machines" for n in PILES)
    print(f"| step | µs of a core, an image | {head} |")
    print("|---" * (2 + 2 * len(PILES)) + "|")
    for step in measured:
        cells = [step.name, f"{1e6 * step.each:,.0f}"]
        for n in PILES:
            core = step.core_hours(n)
            wire = 60 * step.wire_hours(n, MACHINES)
            minutes = 60 * core / CORES / MACHINES
            cells += [f"{core:,.1f}", f"{minutes:,.1f} (network {wire:,.1f})"]
        print("| " + " | ".join(cells) + " |")
    print("\n| stored | an image |", " | ".join(f"{n:,}" for n in PILES), "|")
    print("|---" * (2 + len(PILES)) + "|")
    for name, n_bytes in (
        ("pixels, 32 × 32", IMAGE), ("vectors, float16", 2 * D), ("codes of the inverted file",
        D // 4 + 8), ("labels and distances in the memory of the command", 16),
    ):  # fmt: skip
        sizes = " | ".join(f"{n * n_bytes / 1e9:,.1f} GB" for n in PILES)
        print(f"| {name} | {n_bytes:,} bytes | {sizes} |")
    print(f"\nshards of {SHARD:,}: " + ", ".join(f"{-(-n // SHARD):,}" for n in PILES))
    embed = next(step for step in measured if step.name == "embedding")
    print(f"a shard is embedded in {SHARD * embed.each:.0f} s of a core")


if __name__ == "__main__":
    main()
