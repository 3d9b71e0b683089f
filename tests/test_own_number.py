"""Another look at the number of clusters does not contradict the verdict on the checkpoint's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from shoal import pipeline
from shoal.clustering.n_clusters import weigh
from shoal.images.vectors.source import VectorSource
from shoal.models.facts import ClusterFacts
from shoal.recipes.named import VECTORS
from shoal.scoring.label_free import verdict_on
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


def test_a_number_that_was_given_is_weighed_beside_others() -> None:
    kinds = np.repeat(np.arange(4), 40)
    x = np.random.default_rng(0).normal(size=(160, 8)) + 9 * np.eye(4, 8)[kinds]
    source, recipe = VectorSource(x.astype(np.float32)), replace(VECTORS, n_clusters=2)
    found, _ = pipeline.cluster_vectors(source, recipe)
    assert "4 groups are found again in other vectors more surely" in str(verdict_on(found))
    kept = ClusterFacts.from_json(found.facts.to_json())
    assert kept.weighed == found.facts.weighed
    for auto_k in (False, True):  # the same is told of a number, whoever named it
        right, _ = pipeline.cluster_vectors(source, replace(recipe, n_clusters=4), auto_k=auto_k)
        assert "found again in other" not in str(verdict_on(right))
        assert "100% of the vectors get the same group when only half" in str(verdict_on(right))
