"""Vectors from elsewhere: reading them, clustering them, and every command that takes them."""

from __future__ import annotations

import html
import json
import re
import shlex
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from shoal import ImageClusterer, VectorClusterer, open_source, pipeline
from shoal.errors import CheckpointError, DataError, RecipeError
from shoal.images.array import ArraySource
from shoal.images.vectors.open import holds_vectors, open_vectors
from shoal.images.vectors.source import VectorSource
from shoal.models import checkpoint as checkpoints
from shoal.recipes.metric import with_metric
from shoal.recipes.named import VECTORS
from shoal.recipes.recipe import check_trainable
from shoal.reports.wording import Wording
from shoal.scoring.evaluation import load_labels
from shoal.scoring.warnings import unfamiliar

from .conftest import shoal_in_process

Run = Callable[..., Any]


def blobs(n: int = 120, d: int = 8, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors float32 (n, d) around k directions, and which direction each is of."""
    generator = np.random.default_rng(seed)
    centres = 4 * np.eye(k, d)
    labels = np.arange(n) % k
    vectors = centres[labels] + generator.normal(size=(n, d)) * 0.5
    return vectors.astype(np.float32), labels


def column(values: object, kind: pa.DataType, **others: object) -> pa.Table:
    return pa.table({"embedding": pa.array(values, kind), **others})


@pytest.fixture(scope="module")
def piles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same vectors in each format."""
    folder = tmp_path_factory.mktemp("vectors")
    vectors, _ = blobs()
    names = [f"{row:03}.png" for row in range(len(vectors))]
    np.save(folder / "a.npy", vectors.astype(np.float16))
    np.savez(folder / "a.npz", other=np.zeros(3), x=vectors, ids=np.array(names))
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8)
    pq.write_table(pa.table({"id": names, "embedding": fixed}), folder / "ours.parquet")
    lists = column(vectors.tolist(), pa.list_(pa.float64()), tokens=[[1, 2]] * len(vectors))
    pq.write_table(lists, folder / "lists.parquet")
    return folder


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "ours.parquet", "lists.parquet"])
def test_each_format_holds_the_same_vectors(piles: Path, name: str) -> None:
    source = open_vectors(piles / name)
    assert holds_vectors(piles / name)
    found = np.concatenate(list(source.blocks()))
    np.testing.assert_allclose(found, blobs()[0], rtol=2e-3, atol=1e-3)
    named = name in ("a.npz", "ours.parquet")
    assert source.ids[7] == ("007.png" if named else "7")
    picked = source.vectors(np.array([5, 2]))
    np.testing.assert_array_equal(picked, found[[5, 2]])


def refused(text: str, *args: object, **more: object) -> None:
    with pytest.raises(DataError) as error:
        open_vectors(*args, **more)  # type: ignore[arg-type]
    assert text in str(error.value)


def test_bad_input_is_refused_in_a_sentence(tmp_path: Path) -> None:
    vectors, _ = blobs()
    path = tmp_path / "a.npy"
    refused("no such file", path)
    refused("is a folder", tmp_path)
    np.save(path, np.array([{}, []], dtype=object), allow_pickle=True)
    refused(
        "pickled Python objects, which are not loaded because they can run code; save an array "
        "of plain numbers",
        path,
    )
    np.save(path, vectors[0])
    refused("shape (n, d)", path)
    np.save(path, np.zeros((2, 8, 8), np.uint8))
    refused("images go with 'shoal run'", path)
    np.save(path, vectors.astype(complex))
    refused("real numbers", path)
    np.save(path, np.full((3, 2), np.nan))
    refused("not finite", path)
    np.save(path, vectors.astype(float) * 1e300)
    refused("beyond 1e18, too large to be squared; divide all", path)
    np.save(path, vectors * np.float32(1e-30))
    refused("too small to be squared; multiply all by the same number, such as 1e29", path)
    np.save(path, vectors)
    refused("vectors of 9 numbers, as the checkpoint learned from, got 8", path, n_dimensions=9)
    refused("at least 500 vectors, got 120.", path, at_least=500)
    np.save(path, np.where(np.arange(120)[:, None] > 0, np.float32(np.nan), vectors))
    refused("got 1; of 119 more rows the first holds a number that", path, at_least=2)
    np.savez(tmp_path / "a.npz", x=vectors[0], y=vectors[1])
    refused("holds no array of 2 axes, only x (8,), y (8,).", tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x=vectors, y=vectors)
    refused(f"name one, such as {tmp_path / 'a.npz'}:x.", tmp_path / "a.npz")
    assert open_vectors(tmp_path / "a.npz:y").n_dimensions == 8
    np.savez(tmp_path / "a.npz", x=vectors, ids=np.array(list(range(120)), object))
    refused("its array 'ids' cannot be read; save the ids as text", tmp_path / "a.npz")

    table = tmp_path / "a.parquet"
    ids = pa.array(["a"] * 60 + [str(row) for row in range(60)])
    floats = pa.list_(pa.float32())
    pq.write_table(column(vectors.tolist(), floats, id=ids), table)
    refused("'a' is given 60 times", table)
    pq.write_table(column(vectors.tolist(), floats, clip=pa.array(vectors.tolist(), floats)), table)
    refused(f"several columns of vectors (embedding, clip); name one, such as {table}:emb", table)
    assert open_vectors(table, column="clip").n_dimensions == 8
    assert open_vectors(f"{table}:clip").n_dimensions == 8
    refused("no column of vectors named 'x'", table, column="x")
    pq.write_table(pa.table({"a": [1.0, 2.0]}), table)
    refused("no column of vectors, lists of numbers; its columns are a (double)", table)
    pq.write_table(column([[1.0, 2.0], [1.0]], floats), table)
    refused("row 1 has 1 number and others have 2", table)
    table.write_bytes(table.read_bytes()[:40])
    refused("truncated, damaged", table)


def test_rows_that_are_no_vectors_are_left_out_with_a_reason(tmp_path: Path) -> None:
    vectors, _ = blobs()
    vectors[3, 1] = np.inf
    rows = [None if row == 5 else vector for row, vector in enumerate(vectors.tolist())]
    pq.write_table(column(rows, pa.list_(pa.float32())), tmp_path / "a.parquet")
    source = open_vectors(tmp_path / "a.parquet")
    assert source.skipped == [("3", "holds a number that is not finite"), ("5", "has no vector")]
    assert len(source) == 118
    assert source.ids[3] == "4"
    np.testing.assert_array_equal(source.vectors(np.array([3]))[0], vectors[4])


def test_images_are_matched_by_id_or_row_by_row() -> None:
    vectors, _ = blobs(6)
    pixels = np.arange(6, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    images = ArraySource(pixels, ids=list("fedcba"))
    from shoal.images.vectors.open import match_images

    shown, ids = match_images(images, list("abcdef"), 6, Path("v"))
    source = VectorSource(vectors, ids=ids, images=shown)
    assert source.read(np.array([0, 5]))[:, 0, 0, 0].tolist() == [5, 0]
    shown, ids = match_images(images, None, 6, Path("v"))
    assert list(ids) == list("fedcba")
    assert shown is images
    with pytest.raises(DataError, match="7 vectors and 6 images"):
        match_images(images, None, 7, Path("v"))
    with pytest.raises(DataError, match="1 of 6 ids of vectors, such as 'x'"):
        match_images(images, list("xbcdef"), 6, Path("v"))
    # The pictures do not change what the vectors are.
    assert source.digest() == VectorSource(vectors).digest()


def test_vectors_of_a_large_file_are_read_in_blocks(tmp_path: Path) -> None:
    """A memory map is read from its file; the whole of it is never converted."""
    path = tmp_path / "a.npy"
    big = np.lib.format.open_memmap(path, "w+", np.float16, (3000, 64))
    big[:] = np.random.default_rng(0).normal(size=big.shape)
    big.flush()
    source = open_vectors(path)
    assert isinstance(source._whole, np.memmap)
    rows = np.array([2999, 0, 17])
    np.testing.assert_array_equal(source.vectors(rows), big[rows].astype(np.float32))


def test_a_saved_model_predicts_other_vectors(tmp_path: Path) -> None:
    vectors, labels = blobs()
    recipe = replace(VECTORS, n_clusters=3)
    finished, table = pipeline.cluster_vectors(VectorSource(vectors), recipe)
    matched = [np.bincount(table.labels[labels == kind]).max() for kind in range(3)]
    assert sum(matched) >= 117
    checkpoints.save(finished, tmp_path / "a.pth")
    loaded = checkpoints.load(tmp_path / "a.pth")
    assert loaded.n_dimensions == 8
    assert loaded.facts.splits[0].pixel_share is None
    again = pipeline.predict(VectorSource(vectors), loaded, familiarity=True)
    np.testing.assert_array_equal(again.labels, table.labels)
    with pytest.raises(DataError, match="takes vectors of 8 numbers, got vectors of 7"):
        pipeline.predict(VectorSource(vectors[:, :7]), loaded)
    with pytest.raises(DataError, match="takes vectors of 8 numbers, got images"):
        pipeline.predict(ArraySource(np.zeros((2, 8, 8), np.uint8)), loaded)
    with pytest.raises(CheckpointError, match="has no encoder"):
        loaded.build_encoder()
    with pytest.raises(RecipeError, match="no encoder to train"):
        check_trainable(VECTORS)


@parametrize_with_checks([VectorClusterer(random_state=0)])
def test_scikit_learn_is_content(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few points for so many columns
        check(estimator)


def test_the_estimator_and_the_command_read_one_another(folder: Path, tmp_path: Path) -> None:
    vectors = np.load(folder / "v.npy")
    ours = VectorClusterer(3).fit(vectors)
    loaded = VectorClusterer.load(folder / "bare" / "checkpoint.pth")
    np.testing.assert_array_equal(loaded.predict(vectors), ours.labels_)
    np.testing.assert_array_equal(loaded.predict(folder / "v.npy"), ours.labels_)
    np.testing.assert_allclose(ours.predict_proba(vectors).sum(axis=1), 1.0, rtol=1e-5)
    assert 0.9 < ours.score(vectors) <= 1.0
    assert VectorClusterer("auto").fit(vectors).n_clusters_ == 3
    with pytest.raises(CheckpointError, match="load it with VectorClusterer"):
        ImageClusterer.load(folder / "bare" / "checkpoint.pth")
    with pytest.raises(ValueError, match="is expecting 8 features"):
        ours.predict(vectors[:, :5])
    with pytest.raises(RecipeError, match="about training"):
        VectorClusterer(settings=["epochs=2"]).fit(vectors)
    vectors[0] = 1e30
    with pytest.raises(DataError, match="row 0 holds a number beyond"):
        ours.predict(vectors)


def with_strays(n: int = 270, share: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of three kinds, and last some that lie far from all of them; which are these."""
    vectors, _ = blobs(n)
    strays = np.random.default_rng(1).normal(size=(round(n * share / (1 - share)), 8)) * 4
    strays[:, :3] = -np.abs(strays[:, :3])
    vectors = np.concatenate([vectors, strays.astype(np.float32)])
    return vectors, np.arange(len(vectors)) >= n


def test_noise_finds_the_foreign_tenth_and_leaves_a_clean_pile_alone() -> None:
    vectors, foreign = with_strays()
    for noise in ("10%", "auto"):
        recipe = replace(VECTORS, n_clusters=3, noise=noise)
        finished, table = pipeline.cluster_vectors(VectorSource(vectors), recipe)
        assert table.names is not None
        nowhere = np.array(table.names) == "belongs nowhere"
        assert (table.labels[nowhere] == 3).all()
        assert (nowhere & foreign).sum() >= 0.9 * foreign.sum(), noise
        assert (nowhere & ~foreign).sum() <= 0.04 * len(vectors), noise
        again = pipeline.predict(VectorSource(vectors), finished)
        np.testing.assert_array_equal(again.labels, table.labels)
        one = pipeline.predict(VectorSource(vectors[-1:]), finished)  # whatever the others are
        assert one.labels.tolist() == table.labels[-1:].tolist()
    _, clean = pipeline.cluster_vectors(
        VectorSource(vectors[~foreign]), replace(VECTORS, n_clusters=3, noise="auto")
    )
    assert (clean.labels == 3).mean() < 0.05
    for wrong in ("0.9", "some", "-1", "0", "nan"):
        with pytest.raises(RecipeError, match="noise must be off, auto, or a share"):
            replace(VECTORS, noise=wrong).check()


def test_what_belongs_nowhere_begins_so_in_a_review(run_cli: Run, tmp_path: Path) -> None:
    from shoal.cli.opening_as_learned import open_with
    from shoal.corrections.entry import NOWHERE
    from shoal.progress import Reporter
    from shoal.review.opening import open_review

    vectors, _ = with_strays()
    np.save(tmp_path / "v.npy", vectors)
    out = tmp_path / "out"
    result = run_cli("cluster", tmp_path / "v.npy", out, "-k", 3, "--noise", "10%")
    assert result.code == 0, result.err
    assert "found none" not in result.err
    np.save(tmp_path / "few.npy", vectors[:18])
    none = run_cli("cluster", tmp_path / "few.npy", tmp_path / "few", "-k", 2, "--noise", "auto")
    assert "--noise auto found none of the vectors to belong nowhere" in none.err
    assert (
        "30 belong nowhere"
        in run_cli("predict", tmp_path / "v.npy", out / "checkpoint.pth", tmp_path / "p.csv").err
    )
    source, loaded = open_with(out / "checkpoint.pth", tmp_path / "v.npy", Reporter(quiet=True))
    reviewed = open_review(source, loaded, out / "checkpoint.pth")
    groups = reviewed.journal.history.groups
    reviewed.journal.close()
    assert groups.sizes[NOWHERE] == 30
    assert set(groups.sizes) == {NOWHERE, 1, 2, 3}
    # And a later prediction says the same, with the corrections.
    table = run_cli(
        "predict", tmp_path / "v.npy", out / "checkpoint.pth", tmp_path / "q.csv"
    )  # fmt: skip
    assert table.code == 0, table.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with vectors, their images, and what `shoal cluster` made of them."""
    folder = tmp_path_factory.mktemp("found")
    vectors, labels = blobs(90)
    vectors[4] = vectors[1]
    np.save(folder / "v.npy", vectors)
    np.save(folder / "y.npy", labels)
    shades = np.random.default_rng(0).integers(0, 255, (90, 8, 8), dtype=np.uint8)
    np.save(folder / "images.npy", shades)
    for out, more in (("bare", []), ("shown", ["--images", folder / "images.npy"])):
        result = shoal_in_process("cluster", folder / "v.npy", folder / out, "-k", 3, *more)
        assert result.code == 0, result.err
    return folder


def test_pictures_change_nothing_but_what_is_shown(folder: Path) -> None:
    predictions = [(folder / out / "prediction.csv").read_bytes() for out in ("bare", "shown")]
    assert predictions[0] == predictions[1]
    assert (folder / "bare" / "clusters.png").read_bytes() != (
        folder / "shown" / "clusters.png"
    ).read_bytes()
    page = (folder / "bare" / "report.html").read_text()
    assert "Vectors from elsewhere" in page
    assert "Reconstructions" not in page
    assert "90 images" not in page
    assert "90 images" in (folder / "shown" / "report.html").read_text()


@pytest.mark.parametrize(
    ("language", "noun"), [("en", r"\bimages?\b"), ("zh-TW", "影像|(?<!整)張")]
)
def test_a_report_calls_vectors_without_pictures_no_images(
    folder: Path, run_cli: Run, tmp_path: Path, language: str, noun: str
) -> None:
    done = run_cli(
        "report", folder / "v.npy", folder / "bare" / "checkpoint.pth", tmp_path / "r.html",
        "--lang", language,
    )  # fmt: skip
    assert done.code == 0, done.err
    page = (tmp_path / "r.html").read_text("utf-8")
    page = re.sub("<style.*?</style>|<script.*?</script>", " ", page, flags=re.DOTALL)
    said = html.unescape(re.sub("<[^>]+>", " ", page))
    spoken = re.findall('(?:alt|aria-label|placeholder|title)="([^"]*)"', page)
    assert re.findall(noun, " ".join([said, *spoken]), re.IGNORECASE) == []


@pytest.mark.parametrize("out", ["bare", "shown"])
def test_every_command_takes_vectors(
    folder: Path, out: str, run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, checkpoint, table = folder / "v.npy", folder / out / "checkpoint.pth", "table.parquet"

    def shoal(*words: Any) -> str:
        result = run_cli(*words)
        assert result.code == 0, (words, result.err)
        return str(result.out)

    assert "–" not in shoal("splits", data, checkpoint)
    told = shoal("clusters", data, checkpoint, "--to", 4)
    assert "computed from 90 vectors" in told
    assert "image" not in told
    shoal("tree", data, checkpoint, "tree.json", "--leaves", 6)
    shoal("cut", "tree.json", "cut.csv", "-k", 3)
    assert shoal("similar", data, checkpoint, "1", "-n", 1) == "1, with distances: 4 (0)\n"
    shoal("pairs", data, checkpoint, "pairs.csv")
    shoal("outliers", data, checkpoint, "-n", 5)
    assert (tmp_path / "outliers.csv").read_text().startswith("rank,id,score,reasons,distance,con")
    shoal("duplicates", data, checkpoint, "--max-distance", 0)
    assert (tmp_path / "duplicates.csv").read_text().splitlines()[1:] == [
        "0,1,kept,0.000,1", "0,4,exact,0.000,0"
    ]  # fmt: skip
    scores = json.loads(shoal("evaluate", data, checkpoint, folder / "y.npy", "--json"))
    assert scores["accuracy"] > 0.95
    assert "mse" not in scores
    assert "stability" in shoal("evaluate", data, checkpoint, "--no-labels")
    shoal("predict", data, checkpoint, "new.csv", "--table", table)
    assert (tmp_path / "new.csv").read_bytes() == (folder / out / "prediction.csv").read_bytes()
    shoal("report", data, checkpoint, "report.html", "report.pdf")
    assert "numbers, from elsewhere" in shoal("info", checkpoint.parent)
    json.loads(shoal("info", checkpoint, "--json"))
    shoal("export", data, folder / out / table, "out.csv", "--as", "csv")
    shoal("export", data, folder / out / table, "out.parquet", "--as", "parquet")
    assert ("image" in pq.read_schema("out.parquet").names) == (out == "shown")
    sorted_into = run_cli("export", data, folder / out / table, "sorted")
    assert sorted_into.code == (0 if out == "shown" else 2), sorted_into.err


def test_the_command_that_looks_for_more_ways_to_divide_vectors_does(
    folder: Path, run_cli: Run, tmp_path: Path
) -> None:
    data, out = folder / "v.npy", tmp_path / "found"
    words = ("-k", 2, "--set", "clusterer=kmeans", "--metric", "cosine")
    assert run_cli("cluster", data, out, *words).code == 0
    told = run_cli("splits", data, out / "checkpoint.pth", "--picture", tmp_path / "a.png").out
    assert "train" not in told
    typed = shlex.split(told.partition("'")[2].partition("'")[0])
    assert run_cli(*typed[1:]).code == 0, typed
    more = checkpoints.load(tmp_path / "found-more" / "checkpoint.pth")
    assert len(more.facts.splits) > 1
    assert more.metric == "cosine"
    picture = ("--picture", tmp_path / "b.png")
    told = run_cli("splits", data, tmp_path / "found-more" / "checkpoint.pth", *picture).out
    assert "looks for more" not in told


def test_the_review_shows_and_keeps_what_is_said_of_vectors(folder: Path) -> None:
    from shoal.cli.opening_as_learned import open_with
    from shoal.cli.reviewed import reviewed_of
    from shoal.progress import Reporter
    from shoal.review.opening import open_review
    from shoal.review.pictures import Thumbnails, original

    for out, side in (("bare", 64), ("shown", 8)):
        data, file = reviewed_of(folder / out, None, None)
        source, loaded = open_with(file, data, Reporter(quiet=True))
        reviewed = open_review(source, loaded, file)
        reviewed.journal.close()
        pictures = Thumbnails(source)
        assert (pictures.height, pictures.width) == (side, side)
        assert pictures.sheet(np.arange(20))[:4] == b"RIFF"
        assert original(source, 3)[1] == "image/png"


def test_the_review_of_vectors_compares_by_the_metric_that_was_chosen(tmp_path: Path) -> None:
    from shoal.cli.opening_as_learned import open_with
    from shoal.progress import Reporter
    from shoal.review.opening import open_review
    from shoal.review.session import Session

    numbers = np.float32([[0], [1], [2], [10], [11], [13], [14], [30]])
    np.save(tmp_path / "v.npy", numbers.repeat(5, axis=0) + np.tile(np.arange(5), 8)[:, None] / 99)
    for metric in ("euclidean", "cosine"):
        out = tmp_path / metric
        words = ("cluster", tmp_path / "v.npy", out, "-k", 2, "--metric", metric)
        assert shoal_in_process(*words).code == 0
        source, loaded = open_with(
            out / "checkpoint.pth", tmp_path / "v.npy", Reporter(quiet=True)
        )  # fmt: skip
        session = Session(open_review(source, loaded, out / "checkpoint.pth"), "v")
        session.journal.close()
        near = session._similar().search_others(session.z[[15]], np.array([15]), 4)[1][0]
        x = session.asking.x
        alike = (x @ x[15])[[16, 0]]  # 10.01 and 0, both below the mean
        if metric == "euclidean":
            assert set(near.tolist()) == {16, 17, 18, 19}
            assert alike[0] > 0.9 > 0.5 > alike[1]
        else:
            assert set(np.round(np.abs(alike), 5)) == {1.0}


def test_a_mistake_is_one_sentence(folder: Path, run_cli: Run, tmp_path: Path) -> None:
    def mistake(*words: Any) -> str:
        result = run_cli(*words)
        n_lines = result.err.count("\n") - result.err.count("rows: ") - result.err.count("  30 ve")
        assert (result.code, n_lines) == (2, 1), result.err
        return str(result.err)

    data, checkpoint, out = folder / "v.npy", folder / "bare" / "checkpoint.pth", tmp_path / "o"
    assert "'shoal run'" in mistake("cluster", folder / "images.npy", out)
    assert mistake("cluster", data, out, "--images", data) == (
        f"shoal: --images must be pictures of the vectors, but {data} holds vectors.\n"
    )
    for k in (0, 1):
        assert f"-k must be from 2 to 1,000,000, got {k}." in mistake("cluster", data, out, "-k", k)
    assert "'shoal cluster'" in mistake("run", data, out)
    told = mistake("similar", data, checkpoint, folder / "y.npy")
    assert "cannot make a vector of an image file" in told
    assert "about training" in mistake("cluster", data, out, "--set", "epochs=3")
    assert "-k must be from 2 to 90, the number of vectors, got 91" in mistake(
        "cluster", data, out, "-k", 91
    )
    some = np.load(data)
    some[::3] = np.nan
    np.save(tmp_path / "some.npy", some)
    for k in (61, 90, 91):  # what cannot be used is not counted
        told = mistake("cluster", tmp_path / "some.npy", out, "-k", k).splitlines()
        assert told[-1] == f"shoal: -k must be from 2 to 60, the number of vectors, got {k}."
    assert "90 vectors and 5 images" in mistake(
        "cluster", data, out, "--images", _few_images(tmp_path)
    )
    assert not out.exists()


def _few_images(folder: Path) -> Path:
    np.save(folder / "five.npy", np.zeros((5, 8, 8), np.uint8))
    return folder / "five.npy"


def test_an_array_and_a_column_are_named_in_the_path_as_for_images(
    run_cli: Run, tmp_path: Path
) -> None:
    vectors, _ = blobs(90)
    np.savez(tmp_path / "two.npz", x=vectors, y=-vectors)
    lists = pa.array(vectors.tolist(), pa.list_(pa.float32()))
    pq.write_table(pa.table({"x": lists, "y": lists}), tmp_path / "two.parquet")
    for name in ("two.npz", "two.parquet"):
        data, out = tmp_path / name, tmp_path / f"{name}.out"
        said = run_cli("cluster", data, out).err
        assert "several" in said
        typed = said.rstrip(".\n").rpartition(" such as ")[2]
        assert typed == f"{data}:x"
        assert run_cli("cluster", typed, out, "-k", 3).code == 0
        predicted = run_cli("predict", typed, out / "checkpoint.pth", tmp_path / f"{name}.csv")
        assert predicted.code == 0, predicted.err
        assert (tmp_path / f"{name}.csv").read_bytes() == (out / "prediction.csv").read_bytes()
        picture = ("--picture", tmp_path / f"{name}.png")
        assert run_cli("splits", typed, out / "checkpoint.pth", *picture).code == 0
    assert holds_vectors(tmp_path / "two.npz:y")
    # Labels beside images are no vectors, and the images are the only ones there.
    pixels = np.zeros((5, 8, 8), np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels, labels=np.arange(5))
    assert not holds_vectors(tmp_path / "images.npz")
    assert len(open_source(tmp_path / "images.npz")) == 5
    np.savez(tmp_path / "labels.npz", a=np.arange(5), b=np.arange(5), images=pixels)
    with pytest.raises(DataError, match=r"several arrays .* such as .*labels.npz:a"):
        load_labels(tmp_path / "labels.npz", 5)
    assert load_labels(f"{tmp_path / 'labels.npz'}:a", 5).tolist() == [0, 1, 2, 3, 4]


def test_of_pictures_nothing_is_said_of_what_a_network_would_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    from shoal.cli.opening import open_images
    from shoal.progress import Reporter

    for number in range(3):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(tmp_path / f"{number}.png")
    open_images(tmp_path, report=Reporter())
    assert "seen at" in capsys.readouterr().err
    open_images(tmp_path, report=Reporter(), only_shown=True)
    assert "seen at" not in capsys.readouterr().err


def time_stamps(n: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Three groups of events, some seconds apart, and a column that never changes."""
    labels = np.arange(n) % 3
    seconds = 1.7e9 + 40 * labels + np.random.default_rng(0).normal(0, 3, n)
    return np.stack([seconds, 1e12 + 7 * labels, np.full(n, 5e9)], axis=1), labels


@pytest.mark.parametrize("name", ["v.npy", "v.parquet", "blocks.npy"])
def test_numbers_that_single_precision_cannot_tell_apart_are_told_apart(
    name: str, run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, labels = time_stamps()
    for file, some in (("old", vectors), ("new", vectors[::-1] + np.array([1.0, 0, 0]))):
        np.save(tmp_path / f"{file}{name}.npy", some)
        if name.endswith(".parquet"):
            table = column(some.tolist(), pa.list_(pa.float64()))
            pq.write_table(table, tmp_path / f"{file}{name}")
    old, new = (
        tmp_path / (f"{file}{name}" if name.endswith(".parquet") else f"{file}{name}.npy")
        for file in ("old", "new")
    )
    if name == "blocks.npy":
        monkeypatch.setattr("shoal.large.AT_ONCE", 0)
    out = tmp_path / "out"
    result = run_cli("cluster", old, out, "-k", 3)
    assert result.code == 0, result.err
    assert "1 of 3 numbers is the same in all vectors" in result.err
    assert "euclidean" in result.err
    found = np.loadtxt(out / "prediction.csv", int, delimiter=",", skiprows=1)[:, 1]
    assert adjusted_rand_score(labels, found) == 1.0
    result = run_cli("predict", new, out / "checkpoint.pth", tmp_path / "p.csv")
    assert (result.code, "unlike any" in result.err) == (0, False), result.err
    found = np.loadtxt(tmp_path / "p.csv", int, delimiter=",", skiprows=1)[:, 1]
    assert adjusted_rand_score(labels[::-1], found) == 1.0
    if name == "v.npy":
        out = ("--csv", tmp_path / "copies.csv", "--picture", tmp_path / "copies.png")
        assert run_cli("duplicates", old, "--max-distance", 0, *out).code == 0
        assert len((tmp_path / "copies.csv").read_text().splitlines()) == 1
        # What differs by less than single precision holds is another pile.
        assert open_vectors(old).digest() != VectorSource(vectors + 1.0).digest()


def test_a_checkpoint_without_a_centre_predicts_and_knows_its_vectors_as_before(
    tmp_path: Path,
) -> None:
    vectors, _ = time_stamps()
    single = VectorSource(vectors.astype(np.float32))
    assert single.centre is None
    recipe = with_metric(replace(VECTORS, n_clusters=2), "euclidean")
    before, table = pipeline.cluster_vectors(single, recipe)
    source = VectorSource(vectors)
    assert source.digest() != before.origin.digest
    source.recognise(before.origin.digest)
    assert source.digest() == before.origin.digest
    again = pipeline.predict(source, before)
    np.testing.assert_array_equal(again.embedding, table.embedding)
    np.testing.assert_array_equal(again.confidence, table.confidence)
    found = VectorClusterer(3).fit(vectors)
    found.save(tmp_path / "v.pth")
    loaded = VectorClusterer.load(tmp_path / "v.pth")
    np.testing.assert_array_equal(loaded.predict(vectors), found.labels_)
    assert adjusted_rand_score(time_stamps()[1], found.labels_) == 1.0


def test_of_vectors_that_tell_nothing_no_advice_is_given_that_leads_nowhere(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    piles = {
        "zeros": np.zeros((50, 8)), "constant": np.full((50, 8), 3.0), "two": np.eye(2, 8),
        "one number": np.arange(60.0)[:, None],
    }  # fmt: skip
    said = {}
    for name, pile in piles.items():
        np.save(tmp_path / "v.npy", pile)
        result = run_cli("cluster", tmp_path / "v.npy", tmp_path / name, "-k", 2)
        assert result.code == 0, result.err
        said[name] = result.err
    for name in ("zeros", "constant", "two"):
        assert "mean nothing" in said[name]
        assert "next: shoal" not in said[name], name
    for name in ("zeros", "constant"):
        assert "all vectors are the same\n" in said[name]
    assert "each of the 2 vectors is a group of its own" in said["two"]
    assert "a single number has no direction\n" in said["one number"]
    assert "next: shoal review" in said["one number"]
    np.save(tmp_path / "v.npy", np.ones((1, 8)))
    for wanted in ("2", "auto"):
        refused = run_cli("cluster", tmp_path / "v.npy", tmp_path / "one", "-k", wanted)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "at least 2 vectors" in refused.err


def test_what_is_said_of_vectors_that_tell_nothing_is_translated() -> None:
    for pile in (np.ones((50, 4)), np.eye(3)):
        found = VectorClusterer(3).fit(pile).checkpoint_.facts.warnings
        assert found
        for warning in found:
            assert not re.search("[a-z]", Wording("zh-TW", vectors=True).warning(warning)), warning


def test_what_commands_say_of_vectors_is_of_vectors(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words for images, columns of dashes and commands with holes in them are for nobody."""
    monkeypatch.chdir(tmp_path)
    vectors = blobs()[0][:, :1]
    np.save("v.npy", vectors)
    np.save("w.npy", vectors[::-1] + 1)
    assert run_cli("cluster", "v.npy", "out", "-k", 2).code == 0
    refused = run_cli("cluster", "w.npy", "out", "-k", 2)
    assert "out holds another run (it is of other vectors)" in refused.err
    np.save("pictures.npy", np.zeros((20, 8, 8, 3), np.uint8))
    refused = run_cli("run", "pictures.npy", "out")
    assert "out holds another run (it is of vectors); name another folder" in refused.err
    refused = run_cli("train", "pictures.npy", "out/checkpoint.pth")
    assert "is the checkpoint of another run (it is of vectors); name" in refused.err
    about = run_cli("info", "out")
    assert f"{len(vectors)} vectors of 1 number, from elsewhere" in about.out
    assert about.out == run_cli("info", "out/checkpoint.pth").out
    monkeypatch.chdir("/")
    assert "…" not in run_cli("info", tmp_path / "out").out
    monkeypatch.chdir(tmp_path)
    for part in (0, 1):
        half = pa.table({"embedding": vectors[part::2].tolist()})
        pq.write_table(half, f"part-{part}.parquet")
    assert run_cli("cluster", "part-*.parquet", "parts", "-k", 2).code == 0
    about = run_cli("info", "parts").out  # a pattern is no path, and its files are there
    assert ("…" in about, "part-*.parquet" in about) == (False, True)
    listed = run_cli("splits", "v.npy", "out/checkpoint.pth").out
    assert "stability" in listed
    assert "–" not in listed
    assert "views" not in listed
    n = len(vectors)
    asked = run_cli("similar", "v.npy", "out/checkpoint.pth", n).err
    assert f"no vector has the id '{n}'; give one of the {n} ids, '0' to '{n - 1}'" in asked
    np.save("text.npy", np.array([["a", "b"]] * 3))
    assert "must be real numbers, got text." in run_cli("cluster", "text.npy", "o").err
    far = run_cli("predict", "w.npy", "out/checkpoint.pth", "p.csv", "--quiet")
    assert far.code == 0
    np.save("far.npy", 1e6 * vectors)
    assert "(ids " in run_cli("predict", "far.npy", "out/checkpoint.pth", "far.csv").err


def test_vectors_of_a_prediction_that_are_gone_are_warned_of_and_the_rest_is_written(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.eye(8))
    Path("p.csv").write_text("id,label\n0,1\n1,0\n2,1\n99,0\n")
    said = "warning: 1 of 4 vectors of p.csv is not in v.npy and was left out: 99\n"
    for words, written in ((("--as", "csv"), True), (("--as", "csv", "--dry-run"), False)):
        result = run_cli("export", "v.npy", "p.csv", "e.csv", *words)
        assert result.code == 0
        assert "image" not in result.err + result.out
        assert said.removeprefix("warning: ").strip() in result.err + result.out
        assert Path("e.csv").exists() == written
        Path("e.csv").unlink(missing_ok=True)
    assert run_cli("export", "v.npy", "p.csv", "e.csv", "--as", "csv", "--quiet").err == said
    refused = run_cli("export", "v.npy", "p.csv", "folders")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "where vectors have no images, got 'folders'" in refused.err


def test_several_rows_that_are_left_out_are_told_in_a_sentence_that_stands(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    vectors = blobs()[0]
    vectors[[3, 5]] = np.nan
    np.save(tmp_path / "v.npy", vectors)
    said = run_cli("cluster", tmp_path / "v.npy", tmp_path / "out", "-k", 2).err
    assert "2 vectors: each holds a number that is not finite" in said


def test_a_prediction_of_other_rows_is_told_before_it_is_exported(
    run_cli: Run, tmp_path: Path
) -> None:
    vectors, _ = blobs(60)
    np.save(tmp_path / "v.npy", vectors)
    np.save(tmp_path / "other.npy", vectors[::-1])
    out = tmp_path / "out"
    assert run_cli("cluster", tmp_path / "v.npy", out, "-k", 3).code == 0
    told = "was made of other vectors than"
    for name, wrong in (("v", False), ("other", True)):
        asked = (tmp_path / f"{name}.npy", out / "prediction.csv", tmp_path / f"{name}.csv")
        result = run_cli("export", *asked, "--as", "csv")
        assert result.code == 0
        assert (told in result.err) is wrong
    refused = run_cli("name", out, "a.csv")
    assert refused.code == 2
    assert f"name the prediction in it, such as {out / 'prediction.csv'}" in refused.err


def test_of_vectors_between_groups_nothing_is_sure() -> None:
    """In the middle of a pile is nothing like it, where its groups lie around that."""
    generator = np.random.default_rng(0)
    kinds = np.arange(400) % 3
    pile = (7 * np.eye(3, 8)[kinds] + 0.35 * generator.normal(size=(400, 8))).astype(np.float32)
    pile[0] = 0.6 * pile[:300].mean(axis=0) - 3.0  # one alone hides no gap
    learned, others = pile[:300], pile[300:]
    centres = np.stack([others[kinds[300:] == kind].mean(axis=0) for kind in range(3)])
    strange = np.stack([np.zeros(8), (centres[0] + centres[1]) / 2, 2 * centres[0]])
    recipe = with_metric(replace(VECTORS, n_clusters=3), "euclidean")
    checkpoint, own = pipeline.cluster_vectors(VectorSource(learned), recipe)
    asked = VectorSource(np.concatenate([pile, strange.astype(np.float32)]))
    for k in (None, 4):
        table = pipeline.predict(asked, checkpoint, n_clusters=k, familiarity=True)
        assert table.familiarity is not None
        assert np.flatnonzero(table.familiarity == 0).tolist() == [400, 401, 402]
        assert table.confidence[400:] == pytest.approx(1 / (k or 3), abs=1e-3)
    table = pipeline.predict(asked, checkpoint, familiarity=True)
    assert table.confidence[:300] == pytest.approx(own.confidence)
    assert table.confidence[1:400].min() > 0.8
    warned = unfamiliar(table, vectors=True)[0]
    assert "3 of 403 vectors are unlike any" in warned
    assert "(ids 400, 401, 402)" in warned
    older = {name: known for name, known in checkpoint.familiar.items() if name != "apart"}
    opened = pipeline.predict(asked, replace(checkpoint, familiar=older), familiarity=True)
    assert opened.familiarity is not None
    assert opened.familiarity[400] > 0
