"""A small simulation of a long job on many machines: slow shards, and machines that fail.

    python benchmarks/stragglers.py                  # the table of docs/scale.md
    python benchmarks/stragglers.py --shards 6104 --workers 64 --seconds 300

Shards: each worker takes the next shard that is free, as Ray hands out tasks; a shard whose worker
fails is begun again by another. Training: all workers wait for the slowest in each step, and a
failure of any takes all of them back to the last state that was saved. Machines fail independently,
at a constant rate, and are back after ``repair`` seconds. tests/test_stragglers.py has cases that
can be worked out by hand.
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass, replace

import numpy as np

HOUR, DAY = 3600.0, 86_400.0
SLOW_STEPS = 0.001
"""The share of a worker's steps in a training that are slow."""


@dataclass(frozen=True)
class Rates:
    """What goes wrong, and how often."""

    slow_share: float = 0.02
    """The share of shards, or of a worker's steps, that are slow."""
    slow_factor: float = 3.0
    """How many times as long these take."""
    jitter: float = 0.1
    """The standard deviation of the logarithm of all other times."""
    failures_a_day: float = 0.05
    """Failures of a worker a day: spot machines that are taken away once in 20 days."""
    repair: float = 600.0
    """Seconds until a worker that failed is replaced."""


NOTHING = Rates(slow_share=0.0, jitter=0.0, failures_a_day=0.0)


@dataclass(frozen=True)
class Outcome:
    """How a job went."""

    seconds: float
    """From start to end."""
    busy: float
    """Seconds of work of all workers, lost work included."""
    lost: float
    """Seconds of work that had to be done again."""
    failures: int


def duration(seconds: float, rates: Rates, generator: np.random.Generator) -> float:
    """How long a shard takes that takes ``seconds`` in the mean of the usual ones."""
    usual = seconds
    if rates.jitter:
        usual *= float(np.exp(generator.normal(-(rates.jitter**2) / 2, rates.jitter)))
    if rates.slow_share and generator.random() < rates.slow_share:
        usual *= rates.slow_factor
    return usual


def shards(n_shards: int, n_workers: int, seconds: float, rates: Rates, seed: int = 0) -> Outcome:
    """A job of independent shards.

    Args:
        n_shards: how many, 1 or more.
        n_workers: how many work at a time.
        seconds: for a shard, on a worker without trouble.
        rates: what goes wrong.
        seed: of all that is random.
    """
    generator = np.random.default_rng(seed)
    rate = rates.failures_a_day / DAY
    free = [(0.0, worker) for worker in range(n_workers)]  # when each worker is free again
    waiting: list[tuple[float, int]] = [(0.0, shard) for shard in range(n_shards)]
    takes = [duration(seconds, rates, generator) for _ in range(n_shards)]
    heapq.heapify(waiting)
    end, busy, lost, failures = 0.0, 0.0, 0.0, 0
    while waiting:
        known, shard = heapq.heappop(waiting)  # since when it waits
        at, worker = heapq.heappop(free)
        start = max(at, known)
        until_failure = generator.exponential(1.0 / rate) if rate else np.inf
        if until_failure < takes[shard]:
            stop = start + until_failure
            busy, lost, failures = busy + until_failure, lost + until_failure, failures + 1
            heapq.heappush(waiting, (stop, shard))
            heapq.heappush(free, (stop + rates.repair, worker))
            continue
        stop, busy = start + takes[shard], busy + takes[shard]
        heapq.heappush(free, (stop, worker))
        end = max(end, stop)
    return Outcome(end, busy, lost, failures)


def training(
    n_steps: int, n_workers: int, seconds: float, saved_every: float, rates: Rates, seed: int = 0
) -> Outcome:
    """A training whose workers wait for one another in each step.

    Args:
        n_steps: how many.
        n_workers: how many share each step.
        seconds: for a worker's share of a step, without trouble.
        saved_every: seconds between the states that are saved.
        rates: what goes wrong.
        seed: of all that is random.
    """
    generator = np.random.default_rng(seed)
    rate = n_workers * rates.failures_a_day / DAY
    factors = np.ones((min(n_steps, 2000), n_workers))  # enough to draw from
    if rates.jitter:
        factors = np.exp(generator.normal(-(rates.jitter**2) / 2, rates.jitter, factors.shape))
    slow = generator.random(factors.shape) < rates.slow_share
    slowest = np.where(slow, factors * rates.slow_factor, factors).max(axis=1)
    left = n_steps * seconds * float(slowest.mean())
    clock, lost, failures = 0.0, 0.0, 0
    while left > 0:
        until_failure = generator.exponential(1.0 / rate) if rate else np.inf
        if until_failure >= left:
            clock += left
            break
        kept = until_failure // saved_every * saved_every
        left -= kept
        clock += until_failure + rates.repair
        lost += (until_failure - kept) * n_workers
        failures += 1
    return Outcome(clock, clock * n_workers, lost, failures)


def print_table(n_shards: int, seconds: float, rates: Rates) -> None:
    """How much longer a job takes than without trouble, for numbers of workers; in Markdown."""
    print("| workers | without trouble | with it, 20 runs | longer by | failures | work lost |")
    print("|---" * 6 + "|")
    for n_workers in (16, 64, 256, 1024):
        ideal = shards(n_shards, n_workers, seconds, NOTHING).seconds
        runs = [shards(n_shards, n_workers, seconds, rates, seed) for seed in range(20)]
        times = np.array([run.seconds for run in runs])
        print(
            f"| {n_workers:,} | {ideal / HOUR:.2f} h | {times.mean() / HOUR:.2f} h "
            f"({times.min() / HOUR:.2f} to {times.max() / HOUR:.2f}) | "
            f"{times.mean() / ideal - 1:.1%} | {np.mean([run.failures for run in runs]):.1f} | "
            f"{np.mean([run.lost / run.busy for run in runs]):.2%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=6104, help="1e8 images, 16,384 a shard")
    parser.add_argument("--seconds", type=float, default=19.0, help="of a shard")
    parser.add_argument("--slow-share", type=float, default=Rates.slow_share)
    parser.add_argument("--slow-factor", type=float, default=Rates.slow_factor)
    parser.add_argument("--failures-a-day", type=float, default=Rates.failures_a_day)
    given = parser.parse_args()
    rates = replace(
        Rates(), slow_share=given.slow_share, slow_factor=given.slow_factor,
        failures_a_day=given.failures_a_day,
    )  # fmt: skip
    print(f"{given.shards:,} shards of {given.seconds:g} s; {rates}\n")
    print_table(given.shards, given.seconds, rates)
    rates = replace(rates, slow_share=SLOW_STEPS)
    print(f"\ntraining: 20,000 steps of 1 s, a state every 300 s; {rates}\n")
    print("| workers | training: without trouble | with it | longer by | of it waiting |")
    print("|---" * 5 + "|")
    for n_workers in (2, 8, 32):
        plain = training(20_000, n_workers, 1.0, 300.0, NOTHING)
        runs = [training(20_000, n_workers, 1.0, 300.0, rates, seed) for seed in range(20)]
        waiting = training(20_000, n_workers, 1.0, 300.0, replace(rates, failures_a_day=0.0))
        mean = float(np.mean([run.seconds for run in runs]))
        print(
            f"| {n_workers} | {plain.seconds / HOUR:.2f} h | {mean / HOUR:.2f} h | "
            f"{mean / plain.seconds - 1:.1%} | {waiting.seconds / plain.seconds - 1:.1%} |"
        )


if __name__ == "__main__":
    main()
