"""What this machine computes on, and in which precision it is fast."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from shoal.errors import DeviceError


def resolve_device(name: str) -> str:
    """``auto``, ``cpu`` or ``cuda`` as what this machine has.

    Raises:
        DeviceError: an unknown name, or cuda without a CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"a device is expected among auto, cpu, cuda, and {name!r} came.")
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "--device cuda needs a CUDA device and a PyTorch built for it, and PyTorch finds "
            "none; use --device cpu."
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
    """Inside, a CUDA device gives the same bits every time, and fp32 is fp32 there.

    Otherwise cuDNN may add up a convolution's gradient in an order left to chance, and rounds what
    goes into it to TF32's ten bits. On the CPU nothing changes.
    """
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
