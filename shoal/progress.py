"""Progress on a terminal, plain lines elsewhere, and a clean stop on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from shoal.errors import Interrupted
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Item
from shoal.scoring.warnings import collapse_while_training

PLAIN_EVERY = 15.0
"""Seconds between two plain lines."""


class Reporter:
    """A `Track` that shows how far the work is and when it will end, on standard error.

    It also warns there, once, of a collapse while it shows training. Quiet, it says nothing at
    all: what it would have warned of is in the finished checkpoint's provenance.

    While it shows training, the first Ctrl-C (or SIGTERM) lets the step in progress end and then
    raises `Interrupted`; a second one ends at once.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False)
        self._warned: set[str] = set()

    def __call__(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        shown = self._show(self._watch(items), description, total)
        return _stoppable(shown) if description == "training" else shown

    def say(self, *lines: str) -> None:
        """Lines for the person watching, unless quiet."""
        for text in () if self.quiet else lines:
            self.console.print(text, soft_wrap=True, markup=False)

    def warn(self, *warnings: str) -> None:
        """Say warnings, a line for each, and none twice, unless quiet; see `scoring.warnings`."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.say(f"warning: {warning}")

    def _watch(self, items: Iterable[Item]) -> Iterator[Item]:
        warned = False
        for item in items:
            yield item
            if not warned and isinstance(item, Checkpoint):
                warnings = collapse_while_training(item)
                warned = bool(warnings)
                self.warn(*warnings)

    def _show(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        if self.quiet:
            yield from items
        elif self.console.is_terminal:
            yield from self._bar(items, description, total)
        else:
            yield from self._lines(items, description, total)

    def _bar(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(description, total=total, detail="")
            for item in items:
                yield item
                detail = _detail(item)
                if isinstance(item, Checkpoint):
                    progress.update(
                        task, completed=item.step, total=item.total_steps, detail=detail
                    )
                else:
                    progress.advance(task)

    def _lines(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        began = said = time.monotonic()
        first: tuple[float, int] | None = None
        for count, item in enumerate(items, 1):
            done = item.step if isinstance(item, Checkpoint) else count
            if first is None:  # what it waited for before is no work of this kind
                first = time.monotonic(), done
            yield item
            if isinstance(item, Checkpoint):  # its length may be decided on the way
                total = item.total_steps
            now = time.monotonic()
            if now - said > PLAIN_EVERY and first[1] < done < total:
                left = (now - first[0]) * (total - done) / (done - first[1])
                detail = _detail(item)
                self.say(
                    f"{description}: {done:,} of {total:,}, {_clock(left)} left"
                    + (f", {detail}" if detail else "")
                )
                said = now
        if time.monotonic() - began > 2.0:
            self.say(f"{description}: done in {_clock(time.monotonic() - began)}")


def _detail(item: Any) -> str:
    if not isinstance(item, Checkpoint) or not item.history:
        return ""
    return f"epoch {item.epoch:.1f}, loss {item.history[-1]['loss']:.4f}"


def _clock(seconds: float) -> str:
    """
    >>> _clock(5), _clock(75), _clock(3700)
    ('0:05', '1:15', '1:01:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _stoppable(items: Iterator[Item]) -> Iterator[Item]:
    """Pass items on; after a signal, raise `Interrupted` when the next one is asked for."""
    asked = False

    def ask(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        print("\nstopping after this step; once more to stop at once", file=sys.stderr)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, ask)
    except ValueError:  # not in the main thread: whoever is there handles signals
        yield from items
        return
    try:
        for item in items:
            yield item
            if asked:
                raise Interrupted("training was stopped on request.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
