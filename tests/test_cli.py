"""The commands as a user meets them: what they print, write and answer when stopped."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer.main
from PIL import Image

from shoal.cli import app

COMMANDS = (
    "run", "train", "predict", "splits", "evaluate", "report", "pairs", "similar", "duplicates",
    "outliers", "clusters", "tree", "cut", "export", "name", "info", "demo", "review",
    "import-labels", "cluster", "export-model", "mend",
)  # fmt: skip


def read_labels(path: Path) -> list[int]:
    with path.open(newline="", encoding="utf-8") as file:
        return [int(row["label"]) for row in csv.DictReader(file)]


# --- what it says of itself ---------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_an_example_of_that_command(
    command: str, option: str, run_cli: Callable[..., Any]
) -> None:
    result = run_cli(command, option)
    assert result.code == 0
    assert result.err == ""
    assert f"Usage: shoal {command}" in result.out
    assert re.search(rf"Example: shoal {command}\b", " ".join(result.out.split()))


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "info"])
def test_every_option_of_the_example_exists(command: str, run_cli: Callable[..., Any]) -> None:
    text = " ".join(run_cli(command, "--help").out.split())
    example = text.rpartition("Example: ")[2]
    for word in example.split():
        if word.startswith("-"):
            assert re.search(rf"(^| ){word}[ ,]", text.partition("Example: ")[0]), word


def test_help_lists_every_command(run_cli: Callable[..., Any]) -> None:
    result = run_cli("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", result.out, re.MULTILINE), command


def parameters() -> Iterator[tuple[str, Any]]:
    """Each argument and option of each command."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield from ((name, parameter) for parameter in command.params)


def test_inputs_come_first_data_before_checkpoint_and_outputs_last() -> None:
    places: dict[str, list[str]] = {}
    for command, parameter in parameters():
        if parameter.param_type_name == "argument":
            what = "OUTPUT" if "to write" in parameter.help else parameter.metavar
            places.setdefault(command, []).append(what)
    order = [
        "TREE",
        "DATA",
        "VECTORS",
        "CHECKPOINT",
        "PREDICTION",
        "LABELS",
        "NAMES",
        "CORRECTIONS",
        "IMAGE",
        "OUTPUT",
    ]
    for command, words in places.items():
        assert words == sorted(set(words), key=order.index), command
    assert sum(words[-1] == "OUTPUT" for words in places.values()) == 11


def test_an_option_means_the_same_in_every_command() -> None:
    # Of a tree there are groups, and no way to choose their number.
    # Of vectors, the images are those that they are of; a report measures on others.
    # Where vectors are clustered, their metric can be chosen.
    differing = {
        ("cut", "-k"), ("cut", "--clusters"), ("cluster", "--images"), ("cluster", "--metric")
    }  # fmt: skip
    meaning: dict[str, set[tuple[str, str]]] = {}
    for command, parameter in parameters():
        for option in parameter.opts:
            if option.startswith("-") and (command, option) not in differing | {
                ("cut", "--clusters")
            }:
                meaning.setdefault(option, set()).add((parameter.help, parameter.metavar))
    assert not {option: told for option, told in meaning.items() if len(told) > 1}


def test_no_word_of_a_command_may_be_empty(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty path would be the current folder, and everything below it the images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.txt").write_text("here, so that the folder is not empty")
    words: dict[str, list[str]] = {}
    for command, parameter in parameters():
        if parameter.param_type_name == "argument":
            words.setdefault(command, []).append(parameter.metavar)
    typed: list[tuple[str, list[str], str]] = []
    for command, parameter in parameters():
        if parameter.param_type_name == "argument":
            empty = ["" if word == parameter.metavar else word for word in words[command]]
            typed.append((command, empty, parameter.metavar))
        elif not parameter.is_flag:
            for option in parameter.opts:
                typed.append((command, [option, "", *words[command]], parameter.opts[0]))
            if option.startswith("--"):
                typed.append((command, [*words[command], f"{option}="], parameter.opts[0]))
    typed += [(command, [*words[command], "x", ""], "") for command in words]
    assert len(typed) > 400
    for command, given, name in typed:
        result = run_cli(command, *given)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), (command, given)
        assert f"shoal: {name}" in result.err, (command, given)
        assert " is empty" in result.err, (command, given)
    assert [path.name for path in tmp_path.iterdir()] == ["images.txt"]


def test_help_is_in_groups_and_nothing_is_cut_off(
    run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run_cli("--help").out
    titles = re.findall(r"^(\S.*):$", out, re.MULTILINE)
    assert titles == [
        "Options", "Start here", "Look", "Correct", "Hand over", "The assignment"
    ]  # fmt: skip
    assert "..." not in out.partition("Options:")[2]
    assert all(len(line) < 80 for line in out.splitlines())
    for command in COMMANDS:  # the whole sentence, on one line
        assert re.search(rf"^  {command} +[A-Z].*\.$", out, re.MULTILINE), command


def test_version(run_cli: Callable[..., Any]) -> None:
    import shoal

    assert run_cli("--version") == type(run_cli("--version"))(0, f"shoal {shoal.__version__}\n", "")
    assert re.fullmatch(r"\d+\.\d+\.\d+", shoal.__version__)


def test_help_does_not_import_torch(start_shoal: Callable[..., Any]) -> None:
    process = start_shoal("train", "--help", env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})
    _, imports = process.communicate(timeout=60)
    assert process.returncode == 0
    names = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    assert "shoal.cli" in names
    assert not names & {"torch", "sklearn", "matplotlib", "pyarrow"}


# --- the straight line --------------------------------------------------------------------------


def test_predict_finds_the_two_kinds_twice_the_same(
    images_file: Path,
    checkpoint_file: Path,
    kinds: np.ndarray,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    for name in ("a.csv", "b.csv"):
        result = run_cli("predict", images_file, checkpoint_file, tmp_path / "new" / name)
        assert result.code == 0, result.err
        assert result.out == ""
    first, second = ((tmp_path / "new" / name).read_bytes() for name in ("a.csv", "b.csv"))
    assert first == second
    lines = first.decode().splitlines()
    assert lines[0] == "id,label"
    assert [line.split(",")[0] for line in lines[1:]] == [str(i) for i in range(40)]
    labels = np.array(read_labels(tmp_path / "new" / "a.csv"))
    assert max(np.mean(labels == kinds), np.mean(labels != kinds)) == 1.0


def test_an_image_keeps_its_label_in_other_company(
    images: np.ndarray,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    run_cli("predict", images_file, checkpoint_file, tmp_path / "all.csv")
    np.save(tmp_path / "few.npy", images[[7, 12, 3]])
    run_cli("predict", tmp_path / "few.npy", checkpoint_file, tmp_path / "few.csv")
    labels = read_labels(tmp_path / "all.csv")
    assert read_labels(tmp_path / "few.csv") == [labels[7], labels[12], labels[3]]


def test_table_has_the_documented_columns(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    result = run_cli(
        "predict", images_file, checkpoint_file, tmp_path / "p.csv",
        "--table", tmp_path / "t.parquet",
    )  # fmt: skip
    assert result.code == 0, result.err
    table = pq.read_table(tmp_path / "t.parquet")
    kinds = {field.name: str(field.type) for field in table.schema}
    embedding = kinds.pop("embedding")
    assert kinds == {"id": "string", "label": "int64", "confidence": "float"}
    assert re.fullmatch(r"fixed_size_list<.*float.*>\[\d+\]", embedding)
    assert table["id"].to_pylist() == [str(i) for i in range(40)]
    assert table["label"].to_pylist() == read_labels(tmp_path / "p.csv")
    confidence = table["confidence"].to_numpy()
    assert ((confidence >= 0.5) & (confidence <= 1)).all()  # the likelier of two
    assert np.isfinite(np.array(table["embedding"].to_pylist())).all()


@pytest.mark.parametrize("k", [2, 3, 40])
def test_predict_with_another_k(
    k: int,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    result = run_cli("predict", images_file, checkpoint_file, tmp_path / "p.csv", "-k", k)
    assert result.code == 0, result.err
    labels = read_labels(tmp_path / "p.csv")
    assert len(labels) == 40
    assert set(labels) <= set(range(k))
    assert len(set(labels)) > 1


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_evaluate_plain_and_json(
    suffix: str,
    images_file: Path,
    checkpoint_file: Path,
    kinds: np.ndarray,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    truth = kinds.copy()
    truth[:4] = 1 - truth[:4]  # four labels wrong: the score must see them
    labels = tmp_path / f"labels.{suffix}"
    if suffix == "npy":
        np.save(labels, truth)
    else:
        labels.write_text("id,label\n" + "".join(f"{i},{y}\n" for i, y in enumerate(truth)))
    plain = run_cli("evaluate", images_file, checkpoint_file, labels)
    as_json = run_cli("evaluate", images_file, checkpoint_file, labels, "--json")
    assert plain.code == as_json.code == 0
    assert as_json.err == ""
    assert plain.err == f"next: shoal outliers {images_file} {checkpoint_file}\n"
    scores = json.loads(as_json.out)
    assert set(scores) == {
        "n_images", "accuracy", "accuracy_interval_95", "nmi", "ari", "mse", "calibration",
    }  # fmt: skip
    parts = scores["calibration"]
    assert [part["n_images"] for part in parts] == [4] * 10
    assert np.mean([part["accuracy"] for part in parts]) == pytest.approx(0.9)
    assert scores["n_images"] == 40
    assert scores["accuracy"] == pytest.approx(0.9)
    assert 0.0 < scores["nmi"] < 1.0
    assert 0.0 < scores["ari"] < 1.0
    assert 0.0 < scores["mse"] < 0.5
    low, high = scores["accuracy_interval_95"]
    assert low < 0.9 < high
    shown = dict(re.findall(r"^(\w+) +([\d.,]+)", plain.out, re.MULTILINE))
    assert float(shown["accuracy"]) == pytest.approx(scores["accuracy"], abs=1e-4)
    assert float(shown["NMI"]) == pytest.approx(scores["nmi"], abs=1e-4)
    assert float(shown["ARI"]) == pytest.approx(scores["ari"], abs=1e-4)
    assert float(shown["MSE"]) == pytest.approx(scores["mse"], abs=1e-6)
    assert shown["images"] == "40"
    assert len({part["confidence"] for part in parts}) == 1
    assert "confidence is 0.95 for all images: none can be told as the least" in plain.out


def test_info_plain_and_json(checkpoint_file: Path, run_cli: Callable[..., Any]) -> None:
    from shoal.models import checkpoint

    loaded = checkpoint.load(checkpoint_file)
    result = run_cli("info", checkpoint_file, "--json")
    assert result.code == 0
    about = json.loads(result.out)
    assert about["finished"] is True
    assert about["image_shape"] == [8, 8, 3]
    assert about["n_images"] == 40
    assert (about["step"], about["total_steps"], about["epoch"]) == (10, 10, 1.0)
    assert about["recipe"] == loaded.recipe.to_dict()
    assert about["weights_sha256"] == loaded.weights_digest()
    assert about["history"] == loaded.history
    plain = run_cli("info", checkpoint_file)
    assert plain.code == 0
    assert plain.err == ""
    assert "finished" in plain.out.splitlines()[0]
    for word in (
        "40 of 8 × 8 pixels in colour",
        "step 10 of 10",
        about["weights_sha256"][:16],
        "vgg(widths=",
    ):
        assert word in plain.out
    # The verdict comes last, where a person sees it.
    history, trusted, next_steps = map(
        plain.out.index, ("\nhistory", "\nCan these groups be trusted?", "\nWhat to do next:")
    )
    assert history < trusted < next_steps


def test_info_of_a_checkpoint_in_the_folder_one_is_in(
    checkpoint_file: Path, run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    along_the_way = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())[0]
    for path in (checkpoint_file, along_the_way):
        monkeypatch.chdir(path.parent)
        result = run_cli("info", path.name)
        assert (result.code, result.err) == (0, "")


def test_info_of_a_checkpoint_along_the_way(
    checkpoint_file: Path, run_cli: Callable[..., Any]
) -> None:
    history = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())
    assert len(history) == 3
    about = json.loads(run_cli("info", history[0], "--json").out)
    assert about["finished"] is False
    assert about["step"] == 3
    assert "along the way" in run_cli("info", history[0]).out


def test_run_writes_its_files(
    images_file: Path,
    images: np.ndarray,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    out = tmp_path / "new" / "found"
    result = run_cli("run", images_file, out, "-k", "3", *fast)
    assert result.code == 0, result.err
    assert result.out == ""
    assert sorted(os.listdir(out)) == [
        "checkpoint.pth", "checkpoint.pth.history", "clusters.png", "map.png", "prediction.csv",
        "report.html", "shoal.json", "table.parquet",
    ]  # fmt: skip
    for name in ("clusters.png", "map.png"):
        with Image.open(out / name) as picture:
            picture.load()
            assert min(picture.size) > 100
            assert len(picture.convert("RGB").getcolors(10**7) or []) > 10
    labels = read_labels(out / "prediction.csv")
    assert set(labels) <= {0, 1, 2}
    table = pq.read_table(out / "table.parquet")
    assert table["label"].to_pylist() == labels
    assert {"x", "y"} <= set(table.column_names)
    assert np.isfinite(table["x"].to_numpy()).all()
    about = json.loads(run_cli("info", out / "checkpoint.pth", "--json").out)
    assert about["recipe"]["n_clusters"] == 3
    # The checkpoint alone gives the same clusters again.
    run_cli("predict", images_file, out / "checkpoint.pth", tmp_path / "again.csv")
    assert read_labels(tmp_path / "again.csv") == labels


@pytest.mark.parametrize("recipe", ["baseline", "improved", "best"])
def test_a_pile_of_one_image_many_times_is_no_crash(
    recipe: str, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "same.npy", np.full((24, 8, 8, 3), 7, dtype=np.uint8))
    result = run_cli(
        "train", tmp_path / "same.npy", tmp_path / "c.pth", "--recipe", recipe, "--epochs", "0.5",
        "--set", "encoder.widths=(4,)", "--quiet",
    )  # fmt: skip
    assert "Traceback" not in result.err, result.err
    assert result.code == 0
    run_cli("predict", tmp_path / "same.npy", tmp_path / "c.pth", tmp_path / "p.csv")
    assert len(set(read_labels(tmp_path / "p.csv"))) == 1  # equal images, equal labels


def test_settings_reach_the_recipe(
    images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.pth"
    result = run_cli(
        "train", images_file, path, "--recipe", "improved", "--epochs", "0.5", "--seed", "7",
        "--set", "encoder.widths=(4,)", "--set", "reducers=pca(n_components=2)",
        "--set", "views.min_crop=0.5",
    )  # fmt: skip
    assert result.code == 0, result.err
    recipe = json.loads(run_cli("info", path, "--json").out)["recipe"]
    assert recipe["name"] == "improved"
    assert recipe["epochs"] == 0.5
    assert recipe["seed"] == 7
    assert recipe["encoder"] == {"name": "vgg", "options": {"widths": [4]}}
    assert recipe["reducers"] == [{"name": "pca", "options": {"n_components": 2}}]
    assert recipe["views"]["min_crop"] == 0.5


def test_seed_decides_the_weights(
    images_file: Path,
    checkpoint_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    digests = []
    for seed in ("0", "1"):
        path = tmp_path / f"{seed}.pth"
        assert run_cli("train", images_file, path, "--quiet", *fast, "--seed", seed).code == 0
        digests.append(json.loads(run_cli("info", path, "--json").out)["weights_sha256"])
    first = json.loads(run_cli("info", checkpoint_file, "--json").out)["weights_sha256"]
    assert digests[0] == first
    assert digests[1] != first


def test_minutes_choose_the_epochs_and_are_recorded(
    images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.pth"
    began = time.monotonic()
    result = run_cli(
        "train", images_file, path, "--minutes", "0.02", "--set", "encoder.widths=(8,16)"
    )
    assert result.code == 0, result.err
    assert time.monotonic() - began < 30
    about = json.loads(run_cli("info", path, "--json").out)
    assert about["origin"]["minutes"] == 0.02
    assert about["provenance"]["measured_seconds_per_step"] > 0
    assert about["recipe"]["epochs"] != 120  # the recipe's own
    assert about["epoch"] == pytest.approx(about["recipe"]["epochs"], abs=0.1)
    assert about["total_steps"] >= 10
    assert "0.02 minutes are too short for this pile" in result.err


@pytest.mark.parametrize("seconds", [60.0, 0.5])
def test_minutes_are_enough_or_too_short_and_never_both(seconds: float) -> None:
    from shoal.budget import Speed
    from shoal.cli.minutes import foretold
    from shoal.cli.request import Request
    from shoal.recipes.named import BEST
    from shoal.training.time_limit import TimeLimit

    request = Request(minutes=seconds / 60)
    limit, recipe = TimeLimit(seconds), replace(BEST, epochs=2.8)
    said = " ".join(foretold(limit, recipe, Speed(step=0.1, image=0.01), request, None))
    enough = "enough for about 2 to 2.8 epochs at 0.100 s a step" in said
    assert enough == (seconds == 60.0)
    assert ("too short" in said) != enough


# --- what it prints -----------------------------------------------------------------------------


def test_quiet_prints_nothing_and_plain_output_has_no_escape_codes(
    images_file: Path, start_shoal: Callable[..., Any], tmp_path: Path
) -> None:
    """In processes of their own, so that what libraries print counts too; t-SNE prints most."""
    options = (
        "--recipe", "baseline", "--epochs", "1", "--set", "encoder.widths=(4,)"
    )  # fmt: skip
    quiet = start_shoal("run", images_file, tmp_path / "quiet", "--quiet", *options)
    out, err = quiet.communicate(timeout=120)
    assert (quiet.returncode, out, err) == (0, "", "")
    plain = start_shoal("train", images_file, tmp_path / "plain.pth", *options)
    out, err = plain.communicate(timeout=120)
    assert plain.returncode == 0
    assert out == ""
    assert "\r" not in err
    assert "\x1b" not in err
    assert re.search(r"^40 images of 8 × 8 pixels in colour.*, recipe baseline, 1 epoch on ", err)
    assert f"checkpoint {tmp_path / 'plain.pth'}" in err
    assert "Warning" not in err
    assert "Standard deviation" not in err  # openTSNE's own remark


def test_progress_without_a_terminal_is_plain_lines(
    images_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import shoal.progress

    monkeypatch.setattr(shoal.progress, "PLAIN_EVERY", 0.0)
    result = run_cli("train", images_file, tmp_path / "c.pth", *fast)
    assert "\r" not in result.err
    assert "\x1b" not in result.err
    pattern = r"^training: \d+ of 10, \d+:\d\d left, epoch \d\.\d, loss \d+\.\d+$"
    assert len(re.findall(pattern, result.err, re.MULTILINE)) >= 5


def test_a_reader_that_goes_away_is_no_traceback(
    checkpoint_file: Path, start_shoal: Callable[..., Any]
) -> None:
    process = start_shoal("info", checkpoint_file, "--json")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 1  # as typer ends a command whose reader has gone
    process.stderr.close()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_any_name_in_any_encoding(
    encoding: str, images: np.ndarray, checkpoint_file: Path, start_shoal: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pile = tmp_path / "pile"
    pile.mkdir()
    for name, image in zip((os.fsdecode(b"caf\xe9"), "漢字", "😀", "naïve"), images, strict=False):
        Image.fromarray(image).save(pile / f"{name}.png")
    (pile / (os.fsdecode(b"br\xfc") + "壊れ.png")).write_bytes(b"")
    process = start_shoal(
        "similar", pile, checkpoint_file, "漢字.png", cwd=tmp_path, encoding="latin-1"
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith("\\u6f22\\u5b57.png: ")
    assert "br\\udcfc\\u58ca\\u308c.png: empty" in err


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("| head -1", 0, ""),
        (">/dev/full", 2, "shoal: the output cannot be written: No space left on device; make"),
    ],
)
def test_an_output_that_takes_nothing_is_no_traceback(
    redirected: str, code: int, said: str, checkpoint_file: Path
) -> None:
    command = shlex.join([sys.executable, "-m", "shoal", "info", str(checkpoint_file)])
    told = subprocess.run(
        ["bash", "-c", f"{command} {redirected}"], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert told.returncode == code
    assert told.stderr.startswith(said)
    assert told.stderr.count("\n") == bool(said)


# --- stopping and going on ----------------------------------------------------------------------

# Long enough to be caught at work: 200 steps.
LONG = ("--recipe", "best", "--epochs", "20", "--device", "cpu",
        "--set", "encoder.widths=(8,16)", "--set", "checkpoints=8")  # fmt: skip


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def digest(run_cli: Callable[..., Any], path: Path) -> str:
    about = json.loads(run_cli("info", path, "--json").out)
    assert about["finished"]
    assert about["step"] == about["total_steps"] == 200
    return about["weights_sha256"]


@pytest.fixture(scope="module")
def uninterrupted(
    images_file: Path,
    start_shoal: Callable[..., Any],
    run_cli: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The digest of the long run's weights when nobody stops it."""
    path = tmp_path_factory.mktemp("long") / "c.pth"
    process = start_shoal("train", images_file, path, *LONG)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return digest(run_cli, path)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_and_resumed_is_the_same_to_the_last_bit(
    how: signal.Signals,
    uninterrupted: str,
    images_file: Path,
    start_shoal: Callable[..., Any],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pth"
    history = tmp_path / "c.pth.history"
    command = ("train", images_file, path, *LONG)
    process = start_shoal(*command)
    wait_for(history / "resume.pth", process)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert not path.exists(), "the run ended before it could be stopped"
    assert out == ""
    assert "Traceback" not in err
    stopped = json.loads(run_cli("info", history / "resume.pth", "--json").out)
    assert "The run is not finished" in run_cli("info", history / "resume.pth").out
    assert 0 < stopped["step"] < 200
    if how == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        assert stopped["step"] % 25 == 0  # the state is written with each kept checkpoint
    else:
        assert process.returncode == 130
        last = err.splitlines()[-1]
        assert last.startswith("shoal: stopped at epoch ")
        assert f"(step {stopped['step']} of 200)" in last
        assert "--resume" in last

    resumed = start_shoal(*command, "--resume")
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert err.startswith(f"going on at epoch {stopped['epoch']:.1f} of 20\n")
    assert digest(run_cli, path) == uninterrupted
    steps = [int(file.stem.removeprefix("step-")) for file in sorted(history.iterdir())]
    assert steps == list(range(25, 201, 25))
    history = json.loads(run_cli("info", path, "--json").out)["history"]
    assert [row["step"] for row in history] == list(range(2, 201, 2))
    assert sorted(os.listdir(tmp_path)) == ["c.pth", "c.pth.history"]


def test_a_new_run_keeps_the_unfinished_one_aside(
    images_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    checkpoint_file: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pth"
    history = tmp_path / "c.pth.history"
    history.mkdir()
    kept = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())[0]
    shutil.copy(kept, history / "resume.pth")
    refused = run_cli("train", images_file, path, *fast)
    assert refused.code == 2
    assert "go on with: shoal train" in refused.err
    result = run_cli("train", images_file, path, *fast, "--force")
    assert result.code == 0, result.err
    assert f"it is kept in {history}.previous" in result.err
    assert (tmp_path / "c.pth.history.previous" / "resume.pth").read_bytes() == kept.read_bytes()


def test_resume_with_nothing_to_resume_starts_anew(
    images_file: Path,
    checkpoint_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pth"
    result = run_cli("train", images_file, path, *fast, "--resume")
    assert result.code == 0, result.err
    assert "nothing to resume" in result.err
    again = run_cli("train", images_file, path, *fast, "--resume")
    assert again.code == 0
    first, *verdict = again.err.splitlines()
    assert first == f"{path} is finished; nothing to resume"
    assert any(line.startswith("Can these groups be trusted?") for line in verdict)
    about = [json.loads(run_cli("info", p, "--json").out) for p in (path, checkpoint_file)]
    assert about[0]["weights_sha256"] == about[1]["weights_sha256"]


def test_two_signals_end_at_once_and_leave_no_half_file(
    images_file: Path, start_shoal: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.pth"
    process = start_shoal("train", images_file, path, *LONG)
    wait_for(tmp_path / "c.pth.history" / "resume.pth", process)
    process.send_signal(signal.SIGTERM)  # as a batch system asks
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("shoal: stopped")
    assert not [file for file in tmp_path.rglob("*") if ".shoal-" in file.name]
    from shoal.models import checkpoint

    for file in tmp_path.rglob("*.pth"):
        checkpoint.load(file)  # each is whole


def test_interrupt_before_the_first_checkpoint(
    images_file: Path, run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal import pipeline

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "train", interrupted)
    result = run_cli("train", images_file, tmp_path / "c.pth", "--quiet")
    assert result.code == 130
    assert result.err == "shoal: stopped before the first checkpoint; nothing was kept.\n"
    assert list(tmp_path.iterdir()) == []


def test_interrupt_of_other_work_says_so(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from shoal.embedding import reduce

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reduce, "embed_blocks", interrupted)
    result = run_cli("predict", images_file, checkpoint_file, tmp_path / "p.csv")
    assert (result.code, result.err) == (130, "shoal: stopped.\n")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_while_an_older_unfinished_run_is_there(
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped before its own first checkpoint, a run must not offer to resume the older one."""
    from shoal import pipeline

    history = tmp_path / "c.pth.history"
    history.mkdir()
    kept = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())[0]
    shutil.copy(kept, history / "resume.pth")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "train", interrupted)
    result = run_cli("train", images_file, tmp_path / "c.pth", "--quiet", "--seed", "5", "--force")
    assert result.code == 130
    assert result.err == "shoal: stopped before the first checkpoint; nothing was kept.\n"
