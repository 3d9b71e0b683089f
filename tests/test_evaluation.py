"""Scores against brute force."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import DataError
from shoal.scoring import evaluation

label_lists = st.lists(st.integers(0, 3), min_size=1, max_size=25)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_accuracy_is_that_of_the_best_naming(data: st.DataObject) -> None:
    truth = np.array(data.draw(label_lists))
    clusters = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    )
    best = max(np.mean(np.array(naming)[clusters] == truth) for naming in permutations(range(4)))
    assert evaluation.score(clusters, truth).accuracy == pytest.approx(best)


def test_names_do_not_matter_and_mistakes_do() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1])
    assert evaluation.score(1 - truth, truth) == evaluation.Scores(6, 1.0, 1.0, 1.0)
    wrong = evaluation.score(np.array([1, 1, 0, 0, 0, 0]), truth)
    assert wrong.accuracy == pytest.approx(5 / 6)
    assert wrong.nmi < 1
    assert wrong.ari < 1


def test_clusters_beyond_the_classes_stay_unnamed() -> None:
    assert evaluation.match(np.array([0, 0, 1, 2]), np.array([7, 7, 8, 8])).tolist() in (
        [7, 7, 8, -1],
        [7, 7, -1, 8],
    )


def test_labels_are_read_from_npy_and_csv(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([1.0, 0.0]))
    (tmp_path / "y.csv").write_text("id,label\n0,1\n1,0\n")
    for name in ("y.npy", "y.csv"):
        assert evaluation.load_labels(tmp_path / name, 2).tolist() == [1, 0]
        with pytest.raises(DataError, match="one for each image"):
            evaluation.load_labels(tmp_path / name, 3)


def test_labels_may_be_words_and_say_which_image_each_is_of(tmp_path: Path) -> None:
    ids = ["a.png", "b.png", "c.png"]

    def read(text: str) -> list[int]:
        (tmp_path / "y.csv").write_text(text)
        return evaluation.load_labels(tmp_path / "y.csv", 3, ids).tolist()

    assert read("label\ndog\ncat\ndog\n") == [1, 0, 1]
    assert read("file,label\nb.png,cat\nc.png,dog\na.png,dog\n") == [1, 0, 1]
    assert read("id,label\nc.png,2\nb.png,1\na.png,0\n") == [0, 1, 2]
    assert read("id,file,label\n7,c.png,2\n8,b.png,1\n9,a.png,0\n") == [0, 1, 2]
    assert read("image_id,label\n7,2\n8,1\n9,0\n") == [2, 1, 0]  # no column that says which
    assert read("id,label\n,2\n,1\n,0\n") == [2, 1, 0]
    for rows, message in (
        ("a.png,cat\nb.png,\nc.png,cat", "row 3 has no label"),
        ("a.png,cat\nb.png,dog\nd.png,cat", "names 'd.png', which is not in the pile"),
        ("a.png,cat\nb.png,dog\nb.png,cat", "names 'b.png' more than once"),
        ("a.png,cat\nb.png,dog\nc.png,cat\nb.png,dog", "names 'b.png' more than once"),
        ("a.png,cat\nb.png,dog\nc.png,dog\nd.png,cat", "names 'd.png', which is not in"),
        ("a.png,cat\nb.png,dog", r"has no label of 1 image, such as 'c\.png'"),
        ("x.png,cat\ny.png,dog\nz.png,cat", r"'file' begins with 'x\.png', and ids .* 'a\.png'"),
        ("3,cat\n2,dog\n1,cat", "leave it out if the rows are in the order of the images"),
        ("a.png,nan\nb.png,nan\nc.png,nan", "the same label, so there is nothing to measure"),
    ):
        with pytest.raises(DataError, match=message):
            read(f"file,label\n{rows}\n")


def test_labels_say_that_they_are_too_few_or_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("label\n1\n0\n")
    with pytest.raises(DataError, match="holds 2 labels for 3 images; give one for each image"):
        evaluation.load_labels(tmp_path / "y.csv", 3, ["a", "b", "c"])
    np.save(tmp_path / "y.npy", np.ones(3, np.int64))
    with pytest.raises(DataError, match="nothing to measure"):
        evaluation.load_labels(tmp_path / "y.npy", 3)


def test_scoring_different_lengths_is_an_error() -> None:
    with pytest.raises(DataError, match=r"same length, at least 1, got 2 and 3\."):
        evaluation.score(np.zeros(2, dtype=int), np.zeros(3, dtype=int))


def test_calibration_sorts_by_confidence_into_equal_parts() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.random(100)
    truth = np.arange(100) % 2
    clusters = np.where(confidence < 0.3, 1 - truth, truth)  # only the least confident are wrong
    bins = evaluation.calibration(confidence, clusters, truth)
    assert [part.n_images for part in bins] == [10] * 10
    in_order = np.sort(confidence).reshape(10, 10).mean(axis=1)
    assert [part.confidence for part in bins] == pytest.approx(in_order.tolist())
    assert bins[0].accuracy == 0.0
    assert bins[-1].accuracy == 1.0
    right = float(np.mean([part.accuracy for part in bins]))
    assert right == pytest.approx(evaluation.score(clusters, truth).accuracy)


def test_calibration_does_not_hang_on_order_or_names() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.choice([0.5, 0.8, 1.0], 57)  # most are ties
    truth, clusters = generator.integers(0, 3, (2, 57))
    expected = evaluation.calibration(confidence, clusters, truth)
    assert sum(part.n_images for part in expected) == 57
    order = generator.permutation(57)
    for found in (
        evaluation.calibration(confidence[order], clusters[order], truth[order]),
        evaluation.calibration(confidence, 7 - clusters, truth),
    ):
        for part, other in zip(expected, found, strict=True):
            assert part.accuracy == pytest.approx(other.accuracy)
            assert part.confidence == pytest.approx(other.confidence)


def test_calibration_of_few_images_and_of_unequal_lengths() -> None:
    one = np.zeros(1, dtype=np.int64)
    assert len(evaluation.calibration(np.ones(1), one, one)) == 1
    with pytest.raises(DataError, match=r"same length, at least 1, got 2, 1 and 1\."):
        evaluation.calibration(np.ones(2), one, one)


def test_the_interval_of_an_accuracy_is_wilsons() -> None:
    z = 1.959963984540054
    for right, n in [(0, 1), (1, 1), (0, 20), (7, 20), (450, 500), (8123, 8500)]:
        p = right / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n**2)) / (1 + z * z / n)
        assert evaluation.accuracy_interval(p, n) == pytest.approx((centre - half, centre + half))
