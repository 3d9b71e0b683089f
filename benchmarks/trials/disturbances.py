"""The parts of the campaign that disturb a run: how often, and by what."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trials import caches, commands, disks, kills, places, together
from trials.kills import Undisturbed

Trial = Callable[[Undisturbed, Path, int, float], dict[str, Any]]
PARTS: dict[str, tuple[int, Trial]] = {
    "kills": (100, partial(kills.trial, how=signal.SIGKILL)),
    "interrupts": (20, partial(kills.trial, how=signal.SIGINT)),
    "disks": (20, disks.trial),
    "caches": (22, caches.trial),
    "together": (20, together.trial),
    "commands": (40, commands.trial),
    "places": (len(places.WAYS), places.trial),
}
"""How many trials, and one of them."""


def disturbed(
    part: str, n: int, folder: Path, n_images: int, start: int
) -> Iterator[dict[str, Any]]:
    """Trials of a part in a folder, each with the share of the run at which it is disturbed.

    The shares are spread evenly over the run, each at random within its stretch; a trial that
    comes too late, as its run was faster, is made again earlier.
    """
    base = folder / "undisturbed"
    whole = _undisturbed(base, n_images)
    _, trial = PARTS[part]
    if part in ("disks", "places") and not disks.can_mount(folder / "disk"):
        print(f"{part}: left out, as it wants the right to mount a disk")
        return
    # In a random order, so that a campaign that is ended early has seen all of the run, too.
    stretches = np.random.default_rng([n, start]).permutation(n)
    for number, stretch in enumerate(stretches.tolist()):
        seed = start + number
        generator = np.random.default_rng([seed, 11])
        share = (stretch + float(generator.random())) / n
        row = trial(whole, folder / "trial", seed, share)
        while row["outcome"] == "too late":
            share *= 0.97
            row = trial(whole, folder / "trial", seed, share)
        yield {"kind": part} | row


_made: dict[Path, Undisturbed] = {}


def _undisturbed(folder: Path, n_images: int) -> Undisturbed:
    if folder not in _made:
        twice = not os.environ.get("SHOAL_TRIALS_FORKED")
        _made[folder] = kills.undisturbed(folder, n_images, twice=twice)
    return _made[folder]
