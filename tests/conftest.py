"""What the tests share: a tiny pile of two kinds, a finished checkpoint of it, and the commands."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before torch is imported anywhere: one thread makes runs equal bit for bit, and is fastest on
# images this small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Decoded images are kept in a cache: not in the user's own.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="shoal-tests-")

import numpy as np
import pytest
from small_encoder import SMALL_ENCODER

atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
# A shell without a terminal lets what it begins with & ignore Ctrl-C, and what that begins, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

FAST = [
    "--recipe",
    "best",
    "--epochs",
    "1",
    "--seed",
    "0",
    "--device",
    "cpu",
    *(word for setting in (*SMALL_ENCODER, "checkpoints=3") for word in ("--set", setting)),
]


@dataclass(frozen=True)
class Result:
    """What a command left on its two streams, and its exit code."""

    code: int
    out: str
    err: str


def _print_warning(message: Any, category: Any, name: str, line: int, *_: Any) -> None:
    print(warnings.formatwarning(message, category, name, line), end="", file=sys.stderr)


def shoal_in_process(*arguments: str | Path) -> Result:
    """Run ``shoal ARGUMENTS`` by its own entry point, here: what escapes becomes a traceback."""
    from shoal.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    argv = sys.argv
    sys.argv = ["shoal", *map(str, arguments)]
    code: Any = 0
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
        ):
            # As outside pytest, which keeps warnings for itself: they are lines on stderr.
            warnings.simplefilter("default")
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
                warnings.simplefilter("ignore", kind)
            warnings.simplefilter("ignore", ResourceWarning)
            warnings.showwarning = _print_warning
            try:
                main()
            except SystemExit as stop:
                code = 0 if stop.code is None else stop.code
            except Exception:  # noqa: BLE001 - as the interpreter would show it
                code = 1
                traceback.print_exc(limit=-3)
    finally:
        sys.argv = argv
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def run_cli() -> Callable[..., Result]:
    """``run_cli("info", path)``: a command in this process; see `Result`."""
    return shoal_in_process


@pytest.fixture(scope="session")
def start_shoal() -> Callable[..., subprocess.Popen[str]]:
    """``start_shoal("train", …)``: a command in a process of its own, its streams piped."""

    def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "shoal", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            **{"env": {**os.environ, "OMP_NUM_THREADS": "1"}, **options},
        )

    return start


@pytest.fixture(scope="session")
def fast() -> Sequence[str]:
    """Options of ``train`` and ``run`` that make a run of 40 tiny images take a second."""
    return tuple(FAST)


@pytest.fixture(scope="session")
def kinds() -> np.ndarray:
    """The kind of each of `images`, int64 (40,): 0 is flat and reddish, 1 is striped."""
    return np.arange(40) % 2


@pytest.fixture(scope="session")
def images(kinds: np.ndarray) -> np.ndarray:
    """uint8 (40, 8, 8, 3) of two kinds that anybody can tell apart; read-only."""
    generator = np.random.default_rng(0)
    made = np.empty((40, 8, 8, 3), dtype=np.int64)
    made[kinds == 0] = (220, 60, 40)
    made[kinds == 1] = np.where(np.arange(8)[:, None, None] % 4 < 2, 250, 5)
    made += generator.integers(-20, 20, (40, 1, 1, 3)) + generator.integers(-5, 6, made.shape)
    made = np.clip(made, 0, 255).astype(np.uint8)
    made.flags.writeable = False
    return made


@pytest.fixture(scope="session")
def images_file(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`images` as a .npy file."""
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, images)
    return path


@pytest.fixture(scope="session")
def checkpoint_file(images_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished checkpoint of `images`, its history of three beside it. Do not change it."""
    path = tmp_path_factory.mktemp("finished") / "checkpoint.pth"
    result = shoal_in_process("train", images_file, path, "--quiet", *FAST)
    assert result == Result(0, "", "")
    return path


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, str]]:
    """``tree(folder)``: every path below it, a file with a digest of its content."""

    def snapshot(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else "not a file"
            for path in sorted(folder.rglob("*"))
        }

    return snapshot
