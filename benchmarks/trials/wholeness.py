"""Whether the files of a folder are whole, and whether anything is left behind in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trials.runs import Place

TEMPORARY = ".shoal-"
"""How the names begin of files that are being written."""


def _checkpoint(path: Path) -> None:
    from shoal.models import checkpoint as checkpoints

    checkpoints.load(path).build_encoder()


def _csv(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines(), strict=True))
    if not text.endswith("\n") or len({len(row) for row in rows}) != 1:
        raise ValueError("rows of different lengths, or no end")


def _parquet(path: Path) -> None:
    import pyarrow.parquet as pq

    pq.read_table(path)


def _picture(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def _page(path: Path) -> None:
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("it has no end")


def _pdf(path: Path) -> None:
    from pypdf import PdfReader

    len(PdfReader(path).pages)


def _array(path: Path) -> None:
    np.asarray(np.load(path, mmap_mode="r")[:]).sum()


_OPEN: dict[str, Callable[[Path], None]] = {
    ".pth": _checkpoint, ".csv": _csv, ".parquet": _parquet, ".png": _picture, ".html": _page,
    ".pdf": _pdf, ".npy": _array, ".json": lambda path: json.loads(path.read_text()),
}  # fmt: skip


def broken(folder: Path) -> list[str]:
    """The files below a folder that do not open whole, but temporary ones, each with the reason."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith(TEMPORARY) or path.suffix not in _OPEN:
            continue
        try:
            _OPEN[path.suffix](path)
        except Exception as error:  # noqa: BLE001 - any is what is looked for
            found.append(f"half-written: {path.relative_to(folder)} ({error})")
    return found


def names(out: Path) -> set[str]:
    """Every file and folder below ``out``."""
    return {path.relative_to(out).as_posix() for path in out.rglob("*")}


def left_behind(place: Place, out: Path, expected: set[str]) -> list[str]:
    """What is in a place at the end of a run that an undisturbed run does not leave there.

    ``expected`` are the names below its results. Beside them there may be the pile and the cache
    with whole images, and nothing else.
    """
    found = [f"left behind: {name}" for name in sorted(names(out) - expected)]
    found += [f"missing: {name}" for name in sorted(expected - names(out))]
    known = {place.pile, place.cache, place.temporary, out}
    found += [f"left behind: {path.name}" for path in place.folder.iterdir() if path not in known]
    found += [
        f"left behind: {path.relative_to(place.folder)}"
        for path in place.temporary.iterdir()
        if not path.name.startswith("torchinductor")  # PyTorch's own cache of the user
    ]
    found += [
        f"left behind: {path.relative_to(place.folder)}"
        for path in (place.cache / "shoal").rglob("*")  # beside it matplotlib has its own
        if path.is_file() and (path.name.startswith(".") or path.suffix != ".npy")
    ]
    return found
