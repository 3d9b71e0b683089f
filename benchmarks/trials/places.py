"""Runs into folders that cannot take them: each has to stop at once, with one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trials import kills, wholeness
from trials.disks import check_refused, small_disk
from trials.kills import Undisturbed
from trials.runs import Place

Prepared = Callable[[Place], str]
"""Makes a folder that cannot take a run at ``place.out``; a word that the sentence has in it."""


def _a_file(place: Place) -> str:
    place.out.write_text("mine")
    return "file"


def _below_a_file(place: Place) -> str:
    (place.folder / "mine").write_text("mine")
    place.out.symlink_to(place.folder / "mine" / "below")
    return "file"


def _circle(place: Place) -> str:
    place.out.symlink_to(place.out)
    return "found"


def _the_pile(place: Place) -> str:
    pile = place.pile.resolve()
    place.pile.unlink()
    shutil.copytree(pile, place.pile)  # what is written there stays there
    place.out.symlink_to(place.pile)
    return "images"


def _results_are_folders(place: Place) -> str:
    (place.out / "checkpoint.pth").mkdir(parents=True)
    return "folder"


def _device(place: Place) -> str:
    place.out.symlink_to("/dev/null")
    return "found"


REFUSED: dict[str, Prepared] = {
    "a file": _a_file, "below a file": _below_a_file, "a link to itself": _circle,
    "the pile": _the_pile, "a folder for a checkpoint": _results_are_folders, "a device": _device,
}  # fmt: skip
_MOUNTED = ("read-only", "no free inodes")
_LONG = ("a long name", "a long path")
WAYS = (*REFUSED, *_MOUNTED, *_LONG)


def trial(whole: Undisturbed, folder: Path, seed: int, share: float) -> dict[str, Any]:
    """One of `WAYS`, by its number."""
    way = WAYS[seed % len(WAYS)]
    place = kills.new_place(whole, folder)
    if way in REFUSED:
        problems = _refused(place, REFUSED[way](place))
    elif way == "read-only":
        problems = _read_only(place)
    elif way == "no free inodes":
        problems = _without_inodes(whole, place, share)
    else:
        name = "ä" * 200 if way == "a long name" else "/".join(["n" * 200] * 30)
        problems = _refused(place, "long", out=place.folder / name)
    return {
        "seed": seed, "stage": way, "outcome": "failure" if problems else "fine", "what": problems
    }  # fmt: skip


def _refused(place: Place, word: str, out: Path | None = None) -> list[str]:
    before = _content(place.folder)
    stopped = place.end(place.run(out=out))
    problems = check_refused(stopped, word)
    after = _content(place.folder)
    ours = {place.cache, place.temporary}
    changed = [
        path.relative_to(place.folder).as_posix()
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and not ours & {path, *path.parents}
    ]
    return problems + ([f"refused, and yet changed: {changed}"] if changed else [])


def _content(folder: Path) -> dict[Path, int | None]:
    """Every path below a folder; of files and links when they were changed."""
    return {
        path: None if path.is_dir() else os.lstat(path).st_mtime_ns for path in folder.rglob("*")
    }


def _read_only(place: Place) -> list[str]:
    with small_disk(place.folder / "disk"):
        subprocess.run(["mount", "-o", "remount,ro", str(place.folder / "disk")], check=True)
        return check_refused(place.end(place.run(out=place.folder / "disk" / "found")), "read-only")


def _without_inodes(whole: Undisturbed, place: Place, share: float) -> list[str]:
    """A disk with room, but with no numbers left for new files from some file on."""
    numbers = 3 + int(share * len(whole.files))
    with small_disk(place.folder / "disk", f"size=64m,nr_inodes={numbers}"):
        out = place.folder / "disk" / "found"
        stopped = place.end(place.run(out=out))
        problems = check_refused(stopped, "full") + wholeness.broken(place.folder / "disk")
        subprocess.run(
            ["mount", "-o", "remount,nr_inodes=1000", str(place.folder / "disk")], check=True
        )
        done, _ = kills.go_on(place, place.run(out=out), stopped.err)
        if done.code:
            return [*problems, f"going on ended with {done.code}: {done.err[-600:]}"]
        found = kills.check_ended(whole, place, out)
    return problems + [one for one in found if one != "left behind: disk"]
