"""The tutorials of the documentation: every command and every line of Python in them runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

TUTORIALS = Path(__file__).parent.parent / "docs" / "tutorials"


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and text of each block of code, in order."""
    text = (TUTORIALS / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.S | re.M)


def test_photographs(
    images: np.ndarray,
    kinds: np.ndarray,
    run_cli: Callable[..., Any],
    fast: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a folder to sorted folders, word for word but for the 15 minutes of training."""
    monkeypatch.chdir(tmp_path)
    for folder, some in (("photos/2019", images), ("new", images[:5])):
        (tmp_path / folder).mkdir(parents=True)
        for number, image in enumerate(some):
            Image.fromarray(image).save(tmp_path / folder / f"IMG_{number:04}.png")
    ran = []
    for language, text in blocks("photographs.md"):
        if language == "text":  # the file that the sentence before it names
            Path("names.csv").write_text(text)
            continue
        assert language == "sh"
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if "--minutes" in words:
                at = words.index("--minutes")
                words[at : at + 2] = fast
            result = run_cli(*words[1:])
            assert (words[0], result.code) == ("shoal", 0), f"{line}\n{result.err}"
            ran.append(words[1])
    assert {"run", "info", "evaluate", "splits", "outliers", "name", "export", "predict"} == {*ran}
    sorted_into = {path.parts[1] for path in Path("sorted").rglob("*.png")}
    assert sorted_into == {"beach", "forest"}
    assert len(list(Path("sorted").rglob("*.png"))) == len(images)
    assert len(list(Path("photos").rglob("*.png"))) == len(images)  # the originals stay


def test_python(images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snippets in order, as one program, but for one epoch in place of 20."""
    import shoal

    monkeypatch.chdir(tmp_path)
    np.save("trainX.npy", images)
    narrow = shoal.override(shoal.BEST, ["encoder.widths=(8,16)"])
    monkeypatch.setattr("shoal.recipes.named.BEST", narrow)
    names: dict[str, Any] = {}
    for language, text in blocks("python.md"):
        assert language == "python"
        short = text.replace("epochs=20", "epochs=1")
        exec(compile(short, "python.md", "exec"), names)
    assert len(names["table"].labels) == len(images)
    assert names["alike"].similarity.shape == (1, 5)
    assert Path("five.parquet").exists()
