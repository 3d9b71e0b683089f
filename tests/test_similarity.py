"""Likeness: measured, searched, decided on; each against a slow and plain reference."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal import pipeline
from shoal.embedding.reduce import reduce
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.images.tensors import to_float
from shoal.models import checkpoint as checkpoints
from shoal.search.pairs import decide_pairs
from shoal.search.queries import resolve
from shoal.search.similar import find_similar
from shoal.search.similarity import Index, similarity
from shoal.search.thresholds import best_threshold, random_pairs


def slow_similarity(a: np.ndarray, b: np.ndarray, metric: str) -> float:
    a, b = a.astype(float), b.astype(float)
    if metric == "euclidean":
        return 1.0 / (1.0 + float(np.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))))
    lengths = float(np.sqrt((a**2).sum()) * np.sqrt((b**2).sum()))
    return float(sum(x * y for x, y in zip(a, b, strict=True))) / lengths if lengths else 0.0


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


# --- measuring and searching --------------------------------------------------------------------


def test_a_name_without_its_folder_is_taken_for_no_image_but_suggested() -> None:
    pile = ArraySource(np.zeros((3, 8, 8, 3), np.uint8), ids=["2019/a.png", "2020/a.png", "b.png"])
    with pytest.raises(DataError, match=r"'a.png' is not .* did you mean '2019/a.png', or another"):
        resolve(["a.png"], pile)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_similarity_is_what_its_definition_says(metric: str) -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 20, 7)).astype(np.float32)
    b[3] = 0.0
    b[4] = a[4]
    found = similarity(a, b, metric)
    slow = [slow_similarity(*pair, metric) for pair in zip(a, b, strict=True)]
    assert found == pytest.approx(slow, abs=1e-6)
    assert found[4] == pytest.approx(1.0)
    assert similarity(b, a, metric) == pytest.approx(found)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("exact", [True, False])
def test_the_index_finds_the_true_neighbours(metric: str, exact: bool) -> None:
    generator = np.random.default_rng(1)
    centres = generator.normal(size=(40, 16))
    points = (centres[generator.integers(0, 40, 3000)] + generator.normal(size=(3000, 16))).astype(
        np.float32
    )
    queries = points[:50] + np.float32(0.01)
    index = Index(points, metric=metric, exact_up_to=10**9 if exact else 0, recall=0.95)
    alike, found = index.search(queries, 10)
    all_pairs = np.array([[slow_similarity(q, p, metric) for p in points] for q in queries[:5]])
    true = np.argsort(-all_pairs, axis=1)[:, :10]
    assert index.exact is exact
    if exact:
        assert found[:5].tolist() == true.tolist()
    shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found[:5], true, strict=True)])
    assert shared >= 0.85
    assert (np.diff(alike, axis=1) <= 1e-6).all()
    row = np.arange(5)[:, None]
    assert alike[:5] == pytest.approx(all_pairs[row, found[:5]], abs=1e-4)


def test_the_measured_recall_is_the_true_one_and_is_kept() -> None:
    generator = np.random.default_rng(2)
    points = generator.normal(size=(5000, 24)).astype(np.float32)  # without clusters: the hardest
    index = Index(points, exact_up_to=0, recall=0.9)
    exact = Index(points)
    queries = points[generator.choice(5000, 300, replace=False)]
    found, true = index.search(queries, 10)[1], exact.search(queries, 10)[1]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, true, strict=True)])
    assert 0.9 <= index.recall < 1.0
    assert recall == pytest.approx(index.recall, abs=0.05)
    assert exact.recall == 1.0


def test_an_inexact_search_still_gives_as_many_as_asked_for() -> None:
    points = np.random.default_rng(3).normal(size=(2000, 4)).astype(np.float32)
    index = Index(points, exact_up_to=0, recall=0.1)
    found = index.search(points[:3], 2000)[1]
    assert all(sorted(row) == list(range(2000)) for row in found.tolist())


def test_unknown_metrics_are_refused() -> None:
    with pytest.raises(DataError, match="must be cosine or euclidean, got 'manhattan'"):
        Index(np.zeros((2, 2), np.float32), metric="manhattan")


# --- thresholds ---------------------------------------------------------------------------------


LEVELS = [0.0, 0.1, np.nextafter(np.float32(0.1), np.float32(1)), 0.5, 1.0]


@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None, max_examples=200)
def test_no_threshold_agrees_better_than_the_best(pairs: list[tuple[float, bool]]) -> None:
    alike = np.array([s for s, _ in pairs], dtype=np.float32)
    together = np.array([t for _, t in pairs])
    value, share = best_threshold(alike, together)
    tried = [*alike, np.float32(2.0)]
    assert share == pytest.approx(max(((alike >= t) == together).mean() for t in tried))
    assert ((alike >= value) == together).mean() == pytest.approx(share)


@given(st.integers(2, 60), st.integers(1, 200))
@settings(deadline=None, max_examples=50)
def test_random_pairs_are_pairs_of_two(n: int, most: int) -> None:
    pairs = random_pairs(n, most, np.random.default_rng(0))
    assert len(pairs) == min(most, n * (n - 1) // 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert ((pairs >= 0) & (pairs < n)).all()


def test_random_pairs_are_of_all_images() -> None:
    pairs = random_pairs(300, 5000, np.random.default_rng(0))  # of 44,850
    assert set(pairs[:, 0].tolist()) == set(pairs[:, 1].tolist()) == set(range(300))


# --- pairs, end to end --------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("header", ["a,b\n", "left,right\n", "", "note,b,a\n"])
def test_pairs_are_decided_right(
    metric: str,
    header: str,
    images_file: Path,
    checkpoint_file: Path,
    kinds: np.ndarray,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    rows = random_pairs(40, 200, np.random.default_rng(0))
    first = "hello," if header.startswith("note") else ""
    listed = tmp_path / "pairs.csv"
    listed.write_text(header + "".join(f"{first}{a},{b}\n" for a, b in rows))
    out = tmp_path / "new" / "out.csv"
    result = run_cli(
        "pairs", images_file, checkpoint_file, out, "--pairs", listed, "--metric", metric
    )  # fmt: skip
    assert result.code == 0, result.err
    found = table(out)
    assert list(found[0]) == ["a", "b", "similarity", "percentile", "same"]
    order = ("b", "a") if first else ("a", "b")
    assert [[int(row[name]) for name in order] for row in found] == rows.tolist()
    assert [int(row["same"]) for row in found] == (kinds[rows[:, 0]] == kinds[rows[:, 1]]).tolist()
    assert "learned without labels" in result.err


def test_percentiles_are_those_among_random_pairs(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    checkpoint = checkpoints.load(checkpoint_file)
    every = random_pairs(40, 10**6, np.random.default_rng(0))  # so few that all are the sample
    found = decide_pairs(ArraySource(images), checkpoint, every, space="embedding")
    expected = [
        100 * (np.mean(found.similarity < s) + 0.5 * np.mean(found.similarity == s))
        for s in found.similarity
    ]
    assert found.percentile == pytest.approx(expected, abs=1e-3)
    z = reduce(ArraySource(images), checkpoint)
    slow = [slow_similarity(z[a], z[b], "cosine") for a, b in every[:50]]
    assert found.similarity[:50] == pytest.approx(slow, abs=1e-5)


def test_a_given_threshold_is_kept_and_a_self_test_needs_no_pairs(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    result = run_cli(
        "pairs", images_file, checkpoint_file, out, "--space", "embedding", "--threshold", "0.25"
    )
    assert result.code == 0, result.err
    found = table(out)
    assert len(found) == 40 * 39 // 2
    assert all((float(row["similarity"]) >= 0.25) == bool(int(row["same"])) for row in found)
    share = np.mean([int(row["same"]) for row in found])
    assert f"780 pairs drawn at random: {share:.1%} are the same" in result.err
    again = run_cli("pairs", images_file, checkpoint_file, tmp_path / "b.csv", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")


# --- similar, end to end ------------------------------------------------------------------------


def test_similar_by_id_and_by_file(
    images: np.ndarray,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    outside = tmp_path / os.fsdecode(b"caf\xe9.png")  # a name that is no text
    Image.fromarray(images[7]).save(outside)
    csv_path, picture = tmp_path / "s.csv", tmp_path / "s.png"
    result = run_cli(
        "similar", images_file, checkpoint_file, "3", outside, "-n", "5", "--csv", csv_path,
        "--picture", picture,
    )  # fmt: skip
    assert result.code == 0, result.err
    found = table(csv_path)
    assert [row["query"] for row in found] == ["3"] * 5 + [str(outside)] * 5
    assert [int(row["rank"]) for row in found] == [1, 2, 3, 4, 5] * 2
    z = reduce(ArraySource(images), checkpoints.load(checkpoint_file))
    alike = np.array([slow_similarity(z[3], other, "cosine") for other in z])
    expected = [row for row in np.argsort(-alike, kind="stable") if row != 3][:5]
    assert [int(row["id"]) for row in found[:5]] == expected
    assert [float(row["similarity"]) for row in found[:5]] == pytest.approx(
        alike[expected], abs=1e-5
    )
    assert (found[5]["id"], float(found[5]["similarity"])) == ("7", pytest.approx(1.0, abs=1e-4))
    assert result.out.startswith("3: ")
    assert "caf\\udce9.png: 7 (1.00)" in result.out
    with Image.open(picture) as drawn:
        assert len(drawn.convert("RGB").getcolors(10**7) or []) > 10


def test_similar_from_a_table_is_the_same_without_embedding_the_pile_again(
    images: np.ndarray,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    checkpoint, source = checkpoints.load(checkpoint_file), ArraySource(np.repeat(images, 5, 0))
    read: list[int] = []

    class Counted(ArraySource):
        def read(self, indices: Any) -> Any:
            read.extend(np.atleast_1d(indices))
            return super().read(indices)

    z = pipeline.predict(source, checkpoint).embedding
    counted = Counted(source.images)
    known = find_similar(counted, checkpoint, ["3", "90"], z=z)
    assert len(read) <= 20 < len(source)
    anew = find_similar(source, checkpoint, ["3", "90"])
    np.testing.assert_array_equal(known.indices, anew.indices)
    np.testing.assert_array_equal(known.similarity, anew.similarity)

    outputs = [str(tmp_path / name) for name in ("p.csv", "t.parquet", "a.csv", "b.csv", "p.png")]
    predicted, stored, first, second, picture = outputs
    assert run_cli("predict", images_file, checkpoint_file, predicted, "--table", stored).code == 0
    asked = ["similar", images_file, checkpoint_file, "3", "17", "--picture", picture]
    assert run_cli(*asked, "--csv", first).code == 0
    result = run_cli(*asked, "--csv", second, "--embedding", stored, "--force")  # the picture anew
    assert result.code == 0, result.err
    assert Path(first).read_bytes() == Path(second).read_bytes()


def test_distances_are_told_as_distances(
    images: np.ndarray, images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    csv_path = tmp_path / "s.csv"
    result = run_cli(
        "similar", images_file, checkpoint_file, "3", "-n", "4", "--metric", "euclidean",
        "--csv", csv_path, "--picture", tmp_path / "s.png",
    )  # fmt: skip
    assert result.code == 0, result.err
    z = reduce(ArraySource(images), checkpoints.load(checkpoint_file))
    apart = np.linalg.norm(z - z[3], axis=1)
    found, nearest = table(csv_path), np.argsort(apart, kind="stable")[1:5]
    assert list(found[0]) == ["query", "rank", "id", "distance"]
    assert [int(row["id"]) for row in found] == nearest.tolist()
    assert [float(row["distance"]) for row in found] == pytest.approx(apart[nearest], rel=1e-4)
    assert result.out.startswith(f"3, with distances: {nearest[0]} ({apart[nearest[0]]:.3g}), ")


@pytest.mark.parametrize("wrong", ["another checkpoint", "other rows", "a part", "too narrow"])
def test_a_table_of_something_else_is_refused(
    images: np.ndarray, checkpoint_file: Path, wrong: str
) -> None:
    checkpoint, source = checkpoints.load(checkpoint_file), ArraySource(images)
    z = pipeline.predict(source, checkpoint).embedding
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(z.shape[1], z.shape[1])))[0]
    given = {
        "another checkpoint": (z @ turn).astype(np.float32),
        "other rows": z[::-1],
        "a part": z[:30],
        "too narrow": z[:, 1:],
    }[wrong]
    with pytest.raises(DataError, match="not the embedding of these 40 images"):
        find_similar(source, checkpoint, ["3"], z=given)
    nearly = z * np.float32(1.0001)  # as another machine may round
    assert find_similar(source, checkpoint, ["3"], z=nearly).indices.shape == (1, 12)


def test_a_copy_does_not_hide_that_an_image_is_not_its_own_neighbour(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    many = ArraySource(np.concatenate([images[:5], *[images[3:4]] * 6]))
    found = find_similar(many, checkpoints.load(checkpoint_file), ["3", "10"], n=10**6)
    assert found.indices.shape == (2, 10)
    assert [sorted(row) for row in found.indices.tolist()] == [
        [row for row in range(11) if row != own] for own in (3, 10)
    ]
    few = find_similar(many, checkpoints.load(checkpoint_file), ["4", "0"], n=2)
    assert few.indices.shape == (2, 2)
    for own, row in zip((4, 0), few.indices.tolist(), strict=True):
        assert own not in row


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("exact", [True, False])
def test_others_are_never_the_point_itself_and_its_copies_are_others(
    metric: str, exact: bool
) -> None:
    points = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    points[20:40] = points[3]  # more copies of one point than neighbours are asked for
    points[0] = 0.0  # by cosine not even alike to itself
    index = Index(points, metric=metric, exact_up_to=10**9 if exact else 0, recall=1.0)
    similarities, indices = index.search_all_others(points, 6)
    assert similarities.shape == indices.shape == (300, 6)
    assert not (indices == np.arange(300)[:, None]).any()
    copies = {3, *range(20, 40)}
    for row in copies:
        assert set(indices[row]) <= copies - {row}
    assert similarities[sorted(copies)] == pytest.approx(1.0, abs=2e-3)
    for row in (1, 100, 299):
        slow = np.array([slow_similarity(points[row], other, metric) for other in points])
        slow[row] = -np.inf
        assert similarities[row] == pytest.approx(np.sort(slow)[::-1][:6], abs=1e-4)


def test_a_file_of_another_kind_of_numbers_is_a_query(
    images_file: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    wide = np.linspace(1000, 3000, 900).reshape(30, 30).astype(np.uint16)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    source = open_source(images_file)
    (query,) = resolve([tmp_path / "wide.png"], source)
    assert query.read().shape == source.shape
    levels = 255 * to_float(query.read()[None], "cpu")
    assert 60 < levels.min() < 75  # beside 8-bit images, white is 4095
    assert 175 < levels.max() < 190
    found = find_similar(source, checkpoints.load(checkpoint_file), [tmp_path / "wide.png"], n=99)
    assert found.indices.shape == (1, 40)  # it is none of the pile's


# --- mistakes -----------------------------------------------------------------------------------

MISTAKES = [
    ("pairs DATA CKPT OUT/a.csv --metric taxi", "metric must be cosine or euclidean, got 'taxi'"),
    (
        "pairs DATA CKPT OUT/a.csv --space pixels",
        "clusters or embedding, got 'pixels'",
    ),
    ("pairs DATA CKPT OUT/a.csv --threshold high", "a number or auto"),
    ("pairs DATA CKPT OUT/a.csv --threshold 1.5", "from -1 to 1 for the cosine metric, got 1.5"),
    ("pairs DATA CKPT OUT/a.csv --threshold nan", "for the cosine metric, got nan"),
    ("pairs DATA CKPT OUT/c.csv --pairs no.csv", "no such file"),
    ("pairs DATA CKPT OUT/c.csv --pairs empty.csv", "it is empty"),
    ("pairs DATA CKPT OUT/c.csv --pairs header.csv", "no pairs; write two ids"),
    ("pairs DATA CKPT OUT/c.csv --pairs one.csv", "every row must have two ids"),
    ("pairs DATA CKPT OUT/c.csv --pairs unknown.csv", "names '40', which is not in the pile"),
    ("pairs DATA CKPT OUT/c.csv --pairs binary.csv", "two columns of ids"),
    ("pairs DATA CKPT OUT/c.csv --pairs .", "is a folder; name a CSV"),
    ("pairs DATA CKPT known.csv --pairs known.csv", "is an input of this command"),
    ("pairs DATA ALONG OUT/c.csv", "kept along the way"),
    (
        "similar DATA CKPT 40 --csv OUT/s.csv --picture OUT/s.png",
        "'40' is neither the id of",
    ),
    ("similar DATA CKPT one.csv --csv OUT/s.csv --picture OUT/s.png", "as an image: not an image"),
    ("similar DATA CKPT 1 -n 0 --csv OUT/s.csv", "must be at least 1, got 0"),
    ("similar DATA CKPT 1 --csv OUT/s --picture OUT/s.gif", ".png, .pdf"),
    (
        "similar DATA CKPT 1 --embedding all.csv --csv OUT/s.csv",
        "has the embedding of 0 of 40 images",
    ),
    (
        "similar DATA CKPT 1 --embedding part.parquet --csv OUT/s.csv",
        "has the embedding of 1 of 40 images",
    ),
    (
        "similar DATA CKPT 1 --embedding other.parquet --csv OUT/s.csv",
        "names 'x', which is not in the pile",
    ),
    ("similar DATA CKPT 1 --embedding no.parquet --csv OUT/s.csv", "no such file"),
    (
        "similar DATA CKPT 1 --embedding part.parquet --csv part.parquet",
        "is an input of this command",
    ),
]


@pytest.mark.parametrize(("command", "fragment"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    command: str,
    fragment: str,
    images_file: Path,
    checkpoint_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    tree: Callable[[Path], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "one.csv").write_text("a\n1\n")
    (tmp_path / "unknown.csv").write_text("a,b\n1,2\n3,40\n")
    (tmp_path / "known.csv").write_text("1,2\n")
    (tmp_path / "all.csv").write_text("id,label\n" + "".join(f"{row},0\n" for row in range(40)))
    one = ImageTable(["1"], np.zeros(1, np.int64), np.ones((1, 4), np.float32), np.ones(1))
    one.to_parquet(tmp_path / "part.parquet")
    replace(one, ids=["x"]).to_parquet(tmp_path / "other.parquet")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 4)
    history = sorted((checkpoint_file.parent / "checkpoint.pth.history").iterdir())[0]
    given = {"DATA": images_file, "CKPT": checkpoint_file, "ALONG": history}
    before = tree(tmp_path)
    result = run_cli(*(given.get(word, word) for word in command.split()))
    assert result.code == 2, result
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert fragment in result.err
    assert tree(tmp_path) == before
