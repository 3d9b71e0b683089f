"""Scores against brute force."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import evaluation
from shoal.errors import DataError

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
        with pytest.raises(DataError, match="one label an image"):
            evaluation.load_labels(tmp_path / name, 3)


def test_scoring_different_lengths_is_an_error() -> None:
    with pytest.raises(DataError, match="as many labels as images"):
        evaluation.score(np.zeros(2, dtype=int), np.zeros(3, dtype=int))
