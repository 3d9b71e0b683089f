"""How near copies are among vectors: piles with copies, without, and piles that cannot be told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from shoal import VectorSource
from shoal.search import large_copies
from shoal.search.duplicates import Duplicates, find_duplicates

CANNOT = "they may be copies, or only alike, and are not counted."


def with_copies(x: np.ndarray, n: int = 30, noise: float = 0.02) -> np.ndarray:
    """The vectors, and n of them again with some noise."""
    changes = noise * x.std(axis=0) * np.random.default_rng(1).normal(size=(n, x.shape[1]))
    return np.concatenate([x, x[:n] + changes]).astype(np.float32)


def cloud(d: int, n: int = 600) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def groups(d: int, width: float) -> np.ndarray:
    generator = np.random.default_rng(0)
    middles = generator.normal(size=(4, d))[generator.integers(4, size=400)]
    return (middles + width * generator.normal(size=(400, d))).astype(np.float32)


def told(found: Duplicates) -> set[int]:
    return {row for group in found.groups for row in (group.kept, *group.others.tolist())}


@pytest.mark.parametrize(
    ("pile", "is_sure"),
    [
        pytest.param(cloud(64), True, id="one cloud"),
        pytest.param(np.random.default_rng(0).uniform(size=(600, 16)), True, id="uniform"),
        pytest.param(cloud(64) * np.exp(cloud(1)), True, id="of many lengths"),
        pytest.param(cloud(8), False, id="8 numbers"),
        pytest.param(cloud(2), False, id="2 numbers"),
        pytest.param(cloud(1), False, id="1 number"),
        pytest.param(cloud(3) @ cloud(64, 3), False, id="on a plane"),
        pytest.param(groups(16, 0.1), False, id="tight groups"),
        pytest.param(groups(128, 0.02), False, id="tighter groups"),
        pytest.param(load_digits().data, False, id="digits"),
        pytest.param(
            np.concatenate([cloud(32, 300), 3 + 0.1 * cloud(32, 100)]), False, id="two densities"
        ),
    ],
)
def test_no_copies_are_told_where_there_are_none_and_what_is_not_sure_is_said(
    pile: np.ndarray, is_sure: bool
) -> None:
    found = find_duplicates(VectorSource(pile.astype(np.float32)))
    assert len(told(found)) <= len(pile) / 200
    assert (found.doubt == "") == is_sure
    assert is_sure or CANNOT in found.doubt


@pytest.mark.parametrize(
    "pile",
    [
        pytest.param(cloud(8), id="8 numbers"),
        pytest.param(cloud(64), id="one cloud"),
        pytest.param(groups(32, 0.1), id="tight groups"),
        pytest.param(load_digits().data, id="digits"),
    ],
)
def test_copies_are_told_and_hardly_anything_else(pile: np.ndarray) -> None:
    n = len(pile)
    pile = with_copies(pile)
    found = told(find_duplicates(VectorSource(pile)))
    assert len(found & set(range(n, n + 30))) == 30
    assert len(found) <= 66


@pytest.mark.parametrize("n_copies", [2, 5])
def test_a_pile_of_which_each_vector_is_there_several_times(n_copies: int) -> None:
    pile = np.repeat(cloud(32, 100), n_copies, axis=0) + 0.02 * cloud(32, 100 * n_copies)
    found = find_duplicates(VectorSource(pile))
    assert [len(group.others) for group in found.groups] == [n_copies - 1] * 100
    assert found.doubt == ""


def test_more_copies_of_one_vector_than_neighbours_are_looked_at() -> None:
    many = np.concatenate([cloud(32), cloud(32)[:1] + 0.02 * cloud(32, 21)])
    found = find_duplicates(VectorSource(many))
    assert [len(group.others) for group in found.groups] == [21]
    assert "22 vectors told as copies may be of a dense group instead" in found.doubt
    of_each = np.repeat(cloud(32, 100), 12, axis=0) + 0.02 * cloud(32, 1200)
    found = find_duplicates(VectorSource(of_each))
    assert not found.groups
    assert "All 1,200 vectors have another within 0.25" in found.doubt
    assert find_duplicates(VectorSource(of_each), threshold=0.25).n_copies == 1100


def test_very_many_vectors_are_judged_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    piles = [groups(32, 0.1), with_copies(groups(32, 0.1)), with_copies(cloud(64))]
    plain = [find_duplicates(VectorSource(pile)) for pile in piles]
    monkeypatch.setattr(large_copies, "AT_ONCE", 0)
    many = [find_duplicates(VectorSource(pile)) for pile in piles]
    for one, other, least in zip(plain, many, (0, 58, 58), strict=True):
        assert len(told(one)) >= least
        assert len(told(one) ^ told(other)) <= 2
        assert (one.doubt == "") == (other.doubt == "")


def test_the_command_says_what_it_cannot_tell(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", groups(16, 0.1))
    result = run_cli("duplicates", "v.npy")
    assert result.code == 0, result.err
    assert "no copies among 400 vectors" in result.err
    assert CANNOT in result.err
    assert "To count them, give --max-distance 0.25." in result.err
