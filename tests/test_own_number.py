"""Another look at the number of clusters does not contradict the verdict on the checkpoint's."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from shoal.clustering.n_clusters import weigh
from shoal.scoring.own_number import beside_verdict


@pytest.mark.parametrize("own", [4, 30])
def test_a_trusted_number_is_not_called_into_question(own: int) -> None:
    noise = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    found = weigh(noise, high=6)
    assert "no number is clear" in found.reason
    checkpoint = SimpleNamespace(recipe=SimpleNamespace(n_clusters=own), n_dimensions=0)
    assert beside_verdict(found, checkpoint, "in part") is found  # type: ignore[arg-type]
    kept = beside_verdict(found, checkpoint, "yes")  # type: ignore[arg-type]
    assert "no number is clear" not in kept.reason
    assert f"The {own} clusters of the checkpoint" in kept.reason
    assert kept.n_clusters == (own if own in found.groups else found.n_clusters)
    assert kept.leading[0] == kept.n_clusters


def test_a_clear_number_is_told_whatever_the_verdict() -> None:
    corners = np.repeat(np.eye(3, dtype=np.float32) * 9, 40, axis=0)
    noise = np.random.default_rng(0).normal(size=corners.shape).astype(np.float32)
    found = weigh(corners + noise, high=6)
    checkpoint = SimpleNamespace(recipe=SimpleNamespace(n_clusters=5), n_dimensions=0)
    assert beside_verdict(found, checkpoint, "yes") is found  # type: ignore[arg-type]
