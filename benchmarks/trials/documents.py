"""Damaged files that shoal wrote or a person edits, given to the commands that read them."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from trials.checkpoints import damaged_checkpoint
from trials.mutations import mutate
from trials.samples import picture
from trials.verdicts import WrongError, check_message

TINY = ("--recipe", "best", "--epochs", "1", "--seed", "0", "--device", "cpu", "-k", "2",
        "--set", "encoder.widths=(8,16)", "--set", "checkpoints=3")  # fmt: skip
"""Options that make a run of a few small images take a second."""
_N_IMAGES = 40


def prepare(folder: Path) -> None:
    """A pile, a run of it and what a person makes from there: what the trials damage copies of."""
    pile = folder / "pile"
    pile.mkdir(parents=True)
    for number in range(_N_IMAGES):
        picture(number % 20).point(lambda level, add=number: min(255, level + add)).resize(
            (12, 12)
        ).save(pile / f"{number:02}.png")
    code, _, err = command("run", pile, folder / "run", "--quiet", *TINY)
    if code:
        raise SystemExit(f"the trials cannot be prepared: {err}")
    for name in ("checkpoint.pth", "shoal.json"):
        shutil.copyfile(folder / "run" / name, folder / name)
    checkpoint = folder / "checkpoint.pth"
    for arguments in (
        ("predict", pile, checkpoint, folder / "prediction.csv", "--table", folder / "t.parquet"),
        ("tree", pile, checkpoint, folder / "tree.json"),
    ):
        code, _, err = command(*arguments, "--quiet")
        if code:
            raise SystemExit(f"the trials cannot be prepared: {err}")
    ids = [f"{number:02}.png" for number in range(_N_IMAGES)]
    (folder / "names.csv").write_text("cluster,name\n0,sea\n1,beast\n")
    pairs = ["a,b", *map(",".join, pairwise(ids))]
    (folder / "pairs.csv").write_text("\n".join(pairs))
    (folder / "labels.csv").write_text("\n".join(["id,label", *(f"{one},{one[1]}" for one in ids)]))
    np.save(folder / "labels.npy", np.arange(_N_IMAGES) % 2)
    journal = folder / "checkpoint.corrections.jsonl"
    code, _, err = command("import-labels", pile, checkpoint, folder / "labels.csv", "--quiet")
    if code:
        raise SystemExit(f"the trials cannot be prepared: {err}")
    journal.rename(folder / "journal.jsonl")


def command(*arguments: str | Path) -> tuple[int, str, str]:
    """Run ``shoal ARGUMENTS`` by its entry point: exit code and the two streams.

    Raises:
        Exception: what shoal let pass; it would be a traceback.
    """
    from shoal.__main__ import main

    out, err, argv, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["shoal", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    finally:
        sys.argv = argv
    return code, out.getvalue(), err.getvalue()


def _of_checkpoint(folder: Path, generator: np.random.Generator) -> tuple[str | Path, ...]:
    checkpoint, pile = folder / "checkpoint.pth", folder / "pile"
    return (
        ("info", checkpoint),
        ("info", checkpoint, "--json"),
        ("predict", pile, checkpoint, folder / "new.csv"),
        ("predict", pile, checkpoint, folder / "new.csv", "-k", "3"),
        ("predict", pile, checkpoint, folder / "new.csv", "--table", folder / "new.parquet"),
        ("train", pile, checkpoint, *TINY, "--resume", "--quiet"),
        ("similar", pile, checkpoint, "00.png", "--csv", folder / "s.csv", "--picture",
         folder / "s.png"),
        ("evaluate", pile, checkpoint, folder / "labels.npy"),
    )[int(generator.integers(0, 8))]  # fmt: skip


def _resume(folder: Path, generator: np.random.Generator) -> tuple[str | Path, ...]:
    content = (folder / "checkpoint.pth").read_bytes()
    history = folder / "checkpoint.pth.history"
    history.mkdir()
    (history / "resume.pth").write_bytes(content)
    (folder / "checkpoint.pth").unlink()
    return ("train", folder / "pile", folder / "checkpoint.pth", *TINY, "--resume", "--quiet")


def _of_record(folder: Path, generator: np.random.Generator) -> tuple[str | Path, ...]:
    found = folder / "found"
    found.mkdir()
    for path in (folder / "run").iterdir():
        if path.is_file() and path.name != "shoal.json":
            shutil.copyfile(path, found / path.name)
    (folder / "shoal.json").rename(found / "shoal.json")
    again = ("run", folder / "pile", found, *TINY, "--quiet")
    return (
        again, (*again, "--resume"), ("export", found, found / "table.parquet", folder / "x.csv"),
        ("predict", found, folder / "checkpoint.pth", folder / "new.csv"),
    )[int(generator.integers(0, 4))]  # fmt: skip


def _of_prediction(name: str) -> Callable[[Path, np.random.Generator], tuple[str | Path, ...]]:
    def chosen(folder: Path, generator: np.random.Generator) -> tuple[str | Path, ...]:
        file, pile = folder / name, folder / "pile"
        kinds = ("csv", "json", "folders", "parquet")
        kind = kinds[int(generator.integers(0, 4))]
        out = folder / ("exported" if kind == "folders" else f"exported.{kind}")
        return (
            ("name", file, folder / "names.csv"),
            ("export", pile, file, out, "--as", kind),
            ("export", pile, file, out, "--as", kind, "--dry-run"),
        )[int(generator.integers(0, 3))]

    return chosen


def _of_labels(name: str) -> Callable[[Path, np.random.Generator], tuple[str | Path, ...]]:
    return lambda folder, _: (
        "evaluate", folder / "pile", folder / "checkpoint.pth", folder / name
    )  # fmt: skip


def _of_journal(folder: Path, generator: np.random.Generator) -> tuple[str | Path, ...]:
    checkpoint, pile = folder / "checkpoint.pth", folder / "pile"
    (folder / "journal.jsonl").rename(folder / "checkpoint.corrections.jsonl")
    return (
        ("predict", pile, checkpoint, folder / "new.csv"),
        ("export", pile, folder / "prediction.csv", folder / "x.json", "--as", "json"),
        ("import-labels", pile, checkpoint, folder / "labels.csv"),
    )[int(generator.integers(0, 3))]


def _import(folder: Path, _: np.random.Generator) -> tuple[str | Path, ...]:
    return ("import-labels", folder / "pile", folder / "checkpoint.pth", folder / "labels.csv")


Chosen = Callable[[Path, np.random.Generator], tuple[str | Path, ...]]
KINDS: dict[str, tuple[str, Chosen]] = {
    "checkpoint": ("checkpoint.pth", _of_checkpoint),
    "resume-file": ("checkpoint.pth", _resume),
    "record": ("shoal.json", _of_record),
    "names": ("names.csv", lambda folder, _: (
        "name", folder / "prediction.csv", folder / "names.csv")),
    "prediction": ("prediction.csv", _of_prediction("prediction.csv")),
    "table": ("t.parquet", _of_prediction("t.parquet")),
    "tree": ("tree.json", lambda folder, generator: (
        "cut", folder / "tree.json", folder / "cut.csv", "-k", str(generator.integers(1, 6)))),
    "pairs": ("pairs.csv", lambda folder, _: (
        "pairs", folder / "pile", folder / "checkpoint.pth", "--pairs", folder / "pairs.csv",
        folder / "decided.csv")),
    "labels-csv": ("labels.csv", _of_labels("labels.csv")),
    "labels-npy": ("labels.npy", _of_labels("labels.npy")),
    "journal": ("journal.jsonl", _of_journal),
    "labels-to-import": ("labels.csv", _import),
}  # fmt: skip
"""What is damaged, and which command reads it."""


def give_damaged(kind: str, seed: int, folder: Path) -> str:
    """Damage one file of a finished run and run a command on it.

    Returns:
        ``used`` or ``refused`` (exit code 2, one plain sentence, and no file more or changed).

    Raises:
        WrongError: see `verdicts`.
        Exception: whatever shoal let pass.
    """
    assets = Path(os.environ["SHOAL_TRIALS"])
    generator = np.random.default_rng([seed, *kind.encode()])
    name, choose = KINDS[kind]
    for path in assets.iterdir():  # the rest is only read
        if path.is_dir():
            (folder / path.name).symlink_to(path)
        else:
            shutil.copyfile(path, folder / path.name)
    content = (folder / name).read_bytes()
    if name == "checkpoint.pth":
        content = damaged_checkpoint(content, generator)
    else:
        other = assets.joinpath(("prediction.csv", "names.csv")[int(generator.integers(0, 2))])
        content = mutate(content, [content, other.read_bytes()], generator)
    (folder / name).write_bytes(content)
    arguments = choose(folder, generator)
    before = _state(folder)
    code, _, err = command(*arguments)
    said = [line for line in err.splitlines() if line.startswith("shoal: ")]
    if code == 0 and "Traceback" not in err:
        return "used"
    if code != 2:
        raise WrongError(f"exit code {code}: {err[-1000:]}")
    if len(said) != 1 or not err.rstrip().endswith(said[0]):
        raise WrongError(f"not one plain sentence: {err[-1000:]}")
    check_message(said[0])
    if kind != "resume-file" and _state(folder) != before:
        raise WrongError(
            f"refused, and yet files changed: {sorted(set(_state(folder)) ^ set(before))}"
        )
    return "refused"


def _state(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
