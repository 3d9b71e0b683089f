"""Commands in forks of this process, which has imported what they need: four times as many trials.

What is started, killed and waited for is a process as any other; only its first two seconds, in
which Python reads modules, are left out.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

_IMPORTED = (
    "faiss", "matplotlib.backends.backend_agg", "matplotlib.font_manager", "openTSNE",
    "pyarrow.parquet", "scipy.optimize", "shoal.cli", "shoal.cli.demo_images",
    "shoal.reports.assembly", "shoal.reports.html", "shoal.cli.fit", "sklearn.cluster",
    "sklearn.isotonic",
    "sklearn.mixture", "sklearn.neighbors", "torch._dynamo", "torch.optim",
)  # fmt: skip


class Forked:
    """What `subprocess.Popen` is for a command of its own: as much of it as the trials use."""

    def __init__(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        for name in _IMPORTED:  # once, for all forks
            importlib.import_module(name)
        self._streams = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._be(arguments, cwd, env)

    def _be(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        from shoal.__main__ import main

        code = 1
        try:
            os.setsid()
            os.chdir(cwd)
            os.environ.update(env)
            tempfile.tempdir = None
            for number, stream in enumerate(self._streams, start=1):
                os.dup2(stream.fileno(), number)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.argv = ["shoal", *arguments]
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        except BaseException:  # noqa: BLE001 - as the interpreter would show it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait; then its two streams."""
        began = time.monotonic()
        while self.poll() is None:
            if timeout is not None and time.monotonic() - began > timeout:
                raise subprocess.TimeoutExpired("shoal", timeout)
            time.sleep(0.005)
        said = []
        for stream in self._streams:
            stream.seek(0)
            said.append(stream.read())
        return said[0], said[1]
