"""The page on taking results elsewhere: its commands and its Python run, in order."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import shoal

PAGE = Path(__file__).parents[1] / "docs" / "elsewhere.md"
LIBRARIES = ("onnxruntime", "pandas", "polars", "duckdb", "datasets", "fiftyone")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)


def snippet(library: str) -> str:
    """The block of Python that imports a library."""
    (text,) = (text for text in blocks("python") if f"import {library}\n" in text)
    return text


@pytest.fixture(scope="module")
def place(
    images: np.ndarray, checkpoint_file: Path, run_cli: Callable[..., Any], fast: Sequence[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """A folder in which the commands of the page were run."""
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "photos").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(place / "photos" / f"IMG_{number + 10:04}.png")
    shutil.copytree(checkpoint_file.parent, place / "found")
    with contextlib.chdir(place):
        table = ("found/checkpoint.pth", "p.csv", "--table", "found/table.parquet")
        assert run_cli("predict", "photos", *table).code == 0
        for line in "".join(blocks("sh")).splitlines():
            words = shlex.split(line)
            if words[0] == "pip":
                continue
            extra = {"export-model": "onnxruntime", "train": "tensorboard"}.get(words[1])
            if extra is not None and not _installed(extra):
                continue
            more = fast if words[1] == "train" else ()
            done = run_cli(*words[1:], *more)
            assert done.code == 0, (line, done.err)
    return place


def _installed(library: str) -> bool:
    try:
        __import__(library)
    except ImportError:
        return False
    return True


def run(library: str, place: Path, monkeypatch: pytest.MonkeyPatch, **names: Any) -> dict[str, Any]:
    monkeypatch.chdir(place)
    exec(compile(snippet(library), f"elsewhere.md ({library})", "exec"), names)
    return names


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_snippet_of_a_library_runs(
    library: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(place / "cache"))
    pytest.importorskip(library, reason=f"{library} is not installed")
    table = shoal.load_prediction(place / "found" / "table.parquet")
    names = run(library, place, monkeypatch)
    sizes = np.bincount(table.labels)
    if library == "onnxruntime":
        row = list(table.ids).index("IMG_0042.png")
        assert names["cluster"].tolist() == [table.labels[row]]
        np.testing.assert_allclose(names["embedding"][0], table.embedding[row], atol=1e-4)
    elif library == "pandas":
        assert len(names["doubtful"]) == 20
    elif library == "polars":
        assert names["sizes"]["len"].to_list() == sizes.tolist()
        np.testing.assert_array_equal(names["embedding"], table.embedding)
    elif library == "duckdb":
        assert [size for _, size, _ in names["sizes"]] == sizes.tolist()
    elif library == "datasets":
        image, cluster = names["first"]
        assert np.array_equal(
            np.asarray(image), np.asarray(Image.open(place / "photos" / table.ids[0]))
        )
        assert cluster == table.labels[0]
        assert len(names["images"]) == len(table.ids)
    else:
        assert len(names["samples"]) == len(table.ids)


def test_fiftyones_file_is_as_its_documentation_says(place: Path) -> None:
    """``classes`` lists names; ``labels`` maps each file's name, without suffix, to one of them."""
    content = json.loads((place / "labels.json").read_text(encoding="utf-8"))
    assert set(content) == {"classes", "labels"}
    assert all(isinstance(name, str) for name in content["classes"])
    assert set(content["labels"]) == {path.stem for path in (place / "photos").iterdir()}
    assert set(content["labels"].values()) == set(range(len(content["classes"])))


def test_mlflow_and_wandb_take_what_is_logged(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins that are called as the libraries' own functions are."""
    rows: dict[str, list[tuple[int, dict[str, float]]]] = {"mlflow": [], "wandb": []}

    def log_metrics(metrics: dict[str, float], step: int | None = None) -> None:
        assert step is not None
        rows["mlflow"].append((step, metrics))

    def log(data: dict[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        assert step is not None
        rows["wandb"].append((step, data))

    mlflow, wandb = types.ModuleType("mlflow"), types.ModuleType("wandb")
    mlflow.start_run, mlflow.log_metrics = contextlib.nullcontext, log_metrics  # type: ignore[attr-defined]
    wandb.init = lambda project: types.SimpleNamespace(log=log)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    (place / "best.pth").unlink(missing_ok=True)
    shutil.rmtree(place / "best.pth.history", ignore_errors=True)
    narrow = shoal.override(shoal.BEST, ["encoder.widths=(8,16)"])
    monkeypatch.setattr("shoal.recipes.named.BEST", narrow)
    short = snippet("mlflow").replace("epochs=20", "epochs=1")
    monkeypatch.chdir(place)
    names: dict[str, Any] = {}
    exec(compile(short, "elsewhere.md", "exec"), names)
    exec(compile(snippet("wandb"), "elsewhere.md", "exec"), names)
    assert [step for step, _ in rows["mlflow"]] == [r["step"] for r in names["checkpoint"].history]
    for ours, theirs in zip(rows["mlflow"], rows["wandb"], strict=True):
        assert (ours[0], ours[1]["loss"]) == (theirs[0], theirs[1]["loss"])
