"""How many threads the steps of a run with a time limit compute with, beside another program.

The threads of a step wait for the slowest of them at every layer. Where another program keeps a
core busy, all of them wait for the thread that shares that core, and a step on one thread fewer is
faster (`benchmarks/busy.py`). Another number of threads gives other last bits, so the number is
chosen only where the clock decides already: in runs with a time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch

_TYPICAL = 3
"""Steps that a time is typical of, as their median."""
_DISTURBED = 0.7
"""Below this share of the processor time that its threads could use, a step was disturbed. Alone
it gets 0.9."""
_BETTER = 0.9
"""A number of threads is better if a step takes less than this share of the time."""
_FIRST, _LONGEST = 15.0, 40.0
"""Seconds between two trials: at first, and at most after many that were for nothing."""
_LARGEST = 3.0
"""The largest handicap: a few steps under a heavy load do not tell more."""


@dataclass
class ThreadChoice:
    """The number of threads of the next step, learned from the steps before.

    Steps that got too little of the processor are followed by a few on one thread fewer; a run
    that has fewer than all tries one more from time to time. The faster number stays.
    """

    most: int
    """All threads that the run may use; at least 1."""
    clock: Callable[[], float] = time.monotonic
    processor: Callable[[], float] = time.process_time
    """Seconds of processor time of all threads together."""
    n: int = 0
    """How many the next step uses; 0: all."""
    handicap: float = 1.0
    """How many times as long as now a step would take on all threads, as far as is known: what
    follows training uses all."""
    _seen: list[tuple[float, float]] = field(default_factory=list)
    """Seconds, and share of the processor, of the last steps on ``n`` threads."""
    _before: tuple[int, float] | None = None
    """During a trial: the number of threads before it, and its seconds a step."""
    _wait: float = _FIRST
    _next_trial: float = float("-inf")

    def __post_init__(self) -> None:
        self.n = self.n or self.most

    @contextmanager
    def step(self) -> Iterator[None]:
        """Let the step inside use the chosen number of threads, and learn from its time."""
        if self.most < 2:
            yield
            return
        before = torch.get_num_threads()
        torch.set_num_threads(self.n)
        began, spent = self.clock(), self.processor()
        try:
            yield
        finally:
            torch.set_num_threads(before)
        self.saw(self.clock() - began, self.processor() - spent)

    def saw(self, seconds: float, processor_seconds: float) -> None:
        """Learn from a step on ``n`` threads that took so long, and choose the next number."""
        self._seen.append((seconds, processor_seconds / max(seconds, 1e-9) / self.n))
        if self._before is not None and self.n > self._before[0] and seconds > self._before[1]:
            self._end_trial(seconds)  # under a heavy load each such step is long
            return
        if len(self._seen) < _TYPICAL:
            return
        self._seen = self._seen[-_TYPICAL:]
        typical, share = (median(values) for values in zip(*self._seen, strict=True))
        if self._before is not None:
            self._end_trial(typical)
        elif self.clock() >= self._next_trial:
            if share < _DISTURBED and self.n > 1:
                self._begin_trial(self.n - 1, typical)
            elif self.n < self.most:
                self._begin_trial(self.n + 1, typical)

    def _begin_trial(self, n: int, typical: float) -> None:
        self._before, self.n, self._seen = (self.n, typical), n, []

    def _end_trial(self, typical: float) -> None:
        assert self._before is not None
        n_before, typical_before = self._before
        self._before = None
        better = typical < _BETTER * typical_before
        self._wait = _FIRST if better else min(2.0 * self._wait, _LONGEST)
        self._next_trial = self.clock() + self._wait
        fewer, more = sorted([(self.n, typical), (n_before, typical_before)])
        if more[0] == self.most:
            self.handicap = min(more[1] / fewer[1], _LARGEST)
        if not better:
            self.n, self._seen = n_before, []
        if self.n == self.most:
            self.handicap = 1.0
