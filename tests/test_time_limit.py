"""A run with a time limit is as long as the time is enough for, and resumed is the same run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from shoal.errors import CheckpointError
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.models.pace import Pace
from shoal.recipes.named import BEST
from shoal.recipes.settings import override
from shoal.training.loop import train
from shoal.training.run import Run
from shoal.training.schedule import learning_rate
from shoal.training.thread_choice import ThreadChoice
from shoal.training.time_limit import TimeLimit

PILE = ArraySource(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
RECIPE = override(BEST, ["encoder.widths=(4,8)", "epochs=6", "checkpoints=4"])  # 60 steps


class Machine:
    """A clock that moves by what each step takes, and by nothing else."""

    def __init__(self, seconds: Callable[[int], float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, take_step = 0.0, Run.take_step

        def taking(run: Run, source: object, step: int) -> object:
            self.now += seconds(step)
            return take_step(run, source, step)  # type: ignore[arg-type]

        monkeypatch.setattr(Run, "take_step", taking)

    def limit(self, seconds: float, spent: float = 0.0) -> TimeLimit:
        return TimeLimit(
            seconds, clock=lambda: self.now, began=self.now, spent_before=spent, after=10.0
        )


def _last(limit: TimeLimit | None, resume: Checkpoint | None = None) -> Checkpoint:
    *_, last = train(PILE, RECIPE, limit=limit, resume=resume)
    return last


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [
        (lambda step: 1.0, 90),  # 100 s less the 10 that follow, half as many again as planned
        (lambda step: 3.0, 23),  # slower from the start, what follows too: (100 - 30) / 3
        (lambda step: 0.5, 190),  # (100 - 5) / 0.5
        (lambda step: 1.0 if step <= 40 else 3.0, 50),  # 40 + (100 - 40 - 30) / 3
    ],
)
def test_steps_are_as_many_as_the_time_is_enough_for(
    seconds: Callable[[int], float], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(seconds, monkeypatch)
    last = _last(machine.limit(100.0))
    assert last.step == last.total_steps
    assert last.step == pytest.approx(steps, abs=2)
    # What follows takes as much longer as the steps do.
    assert machine.now + 10 * seconds(last.step) == pytest.approx(100, rel=0.05)


def test_resumed_is_the_uninterrupted_run_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(lambda step: 1.0 if step <= 30 else 2.5, monkeypatch)
    whole = _last(machine.limit(100.0))
    assert whole.pace is not None
    assert len(whole.pace.decisions) > 2
    machine.now = 0.0
    for checkpoint in train(PILE, RECIPE, limit=machine.limit(100.0)):
        if checkpoint.step == 38:  # after the machine became slow, and that was answered
            checkpoints.save(checkpoint, tmp_path / "resume.pth")
            break
    before = checkpoints.load(tmp_path / "resume.pth")
    assert before.pace is not None
    assert before.pace.seconds == pytest.approx(machine.now)
    # Its decisions hold: without a clock it ends where it was to end, at a rate of nearly 0.
    replayed = _last(None, before)
    assert replayed.step == before.pace.total
    limit = machine.limit(100.0, spent=before.pace.seconds)
    limit._recent.extend(machine.now - 2.5 * each for each in range(7, -1, -1))
    again = _last(limit, checkpoints.load(tmp_path / "resume.pth"))  # its tensors are unchanged
    assert again.pace == whole.pace
    assert again.weights_digest() == whole.weights_digest()


def test_the_rate_falls_to_nothing_however_the_length_changes() -> None:
    recipe = override(BEST, ["warmup_steps=10"])
    pace = Pace.of(200).with_total(80, 120).with_total(100, 300)
    rates = [learning_rate(recipe, step, pace.total, pace) for step in range(1, 301)]
    assert rates[9] == max(rates) == recipe.learning_rate
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert rates[-1] < 1e-3 * recipe.learning_rate
    assert max(a - b for a, b in itertools.pairwise(rates[10:])) < 0.05 * max(rates)


def test_without_a_limit_the_rate_is_what_it_was() -> None:
    even = [learning_rate(BEST, step, 500) for step in range(1, 501)]
    assert even == [learning_rate(BEST, step, 500, Pace.of(500)) for step in range(1, 501)]


def test_as_many_checkpoints_are_kept_however_the_length_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(lambda step: 1.0 if step <= 40 else 50.0, monkeypatch)
    history = CheckpointHistory(tmp_path / "c.pth")
    for checkpoint in train(PILE, RECIPE, limit=machine.limit(100.0)):
        history.save(checkpoint)
    assert len(history.files()) == RECIPE.checkpoints
    assert history.files()[-1] == history.file(checkpoint.total_steps)


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [[1, 0.0, 5]],
        [[0, 0.0, 0]],
        [[0, 0.0, 9], [3, 2.0, 9]],
        [[0, 0.0, 9], [3, 1.0, 9]],
        [[0, 0.0, 9], [3, -0.5, 9]],
        [[0, "x", 3]],
        7,
    ],
)
def test_a_damaged_record_is_refused(decisions: object) -> None:
    with pytest.raises(CheckpointError, match="the run's length cannot be read"):
        Pace.from_json({"decisions": decisions, "seconds": 1.0})


def test_a_load_that_has_gone_gives_no_time_to_what_was_not_measured_under_it() -> None:
    now = [0.0]
    limit = TimeLimit(100.0, clock=lambda: now[0], after=10.0, fixed=20.0, step=2.0)
    for _ in range(20):
        now[0] += 0.5  # four times as fast as when it was measured
        limit.saw_step()
    assert limit.slower() == pytest.approx(0.25)
    assert limit.reserved() == pytest.approx(0.25 * 10.0 + 20.0)
    for _ in range(20):
        now[0] += 6.0
        limit.saw_step()
    assert limit.reserved() == pytest.approx(3.0 * 30.0)


def _two_cores(n: int, busy: bool) -> tuple[float, float]:
    """Seconds and processor seconds of a step on ``n`` threads, as measured on two cores."""
    if n == 1:
        return 0.7, 0.7
    return (1.05, 1.2) if busy else (0.4, 0.75)


def test_beside_a_busy_core_a_step_uses_one_thread_fewer_and_later_all_again() -> None:
    now = [0.0]
    threads = ThreadChoice(2, clock=lambda: now[0])
    pace, handicaps, used = Pace.of(400), [], []
    for step in range(1, 401):
        pace = pace.with_threads(step, threads.n, threads.most)
        used.append(threads.n)
        seconds, processor = _two_cores(threads.n, busy=40 < step <= 240)
        now[0] += seconds
        threads.saw(seconds, processor)
        handicaps.append(threads.handicap)
    assert used[:40] == [2] * 40  # alone nothing is tried
    assert used[40:240].count(1) > 0.9 * 200
    assert handicaps[100] == pytest.approx(1.05 / 0.7)
    assert used[-60:] == [2] * 60
    assert handicaps[-1] == 1.0
    recorded = [next((n for at, n in reversed(pace.threads) if at <= step), 2)
                for step in range(1, 401)]  # fmt: skip
    assert recorded == used
    assert Pace.from_json(pace.to_json()) == pace


def test_a_slow_disk_is_no_reason_for_fewer_threads() -> None:
    now, used = [0.0], []
    threads = ThreadChoice(4, clock=lambda: now[0])
    for _ in range(300):
        used.append(threads.n)
        seconds = 1.0 + 2.0 / threads.n  # most of it waits for images
        now[0] += seconds
        threads.saw(seconds, 2.0)
    assert used.count(3) < 0.15 * 300  # a few trials
    assert threads.n == 4


def test_a_trial_of_more_threads_ends_with_its_first_slow_step() -> None:
    now, used = [0.0], []
    threads = ThreadChoice(2, clock=lambda: now[0])
    for _ in range(100):  # under a heavy load
        used.append(threads.n)
        now[0] += 6.0 if threads.n == 2 else 1.0
        threads.saw(6.0 if threads.n == 2 else 1.0, 0.7)
    assert used[:3] == [2, 2, 2]
    assert 1 <= used[3:].count(2) <= 4
    assert all(1 in pair for pair in itertools.pairwise(used[3:]))
    assert threads.handicap == 3.0


def test_only_the_step_itself_uses_fewer_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    with ThreadChoice(2, n=1).step():
        assert asked == [1]
    assert asked == [1, 2]


def test_what_follows_is_reckoned_on_all_threads() -> None:
    now = [0.0]
    limit = TimeLimit(100.0, clock=lambda: now[0], after=10.0, step=0.4)
    for _ in range(8):
        now[0] += 0.7
        limit.saw_step(1.5)
    assert limit.slower() == pytest.approx(1.5 * 0.7 / 0.4)
