"""What a killed run leaves is told, and each command that is told works as it stands."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.cli.going_on import going_on, going_on_here
from shoal.models import checkpoint as checkpoints

SMALL = ("--set", "encoder.widths=(8,16)", "--set", "checkpoints=4", "--device", "cpu")
Cli = Callable[..., Any]


def kill(process: subprocess.Popen[str], there: Path) -> None:
    """Kill a command as soon as ``there`` is there."""
    until = time.monotonic() + 60
    while not there.exists() and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert there.exists()


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What comes of a line that a message says, typed as it stands."""
    script = f'shoal() {{ "{sys.executable}" -m shoal "$@"; }}; {line}'
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=env, capture_output=True,
                          text=True)  # fmt: skip


def advice(said: str) -> str:
    found = re.search(r"(?:go on with|puts it back|next): ((?:shoal|cp) .*)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1]


@pytest.mark.parametrize(
    ("verb", "options", "others"),
    [
        ("train", ["--epochs", "12"], ["--epochs", "3"]),
        ("train", ["--minutes", "0.2", "-k", "2"], ["--epochs", "3", "--resume"]),
        ("run", ["--epochs", "12", "--size", "48"], ["--epochs", "12"]),
        ("run", ["--epochs", "12", "--quick", "-k", "2"], ["--minutes", "1", "--resume"]),
    ],
)
def test_what_goes_on_has_the_options_that_the_run_began_with(
    verb: str, options: list[str], others: list[str], images: np.ndarray, start_shoal: Cli,
    run_cli: Cli, tmp_path: Path,
) -> None:  # fmt: skip
    pile = tmp_path / "my pile"
    pile.mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image).resize((60, 60)).save(pile / f"{row:02}.png")
    out = tmp_path / ("my c.pth" if verb == "train" else "my found")
    final = out if verb == "train" else out / "checkpoint.pth"
    begun = start_shoal(verb, pile, out, *options, *SMALL, "--quiet")
    kill(begun, final.with_name(f"{final.name}.history") / "resume.pth")
    refused = run_cli(verb, pile, out, *others, *SMALL)
    assert refused.code == 2
    line = advice(refused.err)
    for option in options:
        assert option in shlex.split(line)
    resumed = typed(line, tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "going on at epoch" in resumed.stderr
    assert checkpoints.load(final).finished


def test_a_run_that_was_killed_before_anything_was_kept_is_told(
    images_file: Path, start_shoal: Cli, run_cli: Cli, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(images_file, "pile.npy")
    words = ("--epochs", "3", *SMALL, "--quiet")
    kill(start_shoal("run", "pile.npy", "found", *words), Path("found/shoal.json"))
    for place in ("found", "found/checkpoint.pth"):
        told = run_cli("predict", "pile.npy", place, "x.csv")
        assert told.code == 2
        assert "as its run was stopped before anything of it was kept, or has just" in told.err
    shown = run_cli(*shlex.split(told.err.rpartition("how to go on: ")[2])[1:])
    assert shown.code == 0
    assert "The run in found was stopped before anything of it was kept" in shown.out
    resumed = typed(advice(shown.err), tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(Path("found/shoal.json").read_text())["finished"]

    kill(start_shoal("train", "pile.npy", "c.pth", *words), Path("c.pth.history"))
    for command in (("info", "c.pth"), ("predict", "pile.npy", "c.pth", "x.csv")):
        told = run_cli(*command)
        assert told.code == 2
        assert "or has just begun; give its command again." in told.err
    assert run_cli("train", "pile.npy", "c.pth", *words).code == 0


def test_ctrl_c_behind_the_training_says_what_goes_on(
    images_file: Path, start_shoal: Cli, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(images_file, "pile.npy")
    process = start_shoal("run", "pile.npy", "found", "--epochs", "1", *SMALL, "--quiet")
    while not Path("found/checkpoint.pth").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    resumed = typed(advice(err), tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert Path("found/report.html").exists()


@pytest.mark.parametrize("verb", ["train", "run"])
def test_after_a_run_that_was_to_replace_another_the_other_one_is_as_it_was(
    verb: str, images_file: Path, fast: Sequence[str], start_shoal: Cli, run_cli: Cli,
    tree: Callable[[Path], dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    folder = tmp_path / "found"
    folder.mkdir()
    out = folder / "checkpoint.pth" if verb == "train" else folder
    first = (verb, images_file, out, *fast)
    assert run_cli(*first).code == 0
    if verb == "run":
        (folder / "prediction.csv").write_text("by hand")
    before = tree(folder)
    history = folder / "checkpoint.pth.history"
    second = (verb, images_file, out, "--epochs", "12", "--seed", "5", *SMALL)
    kill(start_shoal(*second, "--force", "--quiet"), history / "resume.pth")
    refused = run_cli(*first)
    assert refused.code == 2
    assert typed(advice(refused.err), tmp_path).returncode == 0
    again = run_cli(*first)
    assert again.code == 0, again.err
    assert "this run already" in again.err
    left = Path(f"{history}.previous.1")
    assert f"what the run left that did not end is kept in {left}\n" in again.err
    assert (left / "resume.pth").exists()
    shutil.rmtree(left)
    assert tree(folder) == before

    kill(start_shoal(*second, "--force", "--quiet"), history / "resume.pth")
    monkeypatch.chdir(images_file.parent)
    resumed = typed(advice(run_cli("info", history / "resume.pth").err), images_file.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert checkpoints.load(folder / "checkpoint.pth").recipe.seed == 5
    if verb == "run":
        assert (folder / "prediction.1.csv").read_text() == "by hand"


def test_a_run_that_was_killed_before_it_replaced_anything_changes_nothing(
    images_file: Path, fast: Sequence[str], run_cli: Cli, tree: Callable[[Path], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    from shoal import pipeline

    first = ("run", images_file, tmp_path / "found", *fast)
    assert run_cli(*first).code == 0
    before = tree(tmp_path)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "train", killed)
        assert run_cli(*first, "--seed", "7", "--force").code == 130
    assert tree(tmp_path) != before  # another run is recorded
    assert "holds the results of this run already" in run_cli(*first).err
    assert tree(tmp_path) == before


# --- how the command is made --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "began", "line"),
    [
        (
            "train /far/pile.npy x/c.pth --epochs 9 --force --quiet",
            "shoal train pile.npy c.pth --epochs 3 -k 4 --force",
            "shoal train /far/pile.npy x/c.pth --epochs 3 -k 4 --resume",
        ),
        (
            "train p c.pth --corrections /far/b.jsonl",
            "shoal train p c.pth --corrections b.jsonl --minutes 3",
            "shoal train p c.pth --corrections /far/b.jsonl --minutes 3 --resume",
        ),
        ("train p c -k 2 -q", "shoal train p c -k 2", "shoal train p c -k 2 -q --resume"),
        (
            "train p c.pth --epochs 3",
            "torchrun --nproc-per-node 2 -m shoal train p c.pth --epochs 3",
            "torchrun --nproc-per-node 2 -m shoal train p c.pth --epochs 3 --resume",
        ),
        (
            "train p c.pth --epochs 9",
            "shoal train p c.pth --ray --workers 2",
            "shoal train p c.pth --ray --workers 2 --resume",
        ),
        (
            "run p found --quick", "shoal run p found --minutes 2 --low-memory",
            "shoal run p found --minutes 2 --low-memory --resume",
        ),
        ("run d/digits.npy d", "shoal demo d --seed 4", "shoal demo d --seed 4"),
        ("train p found/c.pth", "shoal run p found -k 2", "shoal run p found -k 2 --resume"),
        ("train p c.pth --epochs 9", "", "shoal train p c.pth --epochs 9 --resume"),
    ],
)  # fmt: skip
def test_the_command_that_goes_on(
    now: str, began: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["shoal", *shlex.split(now)])
    assert going_on(began, Path("found")) == line


def test_the_command_that_goes_on_where_only_files_are_known(tmp_path: Path) -> None:
    pile, out = tmp_path / "pile", tmp_path / "found"
    pile.mkdir()
    began = "shoal run pile found --epochs 3 --quiet --force"
    assert going_on_here(began, out) == f"shoal run DATA {out} --epochs 3 --resume"
    assert going_on_here(began, out, pile) == f"shoal run {pile} {out} --epochs 3 --resume"
    assert going_on_here("shoal demo", out) == f"shoal demo {out}"
    assert going_on_here("", out, pile) == ""
