"""A run killed or interrupted at a random moment, and gone on with as shoal says."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trials import wholeness
from trials.runs import Ended, Place, differences, ended, make_pile, next_command, results

TIMELESS = ("report.html",)
"""Files that tell how long the run took: not compared."""


@dataclass(frozen=True)
class Undisturbed:
    """What a run finds that nobody disturbs, which files it leaves, and when it does what."""

    place: Place
    found: dict[str, str]
    files: set[str]
    began: float
    """Seconds from the start until the first file is written: decoding."""
    seconds: float


def undisturbed(folder: Path, n_images: int, *, twice: bool = True) -> Undisturbed:
    """Make a pile and run on it; ``twice`` makes sure that two runs find the same."""
    place = Place(folder)
    make_pile(place.pile, n_images)
    process = place.start(place.run())
    start, began = time.monotonic(), 0.0
    while process.poll() is None and not began:
        time.sleep(0.01)
        if place.cache.exists():
            began = time.monotonic() - start
    first = ended(process, start)
    if first.code:
        raise SystemExit(f"the undisturbed run failed: {first.err}")
    found = results(place.out)
    if twice:
        second = place.end(place.run(out=folder / "again"))
        varying = differences(found, results(folder / "again")) if not second.code else ["all"]
        if set(varying) - set(TIMELESS):
            raise SystemExit(f"two undisturbed runs differ in {varying}: {second.err}")
    return Undisturbed(
        place, {name: one for name, one in found.items() if name not in TIMELESS},
        wholeness.names(place.out), began, first.seconds,
    )  # fmt: skip


def new_place(whole: Undisturbed, folder: Path) -> Place:
    """A place with the same pile and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    place = Place(folder)
    place.pile.symlink_to(whole.place.pile)
    return place


def stop_at(place: Place, arguments: tuple[str, ...], moment: float, how: int) -> Ended | None:
    """Send a command a signal after so many seconds; None if it had ended by then."""
    process = place.start(arguments)
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < moment:
        time.sleep(0.002)
    if process.poll() is not None:
        ended(process, start)
        return None
    os.kill(process.pid, how)
    if how == signal.SIGINT and int(moment * 1000) % 3 == 0:  # an impatient person
        time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, how)
    return ended(process, start)


def go_on(place: Place, arguments: tuple[str, ...], said: str = "") -> tuple[Ended, int]:
    """Do as shoal says, and where it has said nothing, give the same command again.

    Returns:
        how the last command ended, and how many it took.
    """
    for turn in range(1, 5):
        told = next_command(said)
        if told is None and "--resume" in said and "--resume" not in arguments:
            told = (*arguments, "--resume")
        if turn > 1 and told is None:
            break
        arguments = told or arguments
        done = place.end(arguments)
        if done.code == 0:
            break
        said = done.err
    return done, turn


def trial(whole: Undisturbed, folder: Path, seed: int, share: float, how: int) -> dict[str, Any]:
    """One run stopped when ``share`` of it is over, from decoding to the end; and gone on with."""
    generator = np.random.default_rng([seed, how])
    place = new_place(whole, folder)
    arguments = place.run()
    problems: list[str] = []
    moment = whole.began + share * (whole.seconds - whole.began)
    stopped = stop_at(place, arguments, moment, how)
    row: dict[str, Any] = {"seed": seed, "moment": round(moment, 2)}
    if stopped is None:
        return row | {"outcome": "too late", "what": []}
    problems += check_stopped(place, stopped, how)
    out, moved = place.out, bool(generator.random() < 0.1 and place.out.exists())
    said = stopped.err if how == signal.SIGINT else ""
    if moved:
        out = place.folder / "moved"
        place.out.rename(out)
        arguments, said = place.run(out=out), ""
    if generator.random() < 0.2:  # killed once more on the way
        again = (next_command(said) or arguments) if said else arguments
        if stop_at(place, again, float(generator.uniform(2, whole.seconds)), signal.SIGKILL):
            problems += wholeness.broken(place.folder)
    done, turns = go_on(place, arguments, said)
    row |= {"stage": stage(stopped), "moved": moved, "turns": turns,
            "resumed": "going on" in done.err + done.out}  # fmt: skip
    if done.code:
        problems.append(f"going on ended with {done.code}: {done.err[-600:]}")
    else:
        problems += check_ended(whole, place, out)
    return row | {"outcome": "failure" if problems else "fine", "what": problems}


def check_stopped(place: Place, stopped: Ended, how: int) -> list[str]:
    """What is wrong right after a run was stopped."""
    problems = wholeness.broken(place.folder)
    if how == signal.SIGINT:
        lines = [line for line in stopped.err.splitlines() if line.startswith("shoal: ")]
        # A second Ctrl-C may come when Python is ending, and has given the signal back.
        if (
            stopped.code not in (130, -signal.SIGINT)
            or "Traceback" in stopped.err
            or len(lines) != 1
        ):
            problems.append(f"Ctrl-C ended with {stopped.code}: {stopped.err[-600:]}")
        names = [path.name for path in place.folder.rglob(f"{wholeness.TEMPORARY}*")]
        problems += [f"left behind by Ctrl-C: {name}" for name in names]
    return problems


def check_ended(whole: Undisturbed, place: Place, out: Path) -> list[str]:
    """What is wrong at the end of a run that was disturbed."""
    problems = wholeness.broken(place.folder) + wholeness.left_behind(place, out, whole.files)
    try:
        found = results(out)
    except Exception as error:  # noqa: BLE001 - whatever it is, the results cannot be read
        return [*problems, f"no results: {error}"]
    found = {name: one for name, one in found.items() if name not in TIMELESS}
    differing = differences(found, whole.found)
    return problems + ([f"other results: {', '.join(differing)}"] if differing else [])


def stage(stopped: Ended) -> str:
    """How far a run had come when it was stopped, by what it had said."""
    said = stopped.err + stopped.out
    marks = {"written to": "files", "trained in": "predicting", "recipe": "training"}
    for mark, name in marks.items():
        if mark in said:
            return name
    return "decoding"
