"""The simulation behind docs/scale.md, on cases that can be worked out by hand."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("the benchmarks are not installed with shoal", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))

from stragglers import DAY, NOTHING, shards, training  # noqa: E402


def test_without_trouble_shards_are_worked_off_in_rounds() -> None:
    assert shards(10, 4, 5.0, NOTHING).seconds == 15.0  # 4, 4 and 2
    assert shards(3, 8, 5.0, NOTHING).seconds == 5.0
    assert shards(10, 4, 5.0, NOTHING).busy == 50.0


def test_when_every_shard_is_slow_all_takes_as_many_times_as_long() -> None:
    slow = replace(NOTHING, slow_share=1.0, slow_factor=3.0)
    assert shards(10, 4, 5.0, slow).seconds == 45.0
    assert training(100, 4, 1.0, 10.0, slow).seconds == pytest.approx(300.0)


def test_a_slow_shard_alone_keeps_the_others_waiting_at_the_end_only() -> None:
    """Two workers, one of them slow in its only shard: the other does the rest meanwhile."""
    rates = replace(NOTHING, slow_share=0.5, slow_factor=4.0)
    for seed in range(20):
        found = shards(4, 2, 1.0, rates, seed)
        n_slow = round((found.busy - 4.0) / 3.0)
        assert found.busy / 2 <= found.seconds <= (4.0 + 3.0 * n_slow)
        assert found.failures == 0


def test_a_single_worker_that_fails_takes_what_renewal_theory_says() -> None:
    """E[T] = (exp(λ t) - 1) (1 / λ + r): each failure costs the work so far and the repair."""
    t, r, rate = 1000.0, 100.0, 1 / 2000.0
    rates = replace(NOTHING, failures_a_day=rate * DAY, repair=r)
    times = [shards(1, 1, t, rates, seed).seconds for seed in range(4000)]
    expected = (np.exp(rate * t) - 1) * (1 / rate + r)
    assert np.mean(times) == pytest.approx(expected, rel=0.05)


def test_a_training_loses_what_came_after_its_last_state() -> None:
    rates = replace(NOTHING, failures_a_day=DAY / 1000.0, repair=10.0)
    found = training(1000, 4, 1.0, 1e9, rates, seed=1)  # nothing is ever saved
    often = training(1000, 4, 1.0, 1.0, rates, seed=1)
    assert often.lost <= often.failures * 4 * 1.0  # at most a second of each of four
    assert found.lost > often.lost
    assert found.seconds > often.seconds
    assert often.seconds == pytest.approx(1000.0 + often.failures * 10.0 + often.lost / 4)


def test_a_step_waits_for_the_slowest_of_its_workers() -> None:
    """With W workers a step is slow with probability 1 - (1 - p)^W."""
    rates = replace(NOTHING, slow_share=0.02, slow_factor=3.0)
    found = training(200_000, 16, 1.0, 300.0, rates).seconds / 200_000
    assert found == pytest.approx(1 + 2 * (1 - 0.98**16), rel=0.05)
