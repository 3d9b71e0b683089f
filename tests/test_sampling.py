"""A sample of rows: all of few, as many as asked of many, by the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.images.sampling import sample_rows


@pytest.mark.parametrize(("n", "most"), [(0, 3), (4, 5), (5, 5)])
def test_few_rows_are_all_taken_and_nothing_is_drawn(n: int, most: int) -> None:
    generator = np.random.default_rng(1)
    assert sample_rows(n, most, generator).tolist() == list(range(n))
    assert generator.random() == np.random.default_rng(1).random()


def test_of_many_rows_so_many_are_drawn_each_once_in_order() -> None:
    rows = sample_rows(1000, 400)
    assert len(rows) == 400
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0
    assert rows[-1] < 1000
    assert abs(rows.mean() - 499.5) < 50  # from everywhere
    assert sample_rows(6, 5).shape == (5,)


def test_the_seed_decides_and_a_generator_is_drawn_from() -> None:
    assert np.array_equal(sample_rows(1000, 9), sample_rows(1000, 9, 0))
    assert not np.array_equal(sample_rows(1000, 9), sample_rows(1000, 9, 1))
    generator = np.random.default_rng(0)
    first, second = sample_rows(1000, 9, generator), sample_rows(1000, 9, generator)
    assert np.array_equal(first, sample_rows(1000, 9, 0))
    assert not np.array_equal(first, second)
