"""What was asked for is mended first: mistakes in it are told before what would be overwritten."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.cli.outputs import check_outputs
from shoal.errors import DataError, LostError, OutputError
from shoal.models import provenance
from shoal.scoring.training_command import TrainingCommand


def test_an_input_that_is_missing_is_told_before_an_output_that_is_there(tmp_path: Path) -> None:
    out, pile = tmp_path / "out.csv", tmp_path / "piel.npy"
    out.write_text("id,label\n")
    with pytest.raises(DataError, match=r"piel.npy: no such file; check the path"):
        check_outputs([out], [pile])
    np.save(pile, np.zeros((2, 4, 4), np.uint8))

    def refuse() -> None:
        raise DataError("the question is wrong.")

    with pytest.raises(DataError, match="the question is wrong"):
        check_outputs([out], [pile], first=refuse)
    with pytest.raises(OutputError, match=r"out.csv exists"):
        check_outputs([out], [pile], first=lambda: None)


def test_similar_tells_of_a_wrong_id_first(
    images_file: Path, checkpoint_file: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    csv = tmp_path / "similar.csv"
    csv.write_text("query,rank,id,similarity\n")
    words = ["--csv", csv, "--picture", tmp_path / "similar.png", "--quiet"]
    for name, message in (("cat", "'cat' is neither the id of an image"), ("0", "exists")):
        result = run_cli("similar", images_file, checkpoint_file, name, *words)
        assert result.code == 2
        assert message in result.err


def test_a_typo_in_data_is_told_before_an_unfinished_run(
    tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    folder = tmp_path / "found"
    (folder / "checkpoint.pth.history").mkdir(parents=True)
    result = run_cli("run", tmp_path / "photso", folder)
    assert result.code == 2
    assert "photso: no such file or folder; check the path." in result.err


def test_the_line_to_go_on_with_begins_as_the_command_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["shoal", "train", "a b.npy", "x.pth", "--force"])
    assert provenance.typed("--resume") == "shoal train 'a b.npy' x.pth --resume"
    for name, value in {
        "TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
        "GROUP_WORLD_SIZE": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    advised = TrainingCommand("run", program=tuple(provenance.program())).again("longer")
    assert advised.startswith("'torchrun --nproc-per-node 2 -m shoal run")
    words = shlex.split(provenance.typed("--resume"))
    assert words[:6] == ["torchrun", "--nproc-per-node", "2", "-m", "shoal", "train"]
    for name, value in {
        "WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "2", "GROUP_RANK": "0", "MASTER_ADDR": "head",
        "MASTER_PORT": "29500",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert "--nnodes 2 --node-rank 0 --master-addr head --master-port 29500" in provenance.typed()
    kept = provenance.command_line()
    assert kept == "torchrun --nproc-per-node 2 --nnodes 2 -m shoal train 'a b.npy' x.pth --force"


def test_a_training_that_lost_its_workers_names_the_command_to_go_on_with(
    images_file: Path, fast: Any, tmp_path: Path, run_cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from shoal.training.loop import train

    def losing(*given: Any, **named: Any) -> Any:
        yield next(train(*given, **named))
        raise LostError("the Ray of this machine has ended")

    monkeypatch.setattr("shoal.cli.fit._trainer", lambda *_: losing)
    monkeypatch.setattr("os._exit", sys.exit)
    result = run_cli("train", images_file, tmp_path / "best.pth", *fast)
    assert result.code == 2
    last = result.err.splitlines()[-1]
    assert last.startswith("shoal: the Ray of this machine has ended; what is done is kept, go on")
    assert last.endswith("--resume")
    assert (tmp_path / "best.pth.history" / "resume.pth").exists()


def test_what_a_checkpoint_alone_refuses_is_told_before_the_images_are_read(
    checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    """Neither images that take long, nor a file that is there, comes first."""
    checkpoint, there = checkpoint_file, tmp_path / "p.csv"
    there.write_text("id,label\n")
    (missing := tmp_path / "m.npy").write_bytes(b"no array")
    for words, said in (
        (("-k", 0), "-k must be from 2 to "),
        (("-k", 1), ", the number of images, got 1."),
        (("-k", 5000), ", the number of images, got 5000."),
        (("--split", 999), "--split must be from 1 to"),
    ):
        result = run_cli("predict", missing, checkpoint, there, *words)
        assert (result.code, result.err.count("\n")) == (2, 1), result.err
        assert said in result.err


def test_more_clusters_than_files_are_refused_before_any_is_decoded(
    tmp_path: Path, run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal.images.decoding import pile

    (photos := tmp_path / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(photos / f"{number}.png")
    monkeypatch.setattr(pile, "first_form", None)
    result = run_cli("run", photos, tmp_path / "out", "-k", 4)
    assert (result.code, result.err) == (
        2, "shoal: -k must be from 2 to 3, the number of images, got 4.\n",
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"my notes\n", b"my notes", b"\x93NUMPY\n", b"{}\n"])
def test_a_file_that_is_no_journal_is_told_by_its_own_name(
    content: bytes, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    (text := tmp_path / "text.txt").write_bytes(content)
    (there := tmp_path / "p.csv").write_text("id,label\n")
    data = tmp_path / "x.npy"
    predict = ("predict", data, checkpoint_file, there)
    for words in (predict, ("train", data, tmp_path / "c.pth")):
        result = run_cli(*words, "--corrections", text)
        why = "is not a file of corrections that shoal wrote; name another, or move it away."
        said = f"shoal: {text} {why}\n"
        assert (result.code, result.err) == (2, said)


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("run", ("-k", 5000), "-k must be from 2 to 40, the number of images"),
        ("run", ("--size", 33), "--size must be 32"),
        ("run", ("--fit", "cut"), "--fit must be crop"),
        ("run", ("--range", "5:1"), "--range must be LOW:HIGH"),
        ("run", ("--array", "x"), "--array is only for .npz files"),
        ("run", ("--channels", "none"), "--channels must be first or last"),
        ("run", ("--composite", "red"), "--composite must name"),
        ("run", ("--every", "-1"), "--every must be a number of seconds"),
        ("run", ("--pages", "all"), "--pages must be"),
        ("cluster", ("-k", 5000), "-k must be from 2 to 60, the number of vectors"),
        ("cluster", ("--column", "x"), "--column is only for .parquet files"),
        ("cluster", ("--array", "x"), "--array is only for .npz files"),
        ("run", (), "prediction.csv exists already"),
        ("cluster", (), "prediction.csv exists already"),
    ],
)
def test_a_mistake_in_an_option_is_told_before_the_folder_that_is_taken(
    command: str, options: tuple[Any, ...], said: str, images_file: Path,
    run_cli: Callable[..., Any], tmp_path: Path,
) -> None:  # fmt: skip
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(60, 8)))
    (tmp_path / "taken").mkdir()
    (there := tmp_path / "taken" / "prediction.csv").write_text("of another program\n")
    data = images_file if command == "run" else tmp_path / "v.npy"
    result = run_cli(command, data, there.parent, *options)
    assert (result.code, result.err.count("\n")) == (2, 1), result.err
    assert said in result.err
    assert there.read_text() == "of another program\n"
