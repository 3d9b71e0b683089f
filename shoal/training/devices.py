"""The device that this machine computes on, and the precision in which it is fast."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from shoal.errors import DeviceError


def resolve_device(name: str) -> str:
    """Return ``cpu`` or ``cuda``; for ``auto`` the faster one that this machine has.

    Raises:
        DeviceError: the name is unknown, or it is cuda and there is no CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"device must be auto, cpu or cuda, got {name!r}.")
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "device must be cpu here, got 'cuda': PyTorch finds no CUDA device, or was built "
            "without CUDA."
        )
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def peak_memory() -> float | None:
    """The most memory this process has used so far, in GB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    per_gigabyte = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_gigabyte, 2)


def fast_bf16(device: str) -> bool:
    """Whether bf16 is faster than fp32 here, by what the processor says it can do.

    By instruction set, not by a timing, so that the same machine always answers the same.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    supported = [
        getattr(torch.cpu, name, lambda: False)
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    ]
    return any(bool(ask()) for ask in supported)


@contextmanager
def reproducible() -> Iterator[None]:
    """Let a CUDA device give the same bits every time, in true fp32. Changes nothing on the CPU.

    Otherwise cuDNN may add up a convolution's gradient in a random order, and rounds its inputs to
    TF32's ten bits.
    """
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
