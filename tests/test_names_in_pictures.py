"""Names are data: no markup, any script; and images of any shape are drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader

from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.plots import colours, figures, lettering, maps
from shoal.plots.lettering import face_of, legible, letter
from shoal.plots.strips import strips
from shoal.reports import fonts
from shoal.reports.figures import confusion, embeddings, reconstructions

ODD = (
    "$a^{", "a$b$", "x_{1}^2", "back\\slash", "<b>", "&amp;", "{{7*7}}", "line\nbreak",
    "bidi\u202eabc", "fish\U0001f41f", "combi\u0301ne", "照片龘", "かな", "한국어", "العربية",
    "हिन्दी", "\\frac{", "$\\frac$", "caf\udce9",
)  # fmt: skip


@pytest.fixture(scope="module")
def odd_pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 images, the first of which have names that mean something elsewhere."""
    folder = tmp_path_factory.mktemp("names") / "pile"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(24):
        name = ODD[number] if number < len(ODD) else f"plain{number}"
        image = Image.fromarray(generator.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        image.save(folder / "new.png")
        os.rename(folder / "new.png", os.path.join(folder, f"{name}.png"))
    return folder


def test_odd_names_in_every_picture_and_page(
    odd_pile: Path, fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    options = [*fast, "--set", "checkpoints=10", "--epochs", "2", "--quiet"]
    result = run_cli("run", odd_pile, tmp_path / "found", *options)
    assert (result.code, result.err) == (0, "")  # no warning of a glyph that is missing
    checkpoint = tmp_path / "found" / "checkpoint.pth"
    shown = ",".join(map(str, range(len(ODD))))
    result = run_cli(
        "report", odd_pile, checkpoint, tmp_path / "r.pdf", "--show", shown,
        "--quiet",
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "r.pdf").pages)
    assert "mathdefault" not in text
    for name in ("$a^{.png", "a$b$.png", "x_{1}^2.png", "<b>.png", "&amp;.png", "{{7*7}}.png"):
        assert name in text
    result = run_cli(
        "similar", odd_pile, checkpoint, *sorted(os.listdir(odd_pile))[:20], "--csv",
        tmp_path / "s.csv", "--picture", tmp_path / "s.png", "--quiet",
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system without typefaces."""
    monkeypatch.setattr(lettering, "_faces", lambda: (fonts.CHINESE,))
    face_of.cache_clear()
    yield
    face_of.cache_clear()


def test_a_letter_without_a_face_is_spelled_out_and_no_other(recwarn: Any, bare: None) -> None:
    assert legible("a$b.png") == "a$b.png"
    assert legible("一龘") == "一U+9F98"
    assert legible("a\nb\u202e") == "a\\nb\\u202e"
    assert face_of("改") == fonts.CHINESE  # of the fixed wording: always there
    figure = Figure()
    for place, name in enumerate(ODD):
        figure.text(0.1, place / 20, name.replace("\udce9", ""))
    letter(figure).draw_without_rendering()
    assert not [w for w in recwarn if "missing" in str(w.message)]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 1), (40, 1, 3), (1, 300, 3), (300, 1, 1)])
@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_side_of_one_pixel_is_drawn(shape: tuple[int, int, int], n: int, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, *shape), dtype=np.uint8)
    source = ArraySource(images)
    labels = np.arange(n) % min(n, 3)
    z = generator.normal(size=(n, 2)).astype(np.float32)
    table = ImageTable(source.ids, labels, z, np.full(n, 0.5, np.float32), xy=z)
    drawn = [
        figures.clusters(source, table),
        figures.splits(source, [table]),
        maps.map_of(source, table),
        strips([("a", images, (0, 0, 0))]),
        reconstructions(images[:6], images[:6], list("abcdef")[:n], np.zeros(6)),
    ]
    for place, figure in enumerate(drawn):
        width, height = figure.get_size_inches()
        assert 0.2 < height < 40
        assert 2 < width < 20
        if n == 2:
            figures.write(figure, tmp_path / f"{place}.png")


@pytest.mark.parametrize("k", [10, 11, 23, 50])
def test_a_legend_shows_every_cluster_inside_the_picture(k: int) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(5000) % k
    xy = generator.normal(size=(5000, 2)).astype(np.float32)
    source = ArraySource(np.zeros((5000, 4, 4, 3), dtype=np.uint8))
    table = ImageTable(source.ids, labels, xy, np.ones(5000, np.float32), xy=xy)
    drawn = (maps.map_of(source, table), embeddings([("", xy)], labels, "cluster"))
    for figure in drawn:
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert len(legend.get_texts()) == k
        box, whole = legend.get_window_extent(), figure.bbox
        assert box.x0 >= whole.x0
        assert box.x1 <= whole.x1
        assert box.y0 >= whole.y0
        assert figure.axes[0].get_window_extent().y0 >= box.y1  # outside the plot
    assert len({colours.colour(cluster, k) for cluster in range(k)}) == k


def test_names_of_labels_are_data(bare: None) -> None:
    figure = confusion(np.eye(2, dtype=np.int64), ["$a^{", "龘"])
    figure.draw_without_rendering()
    said = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert said == ["$a^{", "U+9F98"]


def test_a_report_of_four_images(
    fast: tuple[str, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    np.save(tmp_path / "four.npy", generator.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8))
    options = [*fast, "--set", "checkpoints=10", "--epochs", "10", "--quiet"]
    assert run_cli("train", tmp_path / "four.npy", tmp_path / "c.pth", *options).code == 0
    pages = [tmp_path / "r.html", tmp_path / "r.pdf"]
    result = run_cli("report", tmp_path / "four.npy", tmp_path / "c.pth", *pages, "--quiet")
    assert (result.code, result.err) == (0, "")
