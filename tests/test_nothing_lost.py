"""Nothing that a person did, and no result of another run, is replaced without being told to."""

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
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
LONG = ("--epochs", "12", "--set", "encoder.widths=(8,16)", "--set", "checkpoints=4")


@pytest.fixture(scope="module")
def run_once(
    images_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a run; copy it before you change it."""
    folder = tmp_path_factory.mktemp("once") / "found"
    result = run_cli("run", images_file, folder, "-k", "2", *fast)
    assert result.code == 0, result.err
    return folder


@pytest.fixture
def found(run_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_once, tmp_path / "found"))


def write_names(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["cluster,name", *rows]) + "\n")
    return path


# --- a second run -------------------------------------------------------------------------------


def test_the_same_run_again_changes_nothing(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], tmp_path: Path,
) -> None:  # fmt: skip
    names = write_names(tmp_path / "names.csv", "0,stripes", "1,red")
    assert run_cli("name", found / "prediction.csv", names).code == 0
    before = tree(found)
    result = run_cli("run", images_file, found, "-k", "2", *fast)
    assert result.code == 0, result.err
    assert "holds the results of this run already; with names: prediction.csv; add" in result.err
    assert tree(found) == before


def test_what_another_run_is_goes_before_the_settings_that_follow_from_it(
    found: Path, images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "v.npy", np.eye(9))
    for words, why in (
        (("run", images_file, found, "--recipe", "digits"), "its recipe is best"),
        (("cluster", tmp_path / "v.npy", found), "it is of images"),
    ):
        result = run_cli(*words)
        assert f"holds another run ({why}); name another folder" in result.err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-k", "3"], "it has -k 2"),
        (["-k", "2", "--seed", "7"], "it has --seed 0"),
        (["-k", "auto"], "it has -k 2"),
        (["-k", "2", "--set", "learning_rate=0.5"], "it has --set learning_rate="),
    ],
)
def test_another_run_is_refused_before_any_work(
    options: list[str], why: str, found: Path, images_file: Path, fast: tuple[str, ...],
    run_cli: Callable[..., Any], tree: Callable[[Path], dict[str, str]],
) -> None:  # fmt: skip
    before = tree(found)
    arguments = [*fast, *options]
    if "--seed" in options:
        arguments = [word for word in fast if word not in ("--seed", "0")] + options
    result = run_cli("run", images_file, found, *arguments)
    assert result.code == 2
    assert f"holds another run ({why}" in result.err
    assert tree(found) == before


def test_other_images_are_another_run_and_force_keeps_what_was_edited(
    found: Path, images: np.ndarray, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], tmp_path: Path,
) -> None:  # fmt: skip
    other = tmp_path / "other.npy"
    np.save(other, images[::-1])
    mine = (found / "prediction.csv").read_text().replace("\n0,", "\n0,1")
    (found / "prediction.csv").write_text(mine)
    before = tree(found)
    refused = run_cli("run", other, found, "-k", "2", *fast)
    assert (refused.code, tree(found)) == (2, before)
    assert "it is of other images" in refused.err
    broken = run_cli("run", other, found, "-k", "2", *fast, "--force", "--set", "views.n_views=1")
    assert (broken.code, tree(found)) == (2, before)  # a run that cannot start costs nothing
    result = run_cli("run", other, found, "-k", "2", *fast, "--force")
    assert result.code == 0, result.err
    assert "is kept as" in result.err
    assert (found / "prediction.1.csv").read_text() == mine
    record = json.loads((found / "shoal.json").read_text())
    assert record["finished"]
    assert set(record["files"]) <= set(os.listdir(found))


def test_a_file_that_is_gone_is_written_again_and_names_stay(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    names = write_names(tmp_path / "names.csv", "0,stripes", "1,red")
    assert run_cli("name", found / "prediction.csv", names).code == 0
    mine, drawn = (found / "prediction.csv").read_text(), (found / "map.png").read_bytes()
    (found / "map.png").unlink()
    told = run_cli("run", images_file, found, "-k", "2", *fast)
    assert told.code == 2
    assert f"{found / 'map.png'} is gone, and the run that wrote it has ended" in told.err
    said = told.err.rpartition("write it again with: ")[2]
    again = run_cli(*shlex.split(said)[1:])
    assert again.code == 0, again.err
    assert (found / "prediction.csv").read_text() == mine
    assert (found / "map.png").read_bytes() == drawn
    assert not list(found.glob("*.1.*"))
    told = run_cli("run", images_file, found, "-k", "2", *fast)
    assert "holds the results of this run already; with names: prediction.csv; add" in told.err


def test_what_shoal_wrote_itself_is_not_called_changed(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from shoal.reports import assembly

    command = ("run", images_file, found, "-k", "2", *fast)
    names = write_names(tmp_path / "names.csv", "0,stripes", "1,red")
    assert run_cli("name", found / "table.parquet", names).code == 0
    (found / "map.png").unlink()
    page = (found / "report.html").read_bytes()
    assert run_cli(*command, "--resume").code == 0
    assert (found / "report.html").read_bytes() == page  # what is not gone is not written
    told = run_cli(*command)
    assert "changed since" not in told.err
    assert "with names: table.parquet;" in told.err
    # The names are a person's work: a run that begins anew keeps them. What an interrupted run
    # wrote is its own.
    (found / "prediction.csv").write_text("id,label\n0,1\n")
    write_run_files = assembly.write_run_files

    def interrupted(*given: Any, **named: Any) -> None:
        write_run_files(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(assembly, "write_run_files", interrupted)
        begun = run_cli(*command, "--force")
    assert begun.code == 130
    assert "prediction.csv may have been changed by hand, and is kept as" in begun.err
    assert "table.parquet holds names, and is kept as" in begun.err
    named = pq.read_table(found / "table.1.parquet")
    assert set(named["name"].to_pylist()) == {"stripes", "red"}
    ended = run_cli(*command, "--resume")
    assert ended.code == 0, ended.err
    assert "is kept as" not in ended.err
    assert sorted(path.name for path in found.glob("*.1.*")) == [
        "prediction.1.csv", "table.1.parquet"
    ]  # fmt: skip


def test_a_run_begun_anew_that_does_not_end_costs_nothing(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from shoal import pipeline

    before = {name: (found / name).read_bytes() for name in ("prediction.csv", "report.html")}
    command = ("run", images_file, found, "-k", "2", *fast, "--set", "learning_rate=0.002")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "train", interrupted)
        assert run_cli(*command, "--force").code == 130
    assert {name: (found / name).read_bytes() for name in before} == before
    assert (found / "checkpoint.pth").exists()
    (found / "prediction.csv").write_text("id,label\n0,1\n")  # by hand, meanwhile
    ended = run_cli(*command, "--force")
    assert ended.code == 0, ended.err
    assert (found / "prediction.1.csv").read_text() == "id,label\n0,1\n"
    assert (found / "report.html").read_bytes() != before["report.html"]
    assert json.loads((found / "shoal.json").read_text())["finished"]


def test_a_folder_without_a_file_is_spoken_of_first(
    found: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    for command in (("run", tmp_path / "empty", found),
                    ("train", tmp_path / "empty", found / "checkpoint.pth")):  # fmt: skip
        result = run_cli(*command)
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert "no images" in result.err


def test_files_that_are_there_are_nobody_elses_to_replace(
    images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "prediction.csv").write_text("mine")
    result = run_cli("run", images_file, own, *fast)
    assert result.code == 2
    assert "exists already" in result.err
    assert os.listdir(own) == ["prediction.csv"]


def test_no_output_touches_the_pile(
    images: np.ndarray, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], checkpoint_file: Path, tmp_path: Path,
) -> None:  # fmt: skip
    own = tmp_path / "own"
    own.mkdir()
    for number, pixels in enumerate(images[:24]):
        Image.fromarray(pixels).save(own / f"{number:02d}.png")
    shutil.copy(own / "00.png", own / "map.png")
    Image.fromarray(images[24]).save(own / "no_suffix", "JPEG")
    (tmp_path / "link.png").symlink_to(own / "03.png")
    (tmp_path / "list.txt").write_text("own/04.png\nown/05.png\n")
    before = tree(tmp_path)
    for command in (
        ("run", own, own),
        ("run", own, own, "--force"),
        ("run", tmp_path / "list.txt", own, "--force"),
        ("train", own, own / "05.png", "--force"),
        ("train", own, own / "no_suffix", "--force"),
        ("train", own, tmp_path / "link.png", "--force"),
        ("splits", own, checkpoint_file, "--picture", own / "map.png", "--force"),
        ("splits", tmp_path / "list.txt", checkpoint_file, "--picture", own / "04.png", "--force"),
        ("similar", own, checkpoint_file, own / "06.png", "--picture", own / "06.png", "--force"),
        ("duplicates", own, "--picture", tmp_path / "link.png", "--force"),
    ):
        result = run_cli(*command)
        assert (result.code, result.err.count("\n")) == (2, 1), (command, result)
        assert tree(tmp_path) == before, command


def test_a_folder_in_the_place_of_an_output_is_refused_before_any_work(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], tmp_path: Path,
) -> None:  # fmt: skip
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(60, 4)))
    model, out = found / "checkpoint.pth", tmp_path / "out"
    began = {
        "run": ("run", images_file, out, "-k", "2", *fast, "--force"),
        "cluster": ("cluster", tmp_path / "v.npy", out, "-k", "2", "--force"),
        "demo": ("demo", out, "--force"),
        "train": ("train", images_file, out / "checkpoint.pth", "-k", "2", *fast, "--force"),
    }
    cases = [
        (began[verb], name)
        for verb in ("run", "cluster", "demo")
        for name in ("map.png", "report.html", "skipped.csv", "shoal.json", "table.parquet")
    ]
    cases += [(began[verb], "checkpoint.pth.history/resume.pth") for verb in ("run", "train")]
    picture, data = out / "x.png", tmp_path / "v.npy"
    cases += [
        (("predict", images_file, model, out / "x.csv", "--force"), "x.skipped.csv"),
        (("predict", images_file, model, out / "x.csv", "--table", out / "x.parquet"), "x.parquet"),
        (("splits", images_file, model, "--picture", picture, "--force"), "x.png"),
        (("similar", images_file, model, "3", "--picture", picture, "--force"), "x.png"),
        (("outliers", images_file, model, "--picture", picture, "--force"), "x.png"),
        (("duplicates", data, "--picture", picture, "--force"), "x.png"),
        (("clusters", images_file, model, "--picture", picture, "--force"), "x.png"),
        (("report", images_file, model, out / "x.html", "--force"), "x.html"),
    ]
    for command, name in cases:
        (out / name / "own").mkdir(parents=True)
        before = tree(tmp_path)
        result = run_cli(*command)
        assert (result.code, result.err.count("\n")) == (2, 1), (command, result)
        assert f"cannot write {out / name}: it is a folder" in result.err, command
        assert tree(tmp_path) == before, command
        shutil.rmtree(out)
    (out / "checkpoint.pth.history").parent.mkdir()
    (out / "checkpoint.pth.history").write_text("mine")
    for verb in ("run", "train"):
        result = run_cli(*began[verb])
        assert (result.code, result.err.count("\n")) == (2, 1), (verb, result)
        assert os.listdir(out) == ["checkpoint.pth.history"]


# --- what is there is not replaced --------------------------------------------------------------


def test_every_command_that_writes_leaves_what_is_there(
    found: Path, images_file: Path, run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], tmp_path: Path,
) -> None:  # fmt: skip
    model, out = found / "checkpoint.pth", tmp_path / "out"
    out.mkdir()
    # A question that cannot be answered is told first: the tree to be cut is there.
    grown = run_cli("tree", images_file, model, tmp_path / "t.json", "--leaves", "3")
    assert grown.code == 0, grown.err
    commands = {
        "prediction.csv": ("predict", images_file, model, out / "prediction.csv"),
        "splits.png": ("splits", images_file, model, "--picture", out / "splits.png"),
        "n.png": ("clusters", images_file, model, "--picture", out / "n.png", "--to", "3"),
        "tree.json": ("tree", images_file, model, out / "tree.json", "--leaves", "3"),
        "pairs.csv": ("pairs", images_file, model, out / "pairs.csv"),
        "s.csv": ("similar", images_file, model, "3", "--csv", out / "s.csv", "--picture",
                  out / "s.png"),
        "d.csv": ("duplicates", images_file, "--csv", out / "d.csv", "--picture", out / "d.png"),
        "o.csv": ("outliers", images_file, model, "--csv", out / "o.csv", "--picture",
                  out / "o.png"),
        "r.html": ("report", images_file, model, out / "r.html"),
        "cut.csv": ("cut", tmp_path / "t.json", out / "cut.csv", "-k", "2"),
        "names.csv": ("name", found / "prediction.csv", "--template", out / "names.csv"),
    }  # fmt: skip
    for name, command in commands.items():
        (out / name).write_text("mine")
        result = run_cli(*command)
        assert result.code == 2, (command, result)
        before = str(command[command.index(out / name) - 1])
        option = f" with {before}" if before.startswith("--") else ""  # that names the file
        assert f"{name} exists already; name another file{option}, or add --force" in result.err
    assert all((out / name).read_text() == "mine" for name in commands)
    assert sorted(os.listdir(out)) == sorted(commands)
    for name, command in commands.items():  # told to, they replace what shoal wrote, no more
        if name != "r.html":  # of a page nobody can tell
            refused = run_cli(*command, "--force")
            assert refused.code == 2
            assert f"{name} exists, and shoal did not write it" in refused.err, name
    assert all((out / name).read_text() == "mine" for name in commands)
    (out / "pairs.csv").write_text("a,b,similarity\n")
    replaced = run_cli(*commands["pairs.csv"], "--force")
    assert replaced.code == 0, replaced.err
    assert f"replaced {out / 'pairs.csv'}" in replaced.err


def test_the_script_of_the_assignment_keeps_an_edited_prediction(
    checkpoint_file: Path, images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    command = ("predict", "--backup", images_file, checkpoint_file, path)
    assert run_cli(*command).code == 0
    assert run_cli(*command).code == 0
    assert os.listdir(tmp_path) == ["p.csv"]  # the same again: nothing to keep
    path.write_text("mine")
    result = run_cli(*command)
    assert "is kept as" in result.err
    assert (tmp_path / "p.1.csv").read_text() == "mine"
    assert path.read_text().startswith("id,label\n")


def test_a_checkpoint_of_another_run_stays(
    checkpoint_file: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tree: Callable[[Path], dict[str, str]], tmp_path: Path,
) -> None:  # fmt: skip
    shutil.copytree(checkpoint_file.parent, tmp_path / "c")
    path = tmp_path / "c" / checkpoint_file.name
    before = tree(tmp_path)
    same = run_cli("train", images_file, path, *fast)
    assert (same.code, tree(tmp_path)) == (0, before)
    assert "is the finished checkpoint of this run already" in same.err
    other = run_cli("train", images_file, path, *fast, "--set", "n_clusters=3")
    assert (other.code, tree(tmp_path)) == (2, before)
    assert "is the checkpoint of another run (it has -k 2)" in other.err
    timed = run_cli("train", images_file, path, *fast[:2], "--minutes", "1", *fast[4:])
    assert (timed.code, tree(tmp_path)) == (2, before)
    both = run_cli("train", images_file, path, *fast, "--force", "--resume")
    assert (both.code, tree(tmp_path)) == (2, before)


# --- interrupted --------------------------------------------------------------------------------


@pytest.fixture
def hint() -> Callable[[str], str]:
    """The command that a message says to go on with."""

    def read(err: str) -> str:
        said = re.search(r"go on with: (.*)$", err, re.MULTILINE)
        assert said is not None, err
        return said[1]

    return read


def _stop(process: subprocess.Popen[str], history: Path, how: signal.Signals) -> str:
    until = time.monotonic() + 60
    while not (history / "resume.pth").exists() and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    return process.communicate(timeout=60)[1]


def test_a_killed_run_goes_on_by_the_command_it_says(
    images_file: Path, start_shoal: Callable[..., Any], run_cli: Callable[..., Any],
    hint: Callable[[str], str], tmp_path: Path,
) -> None:  # fmt: skip
    folder = tmp_path / "my found"
    command = ("run", images_file, folder, *LONG, "--quiet")
    process = start_shoal(*command)
    _stop(process, folder / "checkpoint.pth.history", signal.SIGKILL)
    left = folder / f".shoal-{process.pid}-rest.csv"  # as a process killed while it writes leaves
    left.write_text("half")
    record = json.loads((folder / "shoal.json").read_text())
    assert not record["finished"]
    refused = run_cli(*command)
    assert refused.code == 2
    said = hint(refused.err)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    script = f'shoal() {{ "{sys.executable}" -m shoal "$@"; }}; {said}'
    resumed = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert not left.exists()
    assert json.loads((folder / "shoal.json").read_text())["finished"]
    again = tmp_path / "undisturbed"
    assert run_cli("run", images_file, again, *LONG, "--quiet").code == 0
    for name in ("prediction.csv", "clusters.png", "map.png"):
        assert (folder / name).read_bytes() == (again / name).read_bytes(), name
    tables = [pq.read_table(each / "table.parquet") for each in (folder, again)]
    assert tables[0].equals(tables[1])  # what is beside the columns names the folder


def test_a_script_goes_on_by_the_command_it_says(
    images: np.ndarray, hint: Callable[[str], str], tmp_path: Path
) -> None:
    np.save(tmp_path / "train X.npy", images)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    script = os.path.relpath(ROOT / "train_improved.sh", tmp_path)
    process = subprocess.Popen(
        ["bash", script, "train X.npy", "c.pth"], cwd=tmp_path, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    err = _stop(process, tmp_path / "c.pth.history", signal.SIGINT)
    assert process.returncode == 130, err
    said = hint(err)
    assert said.startswith(f"bash {script}")
    resumed = subprocess.run(["bash", "-c", said], cwd=tmp_path, env=env, capture_output=True,
                             text=True)  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    assert "going on at epoch" in resumed.stderr


def test_what_began_anew_goes_on_without_force(monkeypatch: pytest.MonkeyPatch) -> None:
    from shoal.models.provenance import typed

    monkeypatch.delenv("SHOAL_COMMAND", raising=False)
    monkeypatch.setattr(sys, "argv", ["shoal", "run", "my photos", "found", "--force"])
    assert typed("--resume") == "shoal run 'my photos' found --resume"


def test_two_at_once_are_told_apart(
    images_file: Path, start_shoal: Callable[..., Any], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("fcntl")
    folder = tmp_path / "found"
    first = start_shoal("run", images_file, folder, *LONG, "--quiet")
    try:
        until = time.monotonic() + 60
        while not (folder / "checkpoint.pth.history").exists() and time.monotonic() < until:
            time.sleep(0.01)
        for command in (
            ("run", images_file, folder, *LONG, "--resume"),
            ("train", images_file, folder / "checkpoint.pth", *LONG, "--resume"),
        ):
            second = run_cli(*command)
            assert second.code == 2, second
            assert "another shoal process is writing" in second.err
    finally:
        _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prediction.csv", "table.parquet"])
def test_names_belong_to_a_result(
    name: str, found: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    names = tmp_path / "names.csv"
    told = run_cli("name", found / name, "--template", names)
    assert told.err.endswith(f"next: shoal name {found / name} {names}\n")
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(b"mine")
    refused = run_cli("name", found / name, "--template", picture, "--force")
    assert (refused.code, picture.read_bytes()) == (2, b"mine")
    header, *rows = names.read_text().splitlines()
    assert header == "cluster,name,images,result,clustering"
    filled = [row.replace(",,", f",kind {row[0]},") for row in rows]
    names.write_text("\n".join([header, *filled]) + "\n")
    given = run_cli("name", found / name, names)
    assert given.code == 0, given.err
    assert "does not say for which result" not in given.err

    other = tmp_path / "other.csv"
    other.write_text("id,label\n" + "".join(f"{row},{row // 20}\n" for row in range(40)))
    refused = run_cli("name", other, names)
    assert refused.code == 2
    assert "of another result" in refused.err
    plain = run_cli("name", found / name, write_names(names, "0,a", "1,b"), "--force")
    assert plain.code == 0
    assert "does not say for which result" in plain.err


def test_labels_and_names_that_contradict_are_asked_about(
    found: Path, images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = found / "prediction.csv"
    assert run_cli("name", path, write_names(tmp_path / "n.csv", "0,a", "1,b")).code == 0
    rows = path.read_text().splitlines()
    moved = next(number for number, row in enumerate(rows) if ",0,a" in row)
    edited = [*rows]
    edited[moved] = edited[moved].replace(",0,a", ",1,a")
    # As a spreadsheet writes it.
    path.write_text("\ufeff" + "\r\n".join(edited) + "\r\n", encoding="utf-8")
    refused = run_cli("export", images_file, path, tmp_path / "out")
    assert refused.code == 2
    assert "cluster 1 is called 'b', and 'a' for 1 image" in refused.err
    assert not (tmp_path / "out").exists()
    sizes = {}
    for trust in ("label", "name"):
        out = tmp_path / trust
        result = run_cli("export", images_file, path, out, "--trust", trust)
        assert result.code == 0, result.err
        sizes[trust] = {kind: len(list((out / kind).iterdir())) for kind in ("a", "b")}
    assert sizes["label"]["a"] == sizes["name"]["a"] - 1
    assert sizes["label"]["b"] == sizes["name"]["b"] + 1

    edited[moved] = edited[moved].replace(",1,a", ",5,a")  # a cluster of its own, said by its label
    path.write_text("\n".join(edited) + "\n")
    refused = run_cli("export", images_file, path, tmp_path / "out")
    assert refused.code == 2
    assert "several clusters are called 'a'" in refused.err


def test_a_table_tells_which_result_it_is(found: Path) -> None:
    from shoal.embedding.table import result_digest
    from shoal.export.prediction import load_prediction

    record = json.loads((found / "shoal.json").read_text())
    for name in ("prediction.csv", "table.parquet"):
        loaded = load_prediction(found / name)
        assert result_digest(loaded.ids, loaded.labels) == record["result"]
    assert pq.read_schema(found / "table.parquet") is not None
    changed = loaded.labels.copy()
    changed[0] = 1 - changed[0]
    assert result_digest(loaded.ids, changed) != record["result"]


def test_training_never_replaces_a_persons_own_file(
    images: np.ndarray, fast: Sequence[str], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "pile.npy", images)
    np.save(tmp_path / "own.npy", images)
    before = (tmp_path / "own.npy").read_bytes()
    for options in ([], ["--force"], ["--resume"]):
        given = ("train", tmp_path / "pile.npy", tmp_path / "own.npy", *fast, *options)
        refused = run_cli(*given)
        assert refused.code == 2
        assert "is not a checkpoint" in refused.err
        assert "such as own.pth" in refused.err
    assert (tmp_path / "own.npy").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.npy", "pile.npy"]


@pytest.mark.parametrize("header", ["id,label", "\ufeffid;label", '"id","label","note"'])
def test_a_prediction_is_known_by_its_columns(
    header: str, images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    out = tmp_path / "p.csv"
    out.write_text(f"{header}\n0,1\n", encoding="utf-8")
    replaced = run_cli("predict", images_file, checkpoint_file, out, "--force", "--quiet")
    assert replaced.code == 0, replaced.err
    for own in ("notes.csv", "notes"):
        (tmp_path / own).write_text("buy bread, milk\n")
        refused = run_cli("predict", images_file, checkpoint_file, tmp_path / own, "--force")
        assert (refused.code, (tmp_path / own).read_text()) == (2, "buy bread, milk\n")


def test_a_suffix_says_what_a_file_is(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    csv = tmp_path / "p.csv"
    assert run_cli("predict", images_file, checkpoint_file, csv, "--quiet").code == 0
    for command, said in {
        ("predict", images_file, checkpoint_file, tmp_path / "p.txt"): "name it p.csv",
        ("train", images_file, tmp_path / "c.txt"): "name it c.pth",
        ("export", images_file, csv, tmp_path / "ex.csv"): "or export with --as csv",
        ("export", images_file, csv, tmp_path / "ex.csv", "--as", "json"): "a .json file",
    }.items():
        refused = run_cli(*command)
        assert (refused.code, os.listdir(tmp_path)) == (2, ["p.csv"]), refused
        assert said in refused.err


def test_a_table_is_parquet(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    refused = run_cli("predict", images_file, checkpoint_file, out, "--table", tmp_path / "t.csv")
    assert (refused.code, list(tmp_path.iterdir())) == (2, [])
    assert "--table must end in .parquet" in refused.err


def test_a_folder_without_a_record_loses_none_of_its_files(
    images_file: Path, fast: Sequence[str], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    own = {name: name.encode() for name in ("report.html", "map.png", "clusters.png")}
    for name, content in own.items():
        (tmp_path / name).write_bytes(content)
    assert run_cli("run", images_file, tmp_path, *fast).code == 2
    told = run_cli("run", images_file, tmp_path, *fast, "--force")
    assert told.code == 0, told.err
    for name, content in own.items():
        copy = Path(name).with_suffix(f".1{Path(name).suffix}")
        assert (tmp_path / copy).read_bytes() == content
        assert str(copy) in told.err
        assert (tmp_path / name).read_bytes() != content


def test_a_comma_in_a_name_is_not_cut(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    assert run_cli("predict", images_file, checkpoint_file, tmp_path / "p.csv").code == 0
    before = (tmp_path / "p.csv").read_bytes()
    names = tmp_path / "names.csv"
    names.write_text("cluster,name\n0,red\n1,green, square\n")
    refused = run_cli("name", tmp_path / "p.csv", names)
    assert refused.code == 2
    assert "put quotation marks around a name with a comma" in refused.err
    assert (tmp_path / "p.csv").read_bytes() == before
    names.write_text('cluster,name\n0,red\n1,"green, square"\n')
    assert run_cli("name", tmp_path / "p.csv", names).code == 0


# --- corrections --------------------------------------------------------------------------------


def corrected_by_hand(folder: Path, images_file: Path) -> dict[Path, bytes]:
    """A review in which image 0 was moved to the other group, both named; its files."""
    from shoal.corrections import say
    from shoal.images.open import open_source
    from shoal.models import checkpoint as checkpoints
    from shoal.review.opening import open_review

    checkpoint = folder / "checkpoint.pth"
    review = open_review(open_source(images_file), checkpoints.load(checkpoint), checkpoint)
    with review.journal as journal:
        first = int(journal.history.groups.group[0])
        journal.append(say.name(journal.history.groups, first, "reds"))
        journal.append(say.name(journal.history.groups, 3 - first, "stripes"))
        journal.append(say.move(journal.history.groups, np.array([0]), 3 - first))
    files = [folder / f"checkpoint.{end}" for end in ("corrections.jsonl", "reviewed.parquet")]
    return {path: path.read_bytes() for path in files}


def test_a_run_begun_anew_keeps_corrections_and_they_count_on(
    found: Path, images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    results = {name: (found / name).read_bytes() for name in ("prediction.csv", "table.parquet")}
    kept = corrected_by_hand(found, images_file)
    assert results == {name: (found / name).read_bytes() for name in results}
    command = ("run", images_file, found, "-k", "2", *fast)
    again = run_cli(*command)
    assert "holds the results of this run already; add" in again.err  # nothing of it was changed
    forced = run_cli(*command, "--set", "learning_rate=0.002", "--force")
    assert forced.code == 0, forced.err
    assert f"the corrections in {next(iter(kept))} are kept" in forced.err
    (found / "map.png").unlink()
    resumed = run_cli(*command, "--set", "learning_rate=0.002", "--resume")
    assert resumed.code == 0, resumed.err
    assert {path: path.read_bytes() for path in kept} == kept
    assert not list(found.glob("*.corrections.*.jsonl"))
    told = run_cli("export", images_file, found / "table.parquet", tmp_path / "sorted")
    assert told.code == 0, told.err
    assert "with 3 corrections by hand" in told.err
    assert (tmp_path / "sorted" / "stripes" / "0.png").exists()
    # The new checkpoint has another embedding: what the run left shows where new images belong.
    np.save(tmp_path / "new.npy", np.load(images_file)[[3, 5, 2]])
    told = run_cli("predict", tmp_path / "new.npy", found / "checkpoint.pth", tmp_path / "new.csv")
    assert told.code == 0, told.err
    lines = (tmp_path / "new.csv").read_text().splitlines()[1:]
    assert [line.split(",")[2] for line in lines] == ["stripes", "stripes", "reds"]


def test_a_pile_leaves_out_the_files_of_a_review(
    found: Path, images_file: Path, images: np.ndarray, tmp_path: Path
) -> None:
    from shoal.images.open import open_source

    kept = corrected_by_hand(found, images_file)
    photos = tmp_path / "photos"
    shutil.copytree(found, photos / "found")
    Image.fromarray(images[0]).save(photos / "a.png")
    for path in kept:  # of a checkpoint that was trained among the images
        shutil.copy(path, photos)
    assert list(open_source(photos).ids) == ["a.png"]
