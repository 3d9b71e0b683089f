"""The time limit of a command, and how many training steps still fit into it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shoal.models.pace import Pace

MEASURED_SHARE = 0.1
"""The share of the time that measuring the checkpoints kept along the way may take."""
_RECENT = 12.0
"""The speed is measured over so many seconds. It soon follows when another program begins or ends,
and a single slow step changes it little."""
_FEWEST = 8
"""The speed is measured over so many steps, at least."""
_DECIDE_EVERY = 2.0
"""The fewest seconds between two decisions."""
_WORTH = 0.01
"""The number of steps left is changed only by more than this share of it."""


@dataclass
class TimeLimit:
    """The seconds that a command may take, everything included, and the clock that counts them.

    `training.loop.train` reports each step and asks for the pace, which `decide` makes longer or
    shorter. What follows training is kept free: its seconds were estimated before training, when a
    step took ``step`` seconds, and are scaled by how long steps take now.

    >>> now = iter([0.0, 30.0])
    >>> TimeLimit(100.0, clock=lambda: next(now)).left()
    70.0
    """

    seconds: float
    """The time limit of the whole command."""
    clock: Callable[[], float] = time.monotonic
    """Returns the present time in seconds."""
    began: float | None = None
    """When the command began, by ``clock``; None: now."""
    spent_before: float = 0.0
    """Seconds that a resumed run took before it was interrupted."""
    after: float = 0.0
    """Seconds that embedding will take after training, where a step takes ``step`` seconds."""
    fixed: float = 0.0
    """Seconds that the rest will take after training, where no other program runs."""
    step: float = 1.0
    """Seconds that a step took when ``after`` was estimated."""
    writing: float = 0.0
    """The part of ``after`` that comes when the checkpoint is finished: the report's embedding."""
    handicap: float = 1.0
    """How many times as long the last step would have taken on all threads. What follows training
    uses all."""
    _recent: deque[float] = field(default_factory=deque)
    _decided: float = float("-inf")

    def __post_init__(self) -> None:
        if self.began is None:
            self.began = self.clock()

    def spent(self) -> float:
        """Seconds since the command began, including those before an interruption."""
        assert self.began is not None
        return self.clock() - self.began + self.spent_before

    def left(self) -> float:
        """Seconds left; below 0 if the limit has passed."""
        return self.seconds - self.spent()

    def seconds_a_step(self) -> float | None:
        """Seconds that a step takes at present; None before two steps were reported."""
        if len(self._recent) < 2:
            return None
        return (self._recent[-1] - self._recent[0]) / (len(self._recent) - 1)

    def left_for_extras(self) -> float:
        """Seconds left for optional work when the checkpoint is finished but not yet drawn."""
        return self.left() - self.writing * self.slower()

    def reserved(self) -> float:
        """Seconds to keep free for what follows training, at the present speed.

        ``fixed`` was estimated for an idle machine, so a faster machine does not shorten it.
        """
        return self.after * self.slower() + self.fixed * max(1.0, self.slower())

    def slower(self) -> float:
        """How many times ``step`` a step on all threads takes at present; 1 if not known."""
        per_step = self.seconds_a_step()
        return 1.0 if per_step is None else per_step * self.handicap / self.step

    def saw_step(self, handicap: float = 1.0) -> None:
        """Report that a training step has ended; ``handicap``: see the field."""
        self.handicap = handicap
        self._recent.append(self.clock())
        while len(self._recent) > _FEWEST and self._recent[-1] - self._recent[0] > _RECENT:
            self._recent.popleft()

    def decide(self, pace: Pace, step: int, fewest: int) -> Pace:
        """Return the pace with as many more steps as fit into the time left.

        Args:
            pace: the pace so far.
            step: the step that has just ended.
            fewest: the fewest steps of a whole run: one for each checkpoint to be kept.

        Returns:
            The pace with the seconds spent so far. Its length is the same if the speed is not
            known yet, the last decision was less than 2 seconds ago, or the number of steps left
            would change by less than 1 %.
        """
        pace = replace(pace, seconds=round(self.spent(), 3))
        per_step, now = self.seconds_a_step(), self.clock()
        if per_step is None or per_step <= 0 or step >= pace.total:
            return pace
        more = round((self.left() - self.reserved()) / per_step)
        # Each checkpoint still to be kept needs a step of its own.
        least = max(1, -(-int((1.0 - pace.fraction(step)) * fewest * 1e6) // 10**6))
        more, planned = max(more, least), pace.total - step
        small = abs(more - planned) <= _WORTH * planned
        if small or (now - self._decided < _DECIDE_EVERY and len(self._recent) > 2):
            return pace
        self._decided = now
        return pace.with_total(step, step + more)
