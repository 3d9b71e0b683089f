"""The pace of a training run: which share of its schedule each step has behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from shoal.errors import CheckpointError


@dataclass(frozen=True)
class Pace:
    """The steps of a run, and the share of its schedule that each step has behind it.

    A run with a time limit is made longer or shorter while it trains, because the machine's speed
    changes. Each such decision spreads the rest of the schedule evenly over the steps that are
    left. All decisions are kept, so that a resumed run repeats them. A run without a time limit
    has a single decision.

    >>> pace = Pace.of(100).with_total(50, 60)
    >>> pace.fraction(25), pace.fraction(50), pace.fraction(55), pace.fraction(60)
    (0.25, 0.5, 0.75, 1.0)
    >>> pace.total, pace.first_total
    (60, 100)
    """

    decisions: tuple[tuple[int, float, int], ...]
    """Each decision: the step at which it was made, the share of the schedule behind that step, in
    [0, 1), and the number of steps of the whole run. Steps ascend; the first is 0."""
    seconds: float = 0.0
    """The seconds that the command had taken so far. A resumed run counts on from there."""
    threads: tuple[tuple[int, int], ...] = ()
    """Each change of the number of threads: a step, and the number from that step on. Empty: all
    steps ran on all threads. The last bits of the weights depend on it."""

    @staticmethod
    def of(total: int) -> Pace:
        """An even pace over ``total`` steps, 1 or more."""
        return Pace(((0, 0.0, total),))

    @property
    def total(self) -> int:
        """The number of steps of the whole run, by the last decision."""
        return self.decisions[-1][2]

    @property
    def first_total(self) -> int:
        """The number of steps of the whole run, by the first decision."""
        return self.decisions[0][2]

    def fraction(self, step: int) -> float:
        """The share of the schedule that is done after ``step``, in [0, 1]."""
        at, behind, total = next(d for d in reversed(self.decisions) if d[0] <= step)
        return behind + (1.0 - behind) * (step - at) / (total - at) if at else step / total

    def with_total(self, step: int, total: int) -> Pace:
        """Return a pace that is the same up to ``step``, and then ends after ``total`` steps.

        Args:
            step: the last step taken, at or after the last decision's.
            total: the number of steps of the whole run, above ``step``.
        """
        decision = (step, self.fraction(step), total)
        return replace(self, decisions=(*self.decisions, decision))

    def with_threads(self, step: int, n: int, most: int) -> Pace:
        """Return a pace that knows that ``step`` runs on ``n`` threads of ``most``."""
        before = self.threads[-1][1] if self.threads else most
        return self if n == before else replace(self, threads=(*self.threads, (step, n)))

    def keeps(self, step: int, count: int) -> bool:
        """Whether a checkpoint is kept after ``step``, if ``count`` are kept in all.

        Their steps are spread evenly over the schedule; the last step is one of them.

        >>> [step for step in range(1, 101) if Pace.of(100).keeps(step, 4)]
        [25, 50, 75, 100]
        """
        before, now = (round(self.fraction(s) * count, 9) for s in (step - 1, step))
        return int(now) > int(before)

    def to_json(self) -> dict[str, Any]:
        """Return the pace as JSON values."""
        return {
            "decisions": [list(decision) for decision in self.decisions],
            "seconds": self.seconds,
            "threads": [list(change) for change in self.threads],
        }

    @staticmethod
    def from_json(values: dict[str, Any]) -> Pace:
        """Read what `to_json` returned.

        Raises:
            CheckpointError: a value is missing or of a wrong type, steps do not ascend from 0, or
                a share is not in [0, 1).

        >>> Pace.from_json(Pace.of(100).to_json()) == Pace.of(100)
        True
        """
        try:
            decisions = tuple(
                (int(step), float(behind), int(total))
                for step, behind, total in values["decisions"]
            )
            threads = tuple((int(step), int(n)) for step, n in values.get("threads", ()))
            pace = Pace(decisions, float(values["seconds"]), threads)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the run's length cannot be read: {error}.") from error
        steps = [step for step, _, _ in decisions]
        fine = (
            steps[:1] == [0]
            and steps == sorted(set(steps))
            and all(0 <= behind < 1 and total > step for step, behind, total in decisions)
            and math.isfinite(pace.seconds)
            and all(step > 0 and n > 0 for step, n in threads)
        )
        if not fine:
            raise CheckpointError("the run's length cannot be read: its steps do not ascend.")
        return pace
