"""Two runs at once on one pile: into two folders that share the cache, or into the same folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from trials import kills, wholeness
from trials.disks import check_refused
from trials.kills import Undisturbed
from trials.runs import Ended, Place, ended


def trial(whole: Undisturbed, folder: Path, seed: int, share: float) -> dict[str, Any]:
    """The second run begins when ``share`` of the first is over; of every third in its first tenth.

    Into two folders, both have to find what an undisturbed run finds. Into one, exactly one of
    them has to, and the other to stop with one sentence.
    """
    place = kills.new_place(whole, folder)
    same = seed % 2 == 0
    if seed % 3 == 0:
        share /= 10
    other = place.out if same else place.folder / "other"
    first, second = _both(place, other, 0.95 * share * whole.seconds)
    problems = wholeness.broken(place.folder)
    if same:
        problems += _check_same(whole, place, (first, second))
    else:
        for one, out in ((first, place.out), (second, other)):
            if one.code:
                problems.append(f"ended with {one.code}: {one.err[-600:]}")
            else:
                problems += _check(whole, place, out)
    return {
        "seed": seed, "stage": "the same folder" if same else "two folders",
        "outcome": "failure" if problems else "fine", "what": problems,
    }  # fmt: skip


def _both(place: Place, other: Path, delay: float) -> tuple[Ended, Ended]:
    first = place.start(place.run())
    began = time.monotonic()
    while first.poll() is None and time.monotonic() - began < delay:
        time.sleep(0.01)
    second = place.start(place.run(out=other))
    return ended(first, began), ended(second, began + delay)


def _check_same(whole: Undisturbed, place: Place, runs: tuple[Ended, Ended]) -> list[str]:
    done = [one for one in runs if one.code == 0]
    problems = []
    late = len(done) == 2 and "already" in done[1].err + done[1].out  # the first had ended
    if len(done) != 1 and not late:
        problems.append(f"{len(done)} of two runs in one folder came to their end")
    for one in runs:
        if one.code:
            problems += check_refused(one, str(place.out.name))
    return problems + (_check(whole, place, place.out) if done else [])


def _check(whole: Undisturbed, place: Place, out: Path) -> list[str]:
    found = kills.check_ended(whole, place, out)
    beside = ("left behind: other", "left behind: found")
    return [one for one in found if one not in beside]
