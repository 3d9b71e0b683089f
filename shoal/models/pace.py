"""How the length of a run was decided on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.errors import CheckpointError


@dataclass(frozen=True)
class Pace:
    """How far through its schedule a run is after each step, as its length was decided on the way.

    A run with a time limit is made longer or shorter as the machine's speed changes. From then on
    what is left of the schedule is spread evenly over what is left of the steps. The decisions are
    kept, so that a resumed run follows the same.

    >>> pace = Pace.of(100).with_total(50, 60)
    >>> pace.fraction(25), pace.fraction(50), pace.fraction(55), pace.fraction(60)
    (0.25, 0.5, 0.75, 1.0)
    >>> pace.total, pace.first_total
    (60, 100)
    """

    decisions: tuple[tuple[int, float, int], ...]
    """Each a step, the share of the schedule behind it, and the steps of the whole run decided
    there. The first is made at step 0."""
    seconds: float = 0.0
    """What the command had taken when this was last known, for a run that is resumed."""

    @staticmethod
    def of(total: int) -> Pace:
        """An even one over ``total`` steps, 1 or more."""
        return Pace(((0, 0.0, total),))

    @property
    def total(self) -> int:
        """The steps of the whole run, as decided last."""
        return self.decisions[-1][2]

    @property
    def first_total(self) -> int:
        """The steps of the whole run, as decided first."""
        return self.decisions[0][2]

    def fraction(self, step: int) -> float:
        """The share of the schedule that is behind the run after ``step``, in [0, 1]."""
        at, behind, total = next(each for each in reversed(self.decisions) if each[0] <= step)
        return behind + (1.0 - behind) * (step - at) / (total - at) if at else step / total

    def with_total(self, step: int, total: int) -> Pace:
        """The same up to ``step``, and from there to an end after ``total`` steps."""
        decision = (step, self.fraction(step), total)
        return Pace((*self.decisions, decision), self.seconds)

    def keeps(self, step: int, count: int) -> bool:
        """Whether ``step`` is one of ``count`` spread evenly over the schedule, the last included.

        >>> [step for step in range(1, 101) if Pace.of(100).keeps(step, 4)]
        [25, 50, 75, 100]
        """
        behind, now = (round(self.fraction(each) * count, 9) for each in (step - 1, step))
        return int(now) > int(behind)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"decisions": [list(each) for each in self.decisions], "seconds": self.seconds}

    @staticmethod
    def from_json(values: dict[str, Any]) -> Pace:
        """The inverse of `to_json`.

        Raises:
            CheckpointError: it is none.
        """
        try:
            decisions = tuple(
                (int(step), float(behind), int(total))
                for step, behind, total in values["decisions"]
            )
            pace = Pace(decisions, float(values["seconds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the record of how long the run is lacks {error}.") from error
        steps = [step for step, _, _ in decisions]
        fine = (
            steps[:1] == [0]
            and steps == sorted(set(steps))
            and all(0 <= behind < 1 and total > step for step, behind, total in decisions)
            and math.isfinite(pace.seconds)
        )
        if not fine:
            raise CheckpointError("the record of how long the run is makes no sense.")
        return pace
