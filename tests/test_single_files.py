"""A single file as a pile: one picture, or a file that holds more images than are taken."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., Any]


def test_a_single_picture_is_predicted_and_its_cluster_is_printed(
    images: np.ndarray, checkpoint_file: Path, run_cli: Run, tmp_path: Path
) -> None:
    Image.fromarray(images[3]).save(tmp_path / "new one.png")
    result = run_cli("predict", tmp_path / "new one.png", checkpoint_file, tmp_path / "p.csv")
    assert result.code == 0, result.err
    with (tmp_path / "p.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == "new one.png"
    assert re.search(rf"^new one.png: cluster {row['label']}, confidence [01]\.\d\d; written to",
                     result.err, re.MULTILINE)  # fmt: skip
    assert "next:" not in result.err
    for command in ("run", "train", "splits"):
        out = tmp_path / f"{command}.png"
        known = [checkpoint_file, "--picture", out] if command == "splits" else [out]
        refused = run_cli(command, tmp_path / "no one.png", *known)
        assert refused.code == 2
        assert refused.err == f"shoal: {tmp_path / 'no one.png'}: no such file; check the path.\n"


@pytest.mark.parametrize(
    ("name", "how", "option"),
    [
        ("a.gif", {"duration": 100}, "--every 0.1"),
        ("a.tif", {}, "--pages images"),
    ],
)
def test_what_holds_more_images_is_named_with_the_option_that_takes_them(
    name: str, how: dict[str, Any], option: str, run_cli: Run, fast: Sequence[str], tmp_path: Path
) -> None:
    if name == "a.tif":
        pytest.importorskip("tifffile", reason="needs the extra scientific")
    frames = [
        Image.fromarray(x)
        for x in np.random.default_rng(0).integers(0, 256, (4, 40, 40), dtype=np.uint8)
    ]
    (tmp_path / "pile").mkdir()
    frames[0].save(tmp_path / "pile" / name, save_all=True, append_images=frames[1:], **how)
    words = ("run", tmp_path / "pile", tmp_path / "found", "-k", "2", *fast)
    refused = run_cli(*words)
    assert refused.code == 2
    assert f"must hold at least 2 images, got 1: {name} " in refused.err
    assert f"{option} takes" in refused.err
    taken = run_cli(*words, *option.split())
    assert taken.code == 0, taken.err
    assert "1 file holds 4 images" in taken.err


def test_copies_are_told_on_the_screen_as_in_the_report(
    images: np.ndarray, run_cli: Run, fast: Sequence[str], tmp_path: Path
) -> None:
    pile = images.copy()
    pile[5] = pile[2]
    np.save(tmp_path / "pile.npy", pile)
    result = run_cli("run", tmp_path / "pile.npy", tmp_path / "found", "-k", "2", *fast)
    assert result.code == 0, result.err
    height, width = pile.shape[1:3]
    said = f"1 image is the same as another at the size that shoal sees, {width} × {height} pixels"
    assert f"warning: {said}" in result.err
    assert said in (tmp_path / "found" / "report.html").read_text()
