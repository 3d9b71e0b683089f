"""A run whose cache of decoded images is damaged before it begins, or while it goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trials import kills, wholeness
from trials.kills import Undisturbed
from trials.runs import ended

Damage = Callable[[Path, np.random.Generator], None]


def _flip(low: float, high: float) -> Damage:
    """One bit, somewhere between these shares of the file."""

    def flip(file: Path, generator: np.random.Generator) -> None:
        content = bytearray(file.read_bytes())
        place = int(len(content) * generator.uniform(low, high))
        content[min(place, len(content) - 1)] ^= 1 << int(generator.integers(0, 8))
        file.write_bytes(bytes(content))

    return flip


def _truncate(file: Path, generator: np.random.Generator) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(generator.integers(0, len(content)))])


def _replace_by_folder(file: Path, _: np.random.Generator) -> None:
    file.unlink()
    (file / "inner").mkdir(parents=True)


def _replace_cache_by_file(file: Path, _: np.random.Generator) -> None:
    cache = file.parents[2]
    shutil.rmtree(cache)
    cache.write_bytes(b"a file")


def _replace_by_zeros(file: Path, _: np.random.Generator) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _replace_by_another(file: Path, generator: np.random.Generator) -> None:
    np.save(file, generator.integers(0, 256, (9, 32, 32, 3), dtype=np.uint8))


def _link_to_nowhere(file: Path, _: np.random.Generator) -> None:
    file.unlink()
    file.symlink_to(file.with_name("nowhere"))


def _delete_all(file: Path, _: np.random.Generator) -> None:
    shutil.rmtree(file.parents[2], ignore_errors=True)


BEFORE: dict[str, Damage] = {
    "header": _flip(0, 0.0001), "pixels": _flip(0.001, 0.98), "index": _flip(0.997, 0.9999),
    "footer": _flip(0.99999, 1), "truncated": _truncate, "zeros": _replace_by_zeros,
    "a folder": _replace_by_folder, "the cache is a file": _replace_cache_by_file,
    "other images": _replace_by_another, "a dead link": _link_to_nowhere,
}  # fmt: skip
"""What is done to the file in the cache before the run."""
WHILE: dict[str, Damage] = {"deleted while it runs": _delete_all}


def trial(whole: Undisturbed, folder: Path, seed: int, share: float) -> dict[str, Any]:
    """One run on a damaged cache: it has to find what an undisturbed one finds."""
    generator = np.random.default_rng(seed)
    ways = list(BEFORE | WHILE)
    way = ways[seed % len(ways)]
    place = kills.new_place(whole, folder)
    shutil.copytree(whole.place.cache / "shoal", place.cache / "shoal")
    problems: list[str] = []
    files = sorted((place.cache / "shoal").rglob("*.npy"))
    if way in BEFORE:
        for file in files:  # one file may have two names
            if not place.cache.is_dir():
                break
            BEFORE[way](file, generator)
        done = place.end(place.run())
    else:
        process = place.start(place.run())
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < share * whole.seconds:
            time.sleep(0.01)
        WHILE[way](files[0], generator)
        done = ended(process, began)
    if done.code:
        problems.append(f"ended with {done.code}: {done.err[-600:]}")
    else:
        problems += kills.check_ended(whole, place, place.out)
    if way in ("a folder", "the cache is a file", "a dead link"):
        problems = [one for one in problems if not one.startswith("left behind: cache")]
    return {
        "seed": seed, "stage": way, "outcome": "failure" if problems else "fine",
        "what": problems + ([] if not problems else wholeness.broken(place.out)),
    }  # fmt: skip
