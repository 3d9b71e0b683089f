"""Two sides of a comparison, each in a process of its own, taking turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from typing import Any

from machine import HERE

Row = dict[str, Any]


class Side:
    """A function of sides.py at work in its own process."""

    def __init__(
        self, name: str, environment: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        arguments = [sys.executable, str(HERE / "sides.py"), name, json.dumps(options)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip

    def __call__(self, amount: int = 1) -> Row:
        """Let it work; what it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{amount}\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Row:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("failed: see the traceback above")
        return json.loads(answer)

    def __enter__(self) -> Side:
        self._answer()  # it is ready, imports and all: nobody starts up while another is timed
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def once(name: str, **options: Any) -> Row:
    """Let a side work a single time."""
    with Side(name, **options) as side:
        return side()


def take_turns(sides: dict[str, Side], amount: int, blocks: int) -> dict[str, list[Row]]:
    """What each side answers, turn by turn."""
    found: dict[str, list[Row]] = {name: [] for name in sides}
    for _ in range(blocks):
        for name, side in sides.items():
            found[name].append(side(amount))
    return found


def seconds(answers: list[Row]) -> list[float]:
    """The times of a side's blocks."""
    return [round(answer["seconds"], 5) for answer in answers]


def largest(answers: list[Row]) -> float:
    """A side's peak memory in GB."""
    return round(max(answer["gb"] for answer in answers), 2)


def ratio(slow: list[float], fast: list[float]) -> Row:
    """How many times as fast, turn by turn: median, lowest and highest."""
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    return {"ratio": round(median(ratios), 3),
            "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)]}  # fmt: skip
