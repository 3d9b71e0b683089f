"""Many trials in a process that is watched, and begun anew when it crashes, hangs or grows."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 10.0
MOST_MB = 2048
_START_SECONDS = 60.0
"""The first trial of a process imports what it needs."""
_TRIALS_A_PROCESS = 500

Found = dict[str, Any]


class _Process:
    def __init__(self, environment: dict[str, str], *, loud: bool) -> None:
        command = [sys.executable, str(Path(__file__).with_name("worker.py"))]
        self._process = subprocess.Popen(
            [*command, "--loud"] if loud else command, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"} | environment,
        )  # fmt: skip
        self.n_done = 0

    def ask(self, kind: str, seed: int) -> Found:
        """The answer to a trial; a crash and a hang are failures, too."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = LONGEST_SECONDS + (_START_SECONDS if self.n_done == 0 else 0)
        self._process.stdin.write(f"{kind} {seed}\n".encode())
        self._process.stdin.flush()
        self.n_done += 1
        failure = {"kind": kind, "seed": seed, "outcome": "failure", "mb": 0}
        if not select.select([self._process.stdout], [], [], limit)[0]:
            return failure | {"what": f"no answer within {limit:g} s", "seconds": limit}
        line = self._process.stdout.readline()
        if not line:
            return failure | {"what": f"crashed ({self._process.wait()})", "seconds": 0.0}
        found: Found = json.loads(line)
        if found["outcome"] != "failure" and found["mb"] > MOST_MB:
            found |= {"outcome": "failure", "what": f"took {found['mb']:,} MB"}
        elif found["outcome"] != "failure" and found["seconds"] > limit:
            found |= {"outcome": "failure", "what": f"took {found['seconds']:.1f} s"}
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def trials(wanted: Iterable[tuple[str, int]], *, loud: bool = False) -> Iterator[Found]:
    """The outcome of each trial (kind, seed)."""
    with tempfile.TemporaryDirectory(prefix="shoal-assets-") as assets:
        yield from _trials(wanted, {"SHOAL_TRIALS": assets}, loud=loud)


def _trials(
    wanted: Iterable[tuple[str, int]], environment: dict[str, str], *, loud: bool
) -> Iterator[Found]:
    process = _Process(environment, loud=loud)
    try:
        for kind, seed in wanted:
            found = process.ask(kind, seed)
            yield found
            crashed = "crashed" in found["what"] or "no answer" in found["what"]
            if crashed or process.n_done >= _TRIALS_A_PROCESS:
                process.close()
                process = _Process(environment, loud=loud)
    finally:
        process.close()
