"""Keeping large buffers between training steps, in place of giving them back to the system.

glibc gives a buffer above its threshold back to the kernel when it is freed, so every step asks
for its activations anew, and the kernel zeroes every page again. With kept buffers a training step
of the recipe `best` is about 1.2 times as fast (`benchmarks/speed.py`). No result changes by a bit.

Kept buffers leave holes into which later buffers do not quite fit, so a process grows by more than
it keeps. Where a processor computes in fp32, buffers are twice as large, and only those up to
48 MiB are kept. A few buffers of each step then go back, which hardly costs time, and `best` needs
a quarter less memory (benchmarks/LOG.md).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

from shoal.training.devices import fast_bf16

KEPT = "keeps large buffers"
"""What `keep_large_buffers` returns where it took effect."""

# mallopt's parameters (malloc.h) and what they are set to.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_IN_BF16, _KEPT_IN_FP32 = 1 << 30, 48 << 20
_OLDER_GLIBC = 1 << 25
"""The highest threshold that older versions of glibc take."""
_NEVER = 2**31 - 1


def keep_large_buffers(environment: Mapping[str, str] | None = None) -> str:
    """Let this process's malloc keep freed buffers for the next step, until the process ends.

    Worth calling once, before training from Python; ``shoal train`` and ``shoal run`` do. Never
    raises, and leaves everything as it is where malloc is not glibc's own (musl, macOS, Windows,
    a preloaded jemalloc) or where the user has tuned it by ``MALLOC_…`` or ``GLIBC_TUNABLES``.

    Args:
        environment: where to look for the user's own settings; None: the process's own.

    Returns:
        `KEPT`, or "system: " and why nothing was changed.

    >>> keep_large_buffers({"MALLOC_ARENA_MAX": "1"})
    'system: MALLOC_ARENA_MAX is set'
    """
    environment = os.environ if environment is None else environment
    tuned = next((name for name in sorted(environment) if name.startswith("MALLOC_")), None)
    if tuned is None and "glibc.malloc" in environment.get("GLIBC_TUNABLES", ""):
        tuned = "GLIBC_TUNABLES"
    if tuned is not None:
        return f"system: {tuned} is set"
    libc = _glibc()
    if libc is None:
        return "system: malloc is not glibc's"
    largest = _KEPT_IN_BF16 if fast_bf16("cpu") else _KEPT_IN_FP32
    if not any(libc.mallopt(_MMAP_THRESHOLD, size) for size in (largest, _OLDER_GLIBC)):
        return "system: glibc refused"
    libc.mallopt(_TRIM_THRESHOLD, _NEVER)
    return KEPT


def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is glibc and the process's malloc is its own."""
    try:
        process, libc = ctypes.CDLL(None), ctypes.CDLL("libc.so.6")
        known = all(hasattr(libc, name) for name in ("gnu_get_libc_version", "mallopt"))
        # A preloaded or linked-in allocator takes malloc's name before glibc does.
        own = _address(process, "malloc") == _address(libc, "malloc")
    except (OSError, AttributeError, TypeError):  # no such library or name; CDLL(None) on Windows
        return None
    return libc if known and own else None


def _address(library: ctypes.CDLL, name: str) -> int | None:
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
