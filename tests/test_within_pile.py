"""Outputs that lie among the images, and images that would lie among outputs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import shoal

Run = Callable[..., Any]


@pytest.fixture
def photos(images: np.ndarray, tmp_path: Path) -> Path:
    """A folder of folders, as people sort photographs."""
    for number, image in enumerate(images):
        path = tmp_path / "photos" / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "photos"


def test_results_within_the_pile_are_said_and_never_taken_for_images(
    photos: Path, run_cli: Run, fast: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    before = shoal.open_source(photos).digest()
    begun = run_cli("run", "photos", "photos/found", "-k", "2", *fast)
    assert begun.code == 0, begun.err
    said = "photos/found lies in the pile photos: what shoal writes there is left out"
    assert begun.err.count(said) == 1
    model = "photos/found/checkpoint.pth"
    for words in (
        ["splits", "photos", model, "--picture", "photos/splits.png"],
        ["predict", "photos", model, "photos/p.csv", "--table", "photos/t.parquet"],
        ["clusters", "photos", model, "--picture", "photos/cats/r.pdf"],
        ["duplicates", "photos", "--csv", "photos/d.csv", "--picture", "photos/d.svg"],
    ):
        assert run_cli(*words).code == 0, words
    assert shoal.open_source(photos).digest() == before
    again = run_cli("run", "photos", "photos/found", "-k", "2", *fast)
    assert "holds the results of this run already" in again.err


def test_sorted_folders_are_proposed_beside_a_pile_that_the_results_lie_in(
    photos: Path, run_cli: Run, fast: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    assert run_cli("run", ".", "found", "-k", "2", *fast).code == 0
    names = Path("found/names.csv")
    assert run_cli("name", "found/prediction.csv", "--template", names).code == 0
    names.write_text(names.read_text().replace(",,", ",some,"))
    named = run_cli("name", "found/prediction.csv", names)
    (line,) = re.findall(r"^next: shoal (.*)$", named.err, re.MULTILINE)
    dry = run_cli(*shlex.split(line))
    assert dry.code == 0, dry.err
    assert not (photos.parent / "sorted").exists()
    (line,) = re.findall(r"^next: shoal (.*)$", dry.err, re.MULTILINE)
    assert run_cli(*shlex.split(line)).code == 0
    assert (photos.parent / "sorted").is_dir()


def test_a_folder_with_images_below_it_does_not_become_one_of_results(
    photos: Path, run_cli: Run, fast: Sequence[str], tree: Callable[[Path], dict[str, str]]
) -> None:
    """As such it would be left out of every pile, and its images with it."""
    before = tree(photos.parent)
    for data in (photos / "cats", photos.parent):
        refused = run_cli("run", data, photos, "-k", "2", *fast)
        assert (refused.code, refused.err) == (
            2, f"shoal: {photos} holds pictures (cats/0.png); name a new folder for the results.\n",
        )  # fmt: skip
    assert tree(photos.parent) == before
