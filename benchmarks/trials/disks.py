"""A run on a disk that fills up, and gone on with when there is room again.

The disk is a small one in memory (tmpfs), which wants the right to mount; a file on it takes what
the run is not to have.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from trials import kills, wholeness
from trials.kills import Undisturbed
from trials.runs import Ended

_SIZE = 64 * 2**20


@contextmanager
def small_disk(folder: Path, options: str = f"size={_SIZE}") -> Iterator[None]:
    """A disk of its own at ``folder``, gone at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def can_mount(folder: Path) -> bool:
    """Whether this process may."""
    try:
        with small_disk(folder):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def trial(whole: Undisturbed, folder: Path, seed: int, share: float) -> dict[str, Any]:
    """One run with room for ``share`` of what it leaves, on half of the seeds the cache there, too.

    What fits not even at the end cannot fit: the run has to stop, and say why.
    """
    everything = sum(path.stat().st_size for path in whole.place.out.rglob("*") if path.is_file())
    with small_disk(folder / "disk"):
        place = kills.new_place(whole, folder / "disk" / "place")
        if np.random.default_rng(seed).random() < 0.5:  # results alone are on the small disk
            elsewhere = folder / "elsewhere"
            shutil.rmtree(elsewhere, ignore_errors=True)
            (elsewhere / "cache").mkdir(parents=True)
            (elsewhere / "temporary").mkdir()
            place.cache.symlink_to(elsewhere / "cache")
            place.temporary.symlink_to(elsewhere / "temporary")
        ballast = folder / "disk" / "ballast"
        _leave(ballast, int(everything * share))
        stopped = place.end(place.run())
        problems = check_refused(stopped, "full") + wholeness.broken(place.folder)
        problems += [
            f"left behind on a full disk: {path.name}"
            for path in place.folder.rglob(f"{wholeness.TEMPORARY}*")
        ]
        ballast.unlink()
        done, turns = kills.go_on(place, place.run(), stopped.err)
        if done.code:
            problems.append(f"going on ended with {done.code}: {done.err[-600:]}")
        else:
            problems += kills.check_ended(whole, place, place.out)
    return {
        "seed": seed, "stage": kills.stage(stopped), "turns": turns,
        "resumed": "going on" in done.err + done.out,
        "outcome": "failure" if problems else "fine", "what": problems,
    }  # fmt: skip


def check_refused(ended: Ended, word: str) -> list[str]:
    """What is wrong with a command that had to stop with one sentence that has ``word`` in it."""
    said = [line for line in ended.err.splitlines() if line.startswith("shoal: ")]
    right = ended.code == 2 and len(said) == 1 and "Traceback" not in ended.err
    if right and word in said[0] and ended.err.rstrip().endswith(said[0]):
        return []
    return [f"{ended.code} in place of one sentence about {word!r}: {ended.err[-900:]}"]


def _leave(ballast: Path, n_bytes: int) -> None:
    """Fill a disk but for so many bytes."""
    free = shutil.disk_usage(ballast.parent).free
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - n_bytes)))
