"""The allocator's setting: it keeps memory, changes no bit, and steps back from a user's own."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shoal.training import allocator

on_glibc = pytest.mark.skipif(allocator._glibc() is None, reason="malloc is not glibc's")

RESIDENT = """
import os, sys
import numpy as np
from shoal.training.allocator import keep_large_buffers

if sys.argv[1] == "keep":
    print(keep_large_buffers())
    print(keep_large_buffers())  # twice is as good as once

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
buffers = [np.ones(3 << 20) for _ in range(5)]  # 24 MiB each
del buffers
print((resident() - before) >> 20)
"""


def untuned() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MALLOC_") and name not in ("GLIBC_TUNABLES", "LD_PRELOAD")
    }


@on_glibc
@pytest.mark.parametrize("way", ["keep", "leave"])
def test_freed_buffers_are_kept_only_when_asked(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT, way],
        capture_output=True, text=True, check=True, env=untuned(),
    )  # fmt: skip
    *answers, mebibytes = done.stdout.splitlines()
    if way == "keep":
        assert answers == [allocator.KEPT] * 2
        assert int(mebibytes) > 100
    else:
        assert int(mebibytes) < 30


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MALLOC_MMAP_THRESHOLD_": "65536"}, "MALLOC_MMAP_THRESHOLD_"),
        ({"MALLOC_TRIM_THRESHOLD_": "65536"}, "MALLOC_TRIM_THRESHOLD_"),
        ({"MALLOC_ARENA_MAX": "2"}, "MALLOC_ARENA_MAX"),
        ({"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=65536"}, "GLIBC_TUNABLES"),
    ],
)
def test_a_user_who_tuned_malloc_is_left_alone(
    environment: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocator, "_glibc", lambda: pytest.fail("malloc was touched"))
    assert allocator.keep_large_buffers(environment) == f"system: {named} is set"


@on_glibc
def test_tunables_of_something_else_do_not_count() -> None:
    assert allocator.keep_large_buffers({"GLIBC_TUNABLES": "glibc.cpu.x86_ibt=off"}) == (
        allocator.KEPT
    )


@on_glibc
def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    different = itertools.count()
    monkeypatch.setattr(allocator, "_address", lambda library, name: next(different))
    assert allocator.keep_large_buffers({}) == "system: malloc is not glibc's"


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_elsewhere_nothing_happens_and_nothing_is_raised(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert allocator.keep_large_buffers({}) == "system: malloc is not glibc's"


@pytest.mark.parametrize(
    ("highest", "answer"), [(2**40, "kept"), (1 << 25, "kept"), (0, "system: glibc refused")]
)
@pytest.mark.parametrize(("bf16", "wanted"), [(True, 1 << 30), (False, 48 << 20)])
def test_the_threshold_suits_the_precision_and_an_older_glibc_takes_a_lower_one(
    highest: int, answer: str, bf16: bool, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Libc:
        def __init__(self) -> None:
            self.taken: dict[int, int] = {}

        def mallopt(self, parameter: int, value: int) -> int:
            if parameter == -3 and value > highest:
                return 0
            self.taken[parameter] = value
            return 1

    libc = Libc()
    monkeypatch.setattr(allocator, "_glibc", lambda: libc)
    monkeypatch.setattr(allocator, "fast_bf16", lambda device: bf16)
    assert allocator.keep_large_buffers({}) == answer.replace("kept", allocator.KEPT)
    if answer == "kept":
        assert libc.taken == {-3: min(highest, wanted), -1: 2**31 - 1}
    else:
        assert libc.taken == {}


@on_glibc
def test_the_weights_are_the_same_bits_with_and_without(
    images_file: Path,
    fast: tuple[str, ...],
    start_shoal: Callable[..., Any],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    found = []
    for name, options in {"kept": (), "low": ("--low-memory",)}.items():
        path = tmp_path / f"{name}.pth"
        process = start_shoal(
            "train", images_file, path, "--quiet", *fast, *options,
            env={**untuned(), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        found.append(json.loads(run_cli("info", path, "--json").out))
    assert found[0]["weights_sha256"] == found[1]["weights_sha256"]
    assert [about["provenance"]["allocator"] for about in found] == [
        allocator.KEPT,
        "system: as asked",
    ]
