"""What a command may take by the clock, and what of it is left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shoal.models.pace import Pace

MEASURED_SHARE = 0.1
"""Of the time, what measuring the checkpoints kept along the way may take."""
_RECENT = 12.0
"""The speed is that of this many seconds, and of 8 steps at least: a load that begins or ends is
noticed within it, and a single slow step changes little."""
_FEWEST = 8
_DECIDE_EVERY = 2.0
"""Seconds between two decisions, at least."""
_WORTH = 0.01
"""A change of the steps left by less than this share of them is not one."""


@dataclass
class TimeLimit:
    """Seconds that a command may take, everything included, and the clock it is held to.

    >>> now = iter([0.0, 30.0])
    >>> TimeLimit(100.0, clock=lambda: next(now)).left()
    70.0
    """

    seconds: float
    """Of the whole command."""
    clock: Callable[[], float] = time.monotonic
    began: float | None = None
    """When it began, by the clock; now if None."""
    spent_before: float = 0.0
    """What a run that is resumed had taken."""
    after: float = 0.0
    """What embedding after training will take on a machine where a step takes ``step``, in seconds;
    it was measured when that was."""
    fixed: float = 0.0
    """What else follows takes on a machine that does nothing else, in seconds."""
    step: float = 1.0
    """See `after`: both grow, and shrink, with the load."""
    writing: float = 0.0
    """That of it which follows a finished checkpoint."""
    _recent: deque[float] = field(default_factory=deque)
    _decided: float = float("-inf")

    def __post_init__(self) -> None:
        if self.began is None:
            self.began = self.clock()

    def spent(self) -> float:
        """Seconds since the command began, those before an interruption included."""
        assert self.began is not None
        return self.clock() - self.began + self.spent_before

    def left(self) -> float:
        """Seconds left, below 0 when it is overdrawn."""
        return self.seconds - self.spent()

    def seconds_a_step(self) -> float | None:
        """What a step takes just now; None before two of them were seen."""
        if len(self._recent) < 2:
            return None
        return (self._recent[-1] - self._recent[0]) / (len(self._recent) - 1)

    def left_for_extras(self) -> float:
        """Seconds left for what can be left out, once the checkpoint is finished."""
        return self.left() - self.writing * self.slower()

    def reserved(self) -> float:
        """Seconds to be kept for what follows training, by the load just now.

        A load that has gone since the speed was measured makes embedding faster, and not what was
        never measured under it.
        """
        return self.after * self.slower() + self.fixed * max(1.0, self.slower())

    def slower(self) -> float:
        """How many times as long as `step` a step took last."""
        per_step = self.seconds_a_step()
        return 1.0 if per_step is None else per_step / self.step

    def saw_step(self) -> None:
        """A step was taken."""
        self._recent.append(self.clock())
        while len(self._recent) > _FEWEST and self._recent[-1] - self._recent[0] > _RECENT:
            self._recent.popleft()

    def decide(self, pace: Pace, step: int, fewest: int) -> Pace:
        """The pace after ``step``, with as many more steps as the time left is enough for.

        Args:
            pace: as decided so far.
            step: the step just taken.
            fewest: steps of the whole run at least: as many as checkpoints are to be kept.
        """
        pace = Pace(pace.decisions, round(self.spent(), 3))
        per_step, now = self.seconds_a_step(), self.clock()
        if per_step is None or per_step <= 0 or step >= pace.total:
            return pace
        more = round((self.left() - self.reserved()) / per_step)
        # So many that each checkpoint to be kept has a step of its own.
        least = max(1, -(-int((1.0 - pace.fraction(step)) * fewest * 1e6) // 10**6))
        more, planned = max(more, least), pace.total - step
        small = abs(more - planned) <= _WORTH * planned
        if small or (now - self._decided < _DECIDE_EVERY and len(self._recent) > 2):
            return pace
        self._decided = now
        return pace.with_total(step, step + more)
