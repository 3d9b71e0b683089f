"""The tutorials of the documentation: every command and every line of Python in them runs."""

from __future__ import annotations

import re
import shlex
import shutil
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


def move_an_image(found: Path, photos: Path) -> None:
    """Move the first image to the other group, as a person does on the page."""
    from shoal.corrections import say
    from shoal.images.open import open_source
    from shoal.models import checkpoint as checkpoints
    from shoal.review.opening import open_review

    checkpoint = found / "checkpoint.pth"
    with open_review(open_source(photos), checkpoints.load(checkpoint), checkpoint).journal as kept:
        groups = kept.history.groups
        kept.append(say.move(groups, np.array([0]), 3 - int(groups.group[0])))


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
        if language == "text":  # what is to be filled in
            header, *rows = Path("names.csv").read_text().splitlines()
            filled = [row.replace(",,", f",{new.partition(',')[2]},", 1)
                      for row, new in zip(rows, text.splitlines()[1:], strict=True)]  # fmt: skip
            Path("names.csv").write_text("\n".join([header, *filled, ""]))
            continue
        assert language == "sh"
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words[1] == "review":  # the page waits for a person: what one may do there
                move_an_image(Path(words[2]), Path("photos"))
                continue
            if "--minutes" in words:
                at = words.index("--minutes")
                words[at : at + 2] = fast
            result = run_cli(*words[1:])
            assert (words[0], result.code) == ("shoal", 0), f"{line}\n{result.err}"
            assert "does not say for which result" not in result.err
            ran.append(words[1])
    assert {"run", "info", "evaluate", "splits", "outliers", "name", "export", "predict"} == {*ran}
    sorted_into = {path.parts[1] for path in Path("sorted").rglob("*.png")}
    assert sorted_into == {"beach", "forest"}
    assert len(list(Path("sorted").rglob("*.png"))) == len(images)
    assert {len(list(folder.rglob("*.png"))) for folder in Path("sorted").glob("*/")} == {19, 21}
    assert Path("new.csv").read_text().startswith("id,label,name,result\n")
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


def test_embeddings(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command and line of the page, word for word."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    vectors = 3 * np.eye(2, 8)[np.arange(60) % 2] + generator.normal(size=(60, 8))
    np.save("embeddings.npy", vectors)
    np.save("new.npy", vectors[:9])
    Path("photos").mkdir()
    for number, image in enumerate(generator.integers(0, 255, (60, 8, 8), dtype=np.uint8)):
        Image.fromarray(image).save(f"photos/{number:03}.png")
    monkeypatch.setattr("shoal.review.server.ReviewServer.run", lambda self: self.close())
    for language, text in blocks("embeddings.md"):
        if language == "python":
            exec(compile(text, "embeddings.md", "exec"), {})
            continue
        if language == "text":  # what a command prints
            continue
        assert language == "sh"
        for line in text.splitlines():
            words = shlex.split(line)[1:]
            result = run_cli(*words, *(["--no-browser"] if words[0] == "review" else []))
            assert result.code == 0, (line, result.err)
    assert "belongs nowhere" in Path("sifted/prediction.csv").read_text()
    assert Path("vectors.pth").exists()


PAGES = sorted((TUTORIALS.parent / "questions").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_questions(
    page: Path, images: np.ndarray, checkpoint_file: Path, run_cli: Callable[..., Any],
    fast: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The commands of a page in order, word for word; what trains is made fast."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(f"photos/IMG_{number + 10:04}.png")
    Image.fromarray(images[3]).save("photos/IMG_0042.jpg")
    np.save("trainX.npy", images)
    np.savez("cells.npz", X=257 * images.astype(np.uint16))
    Path("pairs.csv").write_text("IMG_0042.jpg,IMG_0013.png\n")
    shutil.copytree(checkpoint_file.parent, "found")
    table = ("predict", "photos", "found/checkpoint.pth", "p.csv", "--table", "found/table.parquet")
    if "table.parquet" in page.read_text():
        assert run_cli(*table).code == 0
    if page.stem in ("interrupted", "sensors"):
        shutil.rmtree("found")
    for language, text in blocks(f"../questions/{page.name}"):
        assert language == "sh"
        for line in text.splitlines():
            words = shlex.split(line, comments=True)[1:]
            more = fast if words[0] in ("run", "train") else ()
            if words[0] == "review":  # a copied run does not know where its images are
                more = ("--data", "photos", "--no-browser")
                monkeypatch.setattr(
                    "shoal.review.server.ReviewServer.run", lambda self: self.close()
                )
            for output in ("similar.csv", "similar.png"):
                Path(output).unlink(missing_ok=True)
            result = run_cli(*words, *more)
            assert result.code == 0, (line, result.err)


@pytest.mark.parametrize("example", ["embed_and_cluster", "estimator", "own_loop"])
def test_examples(
    example: str, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs as they are, but for one epoch of a narrow encoder."""
    import shoal

    monkeypatch.chdir(tmp_path)
    np.save("trainX.npy", images)
    narrow = shoal.override(shoal.BEST, ["encoder.widths=(8,16)"])
    monkeypatch.setattr("shoal.recipes.named.BEST", narrow)
    text = (TUTORIALS.parents[1] / "examples" / f"{example}.py").read_text()
    for long in ("epochs=5", "epochs=3"):
        text = text.replace(long, "epochs=1")
    text = text.replace('[["views.min_crop=0.2"], ["views.min_crop=0.5"]]',
                        '[["encoder.widths=(8,16)"]]')  # fmt: skip
    monkeypatch.setattr("sys.argv", ["example.py", "trainX.npy"])
    exec(compile(text, f"{example}.py", "exec"), {})
    assert list(Path("runs").glob("*.pth"))
