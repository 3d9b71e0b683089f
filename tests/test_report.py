"""The report: what it says is what the other commands measure, and it is read without shoal."""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import string
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure
from pypdf import PdfReader
from scipy.stats import spearmanr

from shoal import pipeline
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.plots.strips import strips
from shoal.reports import figures, fonts, progression
from shoal.reports import pdf as reporting_pdf
from shoal.reports.clusters import borders
from shoal.reports.document import Block, Document, Heading, Paragraph, Picture, Table
from shoal.reports.measurements import Point
from shoal.reports.observations import observations, rank_correlation
from shoal.reports.progression import LABEL_FREE
from shoal.reports.wording import Wording, translations
from shoal.scoring import group_sizes, warnings
from shoal.scoring.appearance import warn_of_simple_features

PACKAGE = Path(progression.__file__).parent
ROOT = PACKAGE.parent.parent


@pytest.fixture(scope="module")
def trained(
    images_file: Path, fast: tuple[str, ...], run_cli: Callable[..., Any],
    kinds: np.ndarray, tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """A folder with before.pth, after.pth and best.pth of `images`, and with their kinds."""
    folder = tmp_path_factory.mktemp("trained")
    for name, recipe, seed in (("before", "improved", 0), ("after", "improved", 1),
                               ("best", "best", 0)):  # fmt: skip
        options = [*fast, "--recipe", recipe, "--set", "checkpoints=12", "--seed", str(seed)]
        result = run_cli(
            "train", images_file, folder / f"{name}.pth", "--quiet", *options, "--epochs", "2"
        )
        assert (result.code, result.err) == (0, "")
    np.save(folder / "labels.npy", kinds)
    shutil.copy(images_file, folder / "images.npy")
    return folder


def arguments(
    folder: Path, out: Path | str | None = None, *, best: Path | None = None, labels: bool = True
) -> list[str | Path]:
    """What ``shoal report`` takes for everything in the folder."""
    measured = ["--images", folder / "images.npy", "--labels", folder / "labels.npy"]
    return [
        folder / "images.npy", best or folder / "best.pth", *([] if out is None else [out]),
        "--before", folder / "before.pth", "--after", folder / "after.pth",
        *(measured if labels else []),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def pdf(trained: Path, run_cli: Callable[..., Any]) -> Path:
    """The report of `trained`, with labels."""
    path = trained / "report.pdf"
    result = run_cli("report", *arguments(trained, path), "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    return path


def text(path: Path) -> str:
    """The words of a PDF, one space between them."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_its_numbers_are_those_of_the_other_commands(
    pdf: Path, trained: Path, run_cli: Callable[..., Any]
) -> None:
    said = text(pdf)
    rows: dict[str, list[str]] = {"accuracy of 40 labelled images": [], "NMI": [], "ARI": [],
                                  "reconstruction MSE of 40 images": []}  # fmt: skip
    for name in ("before", "after", "best"):
        output = run_cli(
            "evaluate", trained / "images.npy", trained / f"{name}.pth", trained / "labels.npy",
            "--json",
        ).out  # fmt: skip
        scores = json.loads(output)
        for row, value in zip(
            rows, (scores["accuracy"], scores["nmi"], scores["ari"], scores["mse"]), strict=True
        ):
            rows[row].append(f"{value:.4f}" if "MSE" in row else f"{value:.3f}")
    for row, values in rows.items():
        found = re.search(rf"{row} ([\d.]+) ([\d.]+) ([\d.]+)", said)
        assert found is not None, row
        # bf16 may move the last digit of an error.
        assert np.allclose([float(v) for v in found.groups()], [float(v) for v in values],
                           atol=2e-4 if "MSE" in row else 1e-9)  # fmt: skip


def test_every_page_has_its_number_and_every_font_is_embedded(pdf: Path) -> None:
    reader = PdfReader(pdf)
    assert pdf.stat().st_size < 5_000_000
    for number, page in enumerate(reader.pages, start=1):
        assert f"page {number}" in page.extract_text()
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]  # A4
    fonts_seen = 0
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            font = font.get("/DescendantFonts", [font])[0].get_object()
            if font["/Subtype"] != "/Type3":
                descriptor = font["/FontDescriptor"].get_object()
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor), font
            fonts_seen += 1
    assert fonts_seen > 2


def test_words_inside_figures_can_be_selected(pdf: Path) -> None:
    said = text(pdf)
    for word in ("epoch (passes over all images)", "map axis 1", "0 typical", "images (log scale)"):
        assert word in said, word


def test_without_labels_the_rest_is_there(trained: Path, run_cli: Callable[..., Any]) -> None:
    path = trained / "unlabelled.pdf"
    assert run_cli("report", *arguments(trained, path, labels=False), "--quiet").code == 0
    said = text(path)
    for part in ("What was improved", "Reconstructions", "Checkpoints", "What was found",
                 "How it was made", "0 typical"):  # fmt: skip
        assert part in said, part
    assert said.count("No labels were given: the accuracy is left out.") == 2
    assert "Spearman" not in said
    assert "McNemar" not in said


def test_one_checkpoint_will_do(trained: Path, run_cli: Callable[..., Any]) -> None:
    path = trained / "one.pdf"
    result = run_cli(
        "report", trained / "images.npy", trained / "best.pth", path,
        "--show", "39,0", "--quiet",
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    said = text(path)
    parts = [said.index(part) for part in (
        "Can these groups be trusted?", "What was found", "one group says less than that of all",
        "0 typical", "How sure",
        "Reconstructions", "Checkpoints", "How it was made",
    )]  # fmt: skip
    assert parts == sorted(parts)  # the reader's order
    assert "image 39 image 0" in said


def test_chinese(trained: Path, run_cli: Callable[..., Any]) -> None:
    path = trained / "chinese.pdf"
    result = run_cli("report", *arguments(trained, path), "--lang", "zh-TW", "--quiet")
    assert (result.code, result.err) == (0, "")  # matplotlib warns of glyphs it does not have
    said = text(path)
    for part in ("改進了什麼", "訓練週期", "第 1 頁", "典型", "編碼器學不到多少"):
        assert part in said, part
    assert "What was" not in said
    assert "images are few" not in said  # a warning is translated, too


# The checkpoints along the way


@pytest.fixture
def passed_on(trained: Path, pdf: Path, tmp_path: Path) -> Path:
    """What `trained` holds, but of the checkpoint history only what was measured for `pdf`."""
    del pdf
    moved = tmp_path / "moved"
    shutil.copytree(trained, moved)
    for file in (moved / "best.pth.history").glob("*.pth"):
        file.unlink()
    return moved


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The keyword arguments of each measurement of a checkpoint along the way, as they are made."""
    calls: list[dict[str, Any]] = []
    measure = progression._measure

    def counted(*arguments: Any, **options: Any) -> Point:
        calls.append(options)
        return measure(*arguments, **options)

    monkeypatch.setattr(progression, "_measure", counted)
    return calls


def test_checkpoints_are_measured_once(
    trained: Path, pdf: Path, run_cli: Callable[..., Any], measured: list[dict[str, Any]],
    tmp_path: Path,
) -> None:  # fmt: skip
    """A second report takes them from the file beside them, as long as it is of these weights."""
    again = tmp_path / "again.pdf"
    assert run_cli("report", *arguments(trained, again), "--quiet").code == 0
    assert not measured
    assert text(again).split("How it was made")[0] == text(pdf).split("How it was made")[0]
    moved = tmp_path / "moved"
    shutil.copytree(trained, moved)
    file = moved / "best.pth.history" / progression.FILE
    entries = json.loads(file.read_text())
    for entry in entries[:-1]:
        entry["weights"] = "those of an earlier run"
    file.write_text(json.dumps(entries))
    assert run_cli("report", *arguments(moved, moved / "a.pdf"), "--quiet").code == 0
    assert len(measured) == 11
    known = {entry["weights"] for entry in json.loads(file.read_text())}
    assert len(known) == 12  # what the checkpoints no longer are is forgotten
    assert "those of an earlier run" not in known


def test_the_last_checkpoint_is_not_reconstructed_twice(
    trained: Path, run_cli: Callable[..., Any], measured: list[dict[str, Any]], tmp_path: Path
) -> None:
    """It has the weights of the final file, whose error is the same number."""
    without(trained, tmp_path, 0)
    result = run_cli(
        "report",
        *arguments(trained, tmp_path / "a.pdf", best=tmp_path / "best.pth", labels=False),
        "--quiet",
    )  # fmt: skip
    assert result.code == 0
    assert [call["mse"] is None for call in measured] == [True] * 11 + [False]
    kept, here = (
        json.loads((folder / "best.pth.history" / progression.FILE).read_text())
        for folder in (trained, tmp_path)
    )
    assert {e["weights"]: e["mse"] for e in kept} == {e["weights"]: e["mse"] for e in here}


@pytest.mark.parametrize("labels", [True, False])
def test_what_was_measured_is_enough_without_the_checkpoints(
    labels: bool, passed_on: Path, pdf: Path, run_cli: Callable[..., Any],
    measured: list[dict[str, Any]],
) -> None:  # fmt: skip
    """As in a fresh clone. Errors and label-free scores need no labels, and serve without."""
    again = passed_on / "again.pdf"
    result = run_cli("report", *arguments(passed_on, again, labels=labels), "--quiet")
    assert (result.code, result.err) == (0, "")
    assert not measured
    if labels:
        assert text(again).split("How it was made")[0] == text(pdf).split("How it was made")[0]
    else:
        assert "The 12 checkpoints kept while best was trained" in text(again)
        assert "Spearman" not in text(again)


@pytest.mark.parametrize("other", ["labels", "checkpoint", "part"])
def test_what_was_measured_of_others_is_refused(
    other: str, passed_on: Path, run_cli: Callable[..., Any]
) -> None:
    file = passed_on / "best.pth.history" / progression.FILE
    if other == "labels":
        np.save(passed_on / "labels.npy", 1 - np.load(passed_on / "labels.npy"))
        wanted = "was measured on other images or labels"
    elif other == "checkpoint":
        shutil.copy(passed_on / "after.pth", passed_on / "best.pth")
        wanted = "must hold at least 10 checkpoints, but holds 0"
    else:
        file.write_text(json.dumps(json.loads(file.read_text())[1:]))
        wanted = "must hold 12 checkpoints, but holds 11"
    result = run_cli("report", *arguments(passed_on, passed_on / "a.pdf"), "--quiet")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert wanted in result.err
    assert not (passed_on / "a.pdf").exists()


def test_clusters_are_the_same_without_an_examination(trained: Path) -> None:
    source = open_source(trained / "images.npy")
    checkpoint = checkpoints.load(next((trained / "best.pth.history").glob("step-*.pth")))
    whole = pipeline.cluster(source, checkpoint)[0]
    lean = pipeline.cluster(source, checkpoint, thorough=False)[0]
    assert whole.familiar
    assert not lean.familiar
    assert whole.facts.splits == lean.facts.splits
    assert all((whole.clusterer[name] == lean.clusterer[name]).all() for name in whole.clusterer)


# What each change gave


def test_the_measured_chain_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step begins where the one before it ends, on the same seeds."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from contributions import STEPS, contributions

    steps = [step for name in STEPS for step in contributions(name)]
    assert len(steps) == 8
    for earlier, later in pairwise(steps):
        assert (later["before"], later["seeds"]) == (earlier["after"], earlier["seeds"])
    assert len(steps[0]["seeds"]) >= 3


def test_what_each_change_gave(trained: Path, run_cli: Callable[..., Any], tmp_path: Path) -> None:
    """What was measured stands beside its settings; the rest says that it was not measured."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    best = checkpoints.load(tmp_path / "best.pth")
    step = {"before": 0.85, "after": 0.8993, "seeds": [0, 1], "source": "benchmarks/quality.py"}
    best.provenance["contributions"] = [
        step | {"what": "contrast", "fields": ["objectives", "views.n_views"]},
        step | {"what": "more views", "fields": ["views.n_views"], "after": 0.86},
        step | {"what": "another schedule", "fields": ["objectives", "schedule"]},  # the same
    ]
    checkpoints.save(best, tmp_path / "best.pth", force=True)
    path = tmp_path / "gains.pdf"
    assert run_cli("report", *arguments(tmp_path, path), "--quiet").code == 0
    said = text(path)
    assert "Every setting that changed from before to after" in said
    assert "seed 0 1 not measured" in said
    assert "A contrast 0.850 0.899 +0.049 0, 1" in said
    assert "step A ends at 0.899 (seeds 0, 1) and step B begins at 0.850 (seeds 0, 1)" in said
    assert "do not add up" in said
    part = said.split("Every setting that changed from after to best")[1]
    assert "objectives reconstruction nt_xent + reconstruction(fraction=0.25) A" in part
    assert re.search("views.n_views 1 2 A,.B", part)
    assert "embedding encoder joint not measured" in part
    assert "another schedule" not in said
    assert "best gets" in said  # McNemar's test of the last step, too


# How it is set


def pages(*blocks: Block, language: str = "en") -> list[str]:
    """The words of each page of a PDF of these blocks."""
    out = io.BytesIO()
    document = Document("Title", "", language, list(blocks))
    setter = reporting_pdf._Setter(document, Wording(language))
    out.write(setter.with_figures(setter.text()))
    return [page.extract_text() for page in PdfReader(out).pages]


def panel(inches: float) -> Picture:
    """A figure of this height, with a word in it."""
    figure = Figure(figsize=(7.0, inches))
    figure.subplots().set_title("inside")
    return Picture(figure, "caption")


@pytest.mark.parametrize(
    ("inches", "page"),
    [
        (3.0, 0),
        (5.8, 0),  # a little too high: shrunk
        (8.0, 1),
    ],
)
def test_a_heading_stays_with_its_figure(inches: float, page: int) -> None:
    filled = Paragraph("word " * 400)
    found = pages(filled, Heading("Part", 2), panel(inches))
    assert len(found) == page + 1
    for word in ("Part", "inside", "caption"):
        assert word in found[page]
        assert all(word not in other for other in found[:page])


@pytest.mark.parametrize("n_words", [650, 680])
def test_a_table_is_on_the_page_of_the_sentence_above_it(n_words: int) -> None:
    table = Table(("column",), (("cell",),) * 12)
    heading, sentence = Heading("Part", 2), Paragraph("A sentence on the table.")
    first, second = pages(Paragraph("word " * n_words), heading, sentence, table)
    assert "sentence" not in first
    assert second.index("Part") < second.index("sentence") < second.index("column")


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_no_word_is_broken_in_a_table_that_has_the_room(language: str) -> None:
    name = "kernel_pca(n_components=200,"
    table = Table(
        ("setting", "old", "new"), (("reducers", f"unit_norm + {name}", "as it was " * 30),)
    )
    (page,) = pages(table, language=language)
    assert name in page


def points(mse: list[float], accuracy: list[float]) -> list[Point]:
    """A history with these numbers; of its label-free scores the first runs with the accuracy."""
    scores = dict.fromkeys(LABEL_FREE, 0.5)
    return [
        Point(
            float(i + 1), 10 * (i + 1), m, scores | {"label-free score": a}, a, (a - 0.1, a + 0.1)
        )
        for i, (m, a) in enumerate(zip(mse, accuracy, strict=True))
    ]


def test_observations_are_computed() -> None:
    mse = [0.5, 0.4, 0.3, 0.35, 0.2]
    said = observations(points(mse, [0.6, 0.7, 0.9, 0.8, 0.75]), 100, Wording())
    assert "from 0.5000 (epoch 1.0) to 0.2000 (epoch 5.0)" in said[0]
    assert "falls 3 of 4 times and rises 1" in said[0]
    assert "highest 0.900 at epoch 3.0" in said[1]
    assert "by 0.113 on average and by 0.200 at most (epoch 2.0 to 3.0)" in said[2]
    assert "Rank correlation (Spearman) of the MSE with the accuracy: -0.70" in said[3]
    assert "it may as well be none" in said[3]
    assert "label-free score with the accuracy: +1.00" in said[4]
    assert "none, as one of them does not change" in said[5]
    assert "epoch 3.0 (0.900). Chosen by the lowest MSE: epoch 5.0, accuracy 0.750" in said[-1]


@settings(max_examples=50, deadline=None)
@given(arrays.arrays(float, (2, 12), elements=st.floats(-1, 1, width=16)))
def test_rank_correlation_lies_in_its_interval(values: np.ndarray) -> None:
    a, b = values
    rho, low, high = rank_correlation(a, b)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert np.isnan(rho)
        return
    assert rho == pytest.approx(spearmanr(a, b).statistic)
    assert -1 - 1e-9 <= low <= rho + 1e-9
    assert rho - 1e-9 <= high <= 1 + 1e-9
    turned = rank_correlation(a, -b)
    assert turned == pytest.approx((-rho, -high, -low))


# The clusters


def test_borders_by_counting(images: np.ndarray) -> None:
    """Against a slow count over all pairs."""
    generator = np.random.default_rng(0)
    z = generator.normal(size=(60, 3)).astype(np.float32)
    labels = generator.integers(0, 4, 60)
    shares, following, touch = borders(z, labels, n_neighbors=5)
    distance = np.square(z[:, None] - z[None]).sum(axis=2)
    near = np.argsort(distance, axis=1)[:, 1:6]
    for cluster in range(4):
        counts = np.bincount(labels[near[labels == cluster]].ravel(), minlength=4)
        assert np.allclose(shares[cluster], counts / counts.sum())
        counts[cluster] = -1
        assert counts[following[cluster]] == counts.max()
    for row in range(60):
        assert touch[row] == np.mean(labels[near[row]] == following[labels[row]])


def test_a_cluster_that_touches_none() -> None:
    z = np.array([[0.0], [0.1], [9.0], [9.1]], dtype=np.float32)
    _, following, touch = borders(z, np.array([0, 0, 1, 1]), n_neighbors=1)
    assert following.tolist() == [0, 1]
    assert touch.tolist() == [0, 0, 0, 0]
    assert borders(z[:1], np.array([0]))[2].tolist() == [0]


@pytest.mark.parametrize("channels", [1, 3])
def test_figures_of_any_shape(channels: int) -> None:
    generator = np.random.default_rng(0)
    shown = generator.integers(0, 256, (7, 5, 9, channels), dtype=np.uint8)
    figure = figures.reconstructions(shown, shown, [str(i) for i in range(7)], np.zeros(7))
    assert "MSE 0.0000" in [ax.get_title() for ax in figure.axes]
    assert len(strips([("a", shown, (0, 0, 0)), ("b", shown[:1], (1, 0, 0))]).axes) == 2
    labels = np.arange(30)
    confidence = generator.random(30).astype(np.float32)
    assert figures.confidences(confidence, labels).axes[0].get_xlabel() == "confidence"
    counts = generator.integers(0, 9, (3, 12))
    assert len(figures.confusion(counts, list("abc")).axes[0].texts) == 36


# The wording


def templates() -> set[str]:
    """Every template that the package hands to its wording."""
    found = set(LABEL_FREE)
    for path in (*PACKAGE.glob("*.py"), *(PACKAGE.parent / "scoring").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "wording",
                "self.wording",
                "sentence",
                "_of_what",
            ):
                value = node.args[0]
                if isinstance(value, ast.Constant):
                    found.add(value.value)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "header":
                found |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return found


def fields(template: str) -> set[tuple[str, str | None]]:
    """The values that a template is filled with, and how each is written; Chinese has no plural."""
    parts = string.Formatter().parse(template)
    return {(name, form) for _, name, form, _ in parts if name and "|" not in (form or "")}


def test_every_template_is_translated_with_its_values() -> None:
    wanted = templates()
    assert len(wanted) > 100
    chinese = translations("zh-TW")
    missing = {template for template in wanted if template not in chinese["wording"]}
    assert not {m for m in missing if re.search("[a-z]{3}", m)}
    for english, translated in (chinese["wording"] | chinese["warnings"]).items():
        assert fields(english) >= fields(translated), english
    elsewhere = {
        "belongs nowhere", "cluster", "label", "brightness", "brightness and contrast",
        "mean colour", "the mean of the channels",
    }  # fmt: skip
    assert not {english for english in chinese["wording"] if english not in wanted} - elsewhere


def test_warnings_are_translated() -> None:
    """They come as finished sentences; one that was reworded would stay English unnoticed."""
    line = np.linspace(0, 1, 90, dtype=np.float32)
    said = [
        *group_sizes.few_images(5, 2), *group_sizes.few_images(1, 2),
        *group_sizes.few_images(150, 10), *group_sizes.mostly_copies(np.arange(9) % 2, 2),
        *group_sizes.tiny_clusters([990, 10]), *group_sizes.tiny_clusters([980, 5, 5, 9]),
        *group_sizes.tiny_clusters([990, 0]), *group_sizes.tiny_clusters([990, 0, 0]),
        *warnings.collapse(np.ones((50, 4), np.float32), 2),
        *warnings.collapse(np.stack([line, line * 2, line * 3], axis=1) - 0.5, 3),
        warnings.went_wrong_late(14, 0.8, 0.5),
        *warnings.constant([1], 3), *warnings.constant([1, 2], 5),
        *warn_of_simple_features({"brightness": line[:, None]}, (line > 0.5).astype(np.int64)),
        *warn_of_simple_features(
            {"brightness and contrast": line[:, None]}, (line > 0.5).astype(np.int64)
        ),
    ]  # fmt: skip
    assert len(said) == 15
    wording = Wording("zh-TW")
    for sentence in said:
        translated = wording.warning(sentence)
        assert fonts.is_chinese(translated), sentence
        assert not re.search("[a-z]{4,}", translated.replace("learning_rate", "")
                             .replace("weight_decay", "").replace("--intensity ignored", "")
                             .replace("with", "")), translated  # fmt: skip


def test_what_the_benchmarks_keep_in_checkpoints_is_translated() -> None:
    script = ROOT / "benchmarks" / "contributions.py"
    steps = next(
        node.value
        for node in ast.parse(script.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "STEPS"
    )
    assert steps is not None
    said = {t.elts[0].value for t in ast.walk(steps)
            if isinstance(t, ast.Tuple) and isinstance(t.elts[0], ast.Constant)
            and len(t.elts) > 2}  # fmt: skip
    assert len(said) == 8
    assert said <= set(translations("zh-TW")["changes"])


def test_the_chinese_font_has_every_character() -> None:
    from fontTools.ttLib import TTFont

    parts = translations("zh-TW").values()
    known = {ord(letter) for part in parts for text in part.values() for letter in text}
    drawn = set(TTFont(fonts.CHINESE).getBestCmap())
    assert not {chr(c) for c in known if c > 0x2E80} - set(map(chr, drawn))


# What a user can get wrong


def without(folder: Path, copy: Path, count: int) -> Path:
    """A copy of the best checkpoint whose history lacks ``count`` files, and what was measured."""
    shutil.copy(folder / "best.pth", copy / "best.pth")
    history = copy / "best.pth.history"
    shutil.copytree(folder / "best.pth.history", history)
    (history / progression.FILE).unlink(missing_ok=True)
    for file in sorted(history.glob("*.pth"))[:count]:
        file.unlink()
    return copy / "best.pth"


def other_shape(path: Path) -> Path:
    """Images of another size."""
    np.save(path / "other.npy", np.zeros((20, 9, 8, 3), dtype=np.uint8))
    return path / "other.npy"


def other_pixels(folder: Path, path: Path) -> Path:
    """Images of the same shape."""
    np.save(path / "other.npy", 255 - np.load(folder / "images.npy"))
    return path / "other.npy"


def labels_of(path: Path, labels: list[int]) -> Path:
    """A file of labels."""
    np.save(path / "l.npy", np.array(labels))
    return path / "l.npy"


MISTAKES: dict[str, tuple[Callable[[Path, Path], list[str | Path]], str]] = {
    "after alone": (
        lambda t, p: [t / "images.npy", t / "best.pth", "--after", t / "after.pth"],
        "--after needs --before",
    ),
    "images of another shape": (
        lambda t, p: [other_shape(p), t / "best.pth"],
        "must hold images of shape (8, 8, 3) (height, width, channels), as the checkpoint learned",
    ),
    "labels alone": (
        lambda t, p: [*arguments(t, labels=False), "--labels", t / "labels.npy"],
        "--labels needs --images",
    ),
    "labels of another length": (
        lambda t, p: [*arguments(t)[:-1], labels_of(p, [0, 1, 0])], "3",
    ),
    "more kinds than clusters": (
        lambda t, p: [*arguments(t)[:-1], labels_of(p, [0, 1, 2, 0] * 10)],
        "--labels must be of at most 2 kinds, as many as there are clusters, got 3",
    ),
    "an image that is not there": (
        lambda t, p: [*arguments(t), "--show", "3,40"],
        "--show must name images from 0 to 39, got 40",
    ),
    "not numbers": (
        lambda t, p: [*arguments(t), "--show", "one"],
        "--show must be whole numbers between commas, such as 1,2,3, got 'one'",
    ),
    "a language unknown": (
        lambda t, p: [*arguments(t), "--lang", "fr"], "--lang must be en or zh-TW, got 'fr'",
    ),
    "no history": (
        lambda t, p: arguments(t, best=without(t, p, 12), labels=False),
        "must hold at least 10 checkpoints, but holds 0",
    ),
    "a checkpoint history partly deleted": (
        lambda t, p: arguments(t, best=without(t, p, 2), labels=False),
        "must hold 12 checkpoints, but holds 10",
    ),
    "other images": (
        lambda t, p: [other_pixels(t, p), t / "best.pth"],
        "learned from other images",
    ),
    "a checkpoint along the way": (
        lambda t, p: arguments(t, best=next((t / "best.pth.history").glob("step-*.pth"))),
        "is not finished",
    ),
    "not a checkpoint": (
        lambda t, p: arguments(t, best=t / "labels.npy", labels=False), "checkpoint",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(
    name: str, trained: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    build, fragment = MISTAKES[name]
    built = build(trained, tmp_path)
    out = tmp_path / "out" / "report.pdf"
    result = run_cli("report", *built[:2], out, *built[2:], "--quiet")
    assert (result.code, result.out) == (2, "")
    assert fragment in result.err
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert not out.parent.exists()


@pytest.mark.parametrize("suffix", ["report.docx", "report", "report.pdf/"])
def test_an_output_of_another_kind(
    suffix: str, trained: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    out = f"{tmp_path}/{suffix}"
    if out.endswith("/"):
        Path(out).mkdir()
    result = run_cli("report", *arguments(trained, out))
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "cannot write" in result.err


def test_a_failure_leaves_the_older_report(
    trained: Path, tmp_path: Path, run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report.html"
    out.write_text("older")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr("os.fsync", full)
    result = run_cli("report", *arguments(trained, out), "--force", "--quiet")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "the disk is full" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert out.read_text() == "older"
