"""A review killed at a random moment while actions come in: what was acknowledged is kept."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shoal import pipeline
from shoal.corrections.journal_file import journal_beside, read_journal
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.protocols import ImageSource
from shoal.recipes.named import RECIPES
from shoal.recipes.settings import override
from shoal.review.opening import open_review
from shoal.review.server import ReviewServer
from shoal.review.session import Session

N_IMAGES = 40
Start = Callable[[], tuple[int, str]]
"""Starts a server in a process of its own: the process and the address to open once."""


def in_forks(source: ImageSource, checkpoint: Path) -> Start:
    """Starts the review's server in forks of this process, which has imported what it needs."""
    context = multiprocessing.get_context("fork")

    def serve(told: Any) -> None:
        reviewed = open_review(source, checkpoints.load(checkpoint), checkpoint)
        server = ReviewServer(Session(reviewed, "pile"))
        told.send(server.new_address())
        server.run()

    def start() -> tuple[int, str]:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,))
        process.start()
        return int(process.pid or 0), str(ours.recv())

    return start


def campaign(folder: Path, n: int, first: int) -> list[dict[str, Any]]:
    """Train on a small pile, and kill ``n`` servers of its review, see `trials`."""
    pixels = np.random.default_rng(0).integers(0, 60, (N_IMAGES, 8, 8, 3))
    pixels[::2] += 150
    source, path = ArraySource(pixels.astype(np.uint8)), folder / "checkpoint.pth"
    settings = ["encoder.widths=(8,16)", "checkpoints=1"]
    pipeline.fit(source, path, override(RECIPES["best"], [*settings, "epochs=1"]))
    return trials(in_forks(source, path), journal_beside(path), n, first)


class Tab:
    """A page that sends actions, as fast as they are answered.

    Args:
        address: opens the page once.
    """

    def __init__(self, address: str) -> None:
        host, _, path = address.removeprefix("http://").partition("/")
        self._connection = http.client.HTTPConnection(host, timeout=10)
        self._connection.request("GET", f"/{path}")
        answer = self._connection.getresponse()
        answer.read()
        cookie = str(answer.headers["set-cookie"]).partition(";")[0]
        self._headers = {
            "Cookie": cookie, "Origin": f"http://{host}", "Content-Type": "application/json",
        }  # fmt: skip

    def act(self, **action: Any) -> dict[str, Any]:
        """Send an action; what was answered."""
        self._connection.request("POST", "/api/act", json.dumps(action), self._headers)
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer


def killed(start: Start, seconds: float, seed: int) -> dict[int, str]:
    """Send actions to a server and kill it after so many seconds.

    Returns:
        What was acknowledged: the number of each entry, and what it says.
    """
    process, address = start()
    tab, acknowledged = Tab(address), dict[int, str]()
    generator = np.random.default_rng(seed)
    timer = threading.Timer(seconds, os.kill, (process, signal.SIGKILL))
    timer.start()
    try:
        while True:
            entry = tab.act(**_something(generator)).get("entry")
            if entry is not None:
                acknowledged[entry["n"]] = entry["says"]
    except (OSError, http.client.HTTPException, ValueError):
        pass  # the server is gone, in the middle of an answer or between two
    finally:
        timer.join()
    os.waitpid(process, 0)
    return acknowledged


def missing(journal: Path, acknowledged: dict[int, str]) -> list[int]:
    """The acknowledged entries that are not in the journal as they were acknowledged."""
    kept = {entry.n: entry.says for entry in read_journal(journal).history.entries}
    return [n for n, says in acknowledged.items() if kept.get(n) != says]


def trials(start: Start, journal: Path, n: int, first: int = 0) -> list[dict[str, Any]]:
    """Kill ``n`` servers of one review, one after the other; a row for each trial."""
    rows, known = [], dict[int, str]()
    for seed in range(first, first + n):
        began = time.monotonic()
        moment = 0.02 + 0.4 * float(np.random.default_rng([seed, 7]).random())
        known |= killed(start, moment, seed)
        lost = missing(journal, known)
        rows.append({
            "kind": "review", "seed": seed, "outcome": "failure" if lost else "kept",
            "what": f"lost: {lost[:5]}" if lost else f"{len(known)} acknowledged",
            "seconds": round(time.monotonic() - began, 2),
        })  # fmt: skip
    return rows


def _something(generator: np.random.Generator) -> dict[str, Any]:
    rows = generator.choice(N_IMAGES, int(generator.integers(1, 12)), replace=False).tolist()
    return [
        {"op": "new", "rows": rows},
        {"op": "confirm", "rows": rows},
        {"op": "nowhere", "rows": rows},
        {"op": "note", "row": rows[0], "text": f"{generator.random()} " * len(rows) * 40},
        {"op": "undo"},
        {"op": "redo"},
    ][int(generator.integers(6))]
